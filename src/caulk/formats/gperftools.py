"""gperftools heap profiles: what tcmalloc's heap profiler writes (`HEAPPROFILE`, `prefix.0001.heap`), and its samples.

Source: gperftools heap-profile-table.cc and malloc_extension.cc; what the headers mean is as in pprof
(legacy_profile.go). The heap profiler sees every allocation; `heap_v2/N` is a sample of one in N bytes; `growth` tells
who made the heap grow, which is not what is live. Addresses are named from the memory map at the end, later.
"""

import re

from caulk.formats import jemalloc
from caulk.formats.builder import ProfileBuilder
from caulk.formats.native_text import SYMBOLS, Addresses, NativeText, Unsampling, has_map, header, no_header
from caulk.model.measure import Measure
from caulk.model.profile import Profile

NAME = "gperftools"

_NUMBERS = rb"(-?\d{1,19}): *(-?\d{1,19}) *\[ *(-?\d{1,19}): *(-?\d{1,19}) *\]"
_HEADER = re.compile(rb"heap profile: *" + _NUMBERS + rb"(?: *@ *([a-z]\w{0,31})?(?:/(\d{1,18}))?)?")
_ROW = re.compile(_NUMBERS + rb" @(.*)")
# Go's text has the same header, never padded, and no map.
_GO = re.compile(rb"heap profile: -?\d+: -?\d+ \[-?\d+: -?\d+\] @ heap/\d+")
_ALLOCATED = (Measure("alloc_objects", "count"), Measure("alloc_space", "bytes"))
_LIVE = (Measure("inuse_objects", "count"), Measure("inuse_space", "bytes"))
#: Kinds of profiles that are not of live memory; some programs write a `z` behind them.
_OTHERS = {
    b"growth": (Measure("growth_objects", "count"), Measure("growth_space", "bytes")),
    b"fragmentation": (Measure("fragmented_objects", "count"), Measure("fragmented_space", "bytes")),
}
#: What tcmalloc's oldest profiles, which do not say their rate, sampled by.
_OLDEST_PERIOD = 128 << 10


def sniff(head: bytes) -> bool:
    """The header, where it is not Go's; or names before a profile that cannot be seen yet."""
    line = header(head)
    if not line:
        return head.startswith(SYMBOLS)
    return _HEADER.fullmatch(line) is not None and not (_GO.fullmatch(line) and not has_map(head))


def read(data: bytes) -> Profile:
    """The profile in the text; rows that are missing show in its coverage, by the totals of the header."""
    first = header(data)
    if jemalloc.HEADER.fullmatch(first):
        return jemalloc.read(data)
    match = _HEADER.fullmatch(first)
    if not match:
        raise no_header("a gperftools heap profile")
    live, total = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
    kind = (match[5] or b"").removesuffix(b"z")
    measures = _OTHERS.get(kind, _LIVE)
    # Where nothing was freed, or the profile does not know, the second pair repeats the first, or is zero.
    has_freed = measures is _LIVE and total not in (live, (0, 0))
    period = _period(kind, int(match[6] or 0), has_freed=has_freed)
    builder = ProfileBuilder(*_ALLOCATED, *measures) if has_freed else ProfileBuilder(*measures)
    text = NativeText(data)
    addresses = Addresses(text, builder)
    live_scale, total_scale = Unsampling(period), Unsampling(period)
    seen = 0
    for line in list(text)[1:]:
        row = _ROW.fullmatch(line)
        try:
            frames = addresses.stack(row[5]) if row else None
        except ValueError:
            frames = None
        if row is None or frames is None:
            text.leave_out(line)
            continue
        seen += int(row[2])
        values: tuple[int, ...] = live_scale.scale(int(row[1]), int(row[2]))
        if has_freed:
            values = (*total_scale.scale(int(row[3]), int(row[4])), *values)
        builder.add(frames, values)
    coverage = max(seen, 0) / live[1] if live[1] > max(seen, 0) else 1.0
    missing = f"the rows add up to {coverage:.0%} of what the header says: the profiler's buffer was full or it was cut"
    return builder.build(
        format=NAME,
        runtime="native",
        kind="heap",
        default_measure=3 if has_freed else 1,
        period=period,
        period_measure=Measure("space", "bytes"),
        coverage=coverage,
        warnings=(*((missing,) if coverage < 1 else ()), *text.warnings()),
    )


def _period(kind: bytes, rate: int, *, has_freed: bool) -> int:
    """Bytes between two samples, 1 where every allocation was seen."""
    if kind == b"heapprofile" or kind in _OTHERS or (not kind and has_freed):
        return 1
    # The first version wrote twice its period.
    return (rate if kind.endswith(b"_v2") else rate // 2) or _OLDEST_PERIOD
