"""What stands around the objects of an HPROF dump: its header, names, classes, stacks, and which dump of several."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from caulk._core import hprof_records
from caulk._core.hprof_cursor import Cursor
from caulk.formats.hprof.naming import Texts, class_name, distinct
from caulk.model.column import Ints, Strings, ints
from caulk.model.errors import MalformedDump
from caulk.model.original import ClassNames, Originals, lookups

if TYPE_CHECKING:
    from caulk._core.hprof_marks import Marked

#: What tools that take the values out of a dump leave in a record of their own.
REDACTED = b"REDACTED"
MAGIC = b"JAVA PROFILE 1.0"
_LONGEST_MAGIC = 32
_CUT = "The dump was cut short: was the program killed while it wrote, or the disk full?"


class Header(NamedTuple):
    """The beginning of a dump; `end` is where its records begin."""

    version: str
    id_size: int
    taken_at: datetime | None
    end: int


class Static(NamedTuple):
    """A static field, with the id of what it refers to where its type is a reference."""

    name: str
    type: int
    value: int


@dataclass(frozen=True, slots=True)
class ClassDump:
    """A class: ids of what it refers to, and what instances of it consist of (name, type), superclasses left out."""

    id: int
    text: str
    """Its name as it stands in the dump, empty if it was never loaded."""
    super: int
    loader: int
    signers: int
    domain: int
    bytes: int
    statics: tuple[Static, ...]
    fields: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        """Its name as the Java language has it."""
        return class_name(self.text)


@dataclass(frozen=True, slots=True)
class Dump:
    """The records of one dump of a file; `heap` are starts and ends of its heap records (`'q'`)."""

    header: Header
    heap: Ints
    loaded: dict[int, tuple[int, str]]
    """By class id its serial number and its name as written."""
    frames: Ints
    traces: Ints
    trace_frames: Ints
    texts: Texts
    lost: int
    """Bytes between the records that make no sense."""
    absent: int
    """Bytes that the last record claims to have, behind the end of the file."""
    warnings: tuple[str, ...]
    is_redacted: bool = False
    originals: Mapping[str, ClassNames] = field(default_factory=dict)
    """Obfuscated classes whose names in the source are known."""


def read_header(head: bytes) -> Header:
    """The header of a dump; raises `MalformedDump` where it is none, or of a kind that nothing writes."""
    end = head.find(b"\0", 0, _LONGEST_MAGIC)
    if not head.startswith(MAGIC) or end < 0 or len(head) < end + 13:
        raise MalformedDump("hprof: the file ends within its header", hint=_CUT)
    id_size = int.from_bytes(head[end + 1 : end + 5], "big")
    if id_size not in (4, 8):
        raise MalformedDump(
            f"hprof: ids of {id_size} bytes", hint="JVMs write ids of 4 or 8 bytes: the file is damaged."
        )
    milliseconds = int.from_bytes(head[end + 5 : end + 13], "big")
    try:
        taken_at = datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
    except (ValueError, OverflowError, OSError):
        taken_at = None
    return Header(head[:end].decode("ascii", "replace"), id_size, taken_at, end + 13)


def redaction_mark(id_size: int) -> bytes:
    """The record that `caulk redact` puts behind the header: a name whose id nobody uses, which any tool can read.

    Others write a record of their own with tag 0xDE, and VisualVM has no place for tags beyond 0x7F.
    """
    return bytes([1, 0, 0, 0, 0]) + (id_size + len(REDACTED)).to_bytes(4, "big") + b"\xff" * id_size + REDACTED


def is_marked(data: bytes, header: Header) -> bool:
    """Whether `caulk redact` wrote the dump."""
    mark = redaction_mark(header.id_size)
    return data[header.end : header.end + len(mark)] == mark


def read_records(data: bytes, header: Header, cursor: Cursor) -> Dump:
    """The records around the heap; of several dumps the last complete one is taken, else the last."""
    found = hprof_records.records(cursor, header.end)
    heap, complete = found["heap"], found["complete"]
    numbers = sorted(set(heap[2::3]))
    if not numbers:
        raise MalformedDump("hprof: the file holds no heap records", hint=_CUT)
    whole = set(complete)
    chosen = max((number for number in numbers if number in whole), default=numbers[-1])
    warnings = []
    if len(numbers) > 1:
        which = "the last" if chosen == numbers[-1] else "the last that is complete"
        warnings.append(f"the file holds {len(numbers)} dumps: this is {which}, number {numbers.index(chosen) + 1}")
    if chosen not in whole:
        warnings.append("the dump has no end: it was cut short, or its writer stopped")
    mine = ints(0)
    for i in range(0, len(heap), 3):
        if heap[i + 2] == chosen:
            mine.extend(heap[i : i + 2])
    frames = found["frame"]
    strings = Strings(data, found["string_start"], found["string_length"])
    rows = found["loaded"]
    texts = Texts(strings, found["string"]).also(distinct(rows[2::3], *(frames[i::6] for i in range(1, 4))))
    return Dump(
        header=header,
        heap=mine,
        loaded={rows[i + 1]: (rows[i], texts[rows[i + 2]]) for i in range(0, len(rows), 3)},
        frames=frames,
        traces=found["trace"],
        trace_frames=found["trace_frame"],
        texts=texts,
        lost=found["lost"],
        absent=found["absent"],
        warnings=tuple(warnings),
        is_redacted=(found["mark"] >= 0 and data[found["mark"] : found["mark"] + len(REDACTED)] == REDACTED)
        or is_marked(data, header),
    )


def with_originals(dump: Dump, originals: Originals) -> Dump:
    """The same, with what is known of its classes."""
    names = {part for _, text in dump.loaded.values() for part in lookups(class_name(text))}
    return replace(dump, originals=originals.classes(names))


def class_dumps(found: "Marked", dump: Dump) -> list[ClassDump]:
    """The classes of a heap, of `mark`'s columns; a class that was dumped twice counts once."""
    rows, statics, fields = found["classes"], found["static"], found["field"]
    texts = dump.texts.also(distinct(statics[0::3], fields[0::2]))
    # Field names repeat: one pair for each name and type.
    shared: dict[tuple[int, int], tuple[str, int]] = {}

    def own(first: int, count: int) -> Iterator[tuple[str, int]]:
        for i in range(2 * first, 2 * (first + count), 2):
            key = (fields[i], fields[i + 1])
            yield shared.get(key) or shared.setdefault(key, (texts[key[0]], key[1]))

    dumps: dict[int, ClassDump] = {}
    for i in range(0, len(rows), 10):
        id, above, loader, signers, domain, size, first_static, first_field, static_count, field_count = rows[
            i : i + 10
        ]
        if id in dumps:
            continue
        dumps[id] = ClassDump(
            id=id,
            text=dump.loaded.get(id, (0, ""))[1],
            super=above,
            loader=loader,
            signers=signers,
            domain=domain,
            bytes=size,
            statics=tuple(
                Static(texts[statics[j]], statics[j + 1], statics[j + 2])
                for j in range(3 * first_static, 3 * (first_static + static_count), 3)
            ),
            fields=tuple(own(first_field, field_count)),
        )
    return [_as_written(each, dump.originals) for each in dumps.values()] if dump.originals else list(dumps.values())


def _as_written(each: ClassDump, known: Mapping[str, ClassNames]) -> ClassDump:
    """A class with the names of its source; what its text says beside the name, such as an address, stays."""
    parts = lookups(each.name)
    found = next((part for part in parts if part in known), None)
    if found is None:
        return each
    names = known[found]
    dimensions = len(each.text) - len(each.text.lstrip("["))
    start = dimensions + bool(dimensions)
    text = each.text[:start] + names.name.replace(".", "/") + each.text[start + len(found) :]
    if found != each.name:
        return replace(each, text=text)
    return replace(
        each,
        text=text,
        statics=tuple(static._replace(name=names.field(static.name)) for static in each.statics),
        fields=tuple((names.field(name), kind) for name, kind in each.fields),
    )
