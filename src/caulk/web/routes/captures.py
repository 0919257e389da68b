"""Captures: what there is, what it takes on disk, one of them as a file, and how to be rid of it."""

import asyncio
from typing import Literal

from starlette.responses import FileResponse, Response

from caulk.model.target import Target
from caulk.store.captures import Entry
from caulk.web.endpoint import Asking, Endpoint
from caulk.web.errors import NotFound
from caulk.web.fleet import disk
from caulk.web.kept import Stock
from caulk.web.records import Answer, Disk
from caulk.web.replay import Named
from caulk.web.security import Audit, caller


class CaptureRow(Answer, frozen=True, kw_only=True):
    """A capture; `size_bytes` is its content, `packed_bytes` what that takes on disk where it is compressed."""

    id: str
    workload: Named | None
    target: str
    runtime: str
    taken_at: str
    size_bytes: int
    disk_bytes: int
    packed_bytes: int | None
    format: str
    evidence: str
    method: str
    complete: bool
    incident: str | None
    suspect: str | None
    is_open: bool


class CapturesAnswer(Answer, frozen=True, kw_only=True):
    """Captures, the newest first."""

    schema: Literal["caulk.captures/1"] = "caulk.captures/1"
    captures: tuple[CaptureRow, ...]
    disk: Disk


class Deleted(Answer, frozen=True, kw_only=True):
    """A capture that is gone."""

    schema: Literal["caulk.deleted/1"] = "caulk.deleted/1"
    id: str
    freed_bytes: int


async def captures(asking: Asking) -> CapturesAnswer:
    """Every capture, and what they take on disk."""
    return await asyncio.to_thread(_listed, asking)


async def delete(asking: Asking) -> Deleted:
    """Delete a capture for good; who did it is in the audit log."""
    return await asyncio.to_thread(_deleted, asking)


async def file(asking: Asking) -> Response:
    """The capture's file as it is kept, with every value in it; who took it is in the audit log."""
    entry = await asyncio.to_thread(_one, asking)
    if not entry.manifest.complete:
        raise NotFound(
            f"{entry.manifest.id} is not complete", hint="`caulk capture` of the same target goes on with it."
        )
    await asyncio.to_thread(_noted, asking, "download")
    suffix = "".join(entry.path.suffixes)
    return FileResponse(entry.path, media_type="application/octet-stream", filename=f"{entry.manifest.id}{suffix}")


def _listed(asking: Asking) -> CapturesAnswer:
    site, stock = asking.site, asking.site.kept.stock()
    rows = tuple(_rows(asking, stock))
    return CapturesAnswer(captures=rows, disk=disk(stock, site.config.keep.size))


def _rows(asking: Asking, stock: Stock) -> list[CaptureRow]:
    site = asking.site
    opened = {known.id for known in site.dumps.all() if site.dumps.is_open(known)}
    taken_for = {number: incident for incident in reversed(stock.incidents) for number in incident.captures}
    seen = site.loop.fleet.observations() if site.loop else []
    running = {_known_as(one.target): one.workload for one in seen if one.target}
    suspects = stock.suspects()
    rows = []
    for entry in stock.entries:
        manifest = entry.manifest
        incident = taken_for.get(manifest.id)
        whose = incident.workload if incident else running.get((manifest.target.reference, manifest.target.name))
        rows.append(
            CaptureRow(
                id=manifest.id,
                workload=Named(key=whose.key, name=whose.name) if whose else None,
                target=manifest.target.reference or manifest.target.name,
                runtime=manifest.target.runtime,
                taken_at=manifest.taken_at,
                size_bytes=manifest.size_bytes,
                disk_bytes=stock.sizes[manifest.id],
                packed_bytes=manifest.packed_bytes,
                format=manifest.format,
                evidence=manifest.evidence,
                method=manifest.method,
                complete=manifest.complete,
                incident=incident.id if incident else None,
                suspect=suspects.get(manifest.id),
                is_open=manifest.id in opened,
            )
        )
    return rows


def _deleted(asking: Asking) -> Deleted:
    site, entry = asking.site, _one(asking)
    _noted(asking, "delete")
    freed = entry.size_bytes
    site.captures.remove(entry)
    site.kept.stock(is_new=True)
    return Deleted(id=entry.manifest.id, freed_bytes=freed)


def _noted(asking: Asking, action: str) -> None:
    Audit(asking.site.home).note(caller(asking.request), action, asking.path["id"])


def _one(asking: Asking) -> Entry:
    number = asking.path["id"]
    found = next((one for one in asking.site.captures.all() if one.manifest.id == number), None)
    if found is None:
        raise NotFound(f"there is no capture {number[:200]!r}", hint="/api/captures lists what there is.")
    return found


def _known_as(target: Target) -> tuple[str, str]:
    return target.reference, target.name


ENDPOINTS = (
    Endpoint("GET", "/api/captures", captures, answer=CapturesAnswer),
    Endpoint("DELETE", "/api/captures/{id}", delete, answer=Deleted, role="capture"),
    Endpoint("GET", "/captures/{id}/file", file, media="application/octet-stream", role="capture"),
)
