"""A broken line through floors, with the days taken out: how fast they rose before a time, then in each half since.

Least squares of 1, three slopes that meet, and the first two harmonics of a day, which are known well enough to be told
from growth once a day and a quarter were seen.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from caulk._core.lines import least_squares
from caulk.analysis.trend.floors import DAY_S

#: Days are taken out of what is at least as long; so many values a day tell a harmonic.
_DAYS_SEEN, _A_DAY = 1.25, 3.5
#: Fewer values say no slope.
_FEWEST_BEFORE = 3


@dataclass(frozen=True, slots=True)
class Line:
    """Units a second before the bend, in the half of the time after it, and in the newest half; `flat` has no days."""

    before: float
    early: float
    late: float
    flat: list[float]
    left: float
    """The sum of the squares of what lies beside it."""


def broken_line(at: Sequence[float], values: Sequence[float], begin: int) -> Line | None:
    """The line through all values that bends at number `begin`, and midway from there on; None if there is none."""
    bend, end, scale = at[begin], at[-1], at[-1] - at[0]
    middle = (bend + end) / 2
    columns = [[1.0] * len(at)]
    if begin >= _FEWEST_BEFORE:
        columns.append([min(t - bend, 0.0) / scale for t in at])
    columns.append([min(max(t - bend, 0.0), middle - bend) / scale for t in at])
    columns.append([max(t - middle, 0.0) / scale for t in at])
    lines = len(columns)
    if scale >= _DAYS_SEEN * DAY_S:
        columns += _days(at, len(at) * DAY_S / scale)
    found = least_squares(array("d", chain.from_iterable(columns)), array("d", values))
    if found is None:
        return None
    days = list(zip(found[lines:], columns[lines:], strict=True))
    flat = [v - sum(c * column[i] for c, column in days) for i, v in enumerate(values)] if days else list(values)
    line = list(zip(found[:lines], columns[:lines], strict=True))
    left = sum((v - sum(c * column[i] for c, column in line)) ** 2 for i, v in enumerate(flat))
    slopes = [x / scale for x in found[1:lines]]
    return Line(slopes[0] if begin >= _FEWEST_BEFORE else 0.0, slopes[-2], slopes[-1], flat, left)


def _days(at: Sequence[float], a_day: float) -> Iterator[list[float]]:
    """The harmonics that so many values a day can tell."""
    for k in (1, 2):
        if a_day >= _A_DAY * k:
            turns = [2 * math.pi * k * (t % DAY_S) / DAY_S for t in at]
            yield [math.cos(x) for x in turns]
            yield [math.sin(x) for x in turns]
