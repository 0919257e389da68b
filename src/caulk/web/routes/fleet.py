"""The fleet: every workload that is watched, and the last day of those that are in sight."""

import asyncio
from typing import Annotated

from msgspec import Meta
from starlette.responses import Response

from caulk.web.endpoint import Asking, Endpoint, Query
from caulk.web.records import FleetAnswer, Sparks
from caulk.web.sparks import sparks as drawn

_Key = Annotated[str, Meta(max_length=2000)]


class Keys(Query, frozen=True):
    """Which workloads; those that nobody knows are left out of the answer."""

    key: Annotated[tuple[_Key, ...], Meta(max_length=100)] = ()


async def fleet(asking: Asking) -> Response:
    """Every workload that is watched with what is said of it, what is open, and how the sources do."""
    site = asking.site
    data = await asyncio.to_thread(site.fleet.encoded, site.loop, site.kept, site.jobs, site.config.keep.size)
    return Response(data, media_type="application/json")


async def sparks(asking: Asking) -> Sparks:
    """The last day of up to 100 workloads, in few points: memory, and its floor."""
    return Sparks(rows=await asyncio.to_thread(drawn, asking.site.history, asking.query.key))


ENDPOINTS = (
    Endpoint("GET", "/api/fleet", fleet, answer=FleetAnswer),
    Endpoint("GET", "/api/sparks", sparks, Keys, answer=Sparks),
)
