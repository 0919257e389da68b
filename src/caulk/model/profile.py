"""A profile: who allocated. Stacks with values, an estimate that carries its sampling period.

Every stack format reads into this one type, so every question is asked once.
"""

from array import array
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from caulk.model.column import Ints
from caulk.model.label import LabelSet
from caulk.model.measure import Measure
from caulk.model.tree import Frames, Tree

Kind = Literal["heap", "goroutine", "histogram", "cpu", "wall", "contention", "threadcreate", "unknown"]


@dataclass(frozen=True, slots=True)
class Samples:
    """The producer's own rows: node in the tree, number in `label_sets`, and a value a measure.

    A stack occurs once for each set of labels; the tree holds their sums.
    """

    node: Ints
    labels: Ints
    values: tuple[Ints, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """Stacks × values of one moment.

    `period` is the mean number of bytes between two sampled allocations (0 or 1: every one was seen). `coverage` is
    the share of the input that could be read, and `warnings` say what is wrong with the rest. `memory` holds what the
    runtime says of itself beside the stacks (Go's MemStats, a probe's figures), in bytes or counts.
    """

    format: str
    runtime: str
    kind: Kind
    tree: Tree
    samples: Samples
    label_sets: tuple[LabelSet, ...] = ((),)
    default_measure: int = 0
    period: int = 0
    period_measure: Measure | None = None
    taken_at: datetime | None = None
    duration_s: float = 0.0
    is_delta: bool = False
    coverage: float = 1.0
    warnings: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    memory: dict[str, int] = field(default_factory=dict)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What each column of values counts."""
        return self.tree.measures

    @property
    def frames(self) -> Frames:
        """The distinct frames of all stacks."""
        return self.tree.frames

    def with_tree(self, tree: Tree) -> "Profile":
        """The same profile over other stacks (after a filter): its labels are gone with the old ones."""
        samples, label_sets = rows_of(tree)
        return replace(self, tree=tree, samples=samples, label_sets=label_sets)


def rows_of(tree: Tree) -> tuple[Samples, tuple[LabelSet, ...]]:
    """One unlabelled sample for each node that has a value of its own."""
    nodes = array("i", (i for i in range(len(tree)) if any(column[i] for column in tree.values)))
    values = tuple(array("q", (column[i] for i in nodes)) for column in tree.values)
    return Samples(nodes, array("i", bytes(4 * len(nodes))), values), ((),)
