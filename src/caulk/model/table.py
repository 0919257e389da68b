"""Answers: tables and weighted trees, as reports give them to views. Formatting (units, widths, colour) is theirs."""

from dataclasses import dataclass, field
from typing import Any, Literal

from caulk.model.measure import Measure
from caulk.model.tree import Tree

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


@dataclass(frozen=True, slots=True)
class Stacks:
    """A tree to be shown: by its measure 0, with shares of `total` (which filters leave as it was).

    `signed` trees are differences: shares are of the growth, and a value below zero shrank.
    """

    name: str
    tree: Tree
    total: int
    signed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def measure(self) -> Measure:
        """What is shown."""
        return self.tree.measures[0]
