"""Downloads: an answer as a file, for other tools."""

import asyncio
import re
from collections.abc import Sequence
from typing import Literal

from starlette.responses import Response

from caulk import pages
from caulk.web.asked import Asked, opening
from caulk.web.dumps import Known
from caulk.web.endpoint import Asking, Endpoint, json
from caulk.web.jobs import Job
from caulk.web.routes.dumps import report

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 60


class Wanted(Asked, frozen=True):
    """What is to be saved, and as what."""

    tab: str = "flame"
    form: Literal["pprof", "speedscope", "folded", "svg", "csv", "json"] = "json"


async def download(asking: Asking) -> Response:
    """Save an answer as a file; 202 while the dump is read."""
    asked = asking.query
    row = report(asked.tab)
    opened = await opening(asking)
    if isinstance(opened, Job):
        return json(opened.record(), 202)
    body = await asyncio.to_thread(pages.saved, row, asked.question(opened.dumps), asked.form)
    suffix, media = pages.FORMS[asked.form]
    return Response(body, media_type=media, headers=attached(opened.known, row.name, suffix))


def attached(known: Sequence[Known], what: str, suffix: str) -> dict[str, str]:
    """The header that has a browser save an answer, under a name that is one on every system."""
    names = "-".join(dict.fromkeys((known[0].name, known[-1].name)))
    name = _UNSAFE.sub("-", f"{names[:_LONGEST]}-{what}").strip("-.")
    return {"Content-Disposition": f'attachment; filename="{name}{suffix}"'}


ENDPOINTS = (Endpoint("GET", "/d/{ids}/download", download, Wanted, media="application/octet-stream"),)
