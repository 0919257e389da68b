"""Dumps: the list of them, one of them, and what is asked about one or several."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.responses import Response

from caulk import app
from caulk.analysis.dumps import Dump
from caulk.analysis.filters import Filters
from caulk.analysis.fold import Granularity
from caulk.model.graph import References
from caulk.reports import REPORTS, Question, Report
from caulk.reports.overview import overview
from caulk.reports.question import Grouping
from caulk.web.dumps import Dumps, Known, in_time
from caulk.web.endpoint import Asking, Endpoint, NotFound, Query, json
from caulk.web.jobs import Job

_Pattern = Annotated[str, Meta(max_length=500)]


class Reading(Query, frozen=True):
    """How a dump is read."""

    references: References = "strong"


class Asked(Reading, frozen=True):
    """What is asked of dumps, as the verbs of the command line take it."""

    focus: _Pattern = ""
    ignore: _Pattern = ""
    hide: _Pattern = ""
    show: _Pattern = ""
    from_: _Pattern = msgspec.field(default="", name="from")
    measure: Annotated[str, Meta(max_length=100)] = ""
    granularity: Granularity = "functions"
    pattern: _Pattern = ""
    by: Grouping = "types"
    inverted: bool = False
    limit: Annotated[int, Meta(ge=1, le=250_000)] = 200

    def question(self, dumps: Sequence[Dump], *, values: bool = False) -> Question:
        """The same as a question about dumps."""
        return Question(
            dumps=dumps,
            filters=Filters(self.focus, self.ignore, self.hide, self.show, self.from_),
            measure=self.measure,
            granularity=self.granularity,
            limit=self.limit,
            pattern=self.pattern,
            inverted=self.inverted,
            values=values,
            by=self.by,
        )


async def dumps(asking: Asking) -> dict[str, Any]:
    """Every dump that can be asked about."""
    found = await asyncio.to_thread(asking.site.dumps.all)
    return {"schema": "caulk.dumps/1", "dumps": [_row(asking, known) for known in found]}


async def dump(asking: Asking) -> Any:
    """One dump (`a`), a difference (`a..b`) or growth (`a..b..c`): what it is, and what can be asked; 202 while it is read."""
    known, opened = await opening(asking)
    if isinstance(opened, Job):
        return json(opened.record(), 202)
    return await asyncio.to_thread(_overview, asking.site.dumps, known, opened)


async def answer(asking: Asking) -> Response:
    """What a report says of them: JSON, or columns where it is stacks."""
    report = _report(asking.path["tab"])
    _, opened = await opening(asking)
    if isinstance(opened, Job):
        return json(opened.record(), 202)
    body, media = await asyncio.to_thread(app.for_page, report, asking.query.question(opened))
    return Response(body, media_type=media)


async def opening(asking: Asking) -> tuple[list[Known], list[Dump] | Job]:
    """The dumps of a request, and the same opened, or the job that opens them."""
    dumps = asking.site.dumps
    known = await asyncio.to_thread(dumps.named, asking.path["ids"])
    opened = await asyncio.to_thread(dumps.opened, known, asking.query.references)
    return (known, opened) if isinstance(opened, Job) else in_time(known, opened)


def _report(name: str) -> Report:
    found = next((row for row in REPORTS if row.name == name), None)
    if found is None:
        raise NotFound(f"there is no report {name[:50]!r}", hint="The answer to /api/d/… lists the tabs of a dump.")
    return found


def _overview(dumps: Dumps, known: Sequence[Known], opened: Sequence[Dump]) -> dict[str, Any]:
    """What `caulk.reports` says of the dumps, with the ids by which they and their neighbours are asked for."""
    said = msgspec.to_builtins(overview(opened))
    said["dumps"] = [{"id": one.id} | told for one, told in zip(known, said["dumps"], strict=True)]
    return said | {"ids": [one.id for one in known]} | dumps.beside(known)


def _row(asking: Asking, known: Known) -> dict[str, Any]:
    row = asdict(known)
    del row["path"]
    return row | {"is_open": asking.site.dumps.is_open(known)}


ENDPOINTS = (
    Endpoint("GET", "/api/d", dumps),
    Endpoint("GET", "/api/d/{ids}", dump, Reading),
    Endpoint("GET", "/api/d/{ids}/{tab}", answer, Asked),
)
