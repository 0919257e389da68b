"""A verdict and its findings as a person reads them in a page: the sentence, its numbers, the calls, the proof."""

import re
from collections.abc import Sequence

from caulk.model.origin import origin_of
from caulk.model.records import Analysis, Finding, Input, StackFrame, Verdict
from caulk.model.units import format_share, format_value
from caulk.views import charts
from caulk.views.markup import prose, text

#: Findings that are shown opened; the others are one click away.
OPENED = 5
#: A run of others' frames as long as this is folded away between two of the application's.
FOLDED = 3

_GLYPHS = {"leaking": "▲", "suspect": "?", "steady": "✓", "warming": "◔", "undersized": "▣", "unknown": "–"}
_SHAPES = {
    "rising": "still growing",
    "flattening": "flattening",
    "flat": "not growing",
    "falling": "shrinking",
    "unknown": "",
}
_SENTENCE_END = re.compile(r"(?<=[.?!]) (?=[A-Z])")
_CONFIDENCE = ((0.9, "very likely"), (0.7, "likely"), (0.4, "possible"), (0.0, "a weak hint"))


def verdict(value: Verdict, *, limit: int) -> str:
    """The judgement: the first thing that is read."""
    state = value.state if value.state in _GLYPHS else "unknown"
    reasons = bullets(value.reasons, limit=limit)
    # The heading is the judgement itself; what follows its first sentence is read after it.
    first, *rest = _SENTENCE_END.split(value.sentence, maxsplit=1)
    more = f"<p>{prose(rest[0])}</p>" if rest else ""
    badge = f'<p class="badge"><span aria-hidden="true">{_GLYPHS[state]}</span> {state}</p>'
    return (
        f'<section class="verdict {state}">{badge}'
        f"<h1>{prose(first) or 'No verdict.'}</h1>{more}{reasons}"
        f'<p class="muted">Confidence: {confidence(value.confidence)}</p></section>'
    )


def findings(analysis: Analysis, *, limit: int) -> str:
    """A card for each finding, the first few opened; at most `limit` of them, with at most `limit` lines in a list."""
    shown = analysis.findings[:limit]
    if not shown:
        return ""
    cards = [_card(finding, analysis.inputs, limit=limit) for finding in shown]
    page = '<section id="findings"><h2>What to look at</h2>' + "".join(cards[:OPENED])
    if cards[OPENED:]:
        page += f"<details><summary>{len(cards) - OPENED} more findings</summary>{''.join(cards[OPENED:])}</details>"
    left = len(analysis.findings) - len(shown)
    return page + (f'<p class="muted">{left:,} lesser findings are not shown.</p>' if left else "") + "</section>"


def bullets(lines: Sequence[str], *, limit: int, css: str = "") -> str:
    """Sentences as a list, at most `limit` of them."""
    if not lines:
        return ""
    items = "".join(f"<li>{prose(line)}</li>" for line in lines[:limit])
    items += f"<li>and {len(lines) - limit:,} more</li>" if len(lines) > limit else ""
    return f'<ul class="{css}">{items}</ul>'


def confidence(value: float) -> str:
    """A number from 0 to 1 in a word and in per cent."""
    word = next(word for least, word in _CONFIDENCE if value >= least or not least)
    return f"{word} ({format_share(value)})"


def moments(inputs: Sequence[Input]) -> list[str]:
    """When each dump was taken, without the date where all have the same; else which file it is."""
    days = {taken.taken_at.partition("T")[0] for taken in inputs if taken.taken_at}
    names = []
    for number, taken in enumerate(inputs, 1):
        day, _, clock = (taken.taken_at or "").removesuffix("Z").partition("T")
        time = clock.partition(".")[0]
        when = (time if len(days) == 1 else f"{day} {time}") if time else taken.path.rpartition("/")[2]
        names.append(f"{number}. {when}")
    return names


def _card(finding: Finding, inputs: Sequence[Input], *, limit: int) -> str:
    runtime = inputs[-1].runtime if inputs else ""
    unit = finding.unit
    chart = charts.bars(finding.series, moments(inputs), unit) if len(finding.series) == len(inputs) else ""
    title = f'<h3><span class="rank">{finding.rank}</span> {prose(finding.title)}</h3>'
    where = f'<p class="where">{text(finding.location)}</p>' if finding.location else ""
    figure = f"<figure>{chart}<figcaption>live in each dump</figcaption></figure>" if chart else ""
    told = _numbers(finding) + _objects(finding) + bullets(finding.evidence, limit=limit, css="evidence")
    return (
        f'<article class="card">{title}{where}<div class="sides"><div>{told}</div>{figure}</div>'
        f"{_chain(finding, runtime, limit=limit)}{_path(finding, limit=limit)}"
        f'<p class="muted">{text(finding.pattern)} · {confidence(finding.confidence)}'
        f"{f' · <code>{text(finding.fingerprint[:19])}</code>' if finding.fingerprint else ''}</p></article>"
    )


