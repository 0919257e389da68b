"""Incidents: the list, one of them, what people write to it, and its report as a file."""

import asyncio
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from caulk.model.incident import Incident
from caulk.watch.telling import document, markdown
from caulk.web import incidents
from caulk.web.endpoint import Asking, Endpoint, Query, json
from caulk.web.incident_page import page, policy

_Text = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Which(Query, frozen=True):
    """Which incidents: those in a state, of a workload (its key), like another (its fingerprint)."""

    state: Literal["", "open", "closed"] = ""
    workload: Annotated[str, Meta(max_length=2000)] = ""
    like: Annotated[str, Meta(max_length=200)] = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Note(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What somebody writes to an incident."""

    text: _Text


class Closing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why it is over, if anybody says."""

    note: Annotated[str, Meta(max_length=10_000)] = ""


async def every(asking: Asking) -> incidents.IncidentsAnswer:
    """Incidents, the newest first."""
    query = asking.query
    return await asyncio.to_thread(
        lambda: incidents.listed(
            asking.site, state=query.state, workload=query.workload, like=query.like, limit=query.limit
        )
    )


async def one(asking: Asking) -> incidents.IncidentAnswer:
    """One incident: why, what was done, what was found, how it is now, and others like it."""
    return await asyncio.to_thread(incidents.whole, asking.site, asking.path["id"])


async def note(asking: Asking) -> incidents.IncidentAnswer:
    """Write something to an incident; everybody who sees it reads that."""
    number = asking.path["id"]
    await asyncio.to_thread(incidents.note, asking.site, number, asking.body.text, asking.caller)
    return await asyncio.to_thread(incidents.whole, asking.site, number)


async def close(asking: Asking) -> incidents.IncidentAnswer:
    """Close an incident by hand."""
    number = asking.path["id"]
    await asyncio.to_thread(incidents.close, asking.site, number, asking.body.note, asking.caller)
    return await asyncio.to_thread(incidents.whole, asking.site, number)


async def as_markdown(asking: Asking) -> Response:
    """The incident for a ticket."""
    text = markdown(await _one(asking))
    return _file(asking, text, "text/markdown; charset=utf-8", "md")


async def as_json(asking: Asking) -> Response:
    """The incident for a program."""
    answer = json(document(await _one(asking)))
    answer.headers["Content-Disposition"] = _named(asking, "json")
    return answer


async def as_page(asking: Asking) -> Response:
    """The incident in one file without a script, to be mailed and kept."""
    text = await asyncio.to_thread(page, asking.site, await _one(asking))
    answer = _file(asking, text, "text/html; charset=utf-8", "")
    answer.headers["Content-Security-Policy"] = policy()
    return answer


async def _one(asking: Asking) -> Incident:
    return await asyncio.to_thread(incidents.one, asking.site, asking.path["id"])


def _file(asking: Asking, text: str, media: str, suffix: str) -> Response:
    headers = {"Content-Disposition": _named(asking, suffix)} if suffix else {}
    return Response(text.encode("utf-8", "replace"), media_type=media, headers=headers)


def _named(asking: Asking, suffix: str) -> str:
    """It is there, so its id is one: letters, digits, dots and hyphens."""
    return f'attachment; filename="caulk-{asking.path["id"]}.{suffix}"'


ENDPOINTS = (
    Endpoint("GET", "/api/incidents", every, Which, answer=incidents.IncidentsAnswer),
    Endpoint("GET", "/api/i/{id}", one, answer=incidents.IncidentAnswer),
    Endpoint("POST", "/api/i/{id}/notes", note, body=Note, answer=incidents.IncidentAnswer, role="capture"),
    Endpoint("POST", "/api/i/{id}/close", close, body=Closing, answer=incidents.IncidentAnswer, role="capture"),
    Endpoint("GET", "/i/{id}/report.md", as_markdown, media="text/markdown"),
    Endpoint("GET", "/i/{id}/report.json", as_json),
    Endpoint("GET", "/i/{id}/report.html", as_page, media="text/html"),
)
