"""The probe around an ASGI application: `app = caulk_probe.asgi.Middleware(app)`."""

from __future__ import annotations

from caulk_probe import access, process
from caulk_probe.settings import Settings


class Middleware:
    """Measures HTTP requests, and answers `/metrics`.

    `view` gives the name of what answered, of the scope after the request; without it the route's path (FastAPI) or the
    endpoint's name (Starlette) is used, else `unknown`. Raises `settings.Invalid`.
    """

    def __init__(self, app, *, view=None, settings=None):
        self.app, self.view = app, view or endpoint
        self.settings = settings or Settings()
        process.load(self.settings)

    async def __call__(self, scope, receive, send):
        """Called by the server for each connection."""
        if scope["type"] == "http" and scope["path"] in access.PATHS:
            await self.metrics(scope, send)
            return
        if not self.settings.is_profiling:
            await self.app(scope, receive, send)
            return
        own = process.current()  # at the start of the server too: an idle worker is seen
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = own.begin()
        try:
            await self.app(scope, receive, send)
        finally:
            own.end(token, self.view(scope))

    async def metrics(self, scope, send):
        """One scrape."""
        sent = next((value for name, value in scope["headers"] if name.lower() == b"authorization"), b"")
        status, headers, body = access.answer(self.settings, sent.decode("latin-1"))
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
        encoded.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})


def endpoint(scope):
    """The name of what answered, by what FastAPI and Starlette leave in the scope."""
    path = getattr(scope.get("route"), "path", None)
    if path:
        return path
    found = scope.get("endpoint")
    name = getattr(found, "__qualname__", None) or getattr(type(found), "__qualname__", "")
    return "unknown" if found is None else "{}.{}".format(getattr(found, "__module__", ""), name)
