"""One watched process: its memory over time and the captures that were kept of it."""

import contextlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from caulk.model.series import Reading, Series
from caulk.run.history import History
from caulk.run.schedule import Schedule
from caulk.run.sources import Source
from caulk.run.wire import Outcome


@dataclass(frozen=True, slots=True)
class Shot:
    """A capture on disk. `kind` is heap, goroutine, histogram or oom-dump; `memory` is what the runtime said."""

    taken_at: datetime
    path: Path
    kind: str
    memory: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """A process (or one worker thread of it) that gave captures, oldest first."""

    pid: int
    command: str
    runtime: str
    series: Series
    captures: tuple[Shot, ...]


class Watched:
    """A process while it runs; `stem` begins the names of its files. A capture's files live and go together."""

    def __init__(self, pid: int, command: str, source: Source, *, stem: Path, now: float) -> None:
        self.pid, self.command, self.source = pid, command, source
        self.history = History()
        self.failure = ""
        self.is_over = False
        self._stem = stem
        self._schedule = Schedule(now)
        self._captures: list[tuple[Shot, ...]] = []
        self._begun = 0
        self._is_busy = False
        self._asked_at = now

    def look(self, reading: Reading, *, now: float, fill: float, room: int | None) -> None:
        """Notes the memory and asks for a capture if one is due; `room` is what the memory limit leaves, in bytes."""
        self.history.add(replace(reading, heap=self.source.heap))
        self.collect(fill=fill)
        if self._is_busy or not self._schedule.is_due(now, rss=reading.rss, fill=fill):
            return
        if room is not None and self.source.spare > room:
            # Better no capture than a program that its watcher had killed.
            self.failure = "there was no room left below the memory limit"
            return
        self._is_busy, self._asked_at = True, now
        self.source.begin(self._next_stem())

    def collect(self, *, fill: float = 0.0) -> None:
        """Takes what the source has finished."""
        while outcome := self.source.outcome():
            self._is_busy = False
            if outcome.files:
                rss = self.history.newest.rss if self.history.newest else 0
                self._keep(outcome)
                dropped = self._schedule.took(self._asked_at, seconds=outcome.seconds, rss=rss, fill=fill)
                for index in reversed(dropped):
                    _delete(self._captures.pop(index))
            else:
                self.failure = outcome.failure or "no file was written"
                self._schedule.failed(self._asked_at, seconds=outcome.seconds)

    def end(self) -> None:
        """Takes what is left, with the capture that an agent makes by itself when its program ends."""
        if self.is_over:
            return
        self.is_over = True
        self.collect()
        with contextlib.suppress(OSError):
            if final := self.source.final(self._next_stem()):
                self._keep(final)

    def forget(self) -> None:
        """Deletes every file."""
        for shots in self._captures:
            _delete(shots)
        self._captures.clear()

    @property
    def captures(self) -> int:
        """How many captures are kept."""
        return len(self._captures)

    def subject(self, *more: Shot) -> Subject:
        """What is known of it now, with captures that the runtime made by itself."""
        shots = (*(shot for capture in self._captures for shot in capture), *more)
        series = self.history.series(f"{self.pid} {self.command}")
        return Subject(self.pid, self.command, self.source.runtime, series, shots)

    def _next_stem(self) -> Path:
        self._begun += 1
        return self._stem.with_name(f"{self._stem.name}-{self._begun:04}")

    def _keep(self, outcome: Outcome) -> None:
        taken_at = datetime.fromtimestamp(outcome.taken_at, UTC)
        self._captures.append(tuple(Shot(taken_at, path, kind, outcome.memory) for kind, path in outcome.files))


def _delete(shots: tuple[Shot, ...]) -> None:
    for shot in shots:
        shot.path.unlink(missing_ok=True)
