"""A Prometheus server as a source: a query that gives the memory of a fleet, and one for its limits.

The query is a gauge in bytes: never a `rate()` of one, and nothing that page cache is in
(`container_memory_rss`, not `container_memory_usage_bytes`). A server that scrapes more rarely than it is asked gives
the same value again, which changes no floor.
API: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries.
"""

import asyncio
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from caulk.model.errors import CaptureFailed, UsageError
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.readings.http import Asked, Client, Refused
from caulk.readings.lives import Life, Roster, Seen

_PATH = "/api/v1/query?"
_LIMITS_S = 300.0
_SLICE = 500
#: What these give of a gauge is no level; what a leak is, the judgement finds out itself.
_RATES = re.compile(r"\b(rate|irate|increase|delta|idelta|deriv|predict_linear|resets|changes)\s*\(")
_HINT = 'Ask for a gauge that is an instant vector: container_memory_rss{container!=""}'


class _Result(msgspec.Struct):
    metric: dict[str, str] = {}
    value: tuple[float, str] = (0.0, "")


class _Data(msgspec.Struct):
    resultType: str = ""  # noqa: N815  # the API's own name
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Answer(msgspec.Struct):
    status: str = ""
    error: str = ""
    data: _Data = msgspec.field(default_factory=_Data)


_ANSWER, _RESULTS = msgspec.json.Decoder(_Answer), msgspec.json.Decoder(list[_Result])


class Server:
    """A query of a server; `workload` and `replica` are labels, those that a series lacks are left out."""

    def __init__(
        self,
        asked: Asked,
        client: Client,
        query: str,
        *,
        limit_query: str = "",
        workload: Sequence[str] = ("namespace", "workload", "container"),
        replica: Sequence[str] = ("pod", "instance"),
    ) -> None:
        if found := _RATES.search(query):
            raise UsageError(f"{query}: {found[1]}() is no memory, but how it changes", hint=_HINT)
        self.name = f"{asked.shown} {query}"
        self._asked, self._client = asked, client
        self._query, self._limit_query = query, limit_query
        self._workload, self._replica = workload, replica
        self._roster = Roster()
        self._limits: dict[tuple[str, str], int] = {}
        self._limited = 0.0

    async def read(self) -> Sequence[Observation]:
        """The memory of each series; raises `Unreachable`, `CaptureFailed`."""
        if self._limit_query and time.monotonic() >= self._limited:
            results = await self._ask(self._limit_query)
            self._limits = {self._names(r.metric): size for r in results if (size := _size(r)) is not None}
            self._limited = time.monotonic() + (_LIMITS_S if self._limits else 0)
        now, seen = time.time(), []
        for number, result in enumerate(await self._ask(self._query)):
            if number % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            size = _size(result)
            if size is not None:
                key, replica = self._names(result.metric)
                life = Life(limit=self._limits.get((key, replica)))
                reading = Reading(now, size, anonymous=size)
                seen.append(Seen(Workload(f"prometheus:{key}", key), replica, reading, life))
        await asyncio.sleep(0)
        return self._roster.settle(seen, now)

    def state(self) -> Mapping[str, Any]:
        """Which replica is in which slot."""
        return self._roster.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows its replicas again."""
        self._roster.restore(state)

    async def close(self) -> None:
        """Nothing is open."""

    async def _ask(self, query: str) -> list[_Result]:
        try:
            body = await self._client.get(self._asked, _PATH + urlencode({"query": query}))
            answer = _ANSWER.decode(body)
            if answer.status != "success":
                raise CaptureFailed(f"{self._asked.shown} refused {query}: {answer.error or answer.status}", hint=_HINT)
            if answer.data.resultType != "vector":
                raise CaptureFailed(f"{query} is a {answer.data.resultType}, not an instant vector", hint=_HINT)
            return _RESULTS.decode(answer.data.result)
        except msgspec.MsgspecError as error:
            raise CaptureFailed(f"{self._asked.shown} is no Prometheus: {error}", hint="Name its root.") from None
        except Refused as refused:
            if refused.status == 400:
                raise CaptureFailed(f"{refused}", hint=_HINT) from None
            raise

    def _names(self, metric: Mapping[str, str]) -> tuple[str, str]:
        """Workload and replica of a series; without any of the labels all that it has names it."""
        workload = "/".join(metric[label] for label in self._workload if metric.get(label))
        replica = "/".join(metric[label] for label in self._replica if metric.get(label))
        whole = ",".join(f"{name}={value}" for name, value in sorted(metric.items()) if name != "__name__")
        return workload or metric.get("job", "") or whole, replica or whole


def _size(result: _Result) -> int | None:
    value = float(result.value[1] or "nan")
    return round(value) if math.isfinite(value) and value >= 0 else None
