"""Floors: the least memory in each stretch of time, for stretches of a minute and a half, of three, six … up to weeks.

What a collector, a batch or a night gives back is not in a minimum over a long enough stretch; what leaks is. Minima of
neighbours merge, so each reading costs little and 64 stretches a level are all that is kept, however long it goes on.
"""

from array import array
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
    """The finished stretches of one width, oldest first: the middle of each and its least, 64 at most (`'d'`)."""

    width_s: float
    at: "array[float]" = field(default_factory=lambda: array("d"))
    least: "array[float]" = field(default_factory=lambda: array("d"))
    forgotten: float = 0.0
    """The highest floor among those that are no longer kept."""
    _number: int = -1
    _low: float = 0.0

    def add(self, at: float, low: float) -> tuple[float, float] | None:
        """Note what lies at `at`; the stretch that this finishes, if any, as middle and least."""
        number = int(at // self.width_s)
        if number == self._number:
            self._low = min(self._low, low)
            return None
        done = self._finish()
        self._number, self._low = number, low
        return done

    def _finish(self) -> tuple[float, float] | None:
        if self._number < 0:
            return None
        if len(self.least) == _KEPT:
            self.forgotten = max(self.forgotten, self.least[0])
            del self.at[0], self.least[0]
        middle = (self._number + 0.5) * self.width_s
        self.at.append(middle)
        self.least.append(self._low)
        return middle, self._low


class Floors:
    """The levels of one life of one program."""

    def __init__(self) -> None:
        self.levels = [Level(SHORTEST_S * 2**k) for k in range(_LEVELS)]

    def add(self, at: float, value: float) -> Iterator[Level]:
        """Note a reading; gives the levels at which a stretch ended by it, shortest first."""
        for level in self.levels:
            done = level.add(at, value)
            if done is None:
                return
            yield level
            at, value = done
