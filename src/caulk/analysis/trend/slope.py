"""Theil-Sen: the median of the slopes between all pairs, which a third of wild values cannot turn.

The interval is Sen's (1968), by Kendall's variance; that is widened for autocorrelation, since neighbours that lean on
each other are fewer than they look (Hamed and Rao, 1998, with the first lag for all).
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from caulk._core.lines import pair_slopes

#: The quantile of the normal distribution for 99 %, both sides.
_Z = 2.576
_MOST_CORRELATED = 0.9


@dataclass(frozen=True, slots=True)
class Slope:
    """Units a second, and the interval that holds it in 99 of 100 cases; how far values lie about the line."""

    rate: float
    low: float
    high: float
    scatter: float


def theil_sen(times: Sequence[float], values: Sequence[float]) -> Slope:
    """The slope of `values` over `times` (at least three, increasing). Costs n² / 2: 64 values are 2,016 pairs."""
    n = len(values)
    slopes = pair_slopes(array("d", times), array("d", values))
    middle = len(slopes) // 2
    rate = (slopes[middle] + slopes[~middle]) / 2
    level = median(v - rate * t for t, v in zip(times, values, strict=True))
    left = [v - rate * t - level for t, v in zip(times, values, strict=True)]
    correlation = min(max(_lag_one(left), 0.0), _MOST_CORRELATED)
    variance = n * (n - 1) * (2 * n + 5) / 18 * (1 + correlation) / (1 - correlation)
    half = _Z * math.sqrt(variance) / 2
    low = slopes[max(int(len(slopes) / 2 - half), 0)]
    high = slopes[min(int(len(slopes) / 2 + half), len(slopes) - 1)]
    return Slope(rate, low, high, median(abs(x) for x in left))


def _lag_one(values: Sequence[float]) -> float:
    """The correlation of neighbours; 0 for what does not move."""
    power = sum(x * x for x in values)
    return sum(a * b for a, b in pairwise(values)) / power if power else 0.0
