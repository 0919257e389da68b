"""Growth: whether the floor of a stretch of time rises as a leak does, and not as something that will stop or go back.

A leak's floor is higher than it ever was, rises evenly since it began to, gives next to nothing back, and takes a share
of the room to the limit: the less time there was to watch, the more of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from caulk.analysis.trend.floors import DAY_S, Level
from caulk.analysis.trend.line import broken_line
from caulk.analysis.trend.slope import Slope, theil_sen

_HOUR = 3600.0
#: Fewer floors than this say nothing of evenness.
_FEWEST = 9
#: Stretches of half a day and more are free of nights: fewer will do.
_FEWEST_LONG, _LONG_S = 6, 8 * _HOUR
#: Where growth may have begun, as shares of the floors that are kept.
_BEGINS = (0.0, 0.25, 0.5, 0.625, 0.75)
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


@dataclass(frozen=True, slots=True)
class Rise:
    """How floors rose since a time: what judging it needs. `share` is that of the room to the limit."""

    since: float
    hours: float
    gained: float
    share: float
    is_born: bool
    """Whether it began with a start or deploy."""
    even: float
    """The slope of the newest half as a share of that of the first."""
    third: float
    """The share of the growth that the third of the time brought that brought least."""
    before: float
    """The slope before it began, as a share of that of the newest half."""
    fallen: float
    """What was given back on the way, as a share of the growth."""
    slope: Slope

    @property
    def need(self) -> float:
        """The share of the room that is asked for."""
        return _at(self.hours, _NEED if self.is_born else _PATIENCE)

    @property
    def is_slowing(self) -> bool:
        """Whether it is of those that stop."""
        return (
            self.even < _at(self.hours, _EVEN)
            or self.third < _at(self.hours, _THIRD)
            or self.before > 1 / _EVEN[0][1]
        )


def growth(level: Level, room: float | None, born: float, normal: float) -> Growth | None:
    """The growth that the newest floors of a level show.

    `room` is the limit, `born` the start of this life, `normal` what an earlier one held that was healthy, in bytes.
    """
    best: Growth | None = None
    for rise in rises(level, room, born, normal):
        is_sure = rise.share >= rise.need and not rise.is_slowing
        need = rise.need / rise.share * rise.gained
        found = Growth(rise.since, rise.gained, need, rise.slope, level.width_s, is_sure, rise.is_slowing)
        if best is None or found.rank > best.rank:
            best = found
    return best


def rises(level: Level, room: float | None, born: float, normal: float) -> list[Rise]:
    """The rises that end now, by when they may have begun; those that could not be half of what is asked for are not."""
    at, least = level.points()
    n = len(least)
    fewest = _FEWEST if level.width_s < _LONG_S else _FEWEST_LONG
    normal = max(normal, level.forgotten * 1024.0)
    a_day = max(round(DAY_S / level.width_s), 2)
    found = []
    for begin in dict.fromkeys(int(n * share) for share in _BEGINS):
        if n - begin < fewest:
            break
        if max(least[-a_day:]) <= max(least[:begin], default=0.0) or max(least[-a_day:]) <= normal:
            continue
        headroom = _headroom(min(least[begin:]), room)
        if max(least[-a_day:]) - min(least[begin:]) < 0.5 * _at((at[-1] - at[begin]) / _HOUR, _NEED) * headroom:
            continue
        rise = _rise(at, least, begin, room, born, normal, level.width_s)
        if rise:
            found.append(rise)
    return found


def _rise(
    at: list[float], least: list[float], begin: int, room: float | None, born: float, normal: float, width_s: float
) -> Rise | None:
    line = broken_line(at, least, begin)
    if not line or line.late <= 0 or line.early <= 0:
        return None
    floor, before = line.flat[begin:], max(max(line.flat[:begin], default=0.0), normal)
    long = at[-1] - at[begin]
    n = len(floor)
    third = n // 3
    # Medians of the outer thirds lie two thirds of the way apart.
    low, high = median(floor[:third]), median(floor[-third:])
    gained = (high - low) * n / (n - third)
    begun = max(low - gained * third / (2 * n), 1.0)
    # What is no higher than it once was has not been gained: the next tooth, the next day.
    gained = min(gained, high - before)
    share = gained / _headroom(begun, room)
    is_born = at[begin] - born < max(2 * width_s, 0.2 * (at[-1] - born))
    need = _at(long / _HOUR, _NEED if is_born else _PATIENCE)
    if share < 0.5 * need or gained < 0.03 * begun or min(floor[-2:]) <= before:
        return None
    fallen = _fallen(floor) / gained
    if fallen > _MAY_FALL:
        return None
    slope = theil_sen(at[begin:], floor)
    if slope.low <= _CERTAIN * slope.rate or gained < 5 * slope.scatter:
        return None
    marks = [median(floor[max(i - 2, 0) : i + 1]) for i in (1, third, 2 * third, n - 1)]
    least_third = min(b - a for a, b in pairwise(marks)) / max(marks[3] - marks[0], 1.0)
    return Rise(
        since=at[begin],
        hours=long / _HOUR,
        gained=gained,
        share=share,
        is_born=is_born,
        even=line.late / line.early,
        third=least_third,
        before=line.before / line.late,
        fallen=fallen,
        slope=slope,
    )


def _headroom(begun: float, room: float | None) -> float:
    return max(room - begun if room else _ROOM * begun, _LEAST_ROOM * begun)


def _at(hours: float, table: Sequence[tuple[float, float]]) -> float:
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
