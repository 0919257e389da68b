"""Memory over time as a chart has it: the readings of each replica, thinned, and where the judgement says it goes."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from caulk.model.series import Reading
from caulk.store.history import History
from caulk.watch.fleet import Row
from caulk.watch.rules import held, worst
from caulk.web.records import Answer

#: Of more replicas than these, those that were read last are shown.
_MOST_REPLICAS = 32
_HOUR_S = 3600


class ReplicaMemory(Answer, frozen=True, kw_only=True):
    """The readings of one replica in columns, bytes; `times` are seconds since 1970."""

    name: str
    times: tuple[float, ...]
    rss: tuple[int, ...]
    anonymous: tuple[int, ...]
    file: tuple[int, ...]
    shared: tuple[int, ...]
    heap: tuple[int | None, ...]


class Forecast(Answer, frozen=True, kw_only=True):
    """Memory from the newest reading of `replica` on: between two slopes, by the interval of the judgement."""

    replica: str
    from_: float = msgspec.field(name="from")
    bytes: int
    low_per_s: float
    high_per_s: float


class MemoryAnswer(Answer, frozen=True, kw_only=True):
    """Memory over time; `left_out` replicas are not shown."""

    schema: Literal["caulk.memory-series/1"] = "caulk.memory-series/1"
    begin: float
    end: float
    replicas: tuple[ReplicaMemory, ...]
    left_out: int
    limit: int | None
    forecast: Forecast | None


def memory(history: History | None, row: Row, begin: float, end: float, points: int) -> MemoryAnswer:
    """The readings of a workload between two times, at most `points` a replica; not for the event loop."""
    key = row.workload.key
    names = history.replicas(key) if history else []
    here = {seen.replica for seen in row.observations}
    names.sort(key=lambda name: name not in here)
    columns: list[ReplicaMemory] = []
    for name in names:
        readings = [one for one in history.readings(key, name, begin=begin) if one.at <= end] if history else []
        if readings and len(columns) < _MOST_REPLICAS:
            columns.append(_columns(name, thinned(readings, points)))
    left_out = max(len(here - {one.name for one in columns}), 0) if len(columns) == _MOST_REPLICAS else 0
    return MemoryAnswer(
        begin=begin, end=end, replicas=tuple(columns), left_out=left_out, limit=row.limit, forecast=forecast(row)
    )


def thinned(readings: Sequence[Reading], points: int) -> list[Reading]:
    """At most `points` of the readings: of each stretch of time the lowest and the highest."""
    if len(readings) <= points:
        return list(readings)
    begin, span = readings[0].at, readings[-1].at - readings[0].at
    stretches = max(points // 2, 1)
    return [
        one
        for _, group in groupby(readings, key=lambda one: min(int((one.at - begin) / span * stretches), stretches - 1))
        for one in _ends(list(group))
    ]


def forecast(row: Row) -> Forecast | None:
    """Where memory goes if growth stays as it is; None where there is none."""
    interval, seen = row.judgement.growth_interval, worst(row.observations)
    if interval is None or seen is None or row.state not in ("leaking", "suspect"):
        return None
    low, high = interval
    return Forecast(
        replica=seen.replica,
        from_=seen.reading.at,
        bytes=held(seen),
        low_per_s=low / _HOUR_S,
        high_per_s=high / _HOUR_S,
    )


def _ends(readings: list[Reading]) -> Iterator[Reading]:
    low = min(range(len(readings)), key=lambda at: readings[at].rss)
    high = max(range(len(readings)), key=lambda at: readings[at].rss)
    yield from (readings[at] for at in sorted({low, high}))


def _columns(name: str, readings: Sequence[Reading]) -> ReplicaMemory:
    return ReplicaMemory(
        name=name,
        times=tuple(one.at for one in readings),
        rss=tuple(one.rss for one in readings),
        anonymous=tuple(one.anonymous for one in readings),
        file=tuple(one.file for one in readings),
        shared=tuple(one.shared for one in readings),
        heap=tuple(one.heap for one in readings),
    )
