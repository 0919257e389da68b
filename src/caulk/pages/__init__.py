"""What a page about dumps is told: each answer as bytes, the same from a server, in a download and in one file."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import msgspec

from caulk.model.errors import UsageError
from caulk.model.table import Stacks
from caulk.reports import REPORTS, Question, Report
from caulk.reports.laid import STACKS, changed, laid_over
from caulk.reports.overview import overview
from caulk.reports.selection import selection
from caulk.views import columns

#: Rows of a table, and nodes of stacks, where nobody asks for another number.
ROWS, NODES = 200, 250_000
#: The same for tabs of which nobody reads so much.
_FEWER = {"graph": 80}
JSON = "application/json"
#: What an answer can be saved as: the file's suffix and its media type.
FORMS = {
    "json": (".json", "application/json"),
    "csv": (".csv", "text/csv; charset=utf-8"),
    "pprof": (".pb.gz", "application/octet-stream"),
    "speedscope": (".speedscope.json", "application/json"),
    "folded": (".folded", "text/plain; charset=utf-8"),
    "svg": (".svg", "image/svg+xml"),
}


def report(name: str) -> Report | None:
    """The report of a tab."""
    return next((row for row in REPORTS if row.name == name), None)


def rows(tab: str) -> int:
    """How many rows a tab has where nobody asks for another number."""
    return _FEWER.get(tab, ROWS)


def answer(row: Report, question: Question, *, nodes: int = NODES) -> tuple[bytes, str]:
    """An answer as the page reads it, and its media type: stacks as columns, all else as JSON.

    Stacks of several dumps have what the first had beside what the last has.
    """
    if row.name not in STACKS:
        return _rendered("json", row.answer(question)), JSON
    stacks, before = laid_over(row.name, question)
    return columns.render(stacks, nodes, before=before), columns.MEDIA


def described(question: Question, ids: Sequence[str]) -> dict[str, Any]:
    """What the dumps of a question are (`caulk.dump/1`), with the ids that they are asked for by."""
    said: dict[str, Any] = msgspec.to_builtins(overview(question.dumps))
    said["dumps"] = [{"id": number} | told for number, told in zip(ids, said["dumps"], strict=True)]
    return {"schema": said["schema"], "ids": list(ids)} | said


def selected(question: Question, ids: Sequence[str], *, frame: str = "", type_: str = "") -> dict[str, Any]:
    """What there is to say of a frame or a type (`caulk.selection/1`), in each dump by its id."""
    said: dict[str, Any] = msgspec.to_builtins(selection(question, frame=frame, type_=type_))
    said["series"] = [moment | {"id": number} for number, moment in zip(ids, said["series"], strict=True)]
    return said


def saved(row: Report, question: Question, form: str) -> bytes:
    """An answer in one of `FORMS`; raises `UsageError` where it cannot be written so. A difference is what changed."""
    found = changed(row.name, question) if row.name in STACKS else row.answer(question)
    if form in ("json", "csv"):
        return _rendered(form, found)
    if not isinstance(found, Stacks):
        raise UsageError(f"{row.name} has no stacks to write as {form}", hint="flame and tree have them.")
    return _rendered(form, found if form == "svg" else found.tree)


def _rendered(name: str, answer: Any) -> bytes:
    view = import_module(f"caulk.views.{'flame' if name == 'svg' else name}")
    found: str | bytes = view.svg(answer) if name == "svg" else view.render(answer)
    return found.encode("utf-8", "replace") if isinstance(found, str) else found
