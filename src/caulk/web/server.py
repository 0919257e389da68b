"""The server: the endpoints of every subject behind one guard, and the page in front of them."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from caulk.web.endpoint import Endpoint, NotFound, carried_out, error
from caulk.web.page import Page
from caulk.web.routes import ENDPOINTS
from caulk.web.site import Site

#: Pages that do not go away are left behind.
_GRACE_S = 3


def application(site: Site, page: Path | None = None) -> Starlette:
    """The site as an ASGI application; `page` is where the built page lies, where that is not in the package."""
    app = Starlette(routes=list(_routes(ENDPOINTS, site, Page(site, page))), exception_handlers={404: _unknown})
    # Cheap and quick: figures shrink to a tenth at any level.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)
    return app


def _routes(endpoints: Iterable[Endpoint], site: Site, page: Page) -> Iterable[BaseRoute]:
    for endpoint in endpoints:
        yield Route(endpoint.path, _answering(endpoint, site), methods=[endpoint.method], name=endpoint.path)
    yield from page.routes()


def _answering(endpoint: Endpoint, site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await carried_out(endpoint, site, request)

    return answer


async def _unknown(request: Request, _: Exception) -> Response:
    return error(NotFound(f"{request.url.path[:200]} is not here", hint="/openapi.json lists what is."))


async def serve(app: Starlette, site: Site, *, host: str, port: int, on_ready: Callable[[int], object]) -> None:
    """Serves until it is cancelled or asked to end; `on_ready` hears the port that it listens on."""
    settings = uvicorn.Config(
        app, host, port, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=_GRACE_S
    )
    server = _Server(settings, on_ready)
    try:
        await server.serve()
    finally:
        site.close()


class _Server(uvicorn.Server):
    """uvicorn, which says when it listens, and leaves signals to whoever runs it."""

    def __init__(self, settings: uvicorn.Config, on_ready: Callable[[int], object]) -> None:
        super().__init__(settings)
        self._on_ready = on_ready

    async def startup(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        """Listens."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._on_ready(self.servers[0].sockets[0].getsockname()[1])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield
