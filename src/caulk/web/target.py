"""One workload as its page has it: what is said of it, its replicas, and all that happened to it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from caulk.model.judgement import Judgement, Kind, State
from caulk.model.units import iso
from caulk.watch.fleet import Row
from caulk.watch.rules import held
from caulk.watch.telling import headline
from caulk.web.errors import NotFound
from caulk.web.fleet import Newest, row_record
from caulk.web.records import Answer, CaptureState, FleetRow

if TYPE_CHECKING:
    from caulk.web.site import Site

_MOST_EVENTS, _MOST_JUDGEMENTS, _MOST_INCIDENTS = 500, 200, 50


class Replica(Answer, frozen=True, kw_only=True):
    """A replica that runs, by its newest reading."""

    name: str
    target: str | None
    memory_bytes: int
    limit_bytes: int | None
    read_at: str | None


class HappenedEvent(Answer, frozen=True, kw_only=True):
    """What happened to a replica; `limit` is the new one, in bytes, where that is what happened."""

    at: str | None
    what: Literal["deploy", "restart", "oom", "limit"]
    replica: str
    limit: int


class Judged(Answer, frozen=True, kw_only=True):
    """A judgement, as `caulk judge -o json` has it."""

    name: str
    state: State
    why: str
    kind: Kind | None
    growth_bytes_per_hour: float | None
    growth_interval: tuple[float, float] | None
    since: str | None
    since_event: str | None
    first_said: str | None
    time_to_limit_s: float | None
    recommended_limit_bytes: int | None
    confidence: float
    evidence: tuple[str, ...]


class Said(Answer, frozen=True, kw_only=True):
    """What was said from a time on."""

    at: str | None
    state: State
    why: str


class Dumped(Answer, frozen=True, kw_only=True):
    """A capture of the workload."""

    id: str
    taken_at: str
    size_bytes: int
    format: str
    state: CaptureState
    method: str
    suspect: str | None


class Opened(Answer, frozen=True, kw_only=True):
    """An incident of the workload."""

    id: str
    opened_at: str | None
    closed_at: str | None
    rule: str
    what: str


class TargetAnswer(Answer, frozen=True, kw_only=True):
    """One workload; events and incidents the newest first, judgements the oldest first."""

    schema: Literal["caulk.target/1"] = "caulk.target/1"
    row: FleetRow
    judgement: Judged
    replicas: tuple[Replica, ...]
    events: tuple[HappenedEvent, ...]
    judgements: tuple[Said, ...]
    dumps: tuple[Dumped, ...]
    incidents: tuple[Opened, ...]
    interval_s: float | None


def row_of(site: "Site", key: str) -> Row:
    """A workload that is watched, or that the history knows; raises `NotFound`."""
    found = site.loop.fleet.row(key) if site.loop else None
    known = found or _gone(site, key)
    if known is None:
        raise NotFound(f"nothing here is called {key[:200]!r}", hint="/api/fleet lists what is watched.")
    return known


def target(site: "Site", key: str) -> TargetAnswer:
    """Everything about one workload; raises `NotFound`. Reads files: not for the event loop."""
    row, newest, history = row_of(site, key), Newest(site.kept.stock()), site.history
    incidents = site.incidents.find(workload=key, limit=_MOST_INCIDENTS) if site.incidents else []
    said = history.judgements(key)[-_MOST_JUDGEMENTS:] if history else []
    return TargetAnswer(
        row=row_record(row, newest.of(row)),
        judgement=judged(row.judgement),
        replicas=tuple(_replicas(row)),
        events=tuple(_events(site, key)),
        judgements=tuple(Said(at=iso(at), state=one.state, why=one.why) for at, one in said),
        dumps=tuple(_dumps(row, newest)),
        incidents=tuple(
            Opened(
                id=one.id,
                opened_at=iso(one.opened_at),
                closed_at=iso(one.closed_at),
                rule=one.rule,
                what=headline(one),
            )
            for one in incidents
        ),
        interval_s=site.loop.interval_s if site.loop else None,
    )


def judged(said: Judgement) -> Judged:
    """A judgement as a record."""
    return Judged(
        name=said.name,
        state=said.state,
        why=said.why,
        kind=said.kind,
        growth_bytes_per_hour=said.growth_bytes_per_hour,
        growth_interval=said.growth_interval,
        since=iso(said.since),
        since_event=said.since_event,
        first_said=iso(said.first_said),
        time_to_limit_s=said.time_to_limit_s,
        recommended_limit_bytes=said.recommended_limit_bytes,
        confidence=said.confidence,
        evidence=said.evidence,
    )


def _gone(site: "Site", key: str) -> Row | None:
    """A workload that nobody sees any more, as it was last judged."""
    history = site.history
    workload = next((one for one in history.workloads() if one.key == key), None) if history else None
    if history is None or workload is None:
        return None
    said = history.judgements(key)
    judgement = said[-1][1] if said else Judgement(workload.name, "unknown", "")
    return Row(
        workload=workload,
        state="unknown",
        judgement=judgement,
        replicas=0,
        memory=0,
        limit=None,
        share=None,
        growth_bytes_per_hour=None,
        time_to_limit_s=None,
        since=None,
        read_at=history.seen(key),
        observations=(),
    )


def _replicas(row: Row) -> Iterator[Replica]:
    for seen in sorted(row.observations, key=lambda seen: seen.replica):
        yield Replica(
            name=seen.replica,
            target=seen.target.reference if seen.target else None,
            memory_bytes=held(seen),
            limit_bytes=seen.limit,
            read_at=iso(seen.reading.at),
        )


def _events(site: "Site", key: str) -> list[HappenedEvent]:
    happened = site.history.events(key) if site.history else {}
    newest = sorted(((event.at, name, event) for name, of in happened.items() for event in of), key=lambda one: -one[0])
    return [
        HappenedEvent(at=iso(at), what=event.what, replica=name, limit=event.limit)
        for at, name, event in newest[:_MOST_EVENTS]
    ]


def _dumps(row: Row, newest: Newest) -> Iterator[Dumped]:
    for entry, suspect in newest.all_of(row):
        manifest = entry.manifest
        yield Dumped(
            id=manifest.id,
            taken_at=manifest.taken_at,
            size_bytes=manifest.size_bytes,
            format=manifest.format,
            state="complete" if manifest.complete else "partial",
            method=manifest.method,
            suspect=suspect,
        )
