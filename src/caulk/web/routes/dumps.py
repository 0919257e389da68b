"""Dumps: the list of them, one of them, and what is asked about one or several."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.responses import Response

from caulk import pages
from caulk.model.errors import UsageError
from caulk.reports import Report
from caulk.views import columns
from caulk.web.answers import Answer
from caulk.web.asked import Asked, Opened, Reading, opening
from caulk.web.endpoint import Asking, Endpoint, json
from caulk.web.errors import NotFound
from caulk.web.jobs import Job

#: An answer that takes longer is waited for as a job is.
_PATIENCE_S = 2.0
_Name = Annotated[str, Meta(max_length=20_000)]


class Chosen(Asked, frozen=True):
    """What is selected: a frame or a type, by its whole name."""

    frame: _Name = ""
    type: _Name = ""


class Revealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tab of which values are to be shown, and what it is asked with."""

    tab: str
    parameters: dict[str, Any] = {}


async def dumps(asking: Asking) -> dict[str, Any]:
    """Every dump that can be asked about."""
    found = await asyncio.to_thread(asking.site.dumps.all)
    rows = [{name: value for name, value in asdict(known).items() if name != "path"} for known in found]
    for row, known in zip(rows, found, strict=True):
        row["is_open"] = asking.site.dumps.is_open(known)
    return {"schema": "caulk.dumps/1", "dumps": rows}


async def dump(asking: Asking) -> Any:
    """What a dump (`a`), a difference (`a..b`) or growth (`a..b..c`) is, and what can be asked; 202 while read."""
    opened = await opening(asking, asking.query.references)
    if isinstance(opened, Job):
        return json(opened.record(), 202)

    def said() -> dict[str, Any]:
        return pages.described(Asked().question(opened.dumps), opened.ids) | asking.site.dumps.beside(opened.known)

    return await asyncio.to_thread(said)


async def answer(asking: Asking) -> Response:
    """What a report says of them: JSON, or columns where it is stacks; 202 while it is computed."""
    row, asked = report(asking.path["tab"]), asking.query

    def said(opened: Opened) -> Answer:
        question = asked.question(opened.dumps, row.name, serve=asking.site.config.serve)
        return Answer(*pages.answer(row, question, nodes=asked.limit or pages.NODES))

    return await _given(asking, row.name, said)


async def selection(asking: Asking) -> Response:
    """What there is to say of one frame, or of one type, with its callers or holders."""
    asked = asking.query

    def said(opened: Opened) -> Answer:
        found = pages.selected(asked.question(opened.dumps), opened.ids, frame=asked.frame, type_=asked.type)
        return Answer(msgspec.json.encode(found), pages.JSON)

    return await _given(asking, "selection", said)


async def reveal(asking: Asking) -> Response:
    """A table with the values that a dump holds, which are hidden everywhere else."""
    row = report(asking.body.tab)
    try:
        asked = msgspec.convert(asking.body.parameters, Asked, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the parameters are wrong: {problem}") from None
    opened = await opening(asking, asked.references)
    if isinstance(opened, Job):
        return json(opened.record(), 202)
    # What was revealed is kept nowhere.
    body, media = await asyncio.to_thread(pages.answer, row, asked.question(opened.dumps, row.name, values=True))
    return Response(body, media_type=media)


def report(tab: str) -> Report:
    """The report of a tab; raises `NotFound`."""
    found = pages.report(tab)
    if found is None:
        raise NotFound(f"there is no tab {tab[:50]!r}", hint="/api/d/… lists the tabs of a dump.")
    return found


async def _given(asking: Asking, name: str, make: Callable[[Opened], Answer]) -> Response:
    """The answer as it was given before, or is made now; the job that makes it, where that takes long."""
    opened = await opening(asking, asking.query.references)
    if isinstance(opened, Job):
        return json(opened.record(), 202)
    dumps, key = asking.site.dumps, (name, *opened.ids, asking.query)
    coming = dumps.answers.get(key, lambda: make(opened))
    waiting = asyncio.wrap_future(coming)
    done, _ = await asyncio.wait([waiting], timeout=_PATIENCE_S)
    if not done:
        # Whoever asks again hears what became of it.
        waiting.add_done_callback(lambda future: future.cancelled() or future.exception())
        return json(dumps.awaiting(f"Ask {opened.title} for {name}", key, coming).record(), 202)
    kept = waiting.result()
    return Response(kept.body, media_type=kept.media)


ENDPOINTS = (
    Endpoint("GET", "/api/d", dumps),
    Endpoint("GET", "/api/d/{ids}", dump, Reading, statuses=(200, 202)),
    Endpoint("GET", "/api/d/{ids}/selection", selection, Chosen, statuses=(200, 202)),
    Endpoint(
        "GET",
        "/api/d/{ids}/{tab}",
        answer,
        Asked,
        media=f"application/json, {columns.MEDIA}",
        statuses=(200, 202),
    ),
    Endpoint("POST", "/api/d/{ids}/reveal", reveal, body=Revealed, role="capture", statuses=(200, 202)),
)
