"""The probe around a WSGI application: `application = caulk_probe.wsgi.Middleware(application)`."""

from __future__ import annotations

from caulk_probe import access, process
from caulk_probe.settings import Settings

_REASONS = {200: "200 OK", 401: "401 Unauthorized", 500: "500 Internal Server Error"}


class Middleware:
    """Measures requests until their last byte is given, and answers `/metrics`.

    `view` gives the name of what answered, of the WSGI environment after the request; without it Flask's endpoint is
    used, else `unknown`. Paths are no names: there are too many. Raises `settings.Invalid`.
    """

    def __init__(self, application, *, view=None, settings=None):
        self.application, self.view = application, view or endpoint
        self.settings = settings or Settings()
        process.load(self.settings)

    def __call__(self, environ, start_response):
        """Called by the server for each request."""
        if environ.get("PATH_INFO", "") in access.PATHS:
            status, headers, body = access.answer(self.settings, environ.get("HTTP_AUTHORIZATION", ""))
            start_response(_REASONS[status], [*headers, ("Content-Length", str(len(body)))])
            return [body]
        if not self.settings.is_profiling:
            return self.application(environ, start_response)
        own = process.current()
        token = own.begin()
        try:
            body = self.application(environ, start_response)
        except BaseException:
            own.end(token, self.view(environ))
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):  # the server sends a file, by its own means
            own.end(token, self.view(environ))
            return body
        kind = _Sized if hasattr(type(body), "__len__") else _Body
        return kind(body, own, token, self.view, environ)


def endpoint(environ):
    """Flask's endpoint, by what Werkzeug leaves in the environment."""
    return getattr(environ.get("werkzeug.request"), "endpoint", None) or "unknown"


class _Body:
    """A response's body, which the server closes when it has sent it."""

    def __init__(self, body, own, token, view, environ):
        self.body, self.own, self.token, self.view, self.environ = body, own, token, view, environ

    def __iter__(self):
        return iter(self.body)

    def close(self):
        """Once, as a server does it whatever happens."""
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            if self.token is not None:
                self.body = ()
                token, self.token = self.token, None
                self.own.end(token, self.view(self.environ))


class _Sized(_Body):
    """One whose number of pieces is known, by which servers tell the length of a single one."""

    def __len__(self):
        return len(self.body)
