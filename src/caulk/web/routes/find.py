"""Find: whatever has a name, from one box."""

import asyncio
from typing import Annotated

from msgspec import Meta

from caulk.web.endpoint import Asking, Endpoint, Query
from caulk.web.find import FindAnswer


class Words(Query, frozen=True):
    """What is looked for: words that are all in the name."""

    q: Annotated[str, Meta(max_length=200)] = ""


async def find(asking: Asking) -> FindAnswer:
    """Targets, incidents, dumps, and the types and functions of open dumps, by their names; the best first."""
    site = asking.site
    found = await asyncio.to_thread(site.finder.find, asking.query.q, site.dumps, site.kept, site.loop)
    return FindAnswer(found=tuple(found))


ENDPOINTS = (Endpoint("GET", "/api/find", find, Words, answer=FindAnswer),)
