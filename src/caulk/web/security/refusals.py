"""Refusals: what a request is told that may not, or may not now; as JSON, or as a page to a browser."""

import html
from collections.abc import Mapping

import msgspec
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>caulk: {title}</title><link rel="stylesheet" href="/login.css"></head>
<body><main><h1>caulk</h1>
{body}
</main></body></html>
"""


class Refusal(HTTPException):
    """A request is not carried out: the status, what is wrong, and what to do."""

    def __init__(self, status: int, what: str, *, hint: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(status, what, headers)
        self.hint = hint


async def refused(request: Request, refusal: Exception) -> Response:
    """The answer to a request that is refused within the application: `exception_handlers={Refusal: refused}`."""
    if not isinstance(refusal, Refusal):
        raise refusal
    return answer(request.scope, refusal)


def answer(scope: Scope, refusal: Refusal) -> Response:
    """The refusal as a page where a browser shows it, else as JSON (`caulk.error/1`)."""
    if wants_page(scope):
        body = f"<p role=alert>{html.escape(refusal.detail)}.</p><p>{html.escape(refusal.hint)}</p>"
        return page(str(refusal.status_code), body, refusal.status_code, refusal.headers)
    said = {"schema": "caulk.error/1", "what": refusal.detail, "hint": refusal.hint}
    return Response(msgspec.json.encode(said), refusal.status_code, refusal.headers, "application/json")


def wants_page(scope: Scope) -> bool:
    """Whether a person looks at the answer."""
    return "text/html" in Headers(scope=scope).get("accept", "") and not scope["path"].startswith("/api/")


def page(title: str, body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A small page without script; `body` is HTML."""
    return HTMLResponse(_PAGE.format(title=title, body=body), status, headers)
