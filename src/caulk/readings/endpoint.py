"""A `/metrics` page as a source: what it says of memory, replica by replica.

A page may tell of several processes (the workers that caulk-probe gives a slot each, the containers of a node): labels
tell them apart. Where several processes answer in turn without such a label, nobody can: caulk-probe gives them one.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from caulk.model.errors import CaptureFailed
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.readings.exposition import pattern, samples
from caulk.readings.http import Asked, Client, Refused
from caulk.readings.lives import Life, Lives
from caulk.readings.metrics import BY_NAME, by_replica

_WANTED = pattern(BY_NAME)
_TELLING = ("namespace", "pod", "container", "worker", "pid")
_ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.9,*/*;q=0.1"
#: Whether the page is open to anybody is asked this often.
_PROBE_S = 300.0
_HINT = "It needs the metrics of a runtime: go_memstats_*, process_resident_memory_bytes, jvm_memory_used_bytes …"


class Endpoint:
    """A page at an address; `statuses` are what it answered last, with and without credentials."""

    def __init__(
        self,
        asked: Asked,
        client: Client,
        *,
        name: str = "",
        target: Target | None = None,
        limit: int | None = None,
        is_probed: bool = False,
    ) -> None:
        self.name = asked.shown
        self.statuses: dict[str, int] = {}
        self._asked, self._client, self._limit, self._is_probed = asked, client, limit, is_probed
        self._workload = Workload(f"metrics:{asked.shown}", name or asked.shown)
        self._target = target
        self._lives = Lives()
        self._probed = 0.0

    async def read(self) -> Sequence[Observation]:
        """The memory of each replica that the page tells of; raises `Unreachable`, `CaptureFailed`."""
        await self._probe()
        try:
            page = await self._client.get(self._asked, accept=_ACCEPT)
        except Refused as refused:
            self.statuses["with"] = refused.status
            raise
        except BaseException:
            self.statuses["with"] = 0
            raise
        self.statuses["with"] = 200
        return self.observations(page, time.time())

    def observations(self, page: bytes, at: float) -> list[Observation]:
        """What a page says; raises `CaptureFailed` where that is nothing about memory."""
        found = by_replica(((s.name, s.labels, s.value) for s in samples(page, _WANTED)), _TELLING)
        if not found:
            raise CaptureFailed(f"{self.name} says nothing of memory", hint=_HINT)
        seen = []
        for identity, figures in found.items():
            replica = "/".join(filter(None, identity))
            limit = figures.limit or self._limit
            life = Life(figures.started(at), limit, figures.get("oom"))
            events = self._lives.events(replica, at, life)
            workload = replace(self._workload, runtime=figures.runtime)
            seen.append(Observation(workload, replica, figures.reading(at), events, self._target, limit))
        self._lives.keep_only({one.replica for one in seen})
        return seen

    def state(self) -> Mapping[str, Any]:
        """When its replicas were started."""
        return {"lives": self._lives.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows its replicas again."""
        self._lives.restore(state.get("lives", {}))

    async def close(self) -> None:
        """Nothing is open."""

    async def _probe(self) -> None:
        if self._is_probed and time.monotonic() >= self._probed:
            self._probed = time.monotonic() + _PROBE_S
            self.statuses["without"] = await self._client.status(replace(self._asked, headers={}))
