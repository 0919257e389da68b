"""Who asks, and what happens: the session, and the stream of events."""

from typing import Any

from starlette.responses import Response, StreamingResponse

from caulk import __version__
from caulk.web.endpoint import Asking, Endpoint


async def session(asking: Asking) -> dict[str, Any]:
    """Who the caller is, and what the page can do for them."""
    caller = asking.request.scope.get("caulk.caller")
    return {
        "schema": "caulk.session/1",
        "version": __version__,
        "user": getattr(caller, "name", ""),
        "roles": sorted(getattr(caller, "roles", ("capture", "read"))),
        "is_live": asking.site.loop is not None,
        "begins_at": asking.site.begins_at,
    }


async def events(asking: Asking) -> Response:
    """What happens, as server-sent events: job, fleet, incident, capture."""
    return StreamingResponse(asking.site.events.listen(), media_type="text/event-stream")


ENDPOINTS = (
    Endpoint("GET", "/api/session", session),
    Endpoint("GET", "/api/events", events, media="text/event-stream"),
)
