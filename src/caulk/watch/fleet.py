"""The fleet: every workload that is watched, what is judged of it, and what has changed.

Observations come in, one at a time; a `Change` goes out where rules have to be asked. What a workload is judged by is
kept in the history, and restored when it is first seen again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from caulk.analysis.trend.pool import Pool
from caulk.model.judgement import Event, Judgement, State
from caulk.model.watching import Appeared, Observation, Workload

#: Rules that look at figures, and not at changes, are asked this often.
_PULSE_S = 60.0
#: So near to the limit they are asked at each reading.
_NEAR = 0.7
#: A workload that nobody has seen for so long is no longer shown.
_FORGOTTEN_S, _FORGOTTEN = 3600.0, 10

#: What is kept of a workload, by its key; nothing if there is nothing.
Restore = Callable[[str], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Change:
    """Why rules are asked about a workload now; `judgement` is what is said of it from now on.

    `observations` are the newest of all its replicas, `events` what just happened to one of them (the first among the
    observations), `dumps` what it wrote itself. A change without any of these is the minute's look at the figures.
    """

    workload: Workload
    judgement: Judgement
    previous_state: State
    observations: tuple[Observation, ...]
    events: tuple[Event, ...] = ()
    dumps: tuple[Appeared, ...] = ()

    @property
    def workload_key(self) -> str:
        """What tells the workload from all others."""
        return self.workload.key


@dataclass(frozen=True, slots=True)
class Row:
    """A workload as people see it: memory without page cache of all replicas, limit and share of the fullest."""

    workload: Workload
    state: State
    judgement: Judgement
    replicas: int
    memory: int
    limit: int | None
    share: float | None
    growth_bytes_per_hour: float | None
    time_to_limit_s: float | None
    since: float | None
    read_at: float
    observations: tuple[Observation, ...]


@dataclass(slots=True)
class _Watched:
    workload: Workload
    pool: Pool
    newest: dict[str, Observation] = field(default_factory=dict)
    read_at: float = 0.0
    asked_at: float = 0.0
    said: Judgement | None = None
    """As it was last told; at most a minute old."""


class Fleet:
    """All workloads but those of a name in `exclude`; of one thread, but `rows` may be asked by others."""

    def __init__(self, restore: Restore = lambda _: None, *, minimum: int = 0, exclude: Sequence[str] = ()) -> None:
        self._restore, self._minimum, self._exclude = restore, minimum, exclude
        self._watched: dict[str, _Watched] = {}

    def add(self, seen: Observation) -> Change | None:
        """Note an observation; what rules should hear of it, if anything."""
        key = seen.workload.key
        watched = self._watched.get(key)
        if watched is None:
            if seen.is_over or _memory(seen) < self._minimum or self._is_excluded(seen.workload):
                return None
            watched = self._watched[key] = self._begun(seen.workload)
        pool = watched.pool
        is_known = seen.replica in pool.replicas
        previous = pool.state
        said = None
        if not seen.is_over:
            said = pool.add(seen.replica, seen.reading, seen.events)
            watched.newest[seen.replica] = seen
            watched.read_at = seen.reading.at
        else:
            watched.newest.pop(seen.replica, None)
        # What a replica went through before it was first seen is nobody's news.
        events = seen.events if is_known else ()
        if said is None and not events and not self._is_due(watched, seen):
            return None
        watched.asked_at = seen.reading.at
        judgement = watched.said = said or pool.judgement()
        return Change(watched.workload, judgement, previous, (seen, *_others(watched, seen)), events)

    def appeared(self, seen: Observation, dump: Appeared) -> Change:
        """What rules should hear of a dump that a replica wrote itself."""
        watched = self._watched.get(seen.workload.key) or self._begun(seen.workload)
        state = watched.pool.state
        said = watched.pool.judgement() if watched.pool.replicas else Judgement(seen.workload.name, "unknown", "")
        return Change(watched.workload, said, state, (seen, *_others(watched, seen)), dumps=(dump,))

    def rows(self) -> list[Row]:
        """Every workload with what is said of it now, by key."""
        return [_row(watched) for _, watched in sorted(self._watched.items()) if watched.newest]

    def row(self, key: str) -> Row | None:
        """One workload; None for one that is not watched."""
        watched = self._watched.get(key)
        return _row(watched) if watched and watched.newest else None

    def observations(self) -> list[Observation]:
        """The newest of every replica that runs."""
        return [seen for watched in list(self._watched.values()) for seen in list(watched.newest.values())]

    def forget(self, now: float, *, interval_s: float = 0.0) -> None:
        """Drops workloads that have not been seen for an hour or ten intervals; the history still has them."""
        after = max(_FORGOTTEN_S, _FORGOTTEN * interval_s)
        for key in [key for key, watched in self._watched.items() if now - watched.read_at > after]:
            del self._watched[key]
        for watched in self._watched.values():
            silent = [name for name in watched.newest if name not in watched.pool.replicas]
            for name in silent:
                del watched.newest[name]

    def state(self, key: str) -> dict[str, Any] | None:
        """What is to be kept of a workload, as msgspec encodes it; None for one that is not watched."""
        watched = self._watched.get(key)
        return watched.pool.to_state() if watched else None

    def __len__(self) -> int:
        return len(self._watched)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._watched))

    def _begun(self, workload: Workload) -> _Watched:
        pool = Pool(workload.name)
        if kept := self._restore(workload.key):
            try:
                pool = Pool.from_state(dict(kept))
            except (ValueError, TypeError):
                # Another version's: the history starts anew, which costs hours of patience and nothing else.
                pool = Pool(workload.name)
        return _Watched(workload, pool)

    def _is_excluded(self, workload: Workload) -> bool:
        names = (workload.name, workload.key)
        return any(fnmatchcase(name, pattern) for pattern in self._exclude for name in names)

    @staticmethod
    def _is_due(watched: _Watched, seen: Observation) -> bool:
        if seen.reading.at - watched.asked_at >= _PULSE_S:
            return True
        return bool(seen.limit) and _memory(seen) >= _NEAR * (seen.limit or 0)


def _memory(seen: Observation) -> int:
    """What a replica holds that the kernel cannot take back."""
    reading = seen.reading
    return reading.anonymous + reading.shared or max(reading.rss - max(reading.file - reading.shared, 0), 0)


def _others(watched: _Watched, seen: Observation) -> Iterator[Observation]:
    return (other for name, other in watched.newest.items() if name != seen.replica)


def _row(watched: _Watched) -> Row:
    # What was said is shown, not what could be said now: others ask while the loop adds.
    judgement = watched.said or Judgement(watched.workload.name, "unknown", "")
    newest = tuple(watched.newest.values())
    limited = [(_memory(seen) / seen.limit, seen.limit) for seen in newest if seen.limit]
    share, limit = max(limited, default=(None, None))
    return Row(
        watched.workload,
        judgement.state,
        judgement,
        len(newest),
        sum(map(_memory, newest)),
        limit,
        share,
        judgement.growth_bytes_per_hour,
        judgement.time_to_limit_s,
        judgement.since,
        watched.read_at,
        newest,
    )
