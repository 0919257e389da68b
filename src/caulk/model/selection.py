"""One thing that was chosen in an answer, a frame or a type: how large, since when, and what stands around it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who calls or holds the selection, or what it calls or keeps alive.

    `value` is the part of the selection's total that comes to it from there or goes there, `share` the same of that
    total. Of several dumps it is by how much that part changed, `share` is of the whole change, and `now` what there
    is. `label` is the reference, or where a function is.
    """

    name: str
    value: int
    share: float
    label: str = ""
    now: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """The selection in one of the dumps, which `id` names by its path."""

    id: str
    taken_at: str | None
    own: int
    total: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Gain:
    """From the first dump to the last, in the selection's unit; per hour where they are half an hour apart, or more."""

    bytes: int
    per_hour: float | None
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A frame of stacks or a type of a heap in the newest dump; `matched` are those of that very name, taken together.

    `own` is without and `total` with what is below, each part once however often a frame calls itself; `share` is of
    the whole dump. Parts of neighbours add up: those below and `own` make `total`, and so do those above. What is not
    there, or not in what filters leave, has zeros, and nothing `matched`.
    """

    schema: Literal["caulk.selection/1"] = "caulk.selection/1"
    kind: Literal["frame", "type"]
    name: str
    location: str
    package: str
    unit: str
    own: int
    total: int
    share: float
    count: int | None
    growth: Gain | None
    series: tuple[Moment, ...]
    above: tuple[Neighbour, ...]
    below: tuple[Neighbour, ...]
    above_title: str
    below_title: str
    matched: int
