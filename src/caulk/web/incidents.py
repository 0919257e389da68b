"""Incidents as pages have them: a row each, and everything about one of them."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from caulk.model.decoding import converted
from caulk.model.errors import Unreachable, UsageError
from caulk.model.incident import Alert, Incident, Moment, What
from caulk.model.records import Finding, Verdict
from caulk.model.target import Target
from caulk.model.units import iso
from caulk.watch.telling import document, headline
from caulk.web.errors import NotFound
from caulk.web.records import Answer
from caulk.web.target import Judged, judged

if TYPE_CHECKING:
    from caulk.store.incidents import Incidents
    from caulk.web.site import Site

_MOST_SIMILAR = 20


class WorkloadRecord(Answer, frozen=True, kw_only=True):
    """A workload by its names."""

    key: str
    name: str
    runtime: str


class IncidentRow(Answer, frozen=True, kw_only=True):
    """An incident in a line; `fingerprint` is the same for the same finding."""

    id: str
    opened_at: str | None
    closed_at: str | None
    state: Literal["open", "closed"]
    rule: str
    workload: WorkloadRecord
    what: str
    captures: int
    fingerprint: str


class IncidentsAnswer(Answer, frozen=True, kw_only=True):
    """Incidents, the newest first."""

    schema: Literal["caulk.incidents/1"] = "caulk.incidents/1"
    incidents: tuple[IncidentRow, ...]


class HappenedMoment(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened; `capture` and `details` are there where there are such."""

    at: str | None
    what: What
    text: str
    capture: str | None = None
    details: str = ""


class IncidentAnswer(Answer, frozen=True, kw_only=True):
    """Everything about an incident: the `judgement` then, the newest that was noted (`later`), and that of `now`."""

    schema: Literal["caulk.incident/1"] = "caulk.incident/1"
    id: str
    rule: str
    why: str
    workload: WorkloadRecord
    replica: str
    target: Target | None
    opened_at: str | None
    closed_at: str | None
    memory_bytes: int | None
    limit_bytes: int | None
    judgement: Judged | None
    later: Judged | None
    alert: Alert | None
    dump: str | None
    captures: tuple[str, ...]
    verdict: Verdict | None
    findings: tuple[Finding, ...]
    fingerprint: str
    timeline: tuple[HappenedMoment, ...]
    headline: str
    now: Judged | None
    similar: tuple[IncidentRow, ...]


@contextmanager
def store(site: "Site") -> "Iterator[Incidents]":
    """The incidents; raises `UsageError` where they cannot be kept, `Unreachable` while their database is away."""
    if site.incidents is None:
        raise UsageError("incidents need sqlalchemy, which is not installed", hint="pip install 'caulk[server]'")
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # here, it is installed

    try:
        yield site.incidents
    except SQLAlchemyError as error:
        raise Unreachable(
            f"the store of incidents does not answer: {str(error).partition(chr(10))[0]}",
            hint="[store] url names the database.",
        ) from None


def listed(site: "Site", *, state: str = "", workload: str = "", like: str = "", limit: int = 100) -> IncidentsAnswer:
    """Incidents that match; `like` is a fingerprint."""
    with store(site) as kept:
        found = kept.find(workload=workload, fingerprint=like, is_open=state == "open", limit=limit)
    shown = [one for one in found if state != "closed" or one.closed_at is not None]
    return IncidentsAnswer(incidents=tuple(map(row, shown)))


def row(incident: Incident) -> IncidentRow:
    """An incident in a line."""
    workload = incident.workload
    return IncidentRow(
        id=incident.id,
        opened_at=iso(incident.opened_at),
        closed_at=iso(incident.closed_at),
        state="open" if incident.closed_at is None else "closed",
        rule=incident.rule,
        workload=WorkloadRecord(key=workload.key, name=workload.name, runtime=workload.runtime),
        what=headline(incident),
        captures=len(incident.captures),
        fingerprint=incident.fingerprint,
    )


def one(site: "Site", number: str) -> Incident:
    """The incident of this id; raises `NotFound`."""
    with store(site) as kept:
        try:
            return kept.get(number)
        except KeyError:
            raise NotFound(
                f"there is no incident {number[:200]!r}", hint="/api/incidents lists what there is."
            ) from None


def similar(site: "Site", incident: Incident) -> list[Incident]:
    """Others that were found to be the same, the newest first."""
    if not incident.fingerprint:
        return []
    with store(site) as kept:
        found = kept.find(fingerprint=incident.fingerprint, limit=_MOST_SIMILAR + 1)
    return [other for other in found if other.id != incident.id]


def whole(site: "Site", number: str) -> IncidentAnswer:
    """Everything about an incident: as `caulk incident show -o json`, with how it is now and others like it."""
    incident = one(site, number)
    here = site.loop.fleet.row(incident.workload.key) if site.loop else None
    told = document(incident) | {
        "headline": headline(incident),
        "now": judged(here.judgement) if here else None,
        "similar": tuple(map(row, similar(site, incident))),
    }
    return converted(told, IncidentAnswer)


def note(site: "Site", number: str, text: str, by: str) -> Incident:
    """Adds what somebody wrote; raises `NotFound`."""
    now = time.time()
    details = (f"by {by}",) if by else ()
    _add(site, number, Moment(now, "note", text, f"note {now:.3f} {secrets.token_hex(4)}", details=details))
    return one(site, number)


def close(site: "Site", number: str, text: str, by: str) -> Incident:
    """Closes it by hand; raises `NotFound`, and `UsageError` where it is closed already."""
    why = f"closed by hand{f': {text}' if text else ''}"
    moment = Moment(time.time(), "closed", why, "closed", details=(f"by {by}",) if by else ())
    if not _add(site, number, moment):
        raise UsageError(f"{number} is closed already")
    return one(site, number)


def _add(site: "Site", number: str, moment: Moment) -> bool:
    one(site, number)
    with store(site) as kept:
        is_new = kept.add(number, moment)
    site.kept.stock(is_new=True)
    return is_new
