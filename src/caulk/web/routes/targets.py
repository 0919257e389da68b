"""One workload: what is said of it, its memory over time, what it is made of, and captures of it."""

import asyncio
import time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from caulk.capture import memory as parts
from caulk.model.breakdown import Advice, Slice
from caulk.model.errors import UsageError
from caulk.web import taking
from caulk.web.compare import Compared, compare
from caulk.web.endpoint import Asking, Endpoint, Query, json
from caulk.web.fleet import Newest
from caulk.web.memory import MemoryAnswer, memory
from caulk.web.records import Answer
from caulk.web.target import TargetAnswer, row_of, target

_DAY_S = 86400.0
_Time = Annotated[float, Meta(ge=0, le=1e11)]
_Name = Annotated[str, Meta(max_length=500)]
_Between = Annotated[str, Meta(pattern=r"^[0-9]{1,11}(\.[0-9]{1,6})?,[0-9]{1,11}(\.[0-9]{1,6})?$")]


class Stretch(Query, frozen=True):
    """Seconds since 1970, the last day without them; `points` a replica at most."""

    begin: _Time | None = None
    end: _Time | None = None
    points: Annotated[int, Meta(ge=2, le=5000)] = 600


class Replica(Query, frozen=True):
    """Which replica; without a name the one that holds most."""

    replica: _Name = ""


class Way(Replica, frozen=True):
    """Which way, as `caulk doctor` calls it; without one the richest that is open."""

    as_: _Name = msgspec.field(default="", name="as")


class Two(Query, frozen=True):
    """Two stretches of time, each `begin,end` in seconds since 1970."""

    a: _Between
    b: _Between


class Wanted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A capture that is asked for; with `force` although a guard refuses it."""

    as_: _Name = msgspec.field(default="", name="as")
    force: bool = False
    replica: _Name = ""


async def one(asking: Asking) -> TargetAnswer:
    """One workload: its replicas, what happened to it, what was said of it, its dumps and incidents."""
    return await asyncio.to_thread(target, asking.site, asking.path["key"])


async def readings(asking: Asking) -> MemoryAnswer:
    """Its memory over time, and where that goes."""
    site, query = asking.site, asking.query
    end = time.time() if query.end is None else query.end
    begin = end - _DAY_S if query.begin is None else query.begin
    if begin > end:
        raise UsageError("the query is wrong: begin is after end")

    def asked() -> MemoryAnswer:
        return memory(site.history, row_of(site, asking.path["key"]), begin, end, query.points)

    return await asyncio.to_thread(asked)


class Kinds(Answer, frozen=True, kw_only=True):
    """What memory is, as `caulk memory -o json` says it; slices add up to the limit, or to all that is used."""

    schema: Literal["caulk.memory/1"] = "caulk.memory/1"
    target: str
    replica: str
    slices: tuple[Slice, ...]
    used: int
    limit: int | None
    peak: int
    kills: int
    notes: tuple[str, ...]
    advice: Advice


async def kinds(asking: Asking) -> Kinds:
    """What its memory is, kind by kind, and what limit would fit: as `caulk memory` says. The program is not asked."""

    def looked() -> Kinds:
        seen = taking.replica_of(row_of(asking.site, asking.path["key"]), asking.query.replica)
        with taking.reached(asking.site, seen) as reach:
            now, advice = parts.look(reach)
        return Kinds(
            target=reach.target.reference,
            replica=seen.replica,
            slices=now.slices,
            used=now.used,
            limit=now.limit,
            peak=now.peak,
            kills=now.kills,
            notes=now.notes,
            advice=advice,
        )

    return await asyncio.to_thread(looked)


async def compared(asking: Asking) -> Compared:
    """Two stretches of time beside each other: means, floors, growth, and the dumps of each."""
    site, key = asking.site, asking.path["key"]
    a, b = ([float(at) for at in said.split(",")] for said in (asking.query.a, asking.query.b))

    def asked() -> Compared:
        row = row_of(site, key)
        dumps = [entry for entry, _ in Newest(site.kept.stock()).all_of(row)]
        return compare(site.history, key, (a[0], a[1]), (b[0], b[1]), dumps)

    return await asyncio.to_thread(asked)


async def planned(asking: Asking) -> taking.Plan:
    """What could be captured of it, what each way would cost, and what forbids it: as `caulk capture --plan` says."""
    site, query = asking.site, asking.query
    row = await asyncio.to_thread(row_of, site, asking.path["key"])
    return await asyncio.to_thread(
        lambda: taking.plan(site, row, replica=query.replica, as_=query.as_, caller=asking.caller)
    )


async def capture(asking: Asking) -> Response:
    """Take a capture of it: 202 with a job; 409 with the reasons where a guard refuses."""
    site, body = asking.site, asking.body
    row = await asyncio.to_thread(row_of, site, asking.path["key"])
    seen = await asyncio.to_thread(
        lambda: taking.admitted(site, row, replica=body.replica, as_=body.as_, is_forced=body.force)
    )
    job = taking.begun(site, row, seen, as_=body.as_, is_forced=body.force)
    return json(job.record(), 202)


ENDPOINTS = (
    Endpoint("GET", "/api/t/{key}", one, answer=TargetAnswer),
    Endpoint("GET", "/api/t/{key}/memory", readings, Stretch, answer=MemoryAnswer),
    Endpoint("GET", "/api/t/{key}/kinds", kinds, Replica, answer=Kinds),
    Endpoint("GET", "/api/t/{key}/compare", compared, Two, answer=Compared),
    Endpoint("GET", "/api/t/{key}/plan", planned, Way, answer=taking.Plan),
    Endpoint("POST", "/api/t/{key}/captures", capture, body=Wanted, role="capture", statuses=(202,)),
)
