"""`caulk judge FILE`: what a series of memory readings says, whoever took them."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from caulk.analysis.trend.pool import judge
from caulk.cli.targets import Output, show, show_record
from caulk.formats import series
from caulk.model.errors import UsageError
from caulk.model.judgement import Judgement
from caulk.model.table import Heading, Table
from caulk.model.units import format_duration, format_value, parse_bytes

SCHEMA = "caulk.judgement/1"
_HEADINGS = (
    Heading("series", "series"),
    Heading("state", "state"),
    Heading("kind", "kind"),
    Heading("growth", "growth/h"),
    Heading("since", "since"),
    Heading("left", "limit in"),
    Heading("why", "why"),
)


def main(
    file: str,
    /,
    *,
    limit: str = "",
    fail_on: Literal["leaking", "suspect"] = "leaking",
    exit_zero: bool = False,
    output: Annotated[Output, Parameter(name=["--output", "-o"])] = "table",
) -> int:
    """Judge memory over time: steady, warming, suspect, leaking or undersized; how fast, since when, how long it lasts.

    Reads CSV (`time,bytes[,series][,replica][,event][,anon][,file][,shmem][,heap]`) and answers of Prometheus to
    `query_range`. Exits with 1 if a series is `leaking`.

    Parameters
    ----------
    file
        The series; `-` is stdin.
    limit
        The memory that each may have (512M, 2G); events `limit=SIZE` in the file change it.
    fail_on
        The state from which the exit code is 1.
    exit_zero
        Exit with 0 whatever is found.
    output
        table or json.

    """
    judgements = judge(series.read(file, warn=lambda text: _warn(file, text)), limit=_size(limit))
    if output == "json":
        show_record({"schema": SCHEMA, "series": [_record(judgement) for judgement in judgements]})
    else:
        show(Table("judgement", _HEADINGS, [_row(judgement) for judgement in judgements]), output)
    failing = ("leaking",) if fail_on == "leaking" else ("leaking", "suspect")
    return int(not exit_zero and any(judgement.state in failing for judgement in judgements))


def _warn(file: str, text: str) -> None:
    print(f"caulk: {file}: {text}", file=sys.stderr)


def _size(text: str) -> int:
    try:
        return parse_bytes(text) if text else 0
    except ValueError as error:
        raise UsageError(f"--limit: {error}", hint="Sizes look like 512M or 2G.") from None


def _record(judgement: Judgement) -> dict[str, Any]:
    record = asdict(judgement)
    return record | {"since": _iso(judgement.since), "first_said": _iso(judgement.first_said)}


def _row(judgement: Judgement) -> tuple[Any, ...]:
    rate, interval, left = judgement.growth_bytes_per_hour, judgement.growth_interval, judgement.time_to_limit_s
    growth = ""
    if rate is not None and interval:
        growth = (
            f"{format_value(rate, 'bytes', signed=True)} ± {format_value((interval[1] - interval[0]) / 2, 'bytes')}"
        )
    since = (_iso(judgement.since) or "") + (f" ({judgement.since_event})" if judgement.since_event else "")
    remaining = "" if left is None else format_duration(left)
    return judgement.name, judgement.state, judgement.kind or "", growth, since, remaining, judgement.why


def _iso(at: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC, to the second."""
    return None if at is None else datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
