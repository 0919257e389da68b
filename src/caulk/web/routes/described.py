"""The API's description of itself."""

from functools import cache
from typing import Any

import msgspec
from starlette.responses import Response

from caulk.web.endpoint import Asking, Endpoint
from caulk.web.openapi import document


async def described(asking: Asking) -> Response:
    """The API as OpenAPI 3.1."""
    return Response(_encoded(), media_type="application/json")


@cache
def _encoded() -> bytes:
    from caulk.web.routes import ENDPOINTS  # noqa: PLC0415  # this one is among them

    whole: dict[str, Any] = document(ENDPOINTS)
    return msgspec.json.encode(whole)


ENDPOINTS = (Endpoint("GET", "/openapi.json", described),)
