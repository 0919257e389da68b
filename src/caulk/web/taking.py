"""Captures from the page: what could be had of a replica and what it costs, and the job that takes one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from caulk.app import Talk
from caulk.capture import doctor, places, take
from caulk.capture.offers import Offer, against, chosen, offers
from caulk.config.schema import Keep
from caulk.model.capture import Evidence
from caulk.model.errors import CaptureFailed, CaulkError, Unreachable
from caulk.model.watching import Observation
from caulk.ports import Progress, Reach
from caulk.store.captures import Entry
from caulk.watch.fleet import Row
from caulk.watch.rules import worst
from caulk.web.ended import ended
from caulk.web.errors import NotFound
from caulk.web.jobs import Job
from caulk.web.records import Answer

if TYPE_CHECKING:
    from caulk.web.site import Site

_FORCE = "Send force, or choose another way, to take it all the same."


class Offered(Answer, frozen=True, kw_only=True):
    """A way to capture, what it costs, and what stands against it; one that is `refused` would work."""

    as_: str = msgspec.field(name="as")
    method: str
    evidence: Evidence
    standing: Literal["ready", "needs", "unsafe", "impossible", "refused"]
    pause_s: float
    extra_bytes: int
    disk_bytes: int
    size_bytes: int
    directory: str
    why: str
    fix: str
    obstacles: tuple[str, ...]
    is_open: bool


class Budget(Answer, frozen=True, kw_only=True):
    """How many captures the caller may still take of the workload, of how many in so many seconds."""

    left: int
    of: int
    window_s: float


class Plan(Answer, frozen=True, kw_only=True):
    """What could be captured of a replica, the richest first; `chosen` is what would be taken."""

    schema: Literal["caulk.plan/1"] = "caulk.plan/1"
    target: str
    replica: str
    notes: tuple[str, ...]
    fixes: tuple[str, ...]
    chosen: str | None
    offers: tuple[Offered, ...]
    headroom_bytes: int | None
    budget: Budget | None


def replica_of(row: Row, name: str = "") -> Observation:
    """The replica of that name, or the one that holds most; raises `NotFound`, or `CaptureFailed` without a target."""
    found = next((seen for seen in row.observations if seen.replica == name), None) if name else worst(row.observations)
    if found is None:
        raise NotFound(
            f"{row.workload.name} has no replica {name[:200]!r} now"
            if name
            else f"{row.workload.name} does not run now",
            hint="Its page lists those that run.",
        )
    if found.target is None:
        raise CaptureFailed(
            f"nobody knows how to reach {found.replica} of {row.workload.name}: its source of readings names no target",
            hint="[[watch.sources]] target says what to capture.",
        )
    return found


@contextmanager
def reached(site: "Site", seen: Observation) -> Iterator[Reach]:
    """The verbs on a replica, for as long as they are needed."""
    assert seen.target is not None
    reach = places.reach(seen.target, site.access)
    try:
        yield reach
    finally:
        reach.close()


def plan(site: "Site", row: Row, *, replica: str = "", as_: str = "", caller: str = "") -> Plan:
    """What `caulk capture --plan` says. Asks the target, which may take seconds."""
    seen = replica_of(row, replica)
    with reached(site, seen) as reach:
        found = offers(reach, site.access, site.captures.free_bytes())
        answer = doctor.table(reach.target, found)
        try:
            headroom = reach.room().free
        except CaulkError:
            headroom = None
    try:
        best: str | None = chosen(found, as_).way.alias
    except CaptureFailed:
        best = None
    return Plan(
        target=reach.target.reference,
        replica=seen.replica,
        notes=answer.notes,
        fixes=tuple(doctor.fixes(reach.target, found)),
        chosen=best,
        offers=tuple(map(_offered, found)),
        headroom_bytes=headroom,
        budget=_budget(site, row, caller),
    )


def _budget(site: "Site", row: Row, caller: str) -> Budget | None:
    if site.door is None:
        return None
    # As the guard counts them.
    left = site.door.limits["capture"].left(f"by {caller}", f"of {row.workload.key}")
    settings = site.door.settings
    return Budget(left=left, of=settings.captures, window_s=float(settings.window))


def admitted(site: "Site", row: Row, *, replica: str, as_: str, is_forced: bool) -> Observation:
    """The replica, once the guard has been heard; raises `CaptureFailed` with its reasons where it refuses."""
    seen = replica_of(row, replica)
    with reached(site, seen) as reach:
        _admit(chosen(offers(reach, site.access, site.captures.free_bytes()), as_), is_forced=is_forced)
    return seen


def begun(site: "Site", row: Row, seen: Observation, *, as_: str, is_forced: bool) -> Job:
    """The job that takes it; its result has the capture's id."""

    def task(talk: Talk, job: Job) -> dict[str, Any]:
        entry = _taken(site, seen, as_=as_, is_forced=is_forced, talk=talk, job=job)
        _forget(site)
        site.kept.stock(is_new=True)
        job.log += entry.manifest.warnings
        return {"id": entry.manifest.id, "complete": entry.manifest.complete, "workload": row.workload.key}

    assert seen.target is not None
    whose = f"{row.workload.name}, {_named(seen.replica)}" if row.replicas > 1 else row.workload.name
    return site.jobs.begin("capture", f"Capture {whose}", task, key=f"capture {seen.target.reference}")


