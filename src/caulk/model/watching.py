"""What is watched: the workloads whose memory is judged, and what a source of readings sees of them."""

from dataclasses import dataclass

from caulk.model.judgement import Event
from caulk.model.series import Reading
from caulk.model.target import Target


@dataclass(frozen=True, slots=True)
class Workload:
    """What people deploy and restart as one: its replicas run the same code, and are judged together.

    `key` is the same for as long as the workload exists, over restarts of its replicas and of caulk; `name` is for
    people, `runtime` empty where nobody knows it.
    """

    key: str
    name: str
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One reading of one replica, and what happened to it since the one before.

    `replica` tells apart what runs at the same time: the slot of a worker, the name of a pod. `target` is what a
    capture would be taken of; None where the source does not know (a Prometheus server). `limit` is in bytes. Of a
    replica that has ended, and has no successor yet, the last reading comes once more, with `is_over`.
    """

    workload: Workload
    replica: str
    reading: Reading
    events: tuple[Event, ...] = ()
    target: Target | None = None
    limit: int | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Appeared:
    """A dump that a program wrote of itself, and that is whole: `path` is the target's own, `format` as in `formats`.

    `kept` is where this machine has it: the file itself, or a copy where that had to be taken at once.
    """

    at: float
    target: Target
    path: str
    size: int
    format: str
    kept: str = ""
