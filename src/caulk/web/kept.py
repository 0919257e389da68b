"""What lies on disk, as pages show it: captures with their sizes, and the newest incidents, which say whose they are.

One look serves all who ask within two seconds. Incidents are read again only where there are new ones.
"""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from caulk.model.errors import CaulkError
from caulk.model.incident import Incident
from caulk.store.captures import Captures, Entry

if TYPE_CHECKING:
    from caulk.store.incidents import Incidents

_FRESH_S = 2.0
_MOST_INCIDENTS = 300


@dataclass(frozen=True, slots=True)
class Stock:
    """Captures, the newest first, with what each takes on disk by its id; incidents, the newest first."""

    entries: tuple[Entry, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    free_bytes: int = 0
    incidents: tuple[Incident, ...] = ()
    version: int = 0
    """Another one where anything else changed than the free space."""

    @property
    def used_bytes(self) -> int:
        """What all captures take."""
        return sum(self.sizes.values())

    def suspects(self) -> dict[str, str]:
        """What was found to leak in captures, by their ids."""
        found: dict[str, str] = {}
        for incident in reversed(self.incidents):
            if incident.findings:
                found |= dict.fromkeys(incident.captures, incident.findings[0].title)
        return found

    def owners(self) -> dict[str, str]:
        """The workloads of captures that incidents took, by the captures' ids."""
        return {number: incident.workload.key for incident in self.incidents for number in incident.captures}


class Kept:
    """Looks at the disk for all who ask; of any thread."""

    def __init__(self, captures: Captures, incidents: "Incidents | None" = None) -> None:
        self._captures, self._incidents = captures, incidents
        self._lock = threading.Lock()
        self._stock, self._at = Stock(), float("-inf")
        self._counted: tuple[int, int] = (-1, -1)
        self._marks: dict[str, int] | None = None

    def stock(self, *, is_new: bool = False) -> Stock:
        """What there is, two seconds old at most; with `is_new`, now. Reads files: not for the event loop."""
        with self._lock:
            if is_new or time.monotonic() - self._at > _FRESH_S:
                # Captures come and go while we look; what is away for a moment is there at the next look.
                with suppress(OSError, CaulkError):
                    self._stock = self._looked()
                self._at = time.monotonic()
            return self._stock

    def _looked(self) -> Stock:
        before, marks = self._stock, _marks(self._captures.root)
        entries, sizes = before.entries, before.sizes
        if marks != self._marks:
            entries = tuple(self._captures.all())
            sizes = {entry.manifest.id: _size(entry) for entry in entries}
            self._marks = marks
        incidents, counted = self._newest(before.incidents)
        is_same = (entries, sizes, counted) == (before.entries, before.sizes, self._counted)
        self._counted = counted
        version = before.version + (not is_same)
        return Stock(entries, sizes, self._captures.free_bytes(), incidents, version)

    def _newest(self, before: tuple[Incident, ...]) -> tuple[tuple[Incident, ...], tuple[int, int]]:
        """The newest incidents, and how much there is of them; as before while their database does not answer."""
        if self._incidents is None:
            return before, self._counted
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # here, it is installed

        try:
            counted = self._incidents.counted()
            if counted != self._counted:
                before = tuple(self._incidents.find(limit=_MOST_INCIDENTS))
        except SQLAlchemyError:
            return before, self._counted
        return before, counted


def _marks(root: Path) -> dict[str, int]:
    """When each capture was last changed: its directory is, whenever a file in it comes, goes or is replaced."""
    found = {}
    with suppress(OSError), os.scandir(root) as directories:
        for directory in directories:
            with suppress(OSError):
                found[directory.name] = directory.stat().st_mtime_ns
    return found


def _size(entry: Entry) -> int:
    try:
        return entry.size_bytes
    except OSError:
        # Deleted while we look.
        return 0


def changed(before: Stock, after: Stock) -> tuple[list[str], list[Entry]]:
    """The ids of incidents that something happened to, and the captures that are new or now whole."""
    known = {incident.id: len(incident.moments) for incident in before.incidents}
    seen = {(entry.manifest.id, entry.manifest.complete) for entry in before.entries}
    incidents = [one.id for one in after.incidents if known.get(one.id) != len(one.moments)]
    return incidents, [one for one in after.entries if (one.manifest.id, one.manifest.complete) not in seen]
