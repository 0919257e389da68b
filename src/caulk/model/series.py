"""Memory over time: readings of one process or container, oldest first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a process, in bytes. `heap` is what its runtime says of its own heap, where it says anything."""

    at: float
    """Seconds since the epoch."""
    rss: int
    anonymous: int = 0
    file: int = 0
    shared: int = 0
    heap: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one name."""

    name: str
    readings: tuple[Reading, ...] = ()

    @property
    def growth(self) -> int:
        """Bytes of resident memory gained from the first reading to the last."""
        return self.readings[-1].rss - self.readings[0].rss if self.readings else 0