def _numbers(finding: Finding) -> str:
    """What is live there, its part of everything, and how it grew, each with its error where that is known."""
    grown = _optional(finding.growth_bytes, "bytes")
    more = _optional(finding.growth_count, "count", "<small>{}</small>")
    count = f"{_optional(finding.count, 'count', signed=False)} {more}"
    share = f"{format_share(finding.share)}{charts.share_bar(finding.share)}"
    if _is_counted(finding):
        held = _optional(finding.bytes or None, "bytes", signed=False)
        facts = [
            ("goroutines" if finding.pattern == "goroutine" else "objects", count),
            ("of all", share),
            ("they hold", held),
        ]
    else:
        error = _optional(finding.bytes_error or None, "bytes", "<small>± {}</small>", signed=False)
        facts = [("live", f"{format_value(finding.bytes, 'bytes')} {error}"), ("of the total", share)]
        facts += [("objects", count)] if finding.count is not None else []
    part = f" <small>{format_share(finding.growth_share)} of the growth</small>" if finding.growth_share else ""
    facts += [
        ("grown", grown + part if grown else ""),
        ("per hour", _optional(finding.growth_bytes_per_hour, "bytes")),
        ("shape", _SHAPES.get(finding.shape, "")),
    ]
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts if value)
    return f'<dl class="facts">{rows}</dl>'


def _optional(value: float | None, unit: str, form: str = "{}", *, signed: bool = True) -> str:
    return "" if value is None else form.format(format_value(value, unit, signed=signed))


def _is_counted(finding: Finding) -> bool:
    """Whether the finding's share and series count things: goroutines do, whatever they hold."""
    return finding.unit != "bytes"


def _objects(finding: Finding) -> str:
    known = (("held by", finding.holder), ("allocated by", finding.allocator), ("type", finding.type))
    rows = "".join(f"<div><dt>{name}</dt><dd><code>{text(value)}</code></dd></div>" for name, value in known if value)
    return f'<dl class="objects">{rows}</dl>' if rows else ""


def _chain(finding: Finding, runtime: str, *, limit: int) -> str:
    """The calls that lead to the allocation, outermost first; others' frames between the application's are folded."""
    if not finding.stack:
        return ""
    frames = finding.stack[-limit:]
    left = len(finding.stack) - len(frames)
    items = [f'<li class="other">{left:,} outer calls are not shown</li>'] if left else []
    run: list[str] = []
    for frame in frames:
        is_own = origin_of(frame.function, frame.file, "", runtime) == "application"
        is_blamed = bool(finding.location) and _place(frame) == finding.location
        item = _frame(frame, f"{'own' if is_own else 'other'}{' blamed' if is_blamed else ''}")
        if is_own or is_blamed or frame is frames[-1]:
            items += [_folded(run), item]
            run = []
        else:
            run.append(item)
    here = "they wait here" if finding.pattern == "goroutine" else "allocates here"
    return f'<h4>The chain of calls</h4><ol class="chain">{"".join(items)}</ol><p class="muted here">↑ {here}</p>'


def _folded(run: Sequence[str]) -> str:
    if len(run) < FOLDED:
        return "".join(run)
    return f"<li><details><summary>{len(run)} library calls</summary><ol>{''.join(run)}</ol></details></li>"


def _frame(frame: StackFrame, css: str) -> str:
    place = _place(frame)
    # tracemalloc knows no functions: its frames are named by their place, which is then said once.
    if place.endswith(frame.function):
        return f'<li class="{css}"><bdi>{text(place) or "?"}</bdi></li>'
    return f'<li class="{css}"><bdi>{text(frame.function)}</bdi> <span>{text(place)}</span></li>'


def _place(frame: StackFrame) -> str:
    return f"{frame.file}:{frame.line}" if frame.file and frame.line > 0 else frame.file


def _path(finding: Finding, *, limit: int) -> str:
    if not finding.path:
        return ""
    items = "".join(f'<li class="own"><bdi>{text(step)}</bdi></li>' for step in finding.path[:limit])
    return f'<h4>What holds it</h4><ol class="chain">{items}</ol>'
