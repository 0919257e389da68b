"""The server: the endpoints of every subject behind one guard, and the page in front of them."""

import asyncio
import contextlib
import gzip
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Scope

from caulk.web.endpoint import Endpoint, carried_out, error, json
from caulk.web.errors import NotFound
from caulk.web.page import Page
from caulk.web.routes import ENDPOINTS
from caulk.web.security import Access, Guarded, Refusal, options, refused
from caulk.web.site import Site

#: Pages that do not go away are left behind.
_GRACE_S = 3
_HERE = ("127.0.0.1", "::1")
_WORTHWHILE = 1400


def application(site: Site, page: Path | None = None, access: Access | None = None) -> ASGIApp:
    """The site as an ASGI application, behind its guard.

    `page` is where the built page lies, where that is not in the package; `access` who may ask, and is what the
    settings say where it is not given.
    """
    site.page = page or site.page
    routes = list(_routes(ENDPOINTS, site, Page(site)))
    app = Starlette(routes=routes, exception_handlers={404: _unknown, 500: _broken, Refusal: refused})
    serve = site.config.serve
    site.door = access or Access(serve.address, serve, site.home)
    return Guarded(app, site.door)


def _routes(endpoints: Iterable[Endpoint], site: Site, page: Page) -> Iterable[BaseRoute]:
    for endpoint in endpoints:
        yield _Segmented(endpoint.path, _answering(endpoint, site), methods=[endpoint.method], name=endpoint.path)
    yield from page.routes()


class _Segmented(Route):
    """A route whose parameters are segments as they were written: the key of a workload may hold an escaped `/`."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it is for a request, and its parameters without escapes."""
        written = scope.get("raw_path")
        if scope["type"] != "http" or not written:
            return super().matches(scope)
        match, found = super().matches({**scope, "path": written.decode("ascii", "replace")})
        for name, value in found.get("path_params", {}).items():
            found["path_params"][name] = unquote(value)
        return match, found


def _answering(endpoint: Endpoint, site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await _packed(request, await carried_out(endpoint, site, request))

    return answer


async def _packed(request: Request, response: Response) -> Response:
    """The answer, compressed where it goes over a network; on one machine that takes longer than sending it."""
    body = getattr(response, "body", b"")
    is_far = "x-forwarded-for" in request.headers or request.client is None or request.client.host not in _HERE
    if is_far and len(body) >= _WORTHWHILE and "gzip" in request.headers.get("accept-encoding", ""):
        response.body = await asyncio.to_thread(gzip.compress, body, 1, mtime=0)
        response.headers.update(
            {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Content-Length": str(len(response.body))}
        )
    return response


async def _unknown(request: Request, _: Exception) -> Response:
    return error(NotFound(f"{request.url.path[:200]} is not here", hint="/openapi.json lists what is."))


async def _broken(request: Request, problem: Exception) -> Response:
    said = {
        "what": f"this failed inside caulk: {type(problem).__name__}",
        "hint": "Please report what stands on stderr.",
    }
    return json({"schema": "caulk.error/1"} | said, 500)


async def serve(app: ASGIApp, site: Site, listener: socket.socket) -> None:
    """Serves on a socket that listens, until it is cancelled: then streams end, and answers under way are given."""
    told = options(site.config.serve)
    settings = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=_GRACE_S, **told)
    server = _Server(settings)
    serving = asyncio.ensure_future(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        site.close()
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    """uvicorn, which leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield
