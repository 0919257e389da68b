"""JVM heap dumps without values: primitive arrays and fields are zeros, names are those of code.

The file keeps its length, but for a record behind the header that says what happened. Zeros take the place of all that
is not known to be a head, an id, or a name that a class, field, method or source file has: strings, thread names and
system properties, but also the literals in the program's own code.
"""

from array import array
from collections.abc import Iterator
from dataclasses import replace
from mmap import mmap

from caulk._core import hprof_marks, hprof_records
from caulk._core.hprof_addresses import Addresses
from caulk._core.hprof_cursor import Cursor
from caulk._core.hprof_redaction import Skeleton
from caulk.formats.hprof.records import (
    REDACTED,
    Dump,
    class_dumps,
    is_marked,
    read_header,
    read_records,
    redaction_mark,
)
from caulk.formats.hprof.references import Labels, places, superclasses
from caulk.ports import Write

_HEAD = 9
_WINDOW = 1 << 20
#: A record counts if a known tag stands behind it: this one in front of zeros.
_ANY_TAG = b"\x0e"
_UTF8, _LOADED, _FRAME, _TRACE = 0x01, 0x02, 0x04, 0x05
#: Names that Android gives to parts of the heap.
_HEAPS = {b"app", b"zygote", b"image", b"default"}


def redact(data: bytes | mmap, write: Write) -> tuple[str, ...]:
    """Write the dump with zeros for values; memory is what its classes need, whatever the objects are."""
    header = read_header(data[:64])
    cursor = Cursor(data, header.id_size)  # type: ignore[arg-type]  # a mapped file reads like bytes
    found = hprof_records.records(cursor, header.end)
    dump = read_records(data, header, cursor)  # type: ignore[arg-type]
    rows, frames = found["loaded"], found["frame"]
    names = {*rows[2::3], *frames[1::6], *frames[2::6], *frames[3::6]}
    heap = found["heap"]
    skeletons = {}
    for number in sorted(set(heap[2::3])):
        parts = array("q", [at for i in range(0, len(heap), 3) if heap[i + 2] == number for at in heap[i : i + 2]])
        skeletons[number], named = _skeleton(cursor, replace(dump, heap=parts))
        names |= named
    write(bytes(data[: header.end]))
    mark = redaction_mark(header.id_size)
    write(mark)
    begin = header.end + len(mark) * is_marked(data, header)  # type: ignore[arg-type]
    ends = {heap[i]: (heap[i + 1], skeletons[heap[i + 2]]) for i in range(0, len(heap), 3)}
    lost = 0
    batch = bytearray()
    for piece in _pieces(cursor, data, begin, n=header.id_size, names=names, ends=ends):
        if isinstance(piece, int):
            lost += piece
            continue
        batch += piece
        if len(batch) >= _WINDOW:
            write(batch)
            batch = bytearray()
    write(batch)
    return (f"{lost:,} bytes could not be read: they are zeros",) if lost else ()


def _skeleton(cursor: Cursor, dump: Dump) -> tuple[Skeleton, set[int]]:
    """How the heap of one dump of the file is copied, and the ids of the names in it."""
    found, _ = hprof_marks.glance(cursor, dump.heap, Addresses(0))
    classes = class_dumps(found, dump)
    where = places(classes, superclasses(classes), [""] * len(classes), Labels(), dump.header.id_size)
    first, offset = array("i", [0]), array("i")
    for row in sorted(range(len(classes)), key=lambda row: classes[row].id):
        offset.extend(where.offset[where.first[row] : where.first[row + 1]])
        first.append(len(offset))
    ids = array("q", sorted(each.id for each in classes))
    names = {*found["static"][0::3], *found["field"][0::2]}
    return Skeleton(cursor, ids, first, offset), names


def _pieces(
    cursor: Cursor, data: bytes | mmap, at: int, *, n: int, names: set[int], ends: dict[int, tuple[int, Skeleton]]
) -> Iterator[bytes | bytearray | int]:
    """The records in their order, and numbers of bytes that could not be read and became zeros."""
    limit = len(data)
    makes_sense = True
    while limit - at >= _HEAD:
        head = data[at : at + _HEAD]
        if at + _HEAD in ends and head[0] in (0x0C, 0x1C):
            end, skeleton = ends[at + _HEAD]
            yield head
            yield from _heap(skeleton, at + _HEAD, end)
            at = end
            continue
        if skipped := hprof_records.gap(cursor, at):
            # The head of a last record that is cut says how much is missing. What else stands here may be anything.
            kept = head if makes_sense and at + skipped == limit else _ANY_TAG
            yield skipped
            yield kept
            yield from _zeros(skipped - len(kept))
            at += skipped
            makes_sense = False
            continue
        at += _HEAD
        yield head
        length = int.from_bytes(head[5:], "big")
        if head[0] == _UTF8:
            yield _name(data[at : at + length], n, names)
        else:
            kept = data[at : at + min(_known(head[0], data, at, n), length)]
            yield kept
            yield from _zeros(length - len(kept))
        at += length
    if at < limit:
        yield limit - at
        yield from _zeros(limit - at)


def _heap(skeleton: Skeleton, at: int, end: int) -> Iterator[bytearray | int]:
    """Heap records by windows: one that reaches beyond its window is looked at again in the next."""
    for low in range(at, end, _WINDOW):
        window = bytearray(min(_WINDOW, end - low))
        if at >= 0:
            at = skeleton.copy(window, low, at, end)
            if at < 0:
                yield end - ~at
        yield window


def _known(tag: int, data: bytes | mmap, at: int, n: int) -> int:
    """How many bytes of a record are numbers and ids, none of a record that is not known."""
    if tag == _TRACE:
        return 12 + n * int.from_bytes(data[at + 8 : at + 12], "big")
    # Beside classes, frames and ends: unloaded, heap summary, thread started and ended, settings, marks of redaction.
    sizes = {_LOADED: 8 + 2 * n, _FRAME: 8 + 4 * n, 0x03: 4, 0x07: 24, 0x0A: 8 + 4 * n, 0x0B: 4, 0x0E: 6}
    return 9 if tag == 0xDE and data[at : at + 8] == REDACTED else sizes.get(tag, 0)


def _name(record: bytes, n: int, names: set[int]) -> bytes:
    """A name with its id; of one that no code has, the length."""
    id, text = record[:n], record[n:]
    if int.from_bytes(id, "big", signed=n == 8) in names or text in _HEAPS:
        return record
    return id + b"?" * len(text)


def _zeros(count: int) -> Iterator[bytes]:
    for at in range(0, count, _WINDOW):
        yield bytes(min(_WINDOW, count - at))
