"""A judgement: what a series of readings says about a program's memory, and the history that it is made from."""

from dataclasses import dataclass
from typing import Literal

from caulk.model.series import Reading

State = Literal["steady", "warming", "suspect", "leaking", "undersized", "unknown"]
Kind = Literal["managed", "native", "page-cache", "shmem"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to the program at a time: a deploy, a restart, a kill for memory, or a new limit in bytes."""

    at: float
    what: Literal["deploy", "restart", "oom", "limit"]
    limit: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """The readings of one replica of a workload, and its events; both oldest first, times in seconds since 1970."""

    name: str
    replica: str
    readings: tuple[Reading, ...]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of one workload. Rates are bytes an hour, `growth_interval` holds 99 % of what noise allows.

    `recommended_limit_bytes` is there for what is undersized: what it held at most, and a quarter more.
    """

    name: str
    state: State
    why: str
    kind: Kind | None = None
    growth_bytes_per_hour: float | None = None
    growth_interval: tuple[float, float] | None = None
    since: float | None = None
    since_event: str | None = None
    first_said: float | None = None
    time_to_limit_s: float | None = None
    recommended_limit_bytes: int | None = None
    confidence: float = 0.0
    evidence: tuple[str, ...] = ()
