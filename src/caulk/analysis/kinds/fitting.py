"""What would fit: a limit and a runtime's own setting that suit each other and what the program was seen to need.

A limit holds the heap as large as its runtime may make it, all that is beside the heap, and a margin. A setting
contradicts a limit if the heap and what is beside it cannot both be there: the kernel then kills before the runtime
collects in earnest, and no error of the runtime is ever seen.
"""

from collections.abc import Iterator

from caulk.model.breakdown import Advice, Bound, Breakdown, Part
from caulk.model.units import format_share, format_value

#: What nobody saw yet: the next peak, the next release.
_MARGIN = 1.25
#: Used so far, and the limit is near.
_NEAR = 0.9
#: So full, a heap is too small for its program, whatever the limit is.
_FULL = 0.9
_MIB = 1 << 20
#: Parts that stay when the kernel needs room.
_BESIDE: tuple[Part, ...] = ("stacks", "malloc", "native", "anonymous", "shmem", "kernel", "others")


def fitting(now: Breakdown, bound: Bound | None, peak: int = 0) -> Advice:
    """What the limit and the setting should be; `peak` is the most that was held at any time before, if it is known."""
    held = now.size("managed", "unreturned", *_BESIDE)
    most = max(held, peak)
    contradictions = tuple(_contradictions(now, bound)) if bound else ()
    wanted = _rounded(_wanted(now, bound, most))
    is_near = now.limit is not None and (most >= _NEAR * now.limit or bool(now.kills))
    sentences: list[str] = []
    if now.limit is None:
        sentences.append(f"It has no memory limit; {_size(wanted)} would fit what it holds ({_size(most)} at most).")
    elif is_near or contradictions:
        sentences += _resized(now, bound, wanted, most)
    else:
        return Advice(
            None, (f"The limit fits what was seen: {format_share(most / now.limit)} of it was held at most.",)
        )
    return Advice(wanted, tuple(sentences), contradictions)


def suiting(most: float) -> int:
    """A limit in bytes for a program that does not grow and held `most` at its peak."""
    return _rounded(_MARGIN * most)


def _wanted(now: Breakdown, bound: Bound | None, most: int) -> float:
    beside = now.size(*_BESIDE)
    if bound and bound.size and bound.is_filled:
        return max(bound.size + _MARGIN * beside, most)
    return _MARGIN * most


def _contradictions(now: Breakdown, bound: Bound) -> Iterator[str]:
    limit, beside = now.limit, now.size(*_BESIDE)
    if limit is not None and bound.size is None:
        yield f"{bound.setting}, so the runtime does not know that {_size(limit)} are all there is."
    elif limit is not None and bound.size is not None and bound.size >= limit:
        yield f"{bound.setting} lets the heap grow to {_size(bound.size)}; the limit is {_size(limit)}."
    elif limit is not None and bound.size is not None and bound.size + beside > limit:
        yield (
            f"{bound.setting} lets the heap grow to {_size(bound.size)}; with the {_size(beside)} beside it that is"
            f" more than the limit of {_size(limit)}."
        )
    if bound.size and now.size("managed") >= _FULL * bound.size and now.size("free") > bound.size // 4:
        full, free = format_share(now.size("managed") / bound.size), _size(now.size("free"))
        yield (
            f"The heap is {full} full ({bound.setting}), and {free} of the limit are not used: raise the heap's bound,"
            " not the limit."
        )


def _resized(now: Breakdown, bound: Bound | None, wanted: int, most: int) -> Iterator[str]:
    assert now.limit is not None
    killed = f", and the kernel killed {now.kills:,} times for memory" if now.kills else ""
    why = f"{_size(most)} of {_size(now.limit)} were held at most{killed}"
    if wanted > now.limit:
        yield f"If it does not leak, raise the limit to {_size(wanted)}: {why}."
    beside = now.size(*_BESIDE)
    for limit, when in ((now.limit, "With the limit as it is"), (wanted, f"With {_size(wanted)}")):
        room = (limit - _MARGIN * beside) / _MIB
        if bound and room >= 16 and (limit == now.limit or wanted > now.limit):
            setting = bound.template.format(mb=int(room), percent=int(100 * room * _MIB / limit))
            yield f"{when}, {setting} leaves room for the rest."


def _rounded(size: float) -> int:
    """Up to a size that people write: 16 MiB steps below 1 GiB, 128 MiB steps from there on."""
    step = (16 if size < 1 << 30 else 128) * _MIB
    return -int(-size // step) * step


def _size(size: float) -> str:
    return format_value(size, "bytes")
