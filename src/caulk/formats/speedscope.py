"""speedscope files: the JSON that speedscope opens, and that many profilers write (py-spy, rbspy, Pyroscope).

Schema: https://www.speedscope.app/file-format-schema.json. A file may hold several profiles; the active one is read,
and the comments name the others. Times are kept in nanoseconds; a measure that caulk wrote keeps its name.
"""

import math
import re
from array import array
from dataclasses import replace

from caulk.formats.builder import ProfileBuilder
from caulk.formats.json_document import Document
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure
from caulk.model.profile import Kind, Profile
from caulk.model.samples import Nodes, Samples

NAME = "speedscope"

_SCHEMA = re.compile(rb"speedscope\.app\\?/file-format-schema")
_SHARED = re.compile(rb'"shared"\s*:\s*\{\s*"frames"')
_FACTORS = {"nanoseconds": 1, "microseconds": 10**3, "milliseconds": 10**6, "seconds": 10**9}
_MOST = 1 << 62
_AGAIN = "Write the file again; speedscope itself shows whether it is whole."


def sniff(head: bytes) -> bool:
    """A JSON object that names speedscope's schema, or has its frames."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text[:1] == b"{" and (_SCHEMA.search(text) is not None or _SHARED.search(text) is not None)


def read(data: bytes) -> Profile:
    """The active profile; of a file that was cut short, the samples before the cut that have their weight."""
    try:
        document = Document(data)
    except ValueError as error:
        raise MalformedDump(f"not a speedscope file: {error}", hint="The file is damaged.") from None
    return _Reader(document).profile()


class _Reader:
    """One file, on its way to a profile: stacks become a tree as they come, for events write each call only once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.tape = document.tape
        self.parent, self.frame = array("i", [-1]), array("i", [-1])
        self.children: dict[tuple[int, int], int] = {}
        self.nodes, self.values = array("i"), array("q")
        self.frames: list[int] = []
        self.factor = 1
        self.left_out = 0

    def profile(self) -> Profile:
        document, tape = self.document, self.tape
        profiles = list(document.elements(tape.get(0, b"profiles")))
        if not profiles:
            raise MalformedDump("a speedscope file without profiles", hint=_AGAIN)
        active = int(max(0, min(document.number(tape.get(0, b"activeProfileIndex")), len(profiles) - 1)))
        chosen = profiles[active]
        measure, kind = self.counted(chosen)
        builder = ProfileBuilder(measure)
        self.frames = [
            builder.frame(
                document.text(tape.get(token, b"name")) or "(anonymous)",
                document.text(tape.get(token, b"file")),
                int(min(max(document.number(tape.get(token, b"line")), 0), _MOST)),
            )
            for token in document.elements(tape.get(tape.get(0, b"shared"), b"frames"))
        ]
        form = document.text(tape.get(chosen, b"type"))
        if form == "sampled":
            self.sampled(chosen)
        elif form == "evented":
            self.evented(chosen)
        else:
            raise MalformedDump(f"a speedscope profile of the type {form!r}, which is not known", hint=_AGAIN)
        count = len(self.nodes)
        warnings = []
        if tape.is_cut:
            warnings.append(f"the file was cut short at byte {tape.position:,}; only {count:,} samples could be read")
        if self.left_out:
            warnings.append(f"{self.left_out:,} samples name frames that the file does not have; they were left out")
        profile = builder.build(
            format=NAME,
            runtime="native",
            kind=kind,
            coverage=document.coverage * count / ((count + self.left_out) or 1),
            warnings=tuple(warnings),
            comments=tuple(self.comments(profiles, active)),
        )
        samples = Samples(Nodes(self.parent, self.frame, self.nodes), array("i", bytes(4 * count)), (self.values,))
        return replace(profile, samples=samples)

    def counted(self, chosen: int) -> tuple[Measure, Kind]:
        """What the numbers are; sets the factor that makes nanoseconds of times."""
        unit = self.document.text(self.tape.get(chosen, b"unit")) or "none"
        name = self.document.text(self.tape.get(chosen, b"name"))
        if unit in _FACTORS:
            self.factor = _FACTORS[unit]
            return Measure("wall", "nanoseconds"), "wall"
        if unit not in ("none", "bytes"):
            raise MalformedDump(f"a speedscope profile in {unit!r}, which is not one of its units", hint=_AGAIN)
        named = Measure(name, "bytes" if unit == "bytes" else "count")
        if named.role in ("live", "allocated"):
            return named, "goroutine" if name == "goroutine" else "heap"
        return (Measure("live", "bytes"), "heap") if unit == "bytes" else (Measure("", ""), "unknown")

    def sampled(self, chosen: int) -> None:
        """Stacks, outermost first, and their weights."""
        document, tape = self.document, self.tape
        weights = document.elements(tape.get(chosen, b"weights"))
        for stack, weight in zip(document.elements(tape.get(chosen, b"samples")), weights, strict=False):
            node = 0
            for token in document.elements(stack):
                node = self.child(node, token)
            self.add(node, document.number(weight))

    def evented(self, chosen: int) -> None:
        """Calls that open and close: what passes between two events belongs to the stack that is open."""
        document, tape = self.document, self.tape
        stack = [0]
        since = document.number(tape.get(chosen, b"startValue"))
        for event in document.elements(tape.get(chosen, b"events")):
            at = document.number(tape.get(event, b"at"))
            frame = tape.get(event, b"frame")
            form = document.text(tape.get(event, b"type"))
            if at < since:
                raise MalformedDump(
                    f"a speedscope profile whose events run backwards, at byte {tape.start(event):,}", hint=_AGAIN
                )
            if at > since and stack[-1]:
                self.add(stack[-1], at - since)
            since = at
            if form == "O":
                stack.append(self.child(stack[-1], frame))
            elif len(stack) > 1 and form == "C" and self.child(stack[-2], frame) == stack[-1]:
                stack.pop()
            elif not tape.is_cut:
                raise MalformedDump(
                    f"a speedscope profile that closes a call which is not the last one opened,"
                    f" at byte {tape.start(event):,}",
                    hint=_AGAIN,
                )

    def child(self, node: int, token: int) -> int:
        """The node below `node` for the frame whose number is at `token`; -1 if there is no such frame or node."""
        number = self.document.number(token)
        if node < 0 or self.tape.kind(token) != "i" or not 0 <= number < len(self.frames):
            return -1
        key = (node, self.frames[int(number)])
        found = self.children.get(key)
        if found is None:
            found = self.children[key] = len(self.parent)
            self.parent.append(node)
            self.frame.append(key[1])
        return found

    def add(self, node: int, weight: float) -> None:
        """A value of the stack that ends at `node`."""
        value = weight * self.factor
        if node < 0 or not math.isfinite(value):
            self.left_out += 1
            return
        # Whole numbers stay as they are: as floats, the large ones would be rounded.
        self.nodes.append(node)
        self.values.append(max(-_MOST, min(round(value), _MOST)))

    def comments(self, profiles: list[int], active: int) -> list[str]:
        """What the file says of itself, and what else is in it."""
        said = [self.document.text(self.tape.get(0, key)) for key in (b"name", b"exporter")]
        if len(profiles) > 1:
            names = [self.document.text(self.tape.get(token, b"name")) for token in profiles[:8]]
            said.append(f"profile {active + 1} of {len(profiles):,} was read: {', '.join(names)}")
        return [text for text in said if text]
