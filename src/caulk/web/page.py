"""The built page: one HTML for every address, and its assets by hashed names; the plain form where it is not built."""

import mimetypes
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

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


class Page:
    """The files of the page, read once: no path of a request reaches the file system."""

    def __init__(self, site: Site, built: Path | None = None) -> None:
        root = built or Path(str(files("caulk.views").joinpath("page")))
        self._site = site
        self._html = (root / "index.html").read_text("utf-8") if (root / "index.html").is_file() else ""
        self._assets = {path.name: path.read_bytes() for path in (root / "assets").glob("*") if path.is_file()}

    @property
    def is_built(self) -> bool:
        """Whether there is one; else every page is plain."""
        return bool(self._html)

    def routes(self) -> Iterable[BaseRoute]:
        """The page at each of its addresses, and its assets."""
        yield Route("/assets/{name}", self._asset)
        for address in ADDRESSES:
            yield Route(address, self._page)

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(self._html)

    async def _asset(self, request: Request) -> Response:
        data = self._assets.get(request.path_params["name"])
        if data is None:
            return Response("no such file\n", 404, media_type="text/plain")
        media = mimetypes.guess_type(request.path_params["name"])[0] or "application/octet-stream"
        return Response(data, media_type=media, headers=_IMMUTABLE)
