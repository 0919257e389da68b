"""The judgement of one signal of one replica as its readings come: never ahead, in bounded memory.

A life is what lies between two starts. What a life was when it ended by a restart is believed of the next one, until
that shows otherwise; a deploy is a new program.
"""

from dataclasses import dataclass

from caulk.analysis.trend.floors import Floors, Level
from caulk.analysis.trend.growth import Growth, growth
from caulk.model.judgement import Event, State

_HOUR = 3600.0
#: A level is looked at from this width on, and with this many readings in a stretch.
_NARROWEST_S = 240.0
_READINGS = 3
#: Before this, and with fewer readings, nothing is said.
_YOUNGEST_S = 600.0
_FEWEST = 10
#: A program that started this lately may still be warming up.
_WARM_S = 1800.0
#: A floor that has not risen for so long, and for this share of its growth, has stopped; two nights are waited for.
_STOPPED_S = 60 * _HOUR
_STOPPED = 0.5
#: What a life was is believed for this many times its length: the next one is to show its own growth by then.
_BELIEVED = 1.2
#: So near to its limit, so lately, a steady program has too little.
_NEAR = 0.9
_LATELY_S = 24 * _HOUR


@dataclass(slots=True)
class _Leak:
    """A leak that was found: how, and when its floor last rose."""

    growth: Growth
    risen: float
    floor: float


class Watch:
    """State by reading: `add` each, and what is said is in `state`, what it rests on in `growth`."""

    def __init__(self) -> None:
        self.state: State = "unknown"
        self.growth: Growth | None = None
        self.limit: float | None = None
        self.born_by = ""
        self.at = 0.0
        self.leaky_lives = 0
        self._inherited_until = 0.0
        self._leak: _Leak | None = None
        self._begin(0.0)

    def _begin(self, at: float) -> None:
        self._floors = Floors()
        self._growths: dict[float, Growth] = {}
        self._leak = None
        self.born = at
        self._seen = 0
        self.peak = 0.0
        self._near: float | None = None

    def happen(self, event: Event) -> None:
        """Note an event before the reading that it belongs to."""
        if event.what == "limit":
            self.limit = float(event.limit) or None
            self._near = None
            return
        was, life = self.state, event.at - self.born
        grew = self._leak is not None or bool(self._growths)
        self._begin(event.at)
        self.born_by = event.what
        if event.what == "deploy":
            self._inherited_until, self.growth, self.leaky_lives = 0.0, None, 0
        elif was == "leaking" and grew:
            self.leaky_lives += 1
            self._inherited_until = max(self._inherited_until, event.at + max(_BELIEVED * life, _HOUR))
        if was == "undersized" and event.what == "oom":
            self._near = event.at

    def add(self, at: float, value: float) -> State:
        """Note a reading; the state from now on."""
        if not self._seen:
            self.born = self.born or at
        self._seen += 1
        self.at, self.peak = at, max(self.peak, value)
        if self.limit and value >= _NEAR * self.limit:
            self._near = at
        changed = [level for level in self._floors.add(at, value) if self._tells(level, at)]
        for level in changed:
            self._look(level)
        self.state = self._say(at)
        return self.state

    def _tells(self, level: Level, at: float) -> bool:
        apart = (at - self.born) / self._seen
        return level.width_s >= max(_NARROWEST_S, _READINGS * apart)

    def _look(self, level: Level) -> None:
        self._growths.pop(level.width_s, None)
        leak = self._leak
        if leak and level.width_s < leak.growth.width_s:
            return
        found = growth(level, self.limit, self.born)
        if found:
            self._growths[level.width_s] = found
        if found and found.is_sure and leak is None and not self._slows(found):
            self._leak = _Leak(found, level.at[-1], level.least[-1])
        elif leak and level.width_s == leak.growth.width_s and level.least[-1] > leak.floor:
            leak.risen, leak.floor = level.at[-1], level.least[-1]
        if leak and found and found.is_sure:
            leak.growth = found

    def _slows(self, found: Growth) -> bool:
        """Whether a wider look, which began earlier, sees that what rises here rose faster before."""
        return any(g.is_slowing and g.width_s > found.width_s and g.since < found.since for g in self._growths.values())

    def _say(self, at: float) -> State:
        if self._leak and self._has_stopped(self._leak, at):
            self._leak = None
            self._growths.clear()
        if self._leak:
            self.growth = self._leak.growth
            return "leaking"
        if at < self._inherited_until:
            return "leaking"
        self.growth = max(self._growths.values(), key=lambda g: g.gained / g.need, default=None)
        if self._seen < _FEWEST or at - self.born < _YOUNGEST_S:
            return "unknown"
        if self._near is not None and at - self._near < _LATELY_S:
            return "undersized"
        if self.growth:
            return "warming" if self.growth.is_slowing else "suspect"
        return "warming" if at - self.born < _WARM_S else "steady"

    @staticmethod
    def _has_stopped(leak: _Leak, at: float) -> bool:
        wait = max(_STOPPED * (leak.risen - leak.growth.since), 4 * leak.growth.width_s)
        return at - leak.risen > min(wait, max(_STOPPED_S, 4 * leak.growth.width_s))
