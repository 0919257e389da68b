"""The loop's own `/metrics`: what it sees, says and does, under the names of `caulk.model.metrics`.

In the Prometheus text format, and in OpenMetrics 1.0 for who accepts it, where the newest capture and incident of a
counter stand beside it as an exemplar.
"""

import math
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from operator import itemgetter
from threading import Lock

from caulk.model import metrics
from caulk.model.metrics import STATES, Metric
from caulk.watch.fleet import Row

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
#: OpenMetrics allows so many characters in the labels of an exemplar.
_EXEMPLAR = 128

_Labels = tuple[str, ...]


@dataclass(slots=True)
class _Counted:
    value: float = 0.0
    exemplar: tuple[str, str, float, float] | None = None
    """Label, its value, the value that was added, and when."""


@dataclass(slots=True)
class _Spread:
    counts: list[int]
    total: float = 0.0
    exemplars: dict[int, tuple[str, str, float, float]] = field(default_factory=dict)


@dataclass(slots=True)
class Counters:
    """What only grows while the loop runs; any thread may count."""

    _counted: dict[tuple[str, _Labels], _Counted] = field(default_factory=dict)
    _spread: dict[tuple[str, _Labels], _Spread] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, metric: Metric, labels: _Labels, exemplar: tuple[str, str] | None = None) -> None:
        """One more; `exemplar` is the label and the value that tell which."""
        with self._lock:
            counted = self._counted.setdefault((metric.name, labels), _Counted())
            counted.value += 1
            if exemplar and exemplar[1]:
                counted.exemplar = (*exemplar, 1.0, time.time())

    def observe(self, metric: Metric, labels: _Labels, value: float, exemplar: tuple[str, str] | None = None) -> None:
        """One more in a histogram."""
        with self._lock:
            key = (metric.name, labels)
            spread = self._spread.setdefault(key, _Spread([0] * (len(metric.buckets) + 1)))
            at = bisect_left(metric.buckets, value)
            spread.counts[at] += 1
            spread.total += value
            if exemplar and exemplar[1]:
                spread.exemplars[at] = (*exemplar, value, time.time())

    def lines(self, metric: Metric, *, is_open: bool) -> Iterator[str]:
        """The series of a metric; exemplars only in OpenMetrics."""
        with self._lock:
            counted = [(labels, deepcopy(one)) for (name, labels), one in self._counted.items() if name == metric.name]
            spread = [(labels, deepcopy(one)) for (name, labels), one in self._spread.items() if name == metric.name]
        for labels, count in sorted(counted, key=itemgetter(0)):
            exemplar = _exemplar(count.exemplar) if is_open else ""
            yield _line(metric.name, metric.labels, labels, count.value) + exemplar
        for labels, one in sorted(spread, key=itemgetter(0)):
            yield from _histogram(metric, labels, one, is_open=is_open)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the loop knows at the moment of a scrape."""

    rows: Sequence[Row] = ()
    owed: Mapping[str, int] = field(default_factory=dict)
    readings: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By source: readings and errors."""
    statuses: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """By workload, endpoint and credentials (`with`, `without`)."""
    kept: Mapping[str, int] = field(default_factory=dict)
    """Bytes on disk by part."""


def exposition(seen: Seen, counters: Counters, *, is_open: bool) -> bytes:
    """The page; a metric without a series is left out."""
    gauges = _gauges(seen)
    lines: list[str] = []
    for metric in metrics.METRICS:
        series = [_line(metric.name, metric.labels, labels, value) for labels, value in gauges.get(metric.name, ())]
        series += counters.lines(metric, is_open=is_open)
        if series:
            name = metric.name.removesuffix("_total") if is_open and metric.type == "counter" else metric.name
            lines += [f"# HELP {name} {_escaped(metric.help)}", f"# TYPE {name} {metric.type}", *series]
    return "\n".join([*lines, "# EOF" if is_open else "", ""]).lstrip("\n").encode()


def _gauges(seen: Seen) -> dict[str, list[tuple[_Labels, float]]]:
    found: dict[str, list[tuple[_Labels, float]]] = {}
    for row in seen.rows:
        for metric, labels, value in _of_row(row):
            found.setdefault(metric.name, []).append((labels, value))
    for name, (readings, errors) in sorted(seen.readings.items()):
        found.setdefault(metrics.READINGS.name, []).append(((name,), readings))
        found.setdefault(metrics.READING_ERRORS.name, []).append(((name,), errors))
    found[metrics.OUTBOX_PENDING.name] = [((kind,), count) for kind, count in sorted(seen.owed.items())]
    found[metrics.ENDPOINT_HTTP_STATUS.name] = [(key, status) for key, status in sorted(seen.statuses.items())]
    found[metrics.STORE.name] = [((part,), size) for part, size in sorted(seen.kept.items())]
    return found


def _of_row(row: Row) -> Iterator[tuple[Metric, _Labels, float]]:
    key, runtime = row.workload.key, row.workload.runtime
    for one in sorted(row.observations, key=lambda seen: seen.replica):
        measured = {"rss": one.reading.rss, "anonymous": one.reading.anonymous, "heap": one.reading.heap}
        for measure, value in measured.items():
            if value is not None:
                yield metrics.TARGET_MEMORY, (key, one.replica, runtime, measure), value
        if one.limit:
            yield metrics.TARGET_LIMIT, (key, one.replica, runtime), one.limit
    for state in STATES:
        yield metrics.TARGET_STATE, (key, runtime, state), float(row.state == state)
    if row.growth_bytes_per_hour is not None:
        yield metrics.TARGET_GROWTH, (key, runtime), row.growth_bytes_per_hour
    if row.time_to_limit_s is not None:
        yield metrics.TARGET_SECONDS_TO_LIMIT, (key, runtime), row.time_to_limit_s


def _histogram(metric: Metric, labels: _Labels, spread: _Spread, *, is_open: bool) -> Iterator[str]:
    names, running = (*metric.labels, "le"), 0
    for at, bound in enumerate((*metric.buckets, math.inf)):
        running += spread.counts[at]
        line = _line(
            f"{metric.name}_bucket", names, (*labels, "+Inf" if bound == math.inf else f"{float(bound)}"), running
        )
        yield line + (_exemplar(spread.exemplars.get(at)) if is_open else "")
    yield _line(f"{metric.name}_count", metric.labels, labels, running)
    yield _line(f"{metric.name}_sum", metric.labels, labels, spread.total)


def _line(name: str, names: Iterable[str], values: Iterable[str], value: float) -> str:
    pairs = ",".join(f'{label}="{_quoted(text)}"' for label, text in zip(names, values, strict=True))
    number = str(int(value)) if float(value).is_integer() else repr(float(value))
    return f"{name}{{{pairs}}} {number}"


def _exemplar(exemplar: tuple[str, str, float, float] | None) -> str:
    if exemplar is None:
        return ""
    label, text, value, at = exemplar
    return f' # {{{label}="{_quoted(text[: _EXEMPLAR - len(label)])}"}} {value:g} {at:.3f}'


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
