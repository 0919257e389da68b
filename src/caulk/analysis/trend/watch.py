"""The judgement of one signal of one replica as its readings come: never ahead, in bounded memory.

A life is what lies between two starts. What a life was when it ended by a restart is believed of the next one, until
that shows otherwise; a deploy is a new program.
"""

from dataclasses import dataclass, field

from caulk.analysis.trend.floors import Floors, Level
from caulk.analysis.trend.growth import Growth, growth
from caulk.analysis.trend.rise import Life
from caulk.model.judgement import Event, State

_HOUR = 3600.0
#: A level is looked at from this width on, and with this many readings in a stretch.
_NARROWEST_S = 240.0
_READINGS = 3
#: Before this, and with fewer readings, nothing is said.
_YOUNGEST_S = 600.0
_FEWEST = 10
#: A program that started this lately may still be warming up; what it held in its first minutes is no floor.
_WARM_S = 1800.0
_NO_FLOOR_S = 1200.0
#: A floor that has not risen for so long, and for this share of its growth, has stopped.
_STOPPED_S = 120 * _HOUR
_STOPPED = 0.5
#: A day later the same hours come again: a night alone is no end.
_NIGHT_S = 36 * _HOUR
#: The share of the newest reading in their mean.
_NEWEST = 0.1
#: What a life was is believed for this many times its length: the next one is to show its own growth by then.
_BELIEVED = 1.2
#: A life that was as long and ended without growth was healthy.
_SETTLED_S = 24 * _HOUR
#: So near to its limit, so lately, a steady program has too little.
_NEAR = 0.9
_LATELY_S = 24 * _HOUR


@dataclass(slots=True)
class Leak:
    """A leak that was found: how, and when its floor last rose."""

    growth: Growth
    risen: float
    floor: float


@dataclass(slots=True)
class Watch:
    """State by reading: `add` each, and what is said is in `state`, what it rests on in `growth`."""

    state: State = "unknown"
    growth: Growth | None = None
    limit: float | None = None
    at: float = 0.0
    born: float = 0.0
    """When this life began, by the event `born_by` if one is known."""
    born_by: str = ""
    leaky_lives: int = 0
    normal: float = 0.0
    """The highest floor of earlier lives that ended without growth: what is reached again is no news."""
    inherited_until: float = 0.0
    floors: Floors = field(default_factory=Floors)
    growths: list[Growth] = field(default_factory=list)
    """What the last look at each level found."""
    leak: Leak | None = None
    seen: int = 0
    """Readings in this life, the first of them at `first_at`."""
    first_at: float = 0.0
    peak: float = 0.0
    newest: float = 0.0
    """The mean of the newest readings."""
    near: float | None = None
    """When it was last near to its limit."""

    def _begin(self, at: float) -> None:
        self.floors, self.growths, self.leak = Floors(), [], None
        self.born, self.seen, self.peak, self.newest, self.near = at, 0, 0.0, 0.0, None

    def happen(self, event: Event) -> None:
        """Note an event before the reading that it belongs to."""
        if event.what == "limit":
            self.limit = float(event.limit) or None
            self.near = None
            return
        was, life = self.state, event.at - self.born
        grew = self.leak is not None or bool(self.growths)
        if not grew and life > _SETTLED_S and event.what == "restart":
            self.normal = max(self.normal, self.floors.highest())
        self._begin(event.at)
        self.born_by = event.what
        if event.what == "deploy":
            self.inherited_until, self.growth, self.leaky_lives, self.normal = 0.0, None, 0, 0.0
        elif was == "leaking" and grew:
            self.leaky_lives += 1
            self._inherit(life, event.at)
        if was == "undersized" and event.what == "oom":
            self.near = event.at

    def resemble(self, other: "Watch", at: float) -> None:
        """Begin as one that runs the same code: believe its leak, and what it held if it is healthy."""
        if other.leak:
            self._inherit(other.at - other.born, at)
        elif other.state == "steady" and other.at - other.born > _SETTLED_S:
            self.normal = max(self.normal, other.floors.highest())

    def _inherit(self, life: float, at: float) -> None:
        self.inherited_until = max(self.inherited_until, at + max(_BELIEVED * life, _HOUR))

    def add(self, at: float, value: float) -> State:
        """Note a reading; the state from now on."""
        if not self.seen:
            self.born, self.first_at = self.born or at, at
        self.seen += 1
        self.at, self.peak = at, max(self.peak, value)
        self.newest += _NEWEST * (value - self.newest) if self.seen > 1 else value
        if self.limit and value >= _NEAR * self.limit:
            self.near = at
        if at - self.born >= _NO_FLOOR_S:
            for level in [level for level in self.floors.add(at, value) if self._tells(level, at)]:
                self._look(level)
        self.state = self._say(at)
        return self.state

    def _tells(self, level: Level, at: float) -> bool:
        apart = (at - self.first_at) / self.seen
        return level.width_s >= max(_NARROWEST_S, _READINGS * apart)

    def _look(self, level: Level) -> None:
        self.growths = [g for g in self.growths if g.width_s != level.width_s]
        leak = self.leak
        if leak and level.width_s < leak.growth.width_s:
            return
        found = growth(level, Life(self.limit, self.born + _NO_FLOOR_S, self.normal))
        if found:
            self.growths.append(found)
        at, floor = level.newest
        if found and found.is_sure and leak is None and not self._slows(found):
            self.leak = Leak(found, at, floor)
        elif leak and level.width_s == leak.growth.width_s and floor > leak.floor:
            leak.risen, leak.floor = at, floor
        if leak and found and found.is_sure:
            leak.growth = found

    def _slows(self, found: Growth) -> bool:
        """Whether a wider look, which began earlier, sees that what rises here rose faster before."""
        return any(g.is_slowing and g.width_s > found.width_s and g.since < found.since for g in self.growths)

    def _say(self, at: float) -> State:
        if self.leak and self._has_stopped(self.leak, at):
            self.leak = self._still(self.leak)
            self.growths = self.growths if self.leak else []
        if self.leak:
            self.growth = self.leak.growth
            return "leaking"
        if at < self.inherited_until:
            return "leaking"
        self.growth = max(self.growths, key=lambda g: g.gained / g.need, default=None)
        if self.seen < _FEWEST or at - self.born < _YOUNGEST_S:
            return "unknown"
        if self.near is not None and at - self.near < _LATELY_S:
            return "undersized"
        if self.growth:
            return "warming" if self.growth.is_slowing else "suspect"
        return "warming" if at - self.born < _WARM_S else "steady"

    def _still(self, leak: Leak) -> Leak | None:
        """The same leak, as wider looks see it: days may hide from a narrow one that it goes on."""
        wider = [g for g in self.growths if g.width_s > leak.growth.width_s and not g.is_slowing]
        return Leak(max(wider, key=lambda g: g.rank), self.at, leak.floor) if wider else None

    @staticmethod
    def _has_stopped(leak: Leak, at: float) -> bool:
        grew = leak.risen - leak.growth.since
        wait = max(_STOPPED * grew, min(grew, _NIGHT_S), 4 * leak.growth.width_s)
        return at - leak.risen > min(wait, max(_STOPPED_S, 4 * leak.growth.width_s))
