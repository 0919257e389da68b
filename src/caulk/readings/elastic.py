"""Elastic APM's metric sets as a source: a saved answer of `_search`, or a server that is asked.

Each document is one look of an agent at its process: `service.name` is the workload, `service.node.name` (or host and
process) the replica. Sizes come under the agent's names (`system.process.memory.rss.bytes`, `jvm.memory.heap.used`,
`nodejs.memory.heap.used.bytes`), nested or with dots, by the version of the server.
Names: https://www.elastic.co/guide/en/apm/agent/nodejs/current/metrics.html and its sisters of the other agents.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed, MalformedDump
from caulk.model.watching import Observation, Workload
from caulk.readings.http import Asked, Client
from caulk.readings.lives import Life, Roster, Seen
from caulk.readings.metrics import BY_NAME, Figures

#: What a server gives at most of one search, as it is set by default.
_MOST_HITS = 10_000
_RUNTIMES = {"java": "jvm", "nodejs": "node", "python": "cpython", "go": "go"}


class _Hit(msgspec.Struct):
    source: dict[str, Any] = msgspec.field(name="_source", default_factory=dict)


class _Hits(msgspec.Struct):
    hits: list[_Hit] = []


class _Answer(msgspec.Struct):
    hits: _Hits


def seen_in(answer: bytes) -> list[Seen]:
    """What the documents of a `_search` answer tell of memory, oldest first; raises MalformedDump."""
    try:
        documents = [hit.source for hit in decoded(answer, _Answer).hits.hits]
    except msgspec.MsgspecError as error:
        raise MalformedDump(f"this is no answer of Elastic's _search: {error}", hint="It has hits.hits.") from None
    gathered: dict[tuple[str, str, float], Figures] = {}
    workloads: dict[str, Workload] = {}
    versions: dict[str, str] = {}
    for document in documents:
        fields = dict(_flat(document))
        at = _moment(fields.get("@timestamp"))
        service = fields.get("service.name")
        if at is None or not isinstance(service, str):
            continue
        identity = _identity(fields)
        environment = fields.get("service.environment") or ""
        key = f"elastic:{environment}/{service}" if environment else f"elastic:{service}"
        # The metric sets of one look come as several documents of the same time.
        figures = gathered.setdefault((key, identity, at), Figures())
        for name in fields.keys() & BY_NAME.keys():
            value = _number(fields[name])
            if value is not None:
                figures.add(name, {}, value)
        runtime = _RUNTIMES.get(str(fields.get("agent.name")), figures.runtime)
        workloads[key] = Workload(key, service, runtime or figures.runtime)
        versions[f"{key} {identity}"] = str(fields.get("service.version") or "")
    return [
        Seen(
            workloads[key],
            identity,
            figures.reading(at),
            Life(limit=figures.limit, version=versions[f"{key} {identity}"]),
        )
        for (key, identity, at), figures in sorted(gathered.items(), key=lambda one: one[0][2])
        if figures
    ]


class Server:
    """A search that looks back as far as `window_s`, for services whose name matches."""

    def __init__(
        self, asked: Asked, client: Client, *, index: str = "metrics-apm*", service: str = "*", window_s: float = 300.0
    ) -> None:
        self.name = f"{asked.shown} {index} {service}"
        self._asked, self._client, self._index, self._service = asked, client, index, service
        self._window_s = window_s
        self._roster = Roster()
        self._newest: dict[str, float] = {}

    async def read(self) -> Sequence[Observation]:
        """The newest reading of each replica since the last look; raises `Unreachable`, `CaptureFailed`."""
        body = msgspec.json.encode(self._question())
        answer = await self._client.post(self._asked, f"/{self._index}/_search", body, "application/json")
        try:
            found = seen_in(answer)
        except MalformedDump as error:
            raise CaptureFailed(f"{self._asked.shown}: {error}", hint=error.hint) from None
        newest = {(one.workload.key, one.identity): one for one in found}
        fresh = []
        for key, one in newest.items():
            name = " ".join(key)
            if one.reading.at > self._newest.get(name, 0.0):
                self._newest[name] = one.reading.at
                fresh.append(name)
        # Agents tell every 30 s: a look between two tells nothing new, but who is there still is.
        seen = self._roster.settle(newest.values(), time.time())
        is_new = {id(newest[key].reading) for key in newest if " ".join(key) in set(fresh)}
        return [one for one in seen if one.is_over or id(one.reading) in is_new]

    def state(self) -> Mapping[str, Any]:
        """Which replica is in which slot, and up to when it is known."""
        return {"roster": self._roster.state(), "newest": self._newest}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows its replicas again."""
        self._roster.restore(state.get("roster", {}))
        self._newest = dict(state.get("newest", {}))

    async def close(self) -> None:
        """Nothing is open."""

    def _question(self) -> dict[str, Any]:
        matching = [
            {"range": {"@timestamp": {"gte": f"now-{round(self._window_s)}s"}}},
            {"wildcard": {"service.name": {"value": self._service}}},
        ]
        return {
            "size": _MOST_HITS,
            "sort": [{"@timestamp": "desc"}],
            "query": {"bool": {"filter": matching}},
        }


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The fields with dots for the steps to them."""
    for name, one in value.items():
        if isinstance(one, dict):
            yield from _flat(one, f"{above}{name}.")
        else:
            yield above + name, one


def _identity(fields: Mapping[str, Any]) -> str:
    """What tells a process from the others of its service."""
    process = fields.get("process.pid")
    node = fields.get("service.node.name") or fields.get("container.id") or fields.get("kubernetes.pod.name")
    host = fields.get("host.hostname") or fields.get("host.name") or ""
    return "/".join(str(part) for part in (node or host, process) if part not in (None, ""))


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and value >= 0 else None


def _moment(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
