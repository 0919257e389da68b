"""What the API says of fleet, targets and incidents: the shapes of its answers, of which `/openapi.json` is made.

Times are ISO 8601 in UTC, sizes bytes; what nobody knows is null, or empty where it is text.
"""

from typing import Any, Literal

import msgspec

from caulk.model.judgement import Kind, State

CaptureState = Literal["complete", "partial"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the API answers, or a part of it."""


class LastDump(Answer, frozen=True, kw_only=True):
    """The newest dump of a workload; `suspect` is what an incident found to leak in it."""

    id: str
    taken_at: str
    suspect: str | None


class FleetRow(Answer, frozen=True, kw_only=True):
    """A workload: memory of all replicas without page cache, limit and share of the fullest."""

    key: str
    name: str
    runtime: str
    place: str
    namespace: str
    owner: str
    node: str
    state: State
    kind: Kind | None
    why: str
    evidence: tuple[str, ...]
    confidence: float
    replicas: int
    memory_bytes: int
    limit_bytes: int | None
    share: float | None
    growth_bytes_per_hour: float | None
    growth_interval: tuple[float, float] | None
    time_to_limit_s: float | None
    since: str | None
    since_event: str | None
    read_at: str | None
    last_dump: LastDump | None
    is_capturable: bool


class Alert(Answer, frozen=True, kw_only=True):
    """An incident that is not over."""

    incident: str
    rule: str
    workload: str
    name: str
    opened_at: str | None
    why: str


class Disk(Answer, frozen=True, kw_only=True):
    """What captures take, what their disk has left, and the quota of `[keep]`."""

    used_bytes: int
    free_bytes: int
    quota_bytes: int | None
    count: int


class SourceState(Answer, frozen=True, kw_only=True):
    """How a source of readings does; `why` is what it fails by."""

    name: str
    is_well: bool
    why: str


class FleetAnswer(Answer, frozen=True, kw_only=True):
    """Everything that is watched."""

    schema: Literal["caulk.fleet/1"] = "caulk.fleet/1"
    at: str | None
    is_live: bool
    rows: tuple[FleetRow, ...]
    alerts: tuple[Alert, ...]
    captures: tuple[dict[str, Any], ...]
    disk: Disk
    sources: tuple[SourceState, ...]


class Spark(Answer, frozen=True, kw_only=True):
    """Memory in steps of `step_s` seconds from `begin` on: the most of each step, and the floor below it."""

    begin: float
    step_s: int
    values: tuple[int | None, ...]
    floor: tuple[int | None, ...]


class Sparks(Answer, frozen=True, kw_only=True):
    """The last day of several workloads, by key."""

    schema: Literal["caulk.sparks/1"] = "caulk.sparks/1"
    rows: dict[str, Spark]


class JobRecord(Answer, frozen=True, kw_only=True):
    """Work that takes longer than a request; `result` is there once it is done, `what` and `hint` where it failed."""

    schema: Literal["caulk.job/1"] = "caulk.job/1"
    id: str
    kind: str
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: float
    step: str
    eta_s: float | None
    began_at: str | None
    ended_at: str | None
    log: tuple[str, ...]
    what: str
    hint: str
    result: dict[str, Any] | None


class ErrorRecord(Answer, frozen=True, kw_only=True):
    """What happened, and what to do."""

    schema: Literal["caulk.error/1"] = "caulk.error/1"
    what: str
    hint: str
