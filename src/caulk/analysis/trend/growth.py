"""Growth: whether the floor of a stretch of time rises as a leak does, and not as something that will stop or go back.

A leak's floor is higher than it ever was, rises evenly in each third of the time, gives next to nothing back, and takes a
share of the room to the limit that grows the surer the less time there was to watch it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from caulk.analysis.trend.floors import Level
from caulk.analysis.trend.slope import Slope, theil_sen

_HOUR = 3600.0
#: Fewer floors than this say nothing of evenness.
_FEWEST = 9
#: Of what was gained, what a floor may give back on the way.
_MAY_FALL = 0.3
#: A filling cache slows: after 40 % of its way the second half brings less than this share of the first.
_EVEN = 0.68
_THIRD = 0.15
#: The room to the limit that must be used up, by the hours of growth seen: from half of it to a tenth.
_NEED = ((3.0, 0.5), (8.0, 0.38), (16.0, 0.28), (26.0, 0.2), (50.0, 0.12), (120.0, 0.08))
#: Growth that began with no start or deploy may be more users: it is given two days, or half of the room.
_PATIENCE = ((48.0, 0.5), (72.0, 0.16), (120.0, 0.1))


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth since `since`: by `gained` bytes, of which `need` would do; `is_sure` if it is a leak's, not a guess."""

    since: float
    gained: float
    need: float
    slope: Slope
    width_s: float
    is_sure: bool
    is_slowing: bool


def growth(level: Level, room: float | None, born: float) -> Growth | None:
    """The growth that the newest floors of a level show; `room` is the limit, `born` the start of this life."""
    best: Growth | None = None
    n = len(level.least)
    if n < _FEWEST:
        return None
    at, least = list(level.at), list(level.least)
    for begin in sorted({0, n // 4, n // 2, 5 * n // 8, 3 * n // 4}):
        if n - begin < _FEWEST:
            break
        before = max(least[:begin], default=0.0)
        if level.forgotten > 0:
            before = max(before, level.forgotten)
        found = _since(at[begin:], least[begin:], before, room, born, level.width_s)
        if found and (best is None or (found.is_sure, found.gained / found.need) > (best.is_sure, best.gained / best.need)):
            best = found
    return best


def _since(
    at: Sequence[float], floor: Sequence[float], before: float, room: float | None, born: float, width_s: float
) -> Growth | None:
    n = len(floor)
    third = n // 3
    low, high = median(floor[:third]), median(floor[-third:])
    # Medians of the outer thirds lie two thirds of the way apart.
    gained = (high - low) * n / (n - third)
    begun = low - gained * third / (2 * n)
    headroom = max((room - begun) if room else begun, 0.05 * begun)
    is_born = at[0] - born < max(2 * width_s, 0.1 * (at[-1] - born))
    need = headroom * _share((at[-1] - at[0]) / _HOUR, _NEED if is_born else _PATIENCE)
    if gained < 0.5 * need or gained < 0.03 * begun or min(floor[-2:]) <= before:
        return None
    if _fallen(floor) > _MAY_FALL * gained:
        return None
    slope = theil_sen(at, floor)
    if slope.low <= 0.25 * slope.rate or gained < 5 * slope.scatter:
        return None
    is_slowing = not _even(at, floor)
    return Growth(at[0], gained, need, slope, width_s, gained >= need and not is_slowing, is_slowing)


def _share(hours: float, table: Sequence[tuple[float, float]]) -> float:
    """The share at `hours`, on straight lines between the rows of `table`."""
    for (h0, s0), (h1, s1) in zip(table, table[1:], strict=False):
        if hours <= h0:
            return s0
        if hours < h1:
            return s0 + (s1 - s0) * (hours - h0) / (h1 - h0)
    return table[-1][1]


def _fallen(floor: Sequence[float]) -> float:
    """The deepest fall from a floor to a later one."""
    return max(top - value for top, value in zip(accumulate(floor, max), floor, strict=True))


def _even(at: Sequence[float], floor: Sequence[float]) -> bool:
    """Whether the second half rises as the first did, and no third stands still."""
    n = len(floor)
    half, third = n // 2, n // 3
    first, second = theil_sen(at[:half], floor[:half]), theil_sen(at[half:], floor[half:])
    if second.rate < _EVEN * first.rate:
        return False
    marks = [median(floor[:2]), median(floor[third - 1 : third + 1]), median(floor[2 * third - 1 : 2 * third + 1])]
    marks.append(median(floor[-2:]))
    whole = marks[3] - marks[0]
    return all(b - a >= _THIRD * whole for a, b in zip(marks, marks[1:], strict=False))
