"""Tables as comma-separated values (RFC 4180), for spreadsheets: numbers as they are, and no text that would be run.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, whatever quotes stand around it (OWASP,
"CSV Injection"); an apostrophe before it makes it text.
"""

import csv
import io
from collections.abc import Iterable
from typing import Any

from caulk.model.diagram import Graph
from caulk.model.records import Analysis
from caulk.model.table import Stacks, Table
from caulk.views import diagram, flame
from caulk.views.markup import MAX_SENTENCE, plain

NAME = "csv"
#: Lines at most: what spreadsheets still open, and people no longer read.
MAX_CALLS = 100_000
_FORMULA = tuple("=+-@\t\r\n")
_FINDING = ("rank", "title", "bytes", "share", "count", "growth_bytes", "growth_bytes_per_hour", "type", "holder")


def render(answer: Table | Stacks | Graph | Analysis) -> str:
    """A line of headings, and a line for each row, frame in its place or finding; ends of lines are CR LF."""
    match answer:
        case Table():
            return _written([heading.key for heading in answer.headings], answer.rows)
        case Graph():
            return render(diagram.table(answer))
        case Stacks():
            return _written(("depth", "total", "own", "function", "file", "line"), _calls(answer))
        case Analysis():
            rows = ([getattr(finding, field) for field in _FINDING] for finding in answer.findings)
            return _written(_FINDING, rows)


def _calls(answer: Stacks) -> Iterable[tuple[Any, ...]]:
    """The heaviest calls with how deep each is, below its caller."""
    frames, layout = answer.tree.frames, flame.lay_out(answer, limit=MAX_CALLS)
    for box in range(1, len(layout)):
        frame = layout.frame[box]
        place = (frames.function_name(frame), frames.file_name(frame), frames.line[frame])
        yield (layout.depth[box], layout.total[box], layout.own[box], *place)


def _written(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow(headings)
    lines.writerows(map(_cell, row) for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    shown = plain(value, limit=MAX_SENTENCE)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
