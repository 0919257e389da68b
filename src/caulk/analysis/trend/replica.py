"""One replica: its memory and, where its runtime tells, its heap, each watched; and from both, what kind grows.

What is watched never holds page cache, which the kernel gives back. Shared memory is kept: nobody gives that back.
"""

from caulk.analysis.trend.growth import Growth
from caulk.analysis.trend.watch import Watch
from caulk.model.judgement import Event, Kind, State
from caulk.model.series import Reading

_WORST: tuple[State, ...] = ("leaking", "suspect", "undersized", "warming", "steady", "unknown")
#: The heap makes the growth if it brings at least this share of it.
_MAKES = 0.5


class Replica:
    """The watches of one replica; `state` is the worse of what memory and heap say."""

    def __init__(self, limit: int = 0) -> None:
        self.memory, self.heap = Watch(), Watch()
        self.has_heap = self.has_kinds = False
        self.state: State = "unknown"
        self.newest: Reading | None = None
        self._first: Reading | None = None
        if limit:
            self.happen(Event(0.0, "limit", limit))

    def happen(self, event: Event) -> None:
        """Note an event before the reading that it belongs to."""
        self.memory.happen(event)
        self.heap.happen(event)
        if event.what != "limit":
            self._first = None

    def add(self, reading: Reading) -> State:
        """Note a reading; the state from now on."""
        self.newest, self._first = reading, self._first or reading
        self.has_kinds = self.has_kinds or bool(reading.anonymous or reading.file or reading.shared)
        states = [self.memory.add(reading.at, held(reading))]
        if reading.heap is not None:
            self.has_heap = True
            # A heap may be as full as its bound lets it: only its growth is asked.
            said = self.heap.add(reading.at, reading.heap)
            states.append(said if said in ("leaking", "suspect") else "unknown")
        self.state = min(states, key=_WORST.index)
        return self.state

    @property
    def told_by(self) -> Watch:
        """The watch that the state is from."""
        return self.heap if self.has_heap and self.memory.state != self.state else self.memory

    @property
    def growth(self) -> Growth | None:
        """What the state rests on."""
        return self.told_by.growth

    @property
    def kind(self) -> Kind | None:
        """What grows; None where the readings do not tell, or nothing does."""
        first, newest = self._first, self.newest
        if first is None or newest is None or self.state not in ("leaking", "suspect"):
            if self.state == "steady" and first and newest and newest.file - newest.shared > 0.5 * newest.rss:
                return "page-cache"
            return None
        shared, rest = newest.shared - first.shared, newest.anonymous - first.anonymous
        if shared > max(rest, 0):
            return "shmem"
        if not self.has_heap:
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
