"""How one number went over N profiles: how much it grew, how surely, how fast, and whether it is flattening out.

The slope is Theil and Sen's (the median of all pairwise slopes): one odd profile does not bend it. The shape is looked
for only with four profiles or more; a cache that fills up and a leak look the same below that.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from caulk.model.records import Shape

#: How many standard errors a change must have to be more than the sampling's own noise (99.7 %).
SIGNIFICANT = 3.0
#: Fewer profiles than this cannot tell a leak from a cache that is filling up.
SHAPE_NEEDS = 4
#: Hours of observation from which on growth is told by the hour: of ten seconds nobody would believe it.
HOURLY = 0.5
#: Late growth below this share of the early growth is a curve that flattens; above the second, one that goes on.
_FLATTENS = 0.4
_GOES_ON = 0.65


@dataclass(frozen=True, slots=True)
class Growth:
    """`delta` from first to last with its standard `error`; `slope` is per unit of time, or per profile."""

    delta: int
    error: float
    slope: float
    steps_up: int
    steps: int
    shape: Shape

    @property
    def is_significant(self) -> bool:
        """Whether the growth is more than noise."""
        return self.delta > SIGNIFICANT * self.error

    @property
    def is_monotone(self) -> bool:
        """Whether no profile showed less than the one before it."""
        return self.steps_up == self.steps


def growth_of(values: Sequence[int], errors: Sequence[float], times: Sequence[float]) -> Growth:
    """The growth of one series; `times` are its abscissae (hours, or 0, 1, 2 … where no time is known)."""
    delta = values[-1] - values[0]
    error = sqrt(errors[0] ** 2 + errors[-1] ** 2)
    steps = [b - a for a, b in itertools.pairwise(values)]
    noise = [sqrt(a * a + b * b) for a, b in itertools.pairwise(errors)]
    up = sum(1 for step, n in zip(steps, noise, strict=True) if step >= -SIGNIFICANT * n)
    return Growth(delta, error, slope_of(values, times), up, len(steps), shape_of(values, errors, times))


def by_the_hour(slope: float, hours: Sequence[float]) -> float | None:
    """A slope over these times as a rate; None where they are not known (empty), or less than half an hour apart."""
    return slope if hours and hours[-1] - hours[0] >= HOURLY else None


def slope_of(values: Sequence[int], times: Sequence[float]) -> float:
    """Theil and Sen's slope; 0 where all times are the same."""
    slopes = [
        (values[j] - values[i]) / (times[j] - times[i])
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if times[j] > times[i]
    ]
    slopes.sort()
    middle = len(slopes) // 2
    # `statistics` would be imported for this one line, at the price of the whole of `caulk top`.
    return (slopes[middle] + slopes[~middle]) / 2 if slopes else 0.0


def shape_of(values: Sequence[int], errors: Sequence[float], times: Sequence[float]) -> Shape:
    """How the series went on. A jump at the start and a steady rise after it is a rise: warm-up is left out first."""
    count = len(values)
    if count < SHAPE_NEEDS:
        return "unknown"
    noise = SIGNIFICANT * sqrt(2) * max(errors)
    if abs(values[-1] - values[0]) <= noise:
        return "flat"
    if values[-1] < values[0]:
        return "falling"
    whole = _half_shape(values, times, noise)
    if whole == "rising":
        return whole
    # The later part alone, while it has points enough and half of the time: does it go on by itself?
    for start in range(1, count - SHAPE_NEEDS + 1):
        part, when = values[start:], times[start:]
        if when[-1] - when[0] < (times[-1] - times[0]) / 2 or part[-1] - part[0] <= noise:
            break
        rises = all(b > a for a, b in itertools.pairwise(part))
        if rises and _half_shape(part, when, noise) == "rising":
            return "rising"
    return whole


def _half_shape(values: Sequence[int], times: Sequence[float], noise: float) -> Shape:
    """The slope of the later half held against that of the earlier one."""
    middle = len(values) // 2
    early = slope_of(values[: middle + 1], times[: middle + 1])
    late = slope_of(values[middle:], times[middle:])
    if early <= 0:
        return "rising" if late > 0 else "flat"
    ratio = late / early
    if ratio >= _GOES_ON:
        return "rising"
    last = values[-1] - values[middle]
    if ratio < _FLATTENS:
        # Too noisy to see the later half at all: then it cannot be said to have flattened either.
        expected = early * (times[-1] - times[middle])
        return "flattening" if expected - last > noise else "unknown"
    return "unknown"
