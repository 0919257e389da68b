"""Small charts that are read at once: a value over the dumps, memory over time. Inline SVG, sized in per cent.

Positions are percentages and labels are not scaled, so the same chart is legible in a card and on a telephone.
"""

import math
from collections.abc import Sequence

from caulk.model.series import Reading, Series
from caulk.model.units import format_duration, format_value
from caulk.views.markup import text

#: More bars than this are thinned out evenly, more readings are drawn as the extremes of their time slice.
MAX_BARS = 60
MAX_POINTS = 400


def bars(values: Sequence[int], names: Sequence[str], unit: str) -> str:
    """A bar for each dump, from zero; a bar's name and value show when pointed at."""
    top = _ceiling(max(values, default=0), unit)
    if len(values) < 2 or not top:
        return ""
    shown = _evenly(len(values), MAX_BARS)
    step = 100 / len(shown)
    drawn = []
    for position, i in enumerate(shown):
        value, height = format_value(values[i], unit), max(0.5, 100 * max(values[i], 0) / top)
        box = f'x="{position * step + step * 0.15:.2f}%" width="{step * 0.7:.2f}%"'
        drawn.append(
            f'<g><title>{text(names[i])}: {value}</title><rect class="hover" x="{position * step:.2f}%" y="0" '
            f'width="{step:.2f}%" height="100%"/><rect class="bar" {box} y="{100 - height:.2f}%" '
            f'height="{height:.2f}%"/></g>'
        )
    spoken = f"{format_value(values[0], unit)} in the first dump, {format_value(values[-1], unit)} in the last"
    return _framed(top, unit, "".join(drawn), (names[0], names[-1]), spoken)


def memory(series: Series, captures: Sequence[float] = ()) -> str:
    """Resident memory over time, the runtime's own heap below it where it is known, and a mark for each capture."""
    readings = series.readings
    top = _ceiling(max((reading.rss for reading in readings), default=0), "bytes")
    if len(readings) < 2 or not top or readings[-1].at <= readings[0].at:
        return ""
    start, span = readings[0].at, readings[-1].at - readings[0].at
    lines = [_line([(r.at - start, r.rss) for r in readings], span, top, "rss")]
    heap = [(r.at - start, r.heap) for r in readings if r.heap is not None]
    if len(heap) > 1:
        lines.append(_line(heap, span, top, "heap"))
    drawn = f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">{"".join(lines)}</svg>'
    drawn += "".join(_hover(readings[i], start, span, 100 / MAX_BARS) for i in _evenly(len(readings), MAX_BARS))
    marks = [at - start for at in captures if 0 <= at - start <= span]
    for number, after in enumerate(marks, 1):
        at = f"{100 * after / span:.2f}%"
        drawn += f'<g class="mark"><title>dump {number}, after {format_duration(after)}</title>'
        drawn += f'<line x1="{at}" x2="{at}" y1="0" y2="100%"/><circle cx="{at}" cy="5" r="4"/></g>'
    key = '<span class="key rss">resident memory</span>'
    key += '<span class="key heap">the runtime’s heap</span>' if len(heap) > 1 else ""
    key += '<span class="key mark">dump taken</span>' if marks else ""
    spoken = f"{format_value(readings[0].rss, 'bytes')} at first, {format_value(readings[-1].rss, 'bytes')} at last"
    chart = _framed(top, "bytes", drawn, ("start", f"after {format_duration(span)}"), spoken)
    return f'<p class="keys">{key}</p>{chart}'


def share_bar(share: float) -> str:
    """A thin bar filled to `share` of 1."""
    width = 100 * min(max(share, 0), 1)
    return f'<svg class="share" aria-hidden="true"><rect width="100%"/><rect class="full" width="{width:.1f}%"/></svg>'


def ticks(top: float, unit: str) -> list[float]:
    """Round values from zero to just above `top`, three to six of them; bytes are round in their own unit."""
    scale = 1
    while unit == "bytes" and top >= scale * 1024:
        scale *= 1024
    rough = top / scale / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    count = math.ceil(top / scale / step - 1e-9)
    return [i * step * scale for i in range(count + 1)]


def _ceiling(largest: int, unit: str) -> float:
    """The value at the upper edge of a chart; 0 where there is nothing to draw."""
    return ticks(largest, unit)[-1] if largest > 0 else 0


def _framed(top: float, unit: str, drawn: str, ends: tuple[str, str], spoken: str) -> str:
    """The drawing between its two axes."""
    labels, grid = "", ""
    for value in ticks(top, unit):
        at = f"{100 - 100 * value / top:.2f}%"
        labels += f'<text x="100%" y="{at}" dy="4">{format_value(value, unit) if value else "0"}</text>'
        grid += f'<line class="grid" x1="0" x2="100%" y1="{at}" y2="{at}"/>'
    return (
        f'<div class="chart" role="img" aria-label="{text(spoken)}">'
        f'<svg class="scale" aria-hidden="true">{labels}</svg><svg class="plot">{grid}{drawn}</svg>'
        f'<p class="ends"><span>{text(ends[0], limit=40)}</span><span>{text(ends[1], limit=40)}</span></p></div>'
    )


def _line(points: list[tuple[float, int]], span: float, top: float, name: str) -> str:
    """A line through the lowest and the highest point of each slice of time."""
    size = max(1, math.ceil(len(points) / (MAX_POINTS // 2)))
    kept: list[tuple[float, int]] = []
    for i in range(0, len(points), size):
        part = points[i : i + size]
        extremes = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        kept += sorted(extremes | ({points[-1]} if points[-1] in part else set()))
    path = " ".join(f"{1000 * at / span:.1f},{1000 - 1000 * value / top:.1f}" for at, value in kept)
    return f'<polyline class="{name}" points="{path}"/>'


def _hover(reading: Reading, start: float, span: float, width: float) -> str:
    said = f"after {format_duration(reading.at - start)}: {format_value(reading.rss, 'bytes')} resident"
    if reading.heap is not None:
        said += f", {format_value(reading.heap, 'bytes')} heap"
    at = 100 * (reading.at - start) / span - width / 2
    return f'<rect class="hover" x="{at:.2f}%" width="{width:.2f}%" height="100%"><title>{said}</title></rect>'


def _evenly(count: int, limit: int) -> list[int]:
    """At most `limit` numbers below `count`, the first and the last among them."""
    if count <= limit:
        return list(range(count))
    return [i * (count - 1) // (limit - 1) for i in range(limit)]
