"""Floors: the least memory in each stretch of time, for stretches of a minute and a half, of three, six … up to weeks.

What a collector, a batch or a night gives back is not in a minimum over a long enough stretch; what leaks is. Minima of
neighbours merge, so each reading costs little and 64 stretches a level are all that is kept, however long it goes on.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

DAY_S = 86400.0
#: Seconds of the shortest stretch: 1,024 of them are a day, so that days can be told at every level below.
SHORTEST_S = DAY_S / 1024
#: The longest is 16 days: 64 of them are more than anybody keeps.
_LEVELS = 15
_KEPT = 64


@dataclass(slots=True)
class Level:
    """The finished stretches of one width, oldest first: the middle of each, its least and its most."""

    width_s: float
    at: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    least: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    most: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    forgotten: float = 0.0
    """The highest floor among those that are no longer kept."""
    _number: int = -1
    _low: float = 0.0
    _high: float = 0.0

    def add(self, at: float, low: float, high: float) -> tuple[float, float, float] | None:
        """Note what lies at `at`; the stretch that this finishes, if any, as middle, least, most."""
        number = int(at // self.width_s)
        if number == self._number:
            self._low, self._high = min(self._low, low), max(self._high, high)
            return None
        done = self._finish()
        self._number, self._low, self._high = number, low, high
        return done

    def _finish(self) -> tuple[float, float, float] | None:
        if self._number < 0:
            return None
        if len(self.least) == _KEPT:
            self.forgotten = max(self.forgotten, self.least[0])
        middle = (self._number + 0.5) * self.width_s
        self.at.append(middle)
        self.least.append(self._low)
        self.most.append(self._high)
        return middle, self._low, self._high


class Floors:
    """The levels of one life of one program."""

    def __init__(self) -> None:
        self.levels = [Level(SHORTEST_S * 2**k) for k in range(_LEVELS)]

    def add(self, at: float, value: float) -> Iterator[Level]:
        """Note a reading; gives the levels at which a stretch ended by it, shortest first."""
        low = high = value
        for level in self.levels:
            done = level.add(at, low, high)
            if done is None:
                return
            yield level
            at, low, high = done
