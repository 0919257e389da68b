"""What can be said of a heap dump without its graph: how large it is, and what it has of each type."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from caulk.model.column import Ints
from caulk.model.graph import Types

#: How a heap dump was analysed: `exact` and `two-pass` give the same answers, `streaming` counts types alone.
Mode = Literal["exact", "two-pass", "streaming"]


class Extent(NamedTuple):
    """How many objects and references a heap dump holds, about, and what reading them takes.

    `reading` are bytes of memory an object while the dump is read, beside 8 a reference; `counting` those that a census
    takes in all, 0 where the format has none.
    """

    objects: int
    references: int
    reading: int
    counting: int = 0


@dataclass(frozen=True)
class Census:
    """Objects and their own bytes by type (`'q'` each, one entry a type): of all objects of a dump, held or not."""

    format: str
    runtime: str
    types: Types
    count: Ints
    shallow: Ints
    taken_at: datetime | None = None
    coverage: float = 1.0
    warnings: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    memory: dict[str, int] = field(default_factory=dict)
