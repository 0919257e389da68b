"""The plain form of every page: what the API answers, as tables and pictures, with links between them and no script."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from caulk.model.errors import CaulkError
from caulk.model.units import format_duration, format_share, format_value
from caulk.views import html
from caulk.views.markup import text
from caulk.web import plain_dumps
from caulk.web.endpoint import Asking, Endpoint, error
from caulk.web.errors import NotFound
from caulk.web.routes import ENDPOINTS
from caulk.web.site import Site

_PLACES = {"/": "Fleet", "/incidents": "Incidents", "/captures": "Dumps", "/jobs": "Jobs", "/rules": "Rules"}
#: What the API is asked for a page, by the first word of its address.
_ASKED = {"": "/api/fleet", "t": "/api/t/{key}", "i": "/api/i/{id}", "captures": "/api/d"}
#: Where a row of a list leads: the list's name, the cell that says where, and the address.
_LINKS = {
    "rows": ("key", "/t/{}"),
    "dumps": ("id", "/d/{}"),
    "incidents": ("id", "/i/{}"),
    "similar": ("id", "/i/{}"),
    "captures": ("id", "/d/{}"),
    "alerts": ("incident", "/i/{}"),
}
_MOST_ROWS = 500
_MOST_TEXT = 2000
_FULL = {
    True: '<a href="{at}">The full page</a> shows the same, and more.',
    False: "This is the plain form: the page was not built with this caulk. <code>make install</code> builds it.",
}
_STYLE = "form{display:flex;flex-wrap:wrap;gap:.5rem;margin:.6rem 0}table table{font-size:.85em}"


class Plain:
    """The pages of a site; `is_built` where there is a full one to go to."""

    def __init__(self, site: Site, *, is_built: bool) -> None:
        self._site, self._is_built = site, is_built
        self._endpoints = {endpoint.path: endpoint for endpoint in ENDPOINTS if endpoint.method == "GET"}

    async def answer(self, request: Request) -> Response:
        """The page at the address of a request."""
        first = request.url.path.split("/")[1]
        if first == "" and self._site.begins_at != "/" and "plain" not in request.query_params:
            return RedirectResponse(self._site.begins_at)
        try:
            if first == "d":
                title, body, status = await plain_dumps.body(self._site, request)
            else:
                title, body, status = *await self._said(request, first), 200
        except CaulkError as problem:
            title, body = "caulk", f"<h1>{text(problem)}</h1><p>{text(problem.hint)}</p>"
            status = error(problem).status_code
        return self._document(request, title, body, status)

    async def _said(self, request: Request, first: str) -> tuple[str, str]:
        path = _ASKED.get(first, f"/api/{first}")
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            raise NotFound(f"nothing answers {path}", hint="The fleet is at /.")
        said = await _told(endpoint, self._site, request)
        title = next((name for at, name in _PLACES.items() if at == request.url.path), request.url.path[1:])
        return title, f"<h1>{text(title)}</h1>{''.join(_record(said))}"

    def _document(self, request: Request, title: str, body: str, status: int) -> Response:
        links = "".join(f'<a href="{at}?plain=1">{name}</a>' for at, name in _PLACES.items())
        style = html.style() + _STYLE
        full = _FULL[self._is_built].format(at=text(request.scope["raw_path"].decode("ascii", "replace")))
        said = (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{text(title)} – caulk</title><style>{style}</style></head>\n"
            f"<body><main><nav><b>caulk</b>{links}</nav>{body}<p class=muted>{full}</p></main></body></html>\n"
        )
        policy = f"default-src 'none'; style-src '{html.hashed(style)}'; base-uri 'none'; form-action 'self'"
        headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
        if status == plain_dumps.WAITING:
            # Without a script the browser asks again by itself.
            headers["Refresh"] = "1"
        return HTMLResponse(said, status, headers)


async def _told(endpoint: Endpoint, site: Site, request: Request) -> Any:
    """What an endpoint answers without any parameter but those of the path."""
    said = await endpoint.handle(Asking(site, request.path_params, endpoint.query(), None, request))
    return msgspec.json.decode(said.body if isinstance(said, Response) else msgspec.json.encode(said))


def _record(said: Mapping[str, Any]) -> Iterator[str]:
    """A record: its facts, then its lists as tables, then what else it has, below its name."""
    facts = {key: value for key, value in said.items() if not isinstance(value, dict | list) and key != "schema"}
    yield "".join(("<dl>", *(f"<dt>{text(key)}</dt><dd>{_value(key, of)}</dd>" for key, of in facts.items()), "</dl>"))
    for key, value in said.items():
        if isinstance(value, list):
            yield f"<h2>{text(key)}</h2>{_rows(key, value)}"
        elif isinstance(value, dict):
            yield f"<h2>{text(key)}</h2>{''.join(_record(value))}"


def _rows(name: str, rows: list[Any]) -> str:
    if not rows:
        return '<p class="muted">None.</p>'
    if not isinstance(rows[0], dict):
        return f"<ul>{''.join(f'<li>{_value(name, row)}</li>' for row in rows[:_MOST_ROWS])}</ul>"
    keys = [key for key in rows[0] if any(row.get(key) not in (None, "", []) for row in rows)]
    head = "".join(f"<th>{text(key)}</th>" for key in keys)
    body = "".join(f"<tr>{''.join(_cell(name, key, row) for key in keys)}</tr>" for row in rows[:_MOST_ROWS])
    left = f'<p class="muted">and {len(rows) - _MOST_ROWS:,} more</p>' if len(rows) > _MOST_ROWS else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{left}'


def _cell(name: str, key: str, row: Mapping[str, Any]) -> str:
    value = row.get(key)
    of, to = _LINKS.get(name, ("", ""))
    if key == of and value:
        return f'<td><a href="{text(to.format(quote(str(value), safe="")))}?plain=1">{text(value)}</a></td>'
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{' class=number' if number else ''}>{_value(key, value)}</td>"


def _value(key: str, value: Any) -> str:
    """A value as people write it: its name says the unit."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return text(msgspec.json.encode(value).decode(), limit=_MOST_TEXT) if value else "–"
    if isinstance(value, str):
        return text(value, limit=_MOST_TEXT)
    if "bytes" in key:
        return format_value(value, "bytes")
    if key in ("share", "progress", "confidence"):
        return format_share(value)
    return format_duration(value) if key.endswith("_s") else f"{value:,.6g}"
