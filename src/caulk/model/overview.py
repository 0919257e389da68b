"""What a page says of dumps before anything is asked: what they are, what they count, and what can be asked of them."""

from dataclasses import dataclass
from typing import Literal

from caulk.model.census import Mode
from caulk.model.records import Total


@dataclass(frozen=True, slots=True)
class Tab:
    """A report by its name; where these dumps cannot answer it, `why` says so in a sentence."""

    name: str
    title: str
    is_available: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A dump as it is listed. `mode` is how a heap dump was analysed, `coverage` the share that could be read."""

    name: str
    format: str
    runtime: str
    kind: str
    size_bytes: int
    taken_at: str | None
    coverage: float
    mode: Mode | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A measure that can be asked for by its name."""

    name: str
    unit: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """One dump, or several of one program as they are compared; totals and measures are those of the last."""

    schema: Literal["caulk.dump/1"] = "caulk.dump/1"
    dumps: tuple[Shown, ...] = ()
    totals: tuple[Total, ...] = ()
    measures: tuple[Counted, ...] = ()
    tabs: tuple[Tab, ...] = ()
