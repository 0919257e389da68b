"""The fleet as a table that a terminal shows, and a change of state as a line for machines."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from caulk.model.units import format_duration, format_share, format_value, iso
from caulk.views.text import clean
from caulk.watch.fleet import Change, Row
from caulk.watch.loop import Health

SCHEMA = "caulk.change/1"
_COLOURS = {"leaking": "bold red", "undersized": "bold magenta", "suspect": "yellow", "warming": "cyan"}
_WORST = ("leaking", "undersized", "suspect", "warming", "unknown", "steady")
_COLUMNS = ("workload", "state", "memory", "limit", "used", "growth/h", "limit in", "read")
_LEAST_WHY = 20
#: A reading older than so many intervals is marked.
_LATE = 3


def table(rows: Sequence[Row], health: Sequence[Health], *, interval_s: float, width: int, most: int = 0) -> Table:
    """The worst first, below them how the sources do; at most `most` rows, or all."""
    ordered = sorted(rows, key=lambda row: (_WORST.index(row.state), -(row.share or 0), -row.memory))
    shown = ordered[:most] if most else ordered
    now = time.time()
    cells = [_cells(row, now, interval_s) for row in shown]
    found = Table(box=None, pad_edge=False, header_style="bold", caption_justify="left")
    left = width
    for number, name in enumerate(_COLUMNS):
        needed = max([len(name), *(len(row[number]) for row in cells)])
        left -= needed + 2
        found.add_column(name, justify="left" if number < 2 else "right", no_wrap=True, min_width=needed)
    has_why = left >= _LEAST_WHY
    if has_why:
        found.add_column("why", no_wrap=True, overflow="ellipsis")
    for row, line in zip(shown, cells, strict=True):
        found.add_row(*line, *([Text(row.judgement.why)] if has_why else []))
    found.caption = Text("\n".join(_below(ordered[len(shown) :], rows, health)), style="dim")
    return found


def _cells(row: Row, now: float, interval_s: float) -> list[Text]:
    name = clean(row.workload.name) + (f" ×{row.replicas}" if row.replicas > 1 else "")
    age = max(now - row.read_at, 0.0)
    growth = row.growth_bytes_per_hour
    return [
        Text(name),
        Text(row.state, style=_COLOURS.get(row.state, "")),
        Text(format_value(row.memory, "bytes")),
        Text(format_value(row.limit, "bytes") if row.limit else ""),
        Text(format_share(row.share) if row.share is not None else ""),
        Text("" if growth is None else format_value(growth, "bytes", signed=True)),
        Text("" if row.time_to_limit_s is None else format_duration(row.time_to_limit_s)),
        Text(f"{format_duration(max(age, 1))} ago", style="red" if age > _LATE * interval_s else "dim"),
    ]


def _below(hidden: Sequence[Row], rows: Sequence[Row], health: Sequence[Health]) -> list[str]:
    lines = [f"and {len(hidden)} more"] if hidden else []
    replicas = sum(row.replicas for row in rows)
    memory = format_value(sum(row.memory for row in rows), "bytes")
    lines.append(f"{_counted(len(rows), 'workload')}, {_counted(replicas, 'replica')}, {memory}")
    failing = [one for one in health if one.why]
    lines += [one.sentence for one in failing[:3]]
    return lines + ([f"and {len(failing) - 3} more sources that fail"] if len(failing) > 3 else [])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def record(change: Change, at: float) -> dict[str, Any]:
    """A change as one object: what is said now, what was said before, and what happened."""
    seen = change.observations[0]
    said = asdict(change.judgement)
    return {
        "schema": SCHEMA,
        "at": iso(at),
        "workload": change.workload.key,
        "name": change.workload.name,
        "runtime": change.workload.runtime,
        "replica": seen.replica,
        "replicas": len(change.observations),
        "target": seen.target.reference if seen.target else None,
        "memory_bytes": seen.reading.rss,
        "limit_bytes": seen.limit,
        "previous_state": change.previous_state,
        **{key: said[key] for key in ("state", "kind", "growth_bytes_per_hour", "growth_interval", "time_to_limit_s")},
        "since": iso(change.judgement.since),
        "since_event": change.judgement.since_event,
        "confidence": change.judgement.confidence,
        "why": change.judgement.why,
        "evidence": list(change.judgement.evidence),
        "events": [{"at": iso(event.at), "what": event.what, "limit": event.limit or None} for event in change.events],
        "dumps": [{"path": dump.path, "size_bytes": dump.size, "format": dump.format} for dump in change.dumps],
    }


def row_record(row: Row) -> dict[str, Any]:
    """A workload as one object."""
    return record(Change(row.workload, row.judgement, row.state, row.observations), row.read_at) | {
        "memory_bytes": row.memory,
        "limit_bytes": row.limit,
    }
