"""Downloads: an answer as a file, for other tools."""

import asyncio
import re
from collections.abc import Sequence
from typing import Literal

from starlette.responses import HTMLResponse, Response

from caulk import app, pages
from caulk.views import html, onefile
from caulk.web.asked import Asked, Reading, opened
from caulk.web.dumps import Known
from caulk.web.endpoint import Asking, Endpoint
from caulk.web.routes.dumps import report

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 60
_MEDIA = ", ".join(dict.fromkeys(media for _, media in pages.FORMS.values()))


class Wanted(Asked, frozen=True):
    """What is to be saved, and as what."""

    tab: str = "flame"
    form: Literal["pprof", "speedscope", "folded", "svg", "csv", "json"] = "json"


async def download(asking: Asking) -> Response:
    """Save an answer as a file, once the dump is read."""
    asked = asking.query
    row = report(asked.tab)
    dumps = await opened(asking, asked.references)
    question = asked.question(dumps.dumps, row.name, serve=asking.site.config.serve)
    body = await asyncio.to_thread(pages.saved, row, question, asked.form)
    suffix, media = pages.FORMS[asked.form]
    return Response(body, media_type=media, headers=attached(dumps.known, row.name, suffix))


async def one_file(asking: Asking) -> Response:
    """The page of the dumps as one file that opens without a server."""
    dumps = await opened(asking, asking.query.references)
    page = onefile.built(asking.site.page)
    question = Asked().question(dumps.dumps)

    def written() -> str:
        return app.one_file(question, page=page, ids=dumps.ids)

    policy = page.policy if page else html.policy()
    headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
    return HTMLResponse(await asyncio.to_thread(written), headers=headers)


def attached(known: Sequence[Known], what: str, suffix: str) -> dict[str, str]:
    """The header that has a browser save an answer, under a name that is one on every system."""
    names = "-".join(dict.fromkeys((known[0].name, known[-1].name)))
    name = _UNSAFE.sub("-", f"{names[:_LONGEST]}-{what}").strip("-.")
    return {"Content-Disposition": f'attachment; filename="{name}{suffix}"'}


ENDPOINTS = (
    Endpoint("GET", "/d/{ids}/download", download, Wanted, media=_MEDIA),
    Endpoint("GET", "/d/{ids}/report.html", one_file, Reading, media="text/html"),
)
