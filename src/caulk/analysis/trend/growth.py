"""Growth: whether the floor of a stretch of time rises as a leak does, and not as something that will stop or go back.

A leak's floor is higher than it ever was, rises evenly in each third of the time, gives next to nothing back, and takes
a share of the room to the limit: the less time there was to watch, the more of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from statistics import median

from caulk.analysis.trend.days import without_days
from caulk.analysis.trend.floors import DAY_S, Level
from caulk.analysis.trend.slope import Slope, theil_sen

_HOUR = 3600.0
#: Fewer floors than this say nothing of evenness.
_FEWEST = 9
#: Stretches of half a day and more are free of nights: fewer will do.
_FEWEST_LONG, _LONG_S = 6, 8 * _HOUR
#: Of what was gained, what a floor may give back on the way.
_MAY_FALL = 0.3
#: The least share of the slope that the interval's lower end must keep.
_CERTAIN = 0.45
#: A filling cache slows: at 44 % of its way the second half brought this share of the first. Over days, nights and jobs
#: make the halves of a leak uneven too, and a cache is full.
_EVEN = ((72.0, 0.75), (120.0, 0.7))
#: The share of the growth that each third of the time must bring.
_THIRD = ((48.0, 0.2), (96.0, 0.1))
#: The share of the room to the limit that must be used up, by hours of growth since a start or deploy. In its first
#: hours the first tooth of a collector, the first morning and a filling cache look like a leak.
_NEED = ((8.0, 0.6), (16.0, 0.38), (26.0, 0.2), (40.0, 0.1), (72.0, 0.08))
#: Growth that began without either may be more users: it is given longer.
_PATIENCE = ((30.0, 0.5), (48.0, 0.26), (60.0, 0.12), (72.0, 0.08))
#: Floors a day in which days are told: fewer hide them, more hold too few of them.
_DAILY = (4, 16)
#: The room that a program without a limit, or too near to it, is thought to have, as shares of its floor.
_ROOM, _LEAST_ROOM = 1.5, 0.35


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

    @property
    def rank(self) -> tuple[bool, float]:
        """What is surer comes later."""
        return self.is_sure, self.gained / self.need


def growth(level: Level, room: float | None, born: float) -> Growth | None:
    """The growth that the newest floors of a level show; `room` is the limit, `born` the start of this life."""
    best: Growth | None = None
    at, least = level.points()
    n = len(least)
    fewest = _FEWEST if level.width_s < _LONG_S else _FEWEST_LONG
    if n < fewest:
        return None
    for begin in sorted({0, n // 4, n // 2, 5 * n // 8, 3 * n // 4}):
        if n - begin < fewest:
            break
        for floors, before in _views(level, at, least, begin):
            found = _since(at[begin:], floors[begin:], before, room, born, width_s=level.width_s)
            if found and _was_faster(at, floors, begin, found.slope.rate):
                found = replace(found, is_sure=False, is_slowing=True)
            if found and (best is None or found.rank > best.rank):
                best = found
    return best


def _views(level: Level, at: list[float], least: list[float], begin: int) -> Iterator[tuple[list[float], float]]:
    """The floors as they are, and without their days where there are two of them; with the highest before `begin`."""
    yield least, max(max(least[:begin], default=0.0), level.forgotten * 1024.0)
    a_day = round(DAY_S / level.width_s)
    if _DAILY[0] <= a_day <= _DAILY[1] and len(least) - begin >= 2 * a_day:
        adjusted = without_days(at, least, begin=begin, width_s=level.width_s)
        if adjusted and max(least[-a_day:]) > level.forgotten * 1024.0:
            yield adjusted, max(adjusted[:begin], default=0.0)


def _since(
    at: Sequence[float], floor: Sequence[float], before: float, room: float | None, born: float, *, width_s: float
) -> Growth | None:
    n = len(floor)
    third = n // 3
    low, high = median(floor[:third]), median(floor[-third:])
    # Medians of the outer thirds lie two thirds of the way apart.
    gained = (high - low) * n / (n - third)
    begun = max(low - gained * third / (2 * n), 1.0)
    # What is no higher than it once was has not been gained: the next tooth, the next day.
    gained = min(gained, high - before)
    headroom = max(room - begun if room else _ROOM * begun, _LEAST_ROOM * begun)
    is_born = at[0] - born < max(2 * width_s, 0.2 * (at[-1] - born))
    need = headroom * _share((at[-1] - at[0]) / _HOUR, _NEED if is_born else _PATIENCE)
    if gained < 0.5 * need or gained < 0.03 * begun or min(floor[-2:]) <= before:
        return None
    if _fallen(floor) > _MAY_FALL * gained:
        return None
    slope = theil_sen(at, floor)
    if slope.low <= _CERTAIN * slope.rate or gained < 5 * slope.scatter:
        return None
    is_slowing = not _even(at, floor)
    return Growth(at[0], gained, need, slope, width_s, gained >= need and not is_slowing, is_slowing)


def _share(hours: float, table: Sequence[tuple[float, float]]) -> float:
    """The share at `hours`, on straight lines between the rows of `table`."""
    for (h0, s0), (h1, s1) in pairwise(table):
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
    n, hours = len(floor), (at[-1] - at[0]) / _HOUR
    half, third = n // 2, n // 3
    if _rate(at[half:], floor[half:]) < _share(hours, _EVEN) * _rate(at[:half], floor[:half]):
        return False
    marks = [median(floor[max(i - 2, 0) : i + 1]) for i in (1, third, 2 * third, n - 1)]
    least = _share(hours, _THIRD) * (marks[3] - marks[0])
    return all(b - a >= least for a, b in pairwise(marks))


def _was_faster(at: Sequence[float], floor: Sequence[float], begin: int, rate: float) -> bool:
    """Whether the floor rose faster before `begin`: what began fast, slows. The first floors are the start itself."""
    first = max(begin // 4, 1)
    if begin - first < 3:
        return False
    return _rate(at[first:begin], floor[first:begin]) * _EVEN[0][1] > rate


def _rate(at: Sequence[float], floor: Sequence[float]) -> float:
    """The slope of least squares: floors have no wild values left."""
    n = len(at)
    t0, v0 = sum(at) / n, sum(floor) / n
    return sum((t - t0) * (v - v0) for t, v in zip(at, floor, strict=True)) / sum((t - t0) ** 2 for t in at)
