"""What a JVM's heap is made of, by a sample of its memory: small objects or large arrays, and how well they pack.

Nothing is asked of the JVM, and it does not stop. Heaps of less than 32 GB lie at addresses below 2^35, so that
references fit into 32 bits, and nothing else does (Universe::preferred_heap_base); of larger ones nothing is known. An
object begins with its mark: lock bits 01, its age, and a hash code of 31 bits (markWord.hpp); what looks like one in an
array counts too.
"""

import re
import time
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from caulk.model.errors import CaulkError
from caulk.ports import Reach

#: The last release whose objects begin like this unless a switch says otherwise, and the switches that do.
_LAST_KNOWN, _OTHERWISE = 25, ("UseCompactObjectHeaders", "ObjectAlignmentInBytes")
_BELOW = 1 << 35
_CHUNK = 32 << 10
_ENOUGH, _LEAST, _MOST_LOOKS, _PATIENCE_S = 32, 8, 200, 1.5
#: Spreads any number of looks evenly.
_STEP = (sqrt(5) - 1) / 2
_MOST_MAP = 8 << 20
_HEAP = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *$", re.MULTILINE)
#: In a dump the header of an object has 25 bytes instead of 12, and a reference 8 instead of 4.
_HEADER_MORE, _REFERENCE_MORE = 13, 4
#: Of an object of 16 bytes with one reference a dump has 33.
_MOST_DUMP = 2.0
#: Between a sample and the truth, beside what chance explains.
_MARGIN = 1.1


@dataclass(frozen=True, slots=True)
class Makeup:
    """For each byte of heap: its objects, and bytes of a dump, at most; and what a byte of dump packs to, at most."""

    objects: float
    dump: float
    packed: float


#: Small objects, as most heaps have; nothing is known of this one.
UNKNOWN = Makeup(1 / 30, _MOST_DUMP, 0.5)
#: The same where headers have 8 bytes.
COMPACT = Makeup(1 / 24, 2.7, 0.5)


def makeup(reach: Reach, pid: int, release: int | None, switches: Mapping[str, str]) -> Makeup:
    """Of the heap as it is now, garbage too; what is assumed of any heap where its memory cannot be read."""
    if switches.get("UseCompactObjectHeaders") == "true":
        return COMPACT
    if not release or release > _LAST_KNOWN or any(name in switches for name in _OTHERWISE):
        return UNKNOWN
    try:
        text = b"".join(reach.fetch(f"/proc/{pid}/maps", 0, _MOST_MAP)).decode("ascii", "replace")
        spans = [(int(match[1], 16), int(match[2], 16)) for match in _HEAP.finditer(text)]
        spans = [(start, end) for start, end in spans if end <= _BELOW]
        chunks = list(_chunks(reach, spans)) if spans else []
    except CaulkError:
        return UNKNOWN
    return _judged(chunks, spans[0][0], spans[-1][1]) if len(chunks) >= _LEAST else UNKNOWN


def _chunks(reach: Reach, spans: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """Pieces from all over the heap, those left out in which nothing was ever written."""
    total, began, found = sum(end - start for start, end in spans), time.monotonic(), 0
    for look in range(_MOST_LOOKS):
        if found == _ENOUGH or time.monotonic() - began > _PATIENCE_S:
            return
        at = int(look * _STEP % 1 * total)
        for start, end in spans:
            if at < end - start:
                chunk = reach.peek(start + at // 4096 * 4096, min(_CHUNK, end - start - at // 4096 * 4096))
                break
            at -= end - start
        if len(chunk) >= _CHUNK and any(chunk):
            found += 1
            yield chunk


def _judged(chunks: Sequence[bytes], low: int, high: int) -> Makeup:
    objects = [sum(1 for word in array("Q", chunk) if word & 0x83 == 1 and word >> 39 == 0) for chunk in chunks]
    grown = [
        1 + (_HEADER_MORE * count + _REFERENCE_MORE * _references(chunk, low, high)) / len(chunk)
        for count, chunk in zip(objects, chunks, strict=True)
    ]
    packed = [len(zlib.compress(chunk, 1)) / len(chunk) for chunk in chunks]
    return Makeup(
        sum(objects) / sum(map(len, chunks)), min(_most(grown) * _MARGIN, _MOST_DUMP), min(_most(packed) * _MARGIN, 1.0)
    )


def _references(chunk: bytes, low: int, high: int) -> int:
    """The words that lead into the heap, as they are or, where it ends above 4 GiB, in units of 8 bytes."""
    words = array("I", chunk)
    return max(sum(1 for word in words if low <= word << shift < high) for shift in (0, 3))


def _most(values: Sequence[float]) -> float:
    """What the mean of many more of them hardly exceeds."""
    return fmean(values) + 2 * stdev(values) / sqrt(len(values))
