"""Memory that grew where the runtime's own heap did not: what no heap profile can show, and what would.

The resident memory of a process is its heap plus all that C code, threads, buffers and mapped files take. When the
process grew and the heap did not, the leak is not in this heap, and looking at profiles any longer is lost time.
"""

from dataclasses import dataclass

from caulk.model.series import Reading, Series
from caulk.model.units import format_value

#: Growth outside the heap below this, or below half of the whole growth, is allocator slack and not worth a sentence.
_LEAST_BYTES = 16 << 20
_LEAST_SHARE = 0.5

#: What a collector may let pile up before it runs, as a part of the live heap: it is resident, and no leak beside it.
#: A JVM fills whatever its -Xmx allows, so its resident memory says nothing of what is outside its heap.
_GARBAGE = {"cpython": 0.0, "go": 1.2, "node": 1.0}

_NEXT = {
    "cpython": "memory that C code holds (extensions, numpy buffers), threads' stacks or mapped files:"
    " `caulk run --native -- …` names who takes it",
    "node": "buffers outside V8's heap, native add-ons or threads: the growth of `external` and `arrayBuffers` tells"
    " buffers from the rest, and `caulk run --native -- …` names who takes the rest",
    "go": "cgo (`caulk run --native -- …` names who takes it), mapped files, or freed memory that Go has not returned"
    " yet (GODEBUG=madvdontneed=1, GOMEMLIMIT)",
}
_NAMES = {"cpython": "Python", "node": "V8", "go": "Go"}


@dataclass(frozen=True, slots=True)
class Outside:
    """Growth that the heap does not explain, in bytes, and the sentence about it."""

    grown: int
    sentence: str


def outside(series: Series, runtime: str, memory: tuple[dict[str, int], dict[str, int]] = ({}, {})) -> Outside | None:
    """What grew beside the heap between the first and the last reading that has both; None where that is little.

    `memory` are the runtime's own figures at the first and at the last profile (Node's `arrayBuffers` …).
    """
    known = [reading for reading in series.readings if reading.heap is not None]
    if len(known) < 2 or runtime not in _GARBAGE:
        return None
    first, last = known[0], known[-1]
    rss = last.rss - first.rss
    heap = (last.heap or 0) - (first.heap or 0)
    beside = rss - round((1 + _GARBAGE[runtime]) * max(heap, 0))
    if beside < _LEAST_BYTES or beside < _LEAST_SHARE * rss:
        return None
    name = _NAMES.get(runtime, runtime)
    kinds = _kinds(first, last, memory)
    return Outside(
        beside,
        f"RSS {format_value(rss, 'bytes', signed=True)}, {name} {format_value(heap, 'bytes', signed=True)}:"
        f" not in this heap{f' ({kinds})' if kinds else ''}. What is left: {_NEXT.get(runtime, 'native memory')}.",
    )


def _kinds(first: Reading, last: Reading, memory: tuple[dict[str, int], dict[str, int]]) -> str:
    """The parts that the kernel and the runtime can tell apart."""
    before, after = memory
    parts = [
        ("anonymous memory", last.anonymous - first.anonymous),
        ("mapped files", last.file - first.file),
        ("shared memory", last.shared - first.shared),
        ("array buffers", after.get("arrayBuffers", 0) - before.get("arrayBuffers", 0)),
    ]
    return ", ".join(f"{format_value(n, 'bytes', signed=True)} {what}" for what, n in parts if n >= _LEAST_BYTES // 2)
