"""The records of a capture: what a way would cost, whether it would work, and the manifest of what was taken.

The order of the manifest's fields is the order in the JSON (`caulk.capture/1`); fields are added, never renamed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: What a way gives, richest first.
Evidence = Literal["graph", "profile", "histogram", "figures"]
EVIDENCE: tuple[Evidence, ...] = ("graph", "profile", "histogram", "figures")

#: `ready`: it would work. `needs`: it would after `fix`. `unsafe`: it may harm. `impossible`: not in this target.
Standing = Literal["ready", "needs", "unsafe", "impossible"]


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a way would work, found out without side effects: `why` in a sentence, `fix` as text to apply."""

    standing: Standing
    why: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a way takes: from the program's time, from its memory, and from the volume of `directory`.

    Bytes are predicted never to be too few. `disk_bytes` is what lies in the target for a while, in `directory`;
    `size_bytes` is the capture.
    """

    pause_s: float = 0.0
    extra_bytes: int = 0
    disk_bytes: int = 0
    directory: str = ""
    size_bytes: int = 0
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a way left behind: nothing (all went into the sink), or a finished file in the target to be fetched.

    `remove` says that the file was made for this capture, and goes once it is here. `facts` go into the manifest:
    versions, flags, build ids.
    """

    remote: str = ""
    remove: bool = False
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """A switch that `arm` turned, with what it was before; `""` where it was not set."""

    name: str
    value: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Costs:
    """The figures of a capture as the JSON has them, predicted or measured; None where nobody measured."""

    pause_s: float | None = None
    extra_bytes: int | None = None
    disk_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Captured:
    """The target, as a manifest names it."""

    place: str
    runtime: str
    name: str
    reference: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remote:
    """A finished file in the target that is, or was, to be fetched; `remove` says that it goes once it is here."""

    path: str
    size_bytes: int
    remove: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about one capture. `files` are others beside it (binaries, scripts), with their hashes."""

    schema: Literal["caulk.capture/1"] = "caulk.capture/1"
    id: str = ""
    target: Captured = field(default_factory=lambda: Captured("", "", ""))
    format: str = ""
    evidence: Evidence = "profile"
    path: str = ""
    size_bytes: int = 0
    sha256: str = ""
    complete: bool = False
    taken_at: str = ""
    method: str = ""
    predicted: Costs = field(default_factory=Costs)
    actual: Costs = field(default_factory=Costs)
    memory: Mapping[str, int] = field(default_factory=dict)
    """Bytes when it was taken: `rss`, `limit`, `free`."""
    facts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    packed_bytes: int | None = None
    """Bytes on disk where the file is kept compressed; its size and hash are those of its content."""
    remote: Remote | None = None
    """What still lies in the target: the rest of an incomplete capture, or a file that could not be removed yet."""
    warnings: tuple[str, ...] = ()
    version: str = ""
    """Of caulk."""
    cause: str = ""
    """The step of an incident that asked for it; empty where a person did."""
