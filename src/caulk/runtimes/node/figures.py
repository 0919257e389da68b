"""What a V8 heap is now, and what a snapshot of it costs: by the memory map of the process, without asking it.

V8 takes pages of 256 KiB at random addresses of 46 bits, far below those of everything else (GetRandomMmapAddr in its
platform-posix.cc); an object that does not fit has pages of its own. So the map tells the heap from buffers, and the
largest object. Half of the young generation is empty between two collections, though it stays resident: its pages are
marked FROM_PAGE in their headers (memory-chunk.h), and left out where those can be read and are as expected.

A snapshot is a graph in native memory, and what that takes is a matter of how many objects and references there are:
a sample of the pages tells references, words that are odd and lead into the heap, from texts and numbers. Measured on
Node.js 20 (V8 11.3) by `bench/costs.py`: 5 to 8 bytes a byte of heap for records, closures and maps, where 0.6 of it
are references, 1 for strings of a kilobyte, where 0.06 are, and 30 MB. On top of it, V8 keeps the text of each index
under which an object is held, a kilobyte each (StringsStorage): an array of a million objects costs a gigabyte. The
thread stands still for 20 to 110 s a GB, on one slow core.
"""

import re
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from caulk.model.capture import Cost
from caulk.model.errors import CaulkError
from caulk.model.target import Process
from caulk.ports import Reach

_BASE_BYTES = 32 << 20
#: For a byte of heap without references, more for each that is one, and the most there is: memory, seconds, and JSON.
_MEMORY, _SECONDS, _JSON = (1.0, 18.0, 8.5), (15e-9, 150e-9, 100e-9), (0.8, 2.5, 2.0)
#: The buffer that StringsStorage::GetFormatted keeps, with malloc's own.
_INDEX_BYTES = 1056
_SLOT_BYTES, _LEAST_OBJECT_BYTES = 8, 16
#: Resident memory that is not known to be heap: nor is its largest object.
_BLIND_RATIO = 10.0
_BASE_S, _S_PER_INDEX = 0.3, 2.5e-6
_SIZE_BASE_BYTES = 8 << 20
_RANGE = 1 << 46
#: No Node.js has less; where less is seen, V8 is somewhere else.
_LEAST_HEAP_BYTES = 3 << 20
_LARGE_BYTES = 512 << 10
_MOST_MAP = 32 << 20
#: A page, and what its header begins with: its size, and flags.
_PAGE, _FROM, _TO = 256 << 10, 1 << 3, 1 << 4
#: The empty half has 16 MiB unless a switch says otherwise: of a large heap that is nothing.
_MOST_PAGES, _PATIENCE_S = 512, 1.5
#: What is looked at for references: so much of so many pages, behind what a page begins with.
_SAMPLES, _LEAST_SAMPLES, _SAMPLE_AT, _SAMPLE_BYTES = 40, 8, 64 << 10, 16 << 10
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (rw)[-x][ps] \S+ \S+ 0 *(\[anon:[^\]]*\])?$")


@dataclass(frozen=True, slots=True)
class Heap:
    """Bytes of a V8 heap, garbage too; `largest` object, None where `resident` may be more than the heap.

    `references` is the share of its bytes that are references, at most.
    """

    resident: int
    largest: int | None
    source: str
    references: float = 1.0


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
    whole = [page for start, end, size in pages if size == end - start for page in range(start, end, _PAGE)]
    return Heap(resident - _empty_bytes(reach, whole), largest, "its memory map", _references(reach, whole))


def snapshot_cost(found: Heap) -> Cost:
    """What a snapshot of the heap takes; the most that it may be of memory."""
    indexes = 0
    if found.largest is None:
        extra = _BASE_BYTES + round(_BLIND_RATIO * found.resident)
    else:
        rest = found.resident - found.largest
        indexes = min(found.largest // _SLOT_BYTES, rest // _LEAST_OBJECT_BYTES)
        extra = _BASE_BYTES + round(_for_each(_MEMORY, found) * found.resident) + _INDEX_BYTES * indexes
    return Cost(
        pause_s=round(_BASE_S + _for_each(_SECONDS, found) * found.resident + _S_PER_INDEX * indexes, 3),
        extra_bytes=extra,
        size_bytes=_SIZE_BASE_BYTES + round(_for_each(_JSON, found) * found.resident),
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


def _for_each(cost: tuple[float, float, float], found: Heap) -> float:
    base, more, most = cost
    return min(base + more * found.references, most)


def _empty_bytes(reach: Reach, pages: Sequence[int]) -> int:
    """The bytes of pages that hold nothing now; 0 where that cannot be told, or not soon."""
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


def _references(reach: Reach, pages: Sequence[int]) -> float:
    """The share of bytes that are references, by a sample; 1 where none can be had."""
    shares, began = [], time.monotonic()
    for look in range(min(_SAMPLES, len(pages))):
        if time.monotonic() - began > _PATIENCE_S:
            break
        with suppress(CaulkError):  # a page may be gone by now
            data = reach.peek(pages[look * len(pages) // min(_SAMPLES, len(pages))] + _SAMPLE_AT, _SAMPLE_BYTES)
            words = array("Q", data[: len(data) & -8])
            odd = sum(1 for word in words if word & 1 and pages[0] <= word < pages[-1] + _PAGE)
            shares.append(odd / max(len(words), 1))
    if len(shares) < _LEAST_SAMPLES or not any(shares):
        return 1.0
    return min(fmean(shares) + 2 * stdev(shares) / sqrt(len(shares)), 1.0)
