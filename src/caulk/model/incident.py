"""An incident: what a rule opened about one workload, and all that happened since, as a list of moments.

An opening and its moments are written once and never changed; the incident is what they add up to (`told`). A moment
has a key, so that the same one, written again after a crash, is there once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from caulk.model.judgement import Judgement
from caulk.model.records import Finding, Verdict
from caulk.model.target import Target
from caulk.model.watching import Appeared, Workload

What = Literal[
    "captured",
    "collected",
    "looked",
    "analysed",
    "notified",
    "ran",
    "waits",
    "skipped",
    "failed",
    "judged",
    "closed",
    "note",
]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as Alertmanager sent it; the fingerprint and the start tell it from every other."""

    name: str
    fingerprint: str
    starts_at: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    is_resolved: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened; `at` is in seconds since 1970, `position` that of the step it came from, or 0."""

    at: float
    what: What
    text: str
    key: str
    position: int = 0
    capture: str | None = None
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    judgement: Judgement | None = None
    memory: int | None = None
    """Bytes of the replica when it was captured."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """Bytes by what they are (`model.breakdown.Part`), where it was looked."""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """What is known of it. `judgement` is the one then, `later` the newest; rates and times as in `Judgement`."""

    id: str
    key: str
    """The same for the same cause: a rule that fires again for it opens nothing."""
    rule: str
    why: str
    workload: Workload
    opened_at: float
    lasts: bool = False
    """Whether its reason goes on until it is seen to end; else the incident is over when its last step is done."""
    replica: str = ""
    target: Target | None = None
    reference: str = ""
    """What to capture, as people write it, where no target is known yet."""
    memory: int | None = None
    limit: int | None = None
    judgement: Judgement | None = None
    alert: Alert | None = None
    dump: Appeared | None = None
    closed_at: float | None = None
    later: Judgement | None = None
    captures: tuple[str, ...] = ()
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    moments: tuple[Moment, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Of the first finding; empty while nothing is found."""
        return self.findings[0].fingerprint if self.findings else ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A step that an incident still owes: written with the incident, done by a worker, at least once.

    Steps are done in the order of `position`; later ones wait for one that `blocks`. `id` is its idempotency key.
    """

    id: str
    incident: str
    position: int
    kind: str
    document: str
    """The step's settings as JSON."""
    blocks: bool = True
    attempts: int = 0
    due_at: float = 0.0
    wakes_at: int | None = None
    """Bytes of memory at which it is due before `due_at`."""


def told(opening: Incident, moments: Iterable[Moment], before: int | None = None) -> Incident:
    """The incident with what happened; with `before`, only what came of steps before that position."""
    happened = sorted(moments, key=lambda moment: (moment.at, moment.position, moment.key))
    kept = tuple(m for m in happened if before is None or 0 < m.position < before)
    incident = replace(opening, moments=kept)
    for moment in kept:
        if moment.capture and moment.capture not in incident.captures:
            incident = replace(incident, captures=(*incident.captures, moment.capture))
        if moment.what == "analysed":
            incident = replace(incident, verdict=moment.verdict, findings=moment.findings)
        if moment.judgement:
            incident = replace(incident, later=moment.judgement)
        if moment.what == "closed":
            incident = replace(incident, closed_at=moment.at)
    return incident
