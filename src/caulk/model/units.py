"""Numbers for people: bytes in pprof's habit (1 kB = 1024), durations, counts, shares. Machines get the bare number."""

import re
from datetime import UTC, datetime

_BYTES = (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10))
_NANOSECONDS = (("hrs", 3600 * 10**9), ("mins", 60 * 10**9), ("s", 10**9), ("ms", 10**6), ("us", 10**3))


def format_value(value: float, unit: str, *, signed: bool = False) -> str:
    """`value` of `unit` (bytes, nanoseconds, count, …) with three significant digits; `signed` writes a plus too."""
    sign = "-" if value < 0 else "+" if signed and value > 0 else ""
    size = abs(value)
    scale = {"bytes": _BYTES, "nanoseconds": _NANOSECONDS}.get(unit)
    if scale is None:
        return f"{sign}{size:,.0f}"
    for name, factor in scale:
        if size >= factor:
            return f"{sign}{_three_digits(size / factor)} {name}"
    return f"{sign}{size:.0f} {'B' if unit == 'bytes' else 'ns'}"


def parse_bytes(text: str) -> int:
    """The bytes of a size as people write it (`2G`, `512 MiB`, `1.5gb`, `4096`): 1 k = 1024. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])?i?b?)\s*", text, re.ASCII | re.IGNORECASE)
    if not match:
        raise ValueError(f"{text!r} is not a size")
    return int(float(match[1]) * 1024 ** " kmgt".index((match[2] or " ").lower()))


def parse_seconds(text: str) -> float:
    """Seconds in `text`: 45, 30s, 5m, 2h or 7d; raises `ValueError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a span of time")
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2] or "s"]


def format_share(share: float) -> str:
    """A share of 1 as a percentage: 0.573 is `57 %`; below ten per cent with one decimal."""
    percent = share * 100
    if percent and abs(percent) < 0.1:
        return "<0.1 %"
    return f"{percent:.0f} %" if abs(percent) >= 9.95 else f"{percent:.1f} %"


def format_duration(seconds: float) -> str:
    """A span of time in its two largest units."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} days"


def iso(at: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC, to the second."""
    return None if at is None else datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
