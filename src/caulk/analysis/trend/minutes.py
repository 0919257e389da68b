"""The last half hour, minute by minute: a leak that is so fast that there is no time for floors.

It is suspected and no more: a program that warms up, a cache and the first tooth of a collector rise as evenly for so
long. But a suspicion with the time to the limit is enough to capture before that is met, and what rises is not steady.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from caulk.analysis.trend.growth import Growth
from caulk.analysis.trend.slope import theil_sen

_MINUTE_S = 60.0
_MOST, _FEWEST = 30, 15
#: Of what was gained, what may have been given back on the way.
_MAY_FALL = 0.1
#: The share of the growth that the second half must bring: what warms up slows.
_SECOND_HALF = 0.45
#: So soon the limit is met, or without one memory has doubled.
_LIMIT_S, _DOUBLE_S = 6 * 3600.0, 2 * 3600.0
#: Less than this share of what there was is noise, whatever it leads to.
_LEAST = 0.05


@dataclass(slots=True)
class Minutes:
    """The least of each of the newest minutes in bytes, oldest first; `least` is that of `number`, which still runs."""

    floors: list[int] = field(default_factory=list)
    number: int = -1
    least: int = 0

    def add(self, at: float, value: float) -> bool:
        """Note a reading; whether a minute ended with it. A silence of minutes begins anew."""
        number = int(at // _MINUTE_S)
        if number == self.number:
            self.least = min(self.least, int(value))
            return False
        if number - self.number > 2:
            self.floors.clear()
        elif self.number >= 0:
            self.floors.append(self.least)
            del self.floors[:-_MOST]
        self.number, self.least = number, int(value)
        return True

    def rise(self, limit: float | None) -> Growth | None:
        """The growth, if memory rises evenly all the time, and will soon be at its limit, or without one doubled."""
        floors = self.floors
        half = len(floors) // 2
        if len(floors) < _FEWEST:
            return None
        gained = floors[-1] - floors[0]
        if gained < _LEAST * floors[0] or floors[-1] - floors[half] < _SECOND_HALF * gained:
            return None
        if _fallen(floors) > _MAY_FALL * gained:
            return None
        slope = theil_sen([i * _MINUTE_S for i in range(len(floors))], floors)
        room, soon = (floors[-1], _DOUBLE_S) if limit is None else (limit - floors[-1], _LIMIT_S)
        if room >= slope.low * soon:
            return None
        since = (self.number - len(floors)) * _MINUTE_S
        return Growth(since, gained, 2.0 * gained, slope, _MINUTE_S, is_sure=False, is_slowing=False)


def _fallen(floors: Sequence[int]) -> int:
    return max(top - value for top, value in zip(accumulate(floors, max), floors, strict=True))
