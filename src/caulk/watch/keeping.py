"""What the loop keeps over its restarts: readings, what was said, what workloads are judged by, what sources remember.

Readings are kept as they come. What a workload is judged by is large and changes with each of them, so it is kept each
five minutes; a restart reads it, and then the readings since, as if it had never ended.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from caulk.analysis.trend.pool import Pool
from caulk.model.judgement import Event
from caulk.model.series import Reading
from caulk.model.watching import Observation
from caulk.store.history import History
from caulk.watch.fleet import Change, Fleet

_EACH_S = 300.0
_PRUNE_S = 3600.0


class Remembering(Protocol):
    """What goes on after a restart where it ended; a source does."""

    @property
    def name(self) -> str:
        """What it is kept by."""

    def state(self) -> Mapping[str, Any]:
        """What it must know, as JSON has it."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` said."""


class Keeping:
    """The history, as fleet and loop use it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._newest: dict[str, float] = {}
        self._kept: dict[str, float] = {}
        self._said: dict[str, tuple[str, str]] = {}
        self._sources: dict[str, bytes] = {}
        self._pruned = 0.0

    def restore(self, key: str) -> Mapping[str, Any] | None:
        """What a workload was judged by when it was last seen, with the readings since; None for a new one."""
        known = self.history.state(key)
        at, kept = known or (0.0, {})
        replicas = self.history.replicas(key)
        if not known and not replicas:
            return None
        try:
            pool = Pool.from_state(kept) if kept else Pool(key)
        except (ValueError, TypeError):
            # Of another version: what the rings still have makes it anew.
            at, pool = 0.0, Pool(key)
        begin = at + 1 if at else 0.0
        events = self.history.events(key, begin=begin)
        streams = [_stream(name, self.history.readings(key, name, begin=begin)) for name in replicas]
        for _, name, reading in heapq.merge(*streams):
            pool.add(name, reading, _due(events.get(name, []), reading.at))
        return pool.to_state() if pool.replicas else None

    def resume(self, source: Remembering) -> None:
        """Lets it go on from what it said last."""
        if state := self.history.source(source.name):
            source.restore(state)

    def note(self, seen: Observation, change: Change | None) -> None:
        """Keep a reading, and what is said from now on if that is something else."""
        key = seen.workload.key
        if not seen.is_over:
            self.history.note(seen)
            self._newest[key] = seen.reading.at
        if change and self._said.get(key) != (said := (change.judgement.state, change.judgement.kind or "")):
            self._said[key] = said
            self.history.said(change.judgement, key, seen.reading.at)
            self._kept.pop(key, None)

    def keep(self, fleet: Fleet, remembering: Iterable[Remembering], now: float, *, all_: bool = False) -> None:
        """Bring to disk what is due, or all of it."""
        for key in fleet:
            at = self._newest.get(key, 0.0)
            # The first time they are spread over the five minutes.
            kept = self._kept.setdefault(key, now - _EACH_S * (hash(key) % 64) / 64)
            if at and (all_ or now - kept >= _EACH_S) and (state := fleet.state(key)):
                self.history.put_state(key, at, state)
                self._kept[key] = now
        for source in remembering:
            remembered = msgspec.json.encode(source.state())
            if self._sources.get(source.name, b"{}") != remembered:
                self._sources[source.name] = remembered
                self.history.put_source(source.name, source.state())
        if now - self._pruned > _PRUNE_S:
            self._pruned = now
            self.history.prune(now)
        self.history.commit()


def _stream(name: str, readings: list[Reading]) -> Iterator[tuple[float, str, Reading]]:
    return ((reading.at, name, reading) for reading in readings)


def _due(events: list[Event], at: float) -> list[Event]:
    """Takes the events up to a time off the list."""
    number = sum(event.at <= at for event in events)
    due = events[:number]
    del events[:number]
    return due
