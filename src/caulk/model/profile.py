"""A profile: who allocated. Stacks with values, an estimate that carries its sampling period.

Every stack format reads into this one type, so every question is asked once.
"""

from array import array
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from caulk._core import stacks
from caulk.model.column import Ints
from caulk.model.label import LabelSet
from caulk.model.measure import Measure
from caulk.model.samples import Nodes, Samples
from caulk.model.tree import Frames, Tree

Kind = Literal["heap", "objects", "goroutine", "histogram", "cpu", "wall", "contention", "threadcreate", "unknown"]


@dataclass(frozen=True)
class Profile:
    """Stacks × values of one moment.

    `period` is the mean number of bytes between two sampled allocations (0 or 1: every one was seen). `coverage` is
    the share of the input that could be read, and `warnings` say what is wrong with the rest. `memory` holds what the
    runtime says of itself beside the stacks (Go's MemStats, a probe's figures), in bytes or counts. `drop_frames` and
    `keep_frames` are the producer's patterns for frames that are no part of the program, such as its allocator's.
    """

    format: str
    runtime: str
    kind: Kind
    measures: tuple[Measure, ...]
    frames: Frames
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
    drop_frames: str = ""
    keep_frames: str = ""

    def total(self, measure: int) -> int:
        """The sum of a measure over all samples."""
        return sum(self.samples.values[measure])

    @property
    def tree(self) -> Tree:
        """All stacks as one tree, labels added together; made when it is first asked for."""
        return self._planted[0]

    @property
    def nodes(self) -> Ints:
        """The node of each sample in `tree` (`'i'`)."""
        return self._planted[1]

    @cached_property
    def _planted(self) -> tuple[Tree, Ints]:
        trie = stacks.Trie()
        nodes = self.samples.stacks.plant(trie)
        values = tuple(stacks.scatter(nodes, column, len(trie)) for column in self.samples.values)
        return Tree(self.measures, self.frames, trie.parent, trie.frame, values), nodes

    def with_tree(self, tree: Tree) -> "Profile":
        """The same profile over other stacks (after a filter): its labels are gone with the old ones."""
        return replace(self, measures=tree.measures, frames=tree.frames, samples=samples_of(tree), label_sets=((),))


def samples_of(tree: Tree) -> Samples:
    """One unlabelled sample for each node that has a value of its own."""
    nodes = array("i", (i for i in range(len(tree)) if any(column[i] for column in tree.values)))
    values = tuple(array("q", (column[i] for i in nodes)) for column in tree.values)
    return Samples(Nodes(tree.parent, tree.frame, nodes), array("i", bytes(4 * len(nodes))), values)
