"""Containers of a Docker or Podman engine: memory by its stats, starts and limits by its descriptions, kills by events.

The containers of a Compose service are the replicas of one workload; one that is made anew takes the place of the old.
API: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerStats; `stats` in it
are the kernel's `memory.stat`, of cgroup v1 or v2.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from caulk.model.errors import CaptureFailed, Unreachable
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.readings.lives import Life, Roster, Seen


class Engine(Protocol):
    """What is asked: an engine's API."""

    def get(self, path: str, **query: Any) -> Any:
        """What it answers, as JSON; raises `CaptureFailed` for what it does not have."""


class Containers:
    """The containers that `find` gives, anew before each look; `is_here` if the engine is of this machine."""

    def __init__(
        self,
        engine: Engine,
        find: Callable[[], Iterable[Target]],
        *,
        name: str = "docker:",
        runtime: Callable[[Target], str] = lambda _: "",
        is_here: bool = False,
    ) -> None:
        self.name, self._is_here = name, is_here
        self._engine, self._find, self._runtime = engine, find, runtime
        self._roster = Roster()
        self._runtimes: dict[str, str] = {}
        self._kills: dict[str, int] = {}
        self._asked_until = int(time.time())

    async def read(self) -> Sequence[Observation]:
        """The memory of each container that runs; raises `CaulkError` where the engine does not answer."""
        return await asyncio.to_thread(self._read)

    def state(self) -> Mapping[str, Any]:
        """Which container is in which slot, and how often each was killed."""
        return {"roster": self._roster.state(), "kills": self._kills}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows its containers again."""
        self._roster.restore(state.get("roster", {}))
        self._kills = dict(state.get("kills", {}))

    async def close(self) -> None:
        """Nothing is open."""

    def _read(self) -> Sequence[Observation]:
        now = int(time.time())
        self._count_kills(now)
        try:
            targets = list(self._find())
        except Unreachable:
            # The engine is there: the container is not. Its end is told once, and after that why nothing comes.
            if ended := self._roster.settle((), float(now)):
                return ended
            raise
        seen = [one for target in targets for one in self._seen(target)]
        return self._roster.settle(seen, float(now))

    def _seen(self, target: Target) -> Iterator[Seen]:
        path = f"/containers/{quote(target.labels['container'])}"
        try:
            about = self._engine.get(f"{path}/json")
            state = about["State"]
            if not state.get("Running") or state.get("Paused"):
                return
            stats = self._engine.get(f"{path}/stats", stream="0", **{"one-shot": "1"})
        except CaptureFailed:
            return  # it has ended meanwhile
        reading = reading_of(stats.get("memory_stats") or {}, time.time())
        if reading is None:
            return
        number = about["Id"]
        if number not in self._runtimes:
            self._runtimes[number] = self._runtime(target)
        life = Life(
            _moment(state.get("StartedAt")),
            int(about.get("HostConfig", {}).get("Memory") or 0) or None,
            self._kills.get(number, 0),
            str(about.get("Image", "")),
        )
        if self._is_here and state.get("Pid"):
            labels = {**target.labels, "host_pid": str(state["Pid"]), "started": str(state.get("StartedAt", ""))}
            target = replace(target, labels=labels)
        yield Seen(_workload(target, self._runtimes[number]), number, reading, life, target)

    def _count_kills(self, now: int) -> None:
        """Counts what the engine has told of kills for memory since the last look."""
        if now <= self._asked_until:
            return
        wanted = {"type": ["container"], "event": ["oom"]}
        found = self._engine.get("/events", since=str(self._asked_until), until=str(now), filters=wanted)
        self._asked_until = now
        for event in found if isinstance(found, list) else [found] if found else []:
            number = (event.get("Actor") or {}).get("ID", "")
            self._kills[number] = self._kills.get(number, 0) + 1


def reading_of(memory: Mapping[str, Any], at: float) -> Reading | None:
    """The reading in a container's `memory_stats`; None for one that does not run."""
    stat = memory.get("stats") or {}
    if not memory.get("usage"):
        return None
    anonymous = stat.get("total_rss", stat.get("anon", stat.get("rss", 0)))
    file = stat.get("total_cache", stat.get("file", stat.get("cache", 0)))
    shared = stat.get("total_shmem", stat.get("shmem", 0))
    return Reading(at, int(memory["usage"]), int(anonymous), int(file), int(shared))


def _workload(target: Target, runtime: str) -> Workload:
    labels = target.labels
    if "service" in labels:
        return Workload(f"compose:{labels['service']}@{labels.get('project', '')}", target.name, runtime)
    return Workload(target.reference, target.name, runtime)


def _moment(text: Any) -> float | None:
    """`2026-11-21T10:00:00.123456789Z` as seconds since 1970."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
