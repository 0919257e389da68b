"""Where the alerts begin: the figures of the runbook, all of which may be changed."""

from dataclasses import dataclass

MB = 1 << 20
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Sizes are bytes, spans are seconds, shares are of 1."""

    growth_warning: int = 10 * MB
    """Bytes an hour."""
    growth_critical: int = 50 * MB
    growth_events: int = 5
    """In an hour."""
    object_growth: int = 1000
    """Objects an hour, and at least `object_share` of those there are."""
    object_share: float = 0.01
    usage_warning: int = 500 * MB
    """Of a process that has no limit; 1 GB is 1024 MB."""
    usage_critical: int = 1024 * MB
    limit_warning: float = 0.8
    """Share of the limit."""
    limit_critical: float = 0.9
    time_to_limit_warning: int = 4 * HOUR
    time_to_limit_critical: int = HOUR
    collections: float = 10.0
    """Collections of garbage a second."""
    collecting: float = 0.1
    """Share of the time that a runtime collects in."""
    missing: int = 10 * MINUTE
    warning_over: int = 3 * HOUR
    """The time over which growth must be seen for a warning."""
    critical_over: int = HOUR
    memory: int = DAY
    """How far back the highest floor is looked for."""
    first_day_share: float = 0.15
    """Of its floor, that a process must grow by within `warning_over` while nobody knows its nights and days."""
    interval: int = MINUTE
    """How often the rules are evaluated."""


def span(seconds: int) -> str:
    """Seconds as Prometheus writes a duration: 5400 is `1h30m`."""
    out = ""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)):
        count, seconds = divmod(seconds, size)
        out += f"{count}{unit}" if count else ""
    return out or "0s"
