"""Tables: rows under typed headings. Formatting (units, widths, colour) belongs to the views."""

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "bytes", "count", "nanoseconds", "share", "number"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's key in JSON, its title for people, and how its cells are to be written."""

    key: str
    title: str
    kind: Kind = "text"
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` hold one cell a heading; `notes` are sentences for people that belong above the rows."""

    name: str
    headings: tuple[Heading, ...]
    rows: list[tuple[Any, ...]]
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