def _named(replica: str) -> str:
    """A replica for people, as the page calls it: some have no name but the number of their slot, from 0."""
    return f"replica {int(replica) + 1}" if replica.isdecimal() else replica


def _taken(site: "Site", seen: Observation, *, as_: str, is_forced: bool, talk: Talk, job: Job) -> Entry:
    with reached(site, seen) as reach:
        for cut in site.captures.unfinished(reach.target.reference):
            if finished := _resumed(site, cut, reach, talk.progress):
                return finished
        # Since it was asked for, others may have taken the room.
        offer = chosen(offers(reach, site.access, site.captures.free_bytes()), as_)
        job.log += [f"although {one}" for one in _admit(offer, is_forced=is_forced)]
        try:
            return take.capture(offer, reach, site.captures, talk.progress)
        except (CaptureFailed, Unreachable) as error:
            if end := ended(reach.target, site.access):
                raise CaptureFailed(f"{end}, while {offer.way.alias} was taken", hint=str(error)) from error
            raise


def _resumed(site: "Site", entry: Entry, reach: Reach, progress: Progress) -> Entry | None:
    """A capture that was cut, gone on with; None where it was whole, or cannot be gone on with."""
    try:
        finished = take.resume(entry, reach, site.captures, progress)
    except CaptureFailed:
        return None
    return None if entry.manifest.complete else finished


def _admit(offer: Offer, *, is_forced: bool) -> list[str]:
    standing = against(offer)
    if standing and not is_forced:
        raise CaptureFailed(f"{offer.way.alias} was not taken: {'; '.join(standing)}", hint=_FORCE)
    return standing


def _forget(site: "Site") -> None:
    """Deletes the oldest captures beyond the quotas of `[keep]`."""
    keep = site.config.keep
    if keep != Keep():
        for entry in site.captures.excess(keep.size, keep.count, keep.age):
            site.captures.remove(entry)


def _offered(offer: Offer) -> Offered:
    cost = offer.cost
    return Offered(
        as_=offer.way.alias,
        method=offer.way.name,
        evidence=offer.way.evidence,
        standing=doctor.standing(offer),
        pause_s=cost.pause_s,
        extra_bytes=cost.extra_bytes,
        disk_bytes=cost.disk_bytes,
        size_bytes=cost.size_bytes,
        directory=cost.directory,
        why="; ".join(offer.obstacles) or offer.check.why,
        fix=offer.check.fix,
        obstacles=offer.obstacles,
        is_open=offer.is_open,
    )
