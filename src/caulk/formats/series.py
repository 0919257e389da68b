"""Memory over time in a file: CSV with a header, or the answer of Prometheus to a range query.

CSV: `time,bytes[,series][,replica][,event][,anon][,file][,shmem][,heap]`; `time` is seconds since 1970 or ISO 8601 (UTC
where it says no zone), the rest are bytes; `event` is empty, `deploy`, `restart`, `oom` or `limit=SIZE`. A row of an
event needs no bytes. Prometheus: https://prometheus.io/docs/prometheus/latest/querying/api/#range-vectors, where each
result is a series of its own. A series is no dump: these histories are judged, not analysed.
"""

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

import msgspec

from caulk.formats.source import Source, open_source
from caulk.model.decoding import decoded
from caulk.model.errors import MalformedDump, UsageError
from caulk.model.judgement import Event, History
from caulk.model.series import Reading
from caulk.model.units import parse_bytes

_COLUMNS = ("time", "bytes", "series", "replica", "event", "anon", "file", "shmem", "heap")
_HINT = (
    f"A series is CSV with the header {','.join(_COLUMNS[:2])}[,{'][,'.join(_COLUMNS[2:])}], or a Prometheus answer."
)
_Plain = Literal["deploy", "restart", "oom"]
#: Labels that tell one series from another, the nearest to a program first.
_NAMING = ("pod", "container", "name", "instance", "pid", "job")


def read(path: str, *, warn: Callable[[str], None]) -> list[History]:
    """The histories in the file at `path` (`-` is stdin), one a series and replica; what was left out goes to `warn`.

    Raises MalformedDump for what is neither.
    """
    source = open_source(path)
    for warning in source.warnings:
        warn(warning)
    text = _text(source)
    if not text.strip():
        raise MalformedDump(f"{path} is empty", hint=_HINT)
    histories = _prometheus(text, path) if text.lstrip()[:1] in "{[" else _csv(text, path, warn)
    if not any(history.readings for history in histories):
        raise MalformedDump(f"{path} holds no readings", hint=_HINT)
    return histories


def _text(source: Source) -> str:
    try:
        return source.whole().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedDump(f"{source.path} is no text: byte {error.start:,} is no UTF-8", hint=_HINT) from None


def _csv(text: str, path: str, warn: Callable[[str], None]) -> list[History]:
    rows = csv.reader(text.splitlines())
    header = [cell.strip().lower() for cell in next(rows, [])]
    if not {"time", "bytes"} <= set(header):
        raise MalformedDump(f"{path} begins with {','.join(header)[:80]!r}: there is no time and bytes", hint=_HINT)
    if unknown := [name for name in header if name not in _COLUMNS]:
        warn(f"columns that are not known are ignored: {', '.join(unknown)}")
    gathered = _Gathered()
    left_out = 0
    try:
        for row in rows:
            if any(map(str.strip, row)):
                cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
                left_out += not gathered.add(cells)
    except (ValueError, csv.Error) as error:
        raise MalformedDump(f"{path}, line {rows.line_num:,}: {error}", hint=_HINT) from None
    if left_out:
        warn(f"{left_out:,} rows without a number of bytes are left out")
    return gathered.histories()


class _Gathered:
    """Readings and events of a CSV's series, row by row."""

    def __init__(self) -> None:
        self._readings: dict[tuple[str, str], list[Reading]] = {}
        self._events: dict[tuple[str, str], list[Event]] = {}

    def add(self, cells: dict[str, str]) -> bool:
        """Note a row; False if it says nothing. Raises ValueError."""
        at = parse_time(cells.get("time", ""))
        key = cells.get("series", ""), cells.get("replica", "")
        event = _event(at, cells.get("event", ""))
        if event:
            self._events.setdefault(key, []).append(event)
        held = _number(cells.get("bytes", ""))
        if held is None:
            return event is not None
        anonymous, file, shared = (_number(cells.get(name, "")) or 0 for name in ("anon", "file", "shmem"))
        reading = Reading(at, held, anonymous, file, shared, _number(cells.get("heap", "")))
        self._readings.setdefault(key, []).append(reading)
        return True

    def histories(self) -> list[History]:
        """One a series and replica. An event of a series that names no replica befell all of them."""
        return [
            History(
                name or "series",
                replica,
                tuple(sorted(readings, key=lambda reading: reading.at)),
                tuple(sorted(self._befell(name, replica), key=lambda event: event.at)),
            )
            for (name, replica), readings in self._readings.items()
        ]

    def _befell(self, name: str, replica: str) -> Iterator[Event]:
        yield from self._events.get((name, replica), ())
        if replica and (name, "") not in self._readings:
            yield from self._events.get((name, ""), ())


def parse_time(text: str) -> float:
    """Seconds since 1970 from themselves or ISO 8601; raises ValueError."""
    try:
        at = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no time (seconds since 1970, or ISO 8601)") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    # Milliseconds would be dates 50,000 years away; what does not fit a date cannot be shown.
    if not 0 <= at < 253402300800:
        raise ValueError(f"{text[:40]!r} is no time in seconds since 1970")
    return at


def _number(text: str) -> int | None:
    if not text:
        return None
    value = float(text)
    return round(value) if math.isfinite(value) and 0 <= value < 2**63 else None


def _event(at: float, text: str) -> Event | None:
    if not text:
        return None
    what, _, size = text.partition("=")
    if what == "limit" and size:
        return Event(at, "limit", parse_bytes(size))
    if text in get_args(_Plain):
        return Event(at, cast(_Plain, text))
    raise ValueError(f"{text[:40]!r} is no event (deploy, restart, oom or limit=SIZE)")


class _Result(msgspec.Struct):
    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct):
    resultType: str = ""  # noqa: N815  # the API's own name
    result: list[Any] = []


class _Answer(msgspec.Struct):
    status: str = ""
    error: str = ""
    data: _Data = msgspec.field(default_factory=_Data)


def _prometheus(text: str, path: str) -> list[History]:
    try:
        answer = decoded(text.encode(), _Answer)
        if answer.status != "success":
            said = answer.error or answer.status or "no status"
            raise MalformedDump(f"{path} is no successful answer of Prometheus: {said[:200]}", hint=_HINT)
        if answer.data.resultType != "matrix":
            raise UsageError(
                f"{path} is a {answer.data.resultType or 'nameless'} of Prometheus, not a matrix",
                hint="Ask /api/v1/query_range, which answers with values over time.",
            )
        results = msgspec.convert(answer.data.result, list[_Result])
    except msgspec.MsgspecError as error:
        raise MalformedDump(f"{path} is no answer of Prometheus: {error}", hint=_HINT) from None
    names = _names([result.metric for result in results])
    return [History(name, "", _readings(result.values, path)) for name, result in zip(names, results, strict=True)]


def _readings(values: Sequence[tuple[float, str]], path: str) -> tuple[Reading, ...]:
    try:
        found = [Reading(at, held) for at, value in values if (held := _number(value)) is not None]
    except ValueError as error:
        raise MalformedDump(f"{path}: {error}", hint=_HINT) from None
    return tuple(sorted(found, key=lambda reading: reading.at))


def _names(metrics: Sequence[dict[str, str]]) -> list[str]:
    """A name for each set of labels: the first label that tells all apart, else all labels."""
    for label in _NAMING:
        names = [metric.get(label, "") for metric in metrics]
        if all(names) and len(set(names)) == len(names):
            return names
    return [",".join(f"{key}={value}" for key, value in sorted(metric.items())) or "series" for metric in metrics]
