"""Why objects are alive: the roots of a heap by their kind, and the locals of threads, named by their frame."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

from caulk._core.hprof_addresses import Addresses
from caulk.formats.hprof.naming import class_name
from caulk.formats.hprof.records import Dump
from caulk.formats.hprof.references import Labels
from caulk.model.column import Ints
from caulk.model.graph import ROOTS
from caulk.model.original import original_class

THREAD = 0x08
_SYSTEM_CLASS = 0x05
_NAMES: Mapping[int, str] = {
    0x01: "JNI global", 0x02: "JNI local", 0x03: "Java frame", 0x04: "native stack", 0x05: "system class",
    0x06: "thread block", 0x07: "monitor", 0x08: "thread", 0x89: "interned string", 0x8A: "finalizing",
    0x8B: "debugger", 0x8C: "reference cleanup", 0x8D: "VM internal", 0x8E: "JNI monitor", 0xFF: "unknown root",
}  # fmt: skip
#: What a thread holds, if it is known which thread: its stack is where to look for the reason.
_OF_THREAD = {0x02, 0x03, 0x04, 0x06, 0x8E}


@dataclass(frozen=True, slots=True)
class Edges:
    """References that no object's record holds: sources and targets (`'i'`), label words (`'I'`)."""

    source: Ints
    target: Ints
    label: Ints

    @classmethod
    def none(cls) -> "Edges":
        """To be added to."""
        return cls(array("i"), array("i"), array("I"))

    def add(self, source: int, target: int, word: int) -> None:
        """One reference; nothing if its target is not in the dump."""
        if target:
            self.source.append(source)
            self.target.append(target)
            self.label.append(word)


def add_roots(
    edges: Edges, found: Ints, boot_classes: Ints, *, addresses: Addresses, dump: Dump, labels: Labels
) -> None:
    """Add the roots (`mark`'s `root`), each kind of an object once, and a thread's locals as what it holds.

    Classes of the boot loader (`boot_classes`, numbers) are never unloaded, whether or not the dump says so.
    """
    numbers = addresses.numbers(found[1::4])
    tags, serials, depths = found[0::4], found[2::4], found[3::4]
    threads: dict[int, int] = {}
    for i, tag in enumerate(tags):
        if tag == THREAD and numbers[i]:
            threads[serials[i]] = numbers[i]
    stacks = _Stacks(dump)
    words = {tag: labels.word("root", name) for tag, name in _NAMES.items()}
    met: set[tuple[int, int, int]] = set()
    for i, tag in enumerate(tags):
        number = numbers[i]
        thread = threads.get(serials[i]) if tag in _OF_THREAD else None
        if thread is None or thread == number:
            edge = (ROOTS, number, words.get(tag, words[0xFF]))
        else:
            frame = stacks.frame(serials[i], depths[i])
            edge = (thread, number, labels.word("local", frame) if frame else labels.word("internal", _NAMES[tag]))
        if edge not in met:
            met.add(edge)
            edges.add(*edge)
    for number in boot_classes:
        if (ROOTS, number, words[_SYSTEM_CLASS]) not in met:
            edges.add(ROOTS, number, words[_SYSTEM_CLASS])


class _Stacks:
    """The stacks of threads, a frame as `Class.method (File.java:line)`."""

    def __init__(self, dump: Dump) -> None:
        self._dump = dump
        frames, traces = dump.frames, dump.traces
        self._frames = {frames[i]: i for i in range(0, len(frames), 6)}
        self._traces = {traces[i + 1]: (traces[i + 2], traces[i + 3]) for i in range(0, len(traces), 4)}
        self._classes = {serial: class_name(text) for serial, text in dump.loaded.values()}
        self._named: dict[int, str] = {}

    def frame(self, thread: int, depth: int) -> str:
        """The frame of a thread at a depth, empty if the dump does not have it."""
        first, count = self._traces.get(thread, (0, 0))
        if not 0 <= depth < count:
            return ""
        id = self._dump.trace_frames[first + depth]
        return self._named.get(id) or self._named.setdefault(id, self._name(id))

    def _name(self, id: int) -> str:
        at = self._frames.get(id)
        if at is None:
            return ""
        _, method, _, source, serial, line = self._dump.frames[at : at + 6]
        texts = self._dump.texts
        names = self._dump.originals.get(self._classes.get(serial, ""))
        written = names.method(texts[method], max(line, 0)) if names else None
        if written:
            return f"{written.function} ({written.file}{f':{written.line}' if written.line else ''})"
        place = texts[source]
        if place and line > 0:
            place += f":{line}"
        elif line == -3:
            place = "native"
        owner = original_class(self._classes.get(serial, ""), self._dump.originals)
        name = f"{owner}.{texts[method]}".lstrip(".")
        return f"{name} ({place})" if place else name
