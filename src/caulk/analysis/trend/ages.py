"""Replicas of many ages at one instant: what the older ones hold more is what the younger will.

This answers in minutes what one replica shows in days, if the replicas run the same code under the same load.
"""

from collections.abc import Sequence

from caulk.analysis.trend.growth import Growth
from caulk.analysis.trend.need import headroom, needed
from caulk.analysis.trend.slope import theil_sen

_HOUR = 3600.0
#: Younger ones may still be warming up; fewer ages, or nearer to each other, say nothing.
_YOUNGEST_S = 0.5 * _HOUR
_FEWEST = 6
_SPREAD = 4.0
#: The share of the slope that the interval's lower end must keep; of that of the younger half, what the older must.
_CERTAIN = 0.45
_EVEN = 0.7


def growth_by_age(held: Sequence[tuple[float, float]], now: float, limit: float | None) -> Growth | None:
    """The growth that replicas show together, each by its age in seconds and its floor in bytes; None if none."""
    known = sorted((age, floor) for age, floor in held if age >= _YOUNGEST_S)
    if len(known) < _FEWEST or known[-1][0] < _SPREAD * known[0][0]:
        return None
    ages, floors = [age for age, _ in known], [floor for _, floor in known]
    # Of one age are those that one deploy brought: they tell nothing.
    if min(b - a for a, b in zip(ages, ages[3:], strict=False)) < 0.05 * (ages[-1] - ages[0]):
        return None
    slope = theil_sen(ages, floors)
    if slope.rate <= 0 or slope.low <= _CERTAIN * slope.rate:
        return None
    half = len(known) // 2
    younger, older = (theil_sen(ages[part], floors[part]).rate for part in (slice(0, -half), slice(half, None)))
    gained = slope.rate * (ages[-1] - ages[0])
    need = needed(ages[-1] / _HOUR, is_born=True) * headroom(max(floors[0], 1.0), limit)
    is_slowing = older < _EVEN * younger
    if gained < 0.5 * need:
        return None
    return Growth(now - ages[-1], gained, need, slope, 0.0, gained >= need and not is_slowing, is_slowing)
