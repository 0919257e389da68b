"""jemalloc heap profiles: `heap_v2/524288`, what `prof:true` makes of any program (`jeprof.PID.N.f.heap`).

Source: jemalloc prof_data.c, and jeprof for what the numbers mean. A context is a stack with a line for all threads
(`t*`) and one for each; the first is the sum of the others, so it alone is taken. Numbers are of sampled objects, and
are scaled context by context: the totals at the head of the file, scaled, are not the sum of that.
"""

import re
from collections.abc import Iterator

from caulk.formats.builder import ProfileBuilder
from caulk.formats.native_text import Addresses, NativeText, Unsampling, header, no_header
from caulk.model.measure import Measure
from caulk.model.profile import Profile

NAME = "jemalloc"
HEADER = re.compile(rb"heap_v2/(\d{1,18})")

_NUMBERS = re.compile(rb"t(\*|\d{1,20}): +(-?\d{1,19}): +(-?\d{1,19}) +\[ *(-?\d{1,19}): +(-?\d{1,19}) *\](?: (.*))?")
_ALLOCATED = (Measure("alloc_objects", "count"), Measure("alloc_space", "bytes"))
_LIVE = (Measure("inuse_objects", "count"), Measure("inuse_space", "bytes"))


def sniff(head: bytes) -> bool:
    """The header, behind names where it has them."""
    return HEADER.fullmatch(header(head)) is not None


def read(data: bytes) -> Profile:
    """The profile in the text; one that was cut short is answered in part, by the number of objects at its head."""
    match = HEADER.fullmatch(header(data))
    if not match:
        raise no_header("a jemalloc heap profile")
    period = int(match[1])
    text = NativeText(data)
    threads: dict[str, str] = {}
    contexts = _contexts(text, threads)
    _, head = next(contexts)
    # Without `prof_accum` nothing is known of what was freed, and the second pair is zero.
    has_freed = head[2:] not in (head[:2], [0, 0])
    builder = ProfileBuilder(*_ALLOCATED, *_LIVE) if has_freed else ProfileBuilder(*_LIVE)
    addresses = Addresses(text, builder)
    live, total = Unsampling(period), Unsampling(period)
    seen = 0
    for line, (objects, size, all_objects, all_size) in contexts:
        try:
            frames = addresses.stack(line[1:])
        except ValueError:
            text.leave_out(line)
            continue
        seen += objects
        values: tuple[int, ...] = live.scale(objects, size)
        if has_freed:
            values = (*total.scale(all_objects, all_size), *values)
        if any(values):
            builder.add(frames, values)
    # A whole text need not add up: jemalloc corrects the head's numbers and each context's for their own mean size.
    is_short = not text.has_map and head[0] > max(seen, 0)
    return builder.build(
        format=NAME,
        runtime="native",
        kind="heap",
        default_measure=3 if has_freed else 1,
        period=period,
        period_measure=Measure("space", "bytes"),
        coverage=max(seen, 0) / head[0] if is_short else 1.0,
        warnings=tuple(text.warnings()),
        comments=tuple(f"thread {number} is {name!r}" for number, name in threads.items()),
    )


def _contexts(text: NativeText, threads: dict[str, str]) -> Iterator[tuple[bytes, list[int]]]:
    """Each context's line of addresses with its numbers; first those of the whole program, whose line is empty.

    Fills `threads` with the names of those that have one.
    """
    lines = iter(text)
    next(lines)
    context = b""
    whole: list[int] = []
    summed = [0, 0, 0, 0]
    for line in lines:
        if line.startswith(b"@"):
            yield context, whole or summed
            context, whole, summed = line, [], [0, 0, 0, 0]
        elif match := _NUMBERS.fullmatch(line):
            numbers = [int(match[i]) for i in range(2, 6)]
            if match[1] == b"*":
                whole = numbers
            else:
                summed = [a + b for a, b in zip(summed, numbers, strict=True)]
                if match[6]:
                    threads[match[1].decode()] = match[6].decode("utf-8", "replace")
        else:
            text.leave_out(line)
    yield context, whole or summed
