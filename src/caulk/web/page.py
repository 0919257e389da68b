"""The built page: one HTML for every address, and its assets by hashed names; the plain form where it is not built."""

import gzip
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from caulk.web.plain import Plain
from caulk.web.site import Site

#: The addresses of the page; what stands in them is the page's own business.
ADDRESSES = (
    "/",
    "/t/{key:path}",
    "/d/{ids}",
    "/d/{ids}/{tab}",
    "/i/{id}",
    "/jobs",
    "/rules",
    "/captures",
    "/incidents",
)
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the page, and the same compressed: once, and as far as it goes."""

    data: bytes
    packed: bytes
    media: str

    def sent(self, request: Request, headers: dict[str, str] | None = None) -> Response:
        """The answer to a request for it."""
        headers = {**(headers or {}), "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.data, media_type=self.media, headers=headers)
        return Response(self.packed, media_type=self.media, headers={**headers, "Content-Encoding": "gzip"})


class Page:
    """The files of the page, read once: no path of a request reaches the file system."""

    def __init__(self, site: Site) -> None:
        root = site.page or Path(str(files("caulk.views").joinpath("page")))
        self._site = site
        html = root / "index.html"
        self._html = _read(html) if html.is_file() else None
        self._assets = {path.name: _read(path) for path in (root / "assets").glob("*") if path.is_file()}
        self._plain = Plain(site, is_built=self._html is not None)

    def routes(self) -> Iterable[BaseRoute]:
        """The page at each of its addresses, and its assets."""
        yield Route("/assets/{name}", self._asset)
        for address in ADDRESSES:
            yield Route(address, self._page)

    async def _page(self, request: Request) -> Response:
        if self._html is None or "plain" in request.query_params:
            return await self._plain.answer(request)
        return self._html.sent(request, {"Link": ", ".join(map(_ahead, self._first_asked(request)))})

    def _first_asked(self, request: Request) -> Iterable[str]:
        """What the page will ask for first: a browser that knows does so while it still reads the script."""
        yield "/api/session"
        written = request.scope["raw_path"].decode("ascii", "replace")
        parts = [quote(unquote(part), safe="") for part in written.strip("/").split("/")]
        match parts:
            case [""]:
                yield "/api/fleet"
            case ["t", key]:
                yield f"/api/t/{key}"
            case ["d", ids, *tab] if not request.url.query:
                yield f"/api/d/{ids}"
                # Of what must be read first there is no answer yet, and the page would take that for one later.
                if self._site.dumps.are_open(unquote(ids)):
                    yield f"/api/d/{ids}/suspects"
                    yield from (f"/api/d/{ids}/{name}" for name in tab if name in ("flame", "tree"))

    async def _asset(self, request: Request) -> Response:
        file = self._assets.get(request.path_params["name"])
        if file is None:
            return Response("no such file\n", 404, media_type="text/plain")
        return file.sent(request, _IMMUTABLE)


def _ahead(path: str) -> str:
    return f"<{path}>; rel=preload; as=fetch; crossorigin=anonymous"


def _read(path: Path) -> _File:
    data = path.read_bytes()
    return _File(
        data, gzip.compress(data, 9, mtime=0), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
