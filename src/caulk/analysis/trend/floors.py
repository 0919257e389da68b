"""Floors: the least memory in each stretch of time, for stretches of 84 seconds, twice that … up to two days.

What a collector, a batch or a night gives back is not in a minimum over a long enough stretch; what leaks is. Minima of
neighbours merge, so each reading costs little and 48 stretches a level are all that is kept, however long it goes on.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Minima = array[int]
else:
    # Python 3.11 has no array[int], and annotations are evaluated when a state is restored.
    Minima = array

DAY_S = 86400.0
#: Seconds of the shortest stretch: 1,024 of them are a day, so that days can be told at every level below.
SHORTEST_S = DAY_S / 1024
#: The longest is two days: 64 of them are more than anybody keeps.
_LEVELS = 12
_KEPT = 48
_MOST = 2**32 - 1


@dataclass(slots=True)
class Level:
    """The finished stretches of one width, oldest first: the least of each in KiB, 0 where nothing was read."""

    width_s: float
    least: Minima = field(default_factory=lambda: array("I"))
    last: int = -1
    """The number of the newest of them, counted from 1970."""
    forgotten: int = 0
    """The highest floor among those that are no longer kept."""
    number: int = -1
    low: int = 0
    """The stretch that is not finished."""

    def add(self, number: int, low: int) -> int | None:
        """Note what lies in the stretch of that number; the least of the stretch that this finishes, if any."""
        if number == self.number:
            self.low = min(self.low, low)
            return None
        done = self.low if self.number >= 0 else None
        if done is not None:
            self._keep(done)
        self.number, self.low = number, low
        return done

    def _keep(self, done: int) -> None:
        absent = self.number - self.last - 1 if self.last >= 0 else 0
        # A gap as long as all that is kept leaves nothing of it.
        self.least.extend([0] * min(absent, _KEPT))
        self.least.append(done)
        self.last = self.number
        if (over := len(self.least) - _KEPT) > 0:
            self.forgotten = max(self.forgotten, *self.least[:over])
            del self.least[:over]

    @property
    def newest(self) -> tuple[float, float]:
        """The middle of the newest stretch, and its floor in bytes."""
        return (self.last + 0.5) * self.width_s, self.least[-1] * 1024.0

    def points(self) -> tuple[list[float], list[float]]:
        """The middles of the stretches in seconds, and their floors in bytes, without those that are absent."""
        first = self.last - len(self.least) + 1
        at = [(first + i + 0.5) * self.width_s for i, low in enumerate(self.least) if low]
        return at, [low * 1024.0 for low in self.least if low]


@dataclass(slots=True)
class Floors:
    """The levels of one life of one program."""

    levels: list[Level] = field(default_factory=lambda: [Level(SHORTEST_S * 2**k) for k in range(_LEVELS)])

    def add(self, at: float, value: float) -> Iterator[Level]:
        """Note a reading in bytes; gives the levels at which a stretch ended by it, shortest first."""
        low = min(max(round(value / 1024), 1), _MOST)
        for level in self.levels:
            number = level.number
            done = level.add(int(at // level.width_s), low)
            if done is None:
                return
            yield level
            at, low = (number + 0.5) * level.width_s, done

    def highest(self) -> float:
        """The highest floor of the narrowest level that has not forgotten the beginning; in bytes, 0 before any."""
        whole = (level for level in self.levels if level.least and not level.forgotten)
        return max(next(whole, self.levels[-1]).least, default=0) * 1024.0
