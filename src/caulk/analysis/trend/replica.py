"""One replica: its memory and, where its runtime tells, its heap, each watched; and from both, what kind grows.

Memory is watched by floors, which need an hour and more, and by minutes, for what will not last so long.

What is watched never holds page cache, which the kernel gives back. Shared memory is kept: nobody gives that back.
"""

from dataclasses import dataclass, field

from caulk.analysis.trend.growth import Growth
from caulk.analysis.trend.minutes import Minutes
from caulk.analysis.trend.watch import Watch
from caulk.model.judgement import Event, Kind, State
from caulk.model.series import Reading

_WORST: tuple[State, ...] = ("leaking", "suspect", "undersized", "warming", "steady", "unknown")
#: The heap makes the growth if it brings at least this share of it.
_MAKES = 0.5
#: A replica is gone if it was not read for so long, and for so many times what lies between its readings.
_SILENT_S, _SILENT = 900.0, 10
#: The share of the newest in what usually lies between readings.
_FORGET = 0.1
_HOUR = 3600.0


@dataclass(slots=True)
class Replica:
    """The watches of one replica; `state` is the worse of what memory and heap say."""

    memory: Watch = field(default_factory=Watch)
    heap: Watch | None = None
    """None until the runtime has told of its heap."""
    state: State = "unknown"
    first: Reading | None = None
    """Of this life."""
    newest: Reading | None = None
    apart_s: float = _HOUR
    """What usually lies between two readings."""
    minutes: Minutes = field(default_factory=Minutes)
    haste: Growth | None = None
    """How memory rises by the minute, if it will soon be at its limit so."""

    def happen(self, event: Event) -> None:
        """Note an event before the reading that it belongs to."""
        self.memory.happen(event)
        if self.heap:
            self.heap.happen(event)
        if event.what != "limit":
            self.first, self.haste, self.minutes = None, None, Minutes()

    def add(self, reading: Reading) -> State:
        """Note a reading; the state from now on."""
        if self.newest:
            self.apart_s += _FORGET * (reading.at - self.newest.at - self.apart_s)
        self.newest, self.first = reading, self.first or reading
        states = [self.memory.add(reading.at, held(reading))]
        if reading.heap is not None:
            self.heap = self.heap or Watch(limit=self.memory.limit, born=self.memory.born, born_by=self.memory.born_by)
            # A heap may be as full as its bound lets it: only its growth is asked.
            said = self.heap.add(reading.at, reading.heap)
            states.append(said if said in ("leaking", "suspect") else "unknown")
        if self.minutes.add(reading.at, held(reading)):
            self.haste = self.minutes.rise(self.memory.limit)
        if self.haste:
            states.append("suspect")
        self.state = min(states, key=_WORST.index)
        return self.state

    def is_silent(self, now: float) -> bool:
        """Whether it has not been read for so long that it must be gone."""
        return self.newest is not None and now - self.newest.at > max(_SILENT_S, _SILENT * self.apart_s)

    @property
    def told_by(self) -> Watch:
        """The watch that the state is from."""
        return self.heap if self.heap and self.memory.state != self.state else self.memory

    @property
    def growth(self) -> Growth | None:
        """What the state rests on."""
        return self.told_by.growth or self.haste

    @property
    def kind(self) -> Kind | None:
        """What grows; None where the readings do not tell, or nothing does."""
        first, newest = self.first, self.newest
        if first is None or newest is None or self.state not in ("leaking", "suspect"):
            if self.state == "steady" and first and newest and newest.file - newest.shared > 0.5 * newest.rss:
                return "page-cache"
            return None
        shared, rest = newest.shared - first.shared, newest.anonymous - first.anonymous
        if shared > max(rest, 0):
            return "shmem"
        if not self.heap:
            return None
        heap, memory = self.heap.growth, self.memory.growth
        if self.told_by is self.heap or (heap and memory and heap.slope.rate >= _MAKES * memory.slope.rate):
            return "managed"
        return "native"


def held(reading: Reading) -> float:
    """What the program holds and the kernel cannot take back, in bytes: anonymous and shared, else all but files."""
    if reading.anonymous:
        return reading.anonymous + reading.shared
    return max(reading.rss - max(reading.file - reading.shared, 0), 0)
