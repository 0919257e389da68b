"""Go heap profiles as text: `/debug/pprof/heap?debug=1` and `allocs?debug=1`.

Source: runtime/pprof/pprof.go, `writeHeapInternal`. Rows are raw samples, so each is scaled to what it stands for, as
Go itself does for the protobuf form. The text ends with `runtime.MemStats`, which is kept (`Profile.memory`).
"""

import math
import re
from collections.abc import Iterable
from importlib import import_module

from caulk.formats.builder import ProfileBuilder, moment
from caulk.formats.go_text import MEMSTATS, GoText
from caulk.model.label import Label
from caulk.model.measure import Measure
from caulk.model.profile import Profile

NAME = "go-heap-text"

_NUMBERS = r"(-?\d{1,19}): (-?\d{1,19}) \[(-?\d{1,19}): (-?\d{1,19})\] @"
# gperftools pads the same header with spaces, and names the kind `heapprofile` or `heap_v2`.
_HEADER = re.compile(rf"heap profile: {_NUMBERS} heap/(\d{{1,18}})")
_ROW = re.compile(rf"{_NUMBERS}(?P<stack>(?: 0x[0-9a-f]{{1,16}})*)")
_STATISTIC = re.compile(r"# (\w{1,64}) = (\d{1,19})(?: / (\d{1,19}))?")
_MAPS = (b"\nMAPPED_LIBRARIES:", b"\n--- Memory map: ---")

_MEASURES = (
    Measure("alloc_objects", "count"),
    Measure("alloc_space", "bytes"),
    Measure("inuse_objects", "count"),
    Measure("inuse_space", "bytes"),
)


def sniff(head: bytes) -> bool:
    """Go's header, and no map of C++ libraries."""
    line, newline, _ = head.partition(b"\n")
    return (
        bool(newline)
        and _HEADER.fullmatch(line.rstrip(b"\r").decode("utf-8", "replace")) is not None
        and not any(sentinel in head for sentinel in _MAPS)
    )


def read(data: bytes) -> Profile:
    """The profile in Go's text; one that was cut short is answered in part, by the totals of its header."""
    if any(sentinel in data for sentinel in _MAPS) and MEMSTATS.encode() not in data:
        # The oldest C++ profiles have the same header, and their map may lie beyond what `sniff` sees.
        profile: Profile = import_module("caulk.formats.gperftools").read(data)
        return profile
    builder = ProfileBuilder(*_MEASURES)
    text = GoText(data, builder)
    header = text.header(_HEADER)
    # Go writes twice its rate, for the sake of an older pprof.
    rate = int(header[5]) // 2
    seen_bytes = 0
    for row in text.rows(_ROW):
        objects, size, all_objects, all_size = (int(row.match[i]) for i in range(1, 5))
        seen_bytes += all_size
        block_size = all_size // all_objects if all_objects > 0 else 0
        values = (*_scaled(all_objects, all_size, rate), *_scaled(objects, size, rate))
        labels = (Label("bytes", number=block_size),) if block_size else ()
        builder.add(text.without_allocator(row.symbols), values, labels=labels)
    memory = _memory(text.lines)
    coverage, warnings = _coverage(seen_bytes, int(header[4]), is_whole=text.is_at_memstats)
    return builder.build(
        format=NAME,
        runtime="go",
        kind="heap",
        default_measure=3,
        period=rate,
        period_measure=Measure("space", "bytes"),
        # The heap is as of the last completed collection, which is not when the text was written.
        taken_at=moment(memory.get("LastGC", 0)),
        coverage=coverage,
        warnings=warnings + text.warnings(),
        memory=memory,
    )


def _scaled(count: int, size: int, rate: int) -> tuple[int, int]:
    """What a sampled row stands for: Go's `scaleHeapSample`, to the bit."""
    if not count or not size:
        return 0, 0
    seen = 1 - math.exp(-min(size / count / rate, 700)) if rate > 1 and (size > 0) == (count > 0) else 1.0
    if not 0 < seen < 1:
        return count, size
    scale = 1 / seen
    return int(count * scale), int(size * scale)


def _memory(lines: Iterable[str]) -> dict[str, int]:
    """Go's MemStats by Go's names; `# Stack = 1 / 2` is StackInuse and StackSys."""
    memory: dict[str, int] = {}
    for line in lines:
        if match := _STATISTIC.fullmatch(line):
            name, first, second = match.groups()
            if second is None:
                memory[name] = int(first)
            else:
                memory[f"{name}Inuse"], memory[f"{name}Sys"] = int(first), int(second)
    return memory


def _coverage(seen: int, total: int, *, is_whole: bool) -> tuple[float, tuple[str, ...]]:
    """The share of all allocated bytes that the rows have, and what to say if it is not all."""
    coverage = max(seen, 0) / total if total > seen and total > 0 else 1.0
    if is_whole and coverage == 1.0:
        return 1.0, ()
    if is_whole:
        return coverage, (f"the rows add up to {coverage:.0%} of what the header says",)
    return coverage, (f"the text ends before its MemStats block: it was cut short, {coverage:.0%} of it was read",)
