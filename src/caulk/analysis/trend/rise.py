"""A rise: how floors went up since a time, measured from several times at which it may have begun.

Nothing is judged here but whether there is a rise at all: the newest floors are higher than any before, the slope is
certain, little was given back, and it is half of what is asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from caulk.analysis.trend.floors import DAY_S, Level
from caulk.analysis.trend.line import Line, broken_line
from caulk.analysis.trend.need import headroom, needed
from caulk.analysis.trend.slope import Slope, theil_sen

_HOUR = 3600.0
#: Fewer floors than this say nothing of evenness.
_FEWEST = 9
#: Stretches of half a day and more are free of nights: fewer will do.
_FEWEST_LONG, _LONG_S = 6, 8 * _HOUR
#: Where growth may have begun, as shares of the floors that are kept.
_BEGINS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8125)
#: It did not begin where the line fits worse than where it fits best, as Bayes' criterion (BIC) counts it for one more
#: parameter, if one of so many floors tells anything that its neighbours do not.
_ALIKE = 3
#: Of what was gained, what a floor may give back on the way.
_MAY_FALL = 0.3
#: The least share of the slope that the interval's lower end must keep.
_CERTAIN = 0.4
#: What is gained must be so many times the scatter about the line, and this share of what there was.
_OVER_SCATTER, _LEAST = 5.0, 0.03
#: Growth began with the start if it did within this share of the time since.
_WITH_START = 0.08


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a program besides its floors: its limit, when it began, and what was healthy of it, in bytes."""

    limit: float | None
    born: float
    normal: float = 0.0
    """The highest floor of earlier lives that were healthy; 0 without one."""


@dataclass(frozen=True, slots=True)
class Rise:
    """How floors rose since a time."""

    since: float
    hours: float
    gained: float
    share: float
    """What was gained, of the room to the limit."""
    is_born: bool
    """Whether it began with a start or deploy."""
    even: float
    """The slope of the newest half as a share of that of the first."""
    third: float
    """The share of the growth that the third of the time brought that brought least."""
    before: float
    """The slope before it began, as a share of that of the newest half."""
    slope: Slope


def rises(level: Level, life: Life) -> Iterator[Rise]:
    """The rises that end now, by when they may have begun."""
    at, least = level.points()
    n = len(least)
    fewest = _FEWEST if level.width_s < _LONG_S else _FEWEST_LONG
    high = max(least[-max(round(DAY_S / level.width_s), 2) :], default=0.0)
    known = max(life.normal, level.forgotten * 1024.0)
    lines = {}
    for begin in dict.fromkeys(int(n * share) for share in _BEGINS):
        if n - begin < fewest or high <= known:
            break
        low, hours = min(least[begin:]), (at[-1] - at[begin]) / _HOUR
        is_higher = high > max(least[:begin], default=0.0)
        if is_higher and high - low >= 0.5 * needed(hours, is_born=True) * headroom(low, life.limit):
            line = broken_line(at, least, begin)
            if line:
                lines[begin] = line
    most = min((line.left for line in lines.values()), default=0.0) * n ** (_ALIKE / max(n, 1))
    for begin, line in lines.items():
        if line.left <= most:
            rise = _measured(at[begin:], line, begin, life, known=known, width_s=level.width_s)
            if rise:
                yield rise


def _measured(at: Sequence[float], line: Line, begin: int, life: Life, *, known: float, width_s: float) -> Rise | None:
    floor, before = line.flat[begin:], max(max(line.flat[:begin], default=0.0), known)
    n, long = len(floor), at[-1] - at[0]
    # Medians of the outer thirds lie two thirds of the way apart.
    low, high = median(floor[: n // 3]), median(floor[-(n // 3) :])
    gained = (high - low) * n / (n - n // 3)
    begun = max(low - gained * (n // 3) / (2 * n), 1.0)
    # What is no higher than it once was has not been gained: the next tooth, the next day.
    gained = min(gained, high - before)
    share = gained / headroom(begun, life.limit)
    # A program that was healthy in an earlier life has no first hours any more.
    is_born = not life.normal and at[0] - life.born < max(2 * width_s, _WITH_START * (at[-1] - life.born))
    if min(line.early, line.late, gained - _LEAST * begun) <= 0 or min(floor[-2:]) <= before:
        return None
    if share < 0.5 * needed(long / _HOUR, is_born=is_born) or _fallen(floor) > _MAY_FALL * gained:
        return None
    slope = theil_sen(at, floor)
    if slope.low <= _CERTAIN * slope.rate or gained < _OVER_SCATTER * slope.scatter:
        return None
    return Rise(
        since=at[0],
        hours=long / _HOUR,
        gained=gained,
        share=share,
        is_born=is_born,
        even=line.late / line.early,
        third=_least_third(floor),
        before=line.before / line.late,
        slope=slope,
    )


def _fallen(floor: Sequence[float]) -> float:
    """The deepest fall from a floor to a later one."""
    return max(top - value for top, value in zip(accumulate(floor, max), floor, strict=True))


def _least_third(floor: Sequence[float]) -> float:
    n = len(floor)
    marks = [median(floor[max(i - 2, 0) : i + 1]) for i in (1, n // 3, 2 * (n // 3), n - 1)]
    return min(b - a for a, b in pairwise(marks)) / max(marks[3] - marks[0], 1.0)
