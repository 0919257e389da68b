"""Answers as one HTML file that asks nobody for anything: it can be mailed, archived and opened years later.

Styles and script stand in the page and are allowed by their hashes; everything from a dump is text or data.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from caulk.model.records import Analysis
from caulk.model.series import Series
from caulk.model.table import Heading, Stacks, Table
from caulk.model.units import format_share, format_value
from caulk.views import cards, charts, flame
from caulk.views.markup import json_island, plain, prose, text

#: What a ticket system or a mail server takes without complaint.
MAX_BYTES = 2_000_000

#: Boxes in the table beside a drawing.
_TWIN = 30
_UNITS = {"bytes": "bytes", "count": "count", "nanoseconds": "nanoseconds", "number": "count"}


@dataclass(frozen=True, slots=True)
class Section:
    """An answer below a heading; `id` is its anchor. A table is shown as one, stacks as a flame graph."""

    id: str
    title: str
    answer: Table | Stacks


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of everything is shown."""

    rows: int = 128
    boxes: int = flame.MAX_NODES
    lines: int = 64

    def scaled(self, factor: float) -> "_Room":
        return _Room(*(max(1, int(most * factor)) for most in (self.rows, self.boxes, self.lines)))


def report(
    analysis: Analysis,
    sections: Sequence[Section],
    *,
    memory: Series | None = None,
    captures: Sequence[float] = (),
) -> str:
    """The whole analysis in one file: verdict, findings, memory over time with its captures, and the sections.

    `captures` are seconds since the epoch. The file stays below 2 MB: where it would not, less of everything is shown,
    and the page says what it left out.
    """

    def body(room: _Room) -> str:
        chart = charts.memory(memory, captures) if memory else ""
        parts = [
            cards.verdict(analysis.verdict, limit=room.lines),
            _warnings(analysis, room),
            _totals(analysis),
            cards.findings(analysis, limit=room.lines),
            f'<section id="memory"><h2>Memory over time</h2>{chart}</section>' if chart else "",
            *(_section(section, room) for section in sections),
            _inputs(analysis, room),
        ]
        return _navigation(analysis, sections, has_memory=bool(chart)) + "".join(parts)

    sentence = plain(analysis.verdict.sentence.replace("`", ""), limit=100)
    return _fitting(f"caulk: {analysis.verdict.state}. {sentence}", body)


def page(title: str, section: Section) -> str:
    """One answer in one file, under the same limits."""
    return _fitting(title, lambda room: f"<h1>{text(title)}</h1>{_section(section, room)}")


def policy() -> str:
    """What a browser may do with such a file: the headers of a server that sends one say the same."""
    allowed = f"style-src '{hashed(style())}'; script-src '{hashed(_asset('page.js'))}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def style() -> str:
    """The style sheet of these pages, for others that look alike."""
    return _asset("page.css")


