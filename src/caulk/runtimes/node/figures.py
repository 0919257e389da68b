"""What a V8 heap is now, and what a snapshot of it costs: by the memory map of the process, without asking it.

V8 takes pages of 256 KiB at random addresses of 46 bits, far below those of everything else (GetRandomMmapAddr in its
platform-posix.cc); an object that does not fit has pages of its own. So the map tells the heap from buffers, and the
largest object. Half of the young generation is empty between two collections, though it stays resident: its pages are
marked FROM_PAGE in their headers (memory-chunk.h), and left out where those can be read and are as expected.

A snapshot is a graph in native memory, and what that takes is a matter of how many objects there are, which nobody
knows before. Measured on Node.js 20 (V8 11.3) by `bench/costs.py`, on heaps of 16, 64 and 160 MB: 5 to 8 bytes
a byte of heap for records, closures and maps, 2 for strings of a kilobyte, and 30 MB. On top of it, V8 keeps the text
of each index under which an object is held, a kilobyte each (StringsStorage): an array of a million objects costs a
gigabyte. Predictions were 1.1 to 2.2 times what was measured, for strings four times. The thread stands still for some
80 s a GB, on one slow core.
"""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from caulk.model.capture import Cost
from caulk.model.errors import CaulkError
from caulk.model.target import Process
from caulk.ports import Reach

_BASE_BYTES, _RATIO = 32 << 20, 7.5
#: The buffer that StringsStorage::GetFormatted keeps, with malloc's own.
_INDEX_BYTES = 1056
_SLOT_BYTES, _LEAST_OBJECT_BYTES = 8, 16
#: Resident memory that is not known to be heap: nor is its largest object.
_BLIND_RATIO = 10.0
_BASE_S, _S_PER_BYTE, _S_PER_INDEX = 0.3, 80e-9, 2.5e-6
#: The JSON of a snapshot, by byte of heap.
_SIZE_BASE_BYTES, _SIZE_RATIO = 8 << 20, 2.0
_RANGE = 1 << 46
#: No Node.js has less; where less is seen, V8 is somewhere else.
_LEAST_HEAP_BYTES = 3 << 20
_LARGE_BYTES = 512 << 10
_MOST_MAP = 32 << 20
#: A page, and what its header begins with: its size, and flags.
_PAGE, _FROM, _TO = 256 << 10, 1 << 3, 1 << 4
#: The empty half has 16 MiB unless a switch says otherwise: of a large heap that is nothing.
_MOST_PAGES, _PATIENCE_S = 512, 1.5
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (rw)[-x][ps] \S+ \S+ 0 *(\[anon:[^\]]*\])?$")


@dataclass(frozen=True, slots=True)
class Heap:
    """Bytes of a V8 heap, garbage too; `largest` object, None where `resident` may be more than the heap."""

    resident: int
    largest: int | None
    source: str


def heap(reach: Reach, process: Process) -> Heap:
    """The heap of a process, of all its threads; at worst all its anonymous memory."""
    try:
        text = b"".join(reach.fetch(f"/proc/{process.pid}/smaps", 0, _MOST_MAP)).decode("ascii", "replace")
    except CaulkError:
        text = ""
    pages = list(_pages(text))
    resident = sum(size for _, _, size in pages)
    if resident < _LEAST_HEAP_BYTES:
        return Heap(reach.reading().anonymous, None, "its anonymous memory")
    largest = max((size for _, _, size in pages if size >= _LARGE_BYTES), default=0)
    return Heap(resident - _empty_bytes(reach, pages), largest, "its memory map")


def snapshot_cost(found: Heap) -> Cost:
    """What a snapshot of the heap takes; the most that it may be of memory."""
    indexes = 0
    if found.largest is None:
        extra = _BASE_BYTES + round(_BLIND_RATIO * found.resident)
    else:
        rest = found.resident - found.largest
        indexes = min(found.largest // _SLOT_BYTES, rest // _LEAST_OBJECT_BYTES)
        extra = _BASE_BYTES + round(_RATIO * found.resident) + _INDEX_BYTES * indexes
    return Cost(
        pause_s=round(_BASE_S + _S_PER_BYTE * found.resident + _S_PER_INDEX * indexes, 3),
        extra_bytes=extra,
        size_bytes=_SIZE_BASE_BYTES + round(_SIZE_RATIO * found.resident),
        risk=f"V8 builds the snapshot in native memory; predicted from {found.source}, it may take a fifth as much;"
        " what it takes stays resident in part, to be used again",
    )


def _pages(text: str) -> Iterator[tuple[int, int, int]]:
    """Where each mapping that is V8's begins and ends, and its resident bytes."""
    span = None
    for line in text.splitlines():
        if line.startswith("Anonymous:"):
            size = int(line.split()[1]) << 10
            if span and size:
                yield *span, size
        elif line[:1].isdigit() or line[:1] in "abcdef":
            head = _HEAD.match(line)
            span = (int(head[1], 16), int(head[2], 16)) if head and int(head[1], 16) < _RANGE else None


def _empty_bytes(reach: Reach, spans: Sequence[tuple[int, int, int]]) -> int:
    """The bytes of pages that hold nothing now; 0 where that cannot be told, or not soon."""
    pages = [page for start, end, size in spans if size == end - start for page in range(start, end, _PAGE)]
    empty, began = 0, time.monotonic()
    if len(pages) > _MOST_PAGES:
        return 0
    with suppress(CaulkError):
        for page in pages:
            header = reach.peek(page, 16)
            size, flags = int.from_bytes(header[:8], sys.byteorder), int.from_bytes(header[8:], sys.byteorder)
            empty += _PAGE if size == _PAGE and flags & (_FROM | _TO) == _FROM else 0
            if time.monotonic() - began > _PATIENCE_S:
                break
    return empty
