"""Samples: the producer's own rows, a stack with its labels and values; and the two ways in which stacks are written.

Most formats write each stack out (`Rows`), some write a tree and point into it (`Nodes`). Neither is turned into the
other before somebody asks: listing functions needs no tree, and a tree 100,000 calls deep must not be written out.
"""

from array import array
from dataclasses import dataclass

from caulk._core import stacks
from caulk.model.column import Ints


@dataclass(frozen=True, slots=True)
class Rows:
    """Stack `i` is `frames[starts[i]:starts[i + 1]]`, outermost caller first; `starts` has one entry more (`'q'`)."""

    starts: Ints
    frames: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    def plant(self, trie: stacks.Trie, relabel: Ints | None = None) -> Ints:
        """Add the stacks to `trie`, frames renumbered by `relabel`; the node of each stack (`'i'`)."""
        return trie.insert(self.starts, stacks.take(relabel, self.frames) if relabel is not None else self.frames)

    def by_group(self, group: Ints, groups: int, values: Ints) -> tuple[Ints, Ints]:
        """Flat and cumulative sums of `values` (one a stack) by `group` (one number a frame)."""
        return stacks.rows_by_group(self.starts, self.frames, group, groups, values)


@dataclass(frozen=True, slots=True)
class Nodes:
    """Stack `i` leads from the root of a tree (`parent`, `frame`) to its node `node[i]`."""

    parent: Ints
    frame: Ints
    node: Ints

    def __len__(self) -> int:
        return len(self.node)

    def plant(self, trie: stacks.Trie, relabel: Ints | None = None) -> Ints:
        """Add the stacks to `trie`, frames renumbered by `relabel`; the node of each stack (`'i'`)."""
        same = array("i", range(max(self.frame, default=-1) + 1)) if relabel is None else relabel
        return stacks.take(trie.graft(self.parent, self.frame, same), self.node)

    def by_group(self, group: Ints, groups: int, values: Ints) -> tuple[Ints, Ints]:
        """Flat and cumulative sums of `values` (one a stack) by `group` (one number a frame)."""
        own = stacks.scatter(self.node, values, len(self.parent))
        return stacks.by_group(self.parent, self.frame, group, groups, own)


@dataclass(frozen=True, slots=True)
class Samples:
    """Stacks with, for each, a number in the profile's `label_sets` (`'i'`) and a value a measure (`'q'`).

    A stack may occur more than once, for each set of labels.
    """

    stacks: Rows | Nodes
    labels: Ints
    values: tuple[Ints, ...]

    def __len__(self) -> int:
        return len(self.labels)
