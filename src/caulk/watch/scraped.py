"""What the loop knows at the moment of a scrape, gathered from where each part of it is."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Protocol

from caulk.model.watching import Observation
from caulk.store.incidents import Incidents
from caulk.watch.exporter import Seen
from caulk.watch.fleet import Fleet
from caulk.watch.keeping import Remembering
from caulk.watch.loop import Health

_COUNTED_EACH_S = 60.0


class Watching(Protocol):
    """What is needed of the loop."""

    fleet: Fleet
    health: list[Health]

    def feed(self, seen: Sequence[Observation]) -> None:
        """What came by itself."""

    def remember(self, one: Remembering) -> None:
        """Keeps what it must know over a restart."""


@dataclass(slots=True)
class Kept:
    """What lies in `home`, in bytes; a scrape need not count it again each time."""

    home: Path
    _counted: Mapping[str, int] = field(default_factory=dict)
    _counted_at: float = float("-inf")

    def sizes(self) -> Mapping[str, int]:
        """Bytes on disk of captures, history and incidents, a minute old at most."""
        if time.monotonic() - self._counted_at > _COUNTED_EACH_S:
            parts = {"captures": "captures/**/*", "history": "history/**/*", "incidents": "incidents.db*"}
            self._counted = {part: _bytes(self.home.glob(pattern)) for part, pattern in parts.items()}
            self._counted_at = time.monotonic()
        return self._counted


def seen(watching: Watching, incidents: Incidents, kept: Kept) -> Seen:
    """What the loop knows now, for its metrics."""
    statuses = {}
    for health in watching.health:
        for credentials, status in getattr(health.source, "statuses", {}).items():
            statuses[f"metrics:{health.source.name}", health.source.name, credentials] = status
    return Seen(
        watching.fleet.rows(),
        incidents.owed(),
        {health.source.name: (health.readings, health.errors) for health in watching.health},
        statuses,
        kept.sizes(),
    )


def _bytes(paths: Iterable[Path]) -> int:
    found = 0
    for path in paths:
        with suppress(OSError):
            stat = path.stat()
            found += stat.st_blocks * 512 if S_ISREG(stat.st_mode) else 0
    return found