def hashed(source: str) -> str:
    """The hash by which a policy allows a script or a style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def heaviest(answer: Stacks, limit: int) -> str:
    """The `limit` heaviest calls as a table, deeper ones further in."""
    return _heaviest(flame.lay_out(answer), limit)


def _fitting(title: str, body: Callable[[_Room], str]) -> str:
    """The page, with less of everything until it fits; the first attempt tells how much less."""
    room = _Room()
    whole = _shell(title, body(room))
    while (size := len(whole.encode())) > MAX_BYTES and room.boxes > 1:
        room = room.scaled(min(0.8 * MAX_BYTES / size, 0.5))
        whole = _shell(title, body(room))
    return whole


def _shell(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{style()}</style></head>\n<body><main>{body}</main>\n"
        f"<script>{_asset('page.js')}</script></body></html>\n"
    )


@cache
def _asset(name: str) -> str:
    return files("caulk.views").joinpath("assets", name).read_text(encoding="utf-8")


def _navigation(analysis: Analysis, sections: Sequence[Section], *, has_memory: bool) -> str:
    places = [("findings", "Findings")] if analysis.findings else []
    places += [("memory", "Memory")] if has_memory else []
    places += [(section.id, section.title) for section in sections]
    places += [("inputs", "Dumps")] if analysis.inputs else []
    links = "".join(f'<a href="#{text(anchor)}">{text(title, limit=40)}</a>' for anchor, title in places)
    return f"<nav><b>caulk</b>{links}</nav>"


def _totals(analysis: Analysis) -> str:
    facts = [(total.measure or "value", format_value(total.value, total.unit)) for total in analysis.totals]
    if analysis.smallest_growth_bytes is not None:
        facts.append(("smallest growth that would be seen", format_value(analysis.smallest_growth_bytes, "bytes")))
    rows = "".join(f"<div><dt>{text(name)}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f'<dl class="facts totals">{rows}</dl>' if rows else ""


def _warnings(analysis: Analysis, room: _Room) -> str:
    lines = [f"{i.path}: only {format_share(i.coverage)} could be read" for i in analysis.inputs if i.coverage < 1]
    lines += [f"{taken.path}: {warning}" for taken in analysis.inputs for warning in taken.warnings]
    return cards.bullets([*lines, *analysis.notes], limit=room.lines, css="warnings")


def _inputs(analysis: Analysis, room: _Room) -> str:
    if not analysis.inputs:
        return ""
    headings = (
        Heading("number", "#", "count"),
        Heading("path", "file"),
        Heading("format", "format"),
        Heading("taken_at", "taken"),
        Heading("size", "size", "bytes"),
        Heading("coverage", "read", "share"),
    )
    rows: list[tuple[Any, ...]] = [
        (n, i.path, f"{i.runtime} {i.kind}, {i.format}", i.taken_at or "–", i.size_bytes, i.coverage)
        for n, i in enumerate(analysis.inputs, 1)
    ]
    return _section(Section("inputs", "The dumps", Table("inputs", headings, rows)), room)


def _section(section: Section, room: _Room) -> str:
    match section.answer:
        case Table() as rows:
            body = table(rows, room.rows)
        case Stacks() as stacks:
            body = _flame(flame.lay_out(stacks, limit=room.boxes))
    return f'<section id="{text(section.id)}"><h2>{text(section.title)}</h2>{body}</section>'


def table(answer: Table, limit: int) -> str:
    """At most `limit` rows, below the notes."""
    notes = _notes(answer.notes)
    if not answer.rows:
        return f'{notes}<p class="muted">Nothing to show.</p>'
    head = "".join(f'<th scope="col"{_css(heading)}>{text(heading.title)}</th>' for heading in answer.headings)
    body = "\n".join(
        f"<tr>{''.join(_cell(heading, cell) for heading, cell in zip(answer.headings, row, strict=True))}</tr>"
        for row in answer.rows[:limit]
    )
    left = len(answer.rows) - limit
    more = f'<p class="muted">and {left:,} more rows</p>' if left > 0 else ""
    return f'{notes}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'


def _notes(notes: Sequence[str]) -> str:
    return "".join(f"<p>{prose(note)}</p>" for note in notes)


def _css(heading: Heading) -> str:
    return "" if heading.kind == "text" else ' class="number"'


def _cell(heading: Heading, value: Any) -> str:
    if heading.kind == "text" or not isinstance(value, int | float):
        return f"<td{_css(heading)}>{'' if value is None else text(value)}</td>"
    if heading.kind == "share":
        shown = format_share(value) + charts.share_bar(value)
    elif isinstance(value, float) and heading.kind == "number":
        shown = f"{value:,.4g}"
    else:
        shown = format_value(value, _UNITS[heading.kind], signed=heading.signed)
    return f'<td class="number" data-value="{value!r}">{shown}</td>'


def _flame(layout: flame.Layout) -> str:
    """The drawing's data and place, and the same in a table for whoever cannot see or run it."""
    name, notes = text(layout.answer.measure), _notes(layout.answer.notes)
    if not layout.weight[0]:
        return f'{notes}<p class="muted">No {name} in any stack.</p>'
    said = f"{name}: {format_value(layout.total[0], layout.unit, signed=layout.signed)}"
    if layout.signed:
        changed = format_value(layout.weight[0], layout.unit)
        said += f" in all. A box is as wide as what changed below it ({changed}): orange + grew, blue − shrank"
    if layout.left_out:
        said += f". {layout.left_out:,} smaller calls are not drawn: the empty space below their callers"
    return (
        f'<div class="flame">{json_island(flame.columns(layout))}{notes}<p>{said}.</p>'
        '<div class="tools" hidden><input type="search" placeholder="Search, a regular expression  ( / )" '
        'aria-label="Search functions and files" spellcheck="false"><output></output>'
        '<button class="flip" type="button">Root below</button>'
        '<button class="reset" type="button">Reset (Esc)</button></div>'
        '<p class="crumbs" aria-label="Zoomed to"></p><div class="stage" hidden><div><canvas tabindex="0" role="img" '
        'aria-label="Flame graph. The arrow keys move through it; the table below has its widest boxes."></canvas>'
        f'</div></div><p class="chosen" aria-live="polite"></p>{_twin(layout)}</div>'
    )


def _twin(layout: flame.Layout) -> str:
    shown = min(_TWIN, len(layout) - 1)
    said = f"The {shown} widest boxes as a table"
    return f'<details class="twin" open><summary>{said}</summary>{_heaviest(layout, _TWIN)}</details>'


def _heaviest(layout: flame.Layout, limit: int) -> str:
    headings = (
        Heading("total", "total", _kind(layout), signed=layout.signed),
        Heading("share", "share", "share"),
        Heading("own", "own", _kind(layout), signed=layout.signed),
        Heading("function", "function, below its caller"),
        Heading("place", "place"),
    )
    rows: list[tuple[Any, ...]] = [
        # Figure spaces keep the depth visible in a cell that collapses others.
        (
            layout.total[box],
            layout.share(box),
            layout.own[box],
            "\u2007" * min(layout.depth[box] - 1, 40) + layout.name(box),
            layout.place(box),
        )
        for box in layout.heaviest(limit)
    ]
    return table(Table("heaviest", headings, rows), len(rows))


def _kind(layout: flame.Layout) -> Any:
    return layout.unit if layout.unit in _UNITS else "number"
