"""Two stretches of time beside each other: what a replica of a workload held in each, and how fast it grew."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Literal

from caulk.analysis.trend.slope import theil_sen
from caulk.model.series import Reading
from caulk.model.units import iso
from caulk.store.captures import Entry
from caulk.store.history import History
from caulk.watch.rules import memory_of
from caulk.web.memory import thinned
from caulk.web.records import Answer

_MOST_POINTS = 64
_HOUR_S = 3600
_FEWEST = 3


class DumpNear(Answer, frozen=True, kw_only=True):
    """The newest dump that was taken within a stretch."""

    id: str
    taken_at: str


class Parts(Answer, frozen=True, kw_only=True):
    """What it was, in bytes, on average; null where it was not read."""

    heap: float | None
    anonymous: float | None
    shared: float | None
    file: float | None


class Range(Answer, frozen=True, kw_only=True):
    """A stretch of time: figures of a replica, on average over those that ran."""

    begin: str | None
    end: str | None
    readings: int
    replicas: int
    mean_bytes: float | None
    floor_bytes: float | None
    most_bytes: float | None
    growth_bytes_per_hour: float | None
    growth_interval: tuple[float, float] | None
    parts: Parts
    dump: DumpNear | None


class Difference(Answer, frozen=True, kw_only=True):
    """What the second has more than the first; null where one of them has no readings."""

    mean_bytes: float | None
    floor_bytes: float | None
    growth_bytes_per_hour: float | None


class Compared(Answer, frozen=True, kw_only=True):
    """Two stretches of time."""

    schema: Literal["caulk.compare/1"] = "caulk.compare/1"
    a: Range
    b: Range
    difference: Difference


def compare(
    history: History | None, key: str, a: tuple[float, float], b: tuple[float, float], dumps: Sequence[Entry]
) -> Compared:
    """Two stretches (seconds since 1970) of a workload; `dumps` are its own. Not for the event loop."""
    first, second = _range(history, key, a, dumps), _range(history, key, b, dumps)
    return Compared(
        a=first,
        b=second,
        difference=Difference(
            mean_bytes=_more(first.mean_bytes, second.mean_bytes),
            floor_bytes=_more(first.floor_bytes, second.floor_bytes),
            growth_bytes_per_hour=_more(first.growth_bytes_per_hour, second.growth_bytes_per_hour),
        ),
    )


def _range(history: History | None, key: str, within: tuple[float, float], dumps: Sequence[Entry]) -> Range:
    begin, end = min(within), max(within)
    names = history.replicas(key) if history else []
    found = [history.readings(key, name, begin=begin) for name in names] if history else []
    within_it = [[one for one in readings if one.at <= end] for readings in found]
    replicas = [readings for readings in within_it if readings]
    every = [one for readings in replicas for one in readings]
    rates = [slope for readings in replicas if (slope := _growth(readings))]
    return Range(
        begin=iso(begin),
        end=iso(end),
        readings=len(every),
        replicas=len(replicas),
        mean_bytes=_mean(memory_of(one) for one in every),
        floor_bytes=_mean(min(map(memory_of, readings)) for readings in replicas),
        most_bytes=_mean(max(map(memory_of, readings)) for readings in replicas),
        growth_bytes_per_hour=_mean(rate for rate, _, _ in rates),
        growth_interval=(fmean(low for _, low, _ in rates), fmean(high for _, _, high in rates)) if rates else None,
        parts=Parts(
            heap=_mean(one.heap for one in every if one.heap is not None),
            anonymous=_mean(one.anonymous for one in every),
            shared=_mean(one.shared for one in every),
            file=_mean(one.file for one in every),
        ),
        dump=_near(dumps, begin, end),
    )


def _growth(readings: Sequence[Reading]) -> tuple[float, float, float] | None:
    """Bytes an hour, and the interval; None for too few readings."""
    shown = thinned(readings, _MOST_POINTS)
    if len(shown) < _FEWEST or shown[-1].at <= shown[0].at:
        return None
    slope = theil_sen([one.at - shown[0].at for one in shown], [memory_of(one) for one in shown])
    return slope.rate * _HOUR_S, slope.low * _HOUR_S, slope.high * _HOUR_S


def _near(dumps: Iterable[Entry], begin: float, end: float) -> DumpNear | None:
    first, last = iso(begin) or "", iso(end) or ""
    within = [one.manifest for one in dumps if one.manifest.complete and first <= one.manifest.taken_at <= last]
    newest = max(within, key=lambda manifest: manifest.taken_at, default=None)
    return DumpNear(id=newest.id, taken_at=newest.taken_at) if newest else None


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None


def _more(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
