"""What a JVM's heap is now, and what capturing it costs: from figures that are there, without waking its listener.

Constants are measured by `bench/costs.py`, on JDK 17 and 25.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from caulk.runtimes.jvm.makeup import Makeup
from caulk.runtimes.jvm.perfdata import Counters

#: What the JVM takes to listen, collect and write, whatever the heap is.
BASE_BYTES = 16 << 20
#: Classes, names and stacks, which a dump has beside the heap.
_DUMP_BASE_BYTES, _PACKED_BASE_BYTES = 8 << 20, 4 << 20

_USED = re.compile(r"\bused (\d+)([BKMGT])|\b(\d+)([BKMGT]) used")
_SIZE = re.compile(r"\b(?:total|committed|capacity) (\d+)([BKMGT])|\b(\d+)([BKMGT]) committed")
_SPACE = re.compile(r"(sun\.gc\.generation\.\d\.space\.\d)\.capacity")
_YOUNG = ("def new generation", "DefNew", "PSYoungGen")
#: Collectors whose counters follow what is allocated, G1 and Shenandoah; others' are of the last collection.
_PROMPT = ("GarbageFirst", "Heap")
#: Up to this release those of a young generation were sampled all the time (checked on 17; on 25 they are not).
_LAST_SAMPLED = 17


@dataclass(frozen=True, slots=True)
class Heap:
    """The heap of a JVM in bytes, garbage too; `movable` is what a full collection may move to pages not used yet."""

    used: int
    size: int
    movable: int
    source: str


def from_heap_info(text: str) -> Heap:
    """The heap by the answer to `GC.heap_info`, of any collector."""
    used = size = movable = 0
    for line in text.splitlines():
        if "Metaspace" in line or "class space" in line or "%" in line:
            continue
        found = _bytes(_USED.search(line))
        used += found
        size += _bytes(_SIZE.search(line))
        movable += found if line.strip().startswith(_YOUNG) else 0
    return Heap(used, max(used, size), movable, "GC.heap_info")


def from_counters(found: Counters, resident: int) -> Heap:
    """The heap by its counters; what they do not say is bounded by `resident`, the memory that the process has."""
    spaces = [match[1] for name in found if (match := _SPACE.fullmatch(name))]
    young = [space for space in spaces if ".generation.0." in space]
    used, capacity = _sum(found, spaces, "used"), _sum(found, spaces, "capacity")
    if not capacity:
        return Heap(resident, resident, resident, "its resident memory")
    if found.get("sun.gc.policy.name") in _PROMPT or found.get("sun.gc.generation.1.name") in _PROMPT:
        return Heap(used, max(used, capacity), 0, "its counters")
    if found.get("sun.gc.generation.0.space.0.name") == "eden" and 0 < (release(found) or 0) <= _LAST_SAMPLED:
        return Heap(used, max(used, capacity), _sum(found, young, "used"), "its counters")
    movable = min(_sum(found, young, "capacity"), resident)
    return Heap(min(capacity, resident), capacity, movable, "its counters and resident memory")


def release(found: Counters) -> int | None:
    """The Java that a JVM is by its counters: 8, 11, 17 …"""
    digits = str(found.get("java.property.java.vm.specification.version", "")).removeprefix("1.")
    return int(digits) if digits.isdigit() else None


def dump_bytes(now: Heap, of: Makeup) -> int:
    """The most that an HPROF dump of the heap has, in bytes."""
    return _DUMP_BASE_BYTES + round(now.used * of.dump)


def packed_bytes(now: Heap, of: Makeup) -> int:
    """The most that it has when the JVM packs it."""
    return _PACKED_BASE_BYTES + round(now.used * of.dump * of.packed)


def extra_bytes(now: Heap) -> int:
    """The most memory that a full collection and the writer of a dump take beside what the process has."""
    # Marks of the collector; then objects that it moves to pages of the heap that were never touched.
    return BASE_BYTES + now.size // 32 + now.movable


def _sum(found: Counters, spaces: Sequence[str], figure: str) -> int:
    values = (found.get(f"{space}.{figure}", 0) for space in spaces)
    return sum(value for value in values if isinstance(value, int))


def _bytes(match: re.Match[str] | None) -> int:
    if match is None:
        return 0
    digits, unit = match[1] or match[3], match[2] or match[4]
    return int(digits) << 10 * "BKMGT".index(unit)
