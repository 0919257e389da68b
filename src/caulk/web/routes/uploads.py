"""Uploads: a dump that a browser sends, and how it goes again."""

import asyncio
from typing import Annotated, Any

from msgspec import Meta
from starlette.responses import Response

from caulk.model.errors import UsageError
from caulk.web.endpoint import Asking, Endpoint, Query, json


class Named(Query, frozen=True):
    """What the sender calls it; a label, which no file has for a name."""

    name: Annotated[str, Meta(max_length=1000)] = ""


async def upload(asking: Asking) -> Response:
    """Take a dump: the body is the file as it is."""
    dumps = asking.site.dumps
    file, label = await dumps.uploads.take(asking.request.stream(), asking.query.name)
    if not file.stat().st_size:
        dumps.uploads.remove(file)
        raise UsageError("the upload is empty", hint="The body of the request is the dump.")
    number = await asyncio.to_thread(dumps.add, file, name=label, origin="upload")
    return json({"schema": "caulk.upload/1", "id": number, "name": label}, 201)


async def remove(asking: Asking) -> dict[str, Any]:
    """Delete a dump that was uploaded."""
    await asyncio.to_thread(asking.site.dumps.remove, asking.path["id"])
    return {"schema": "caulk.upload/1", "id": asking.path["id"]}


ENDPOINTS = (
    Endpoint("PUT", "/api/uploads", upload, Named, role="capture", statuses=(201,)),
    Endpoint("DELETE", "/api/uploads/{id}", remove, role="capture"),
)
