"""Fold a tree: lines into functions, functions into files; and the bare union of several trees.

A fold gives every frame a new number and walks the tree once; nothing is rebuilt from paths.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from caulk._core import stacks
from caulk.model.column import Ints, ints
from caulk.model.measure import Measure
from caulk.model.profile import Profile
from caulk.model.tree import Frames, Mapping, Tree

Granularity = Literal["functions", "lines", "files"]

_Key = tuple[str, str, int]


class FrameTable:
    """Frames of several profiles under common numbers, at one granularity. The first seen stands for its equals."""

    def __init__(self, granularity: Granularity) -> None:
        self._granularity = granularity
        self._numbers: dict[_Key, int] = {}
        self._origin: list[tuple[Frames, int]] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def relabel(self, frames: Frames) -> Ints:
        """The common number of each of `frames` (`'i'`)."""
        numbers = array("i", bytes(4 * len(frames)))
        strings, granularity = frames.strings, self._granularity
        texts: dict[int, str] = {}
        for i in range(len(frames)):
            f, s = frames.function[i], frames.file[i]
            function = texts[f] if f in texts else texts.setdefault(f, strings[f])
            file = texts[s] if s in texts else texts.setdefault(s, strings[s])
            key: _Key
            if granularity == "files" and file:
                key = ("", file, 0)
            elif not function and not file:
                # Address space is laid out anew in every process: an address counts from its module's start.
                key = (frames.function_name(i), frames.module_name(i), -1)
            elif granularity == "lines" or not function:
                key = (function, file, frames.line[i])
            else:
                key = (function, file, 0)
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._origin)
                self._origin.append((frames, i))
            numbers[i] = number
        return numbers

    def frames(self) -> Frames:
        """All frames by their common numbers."""
        strings: dict[str, int] = {"": 0}
        function, file, line, mapping, address = (array(t) for t in "iiqiq")
        mappings: list[Mapping] = []
        mapping_numbers: dict[Mapping, int] = {}
        for (name, path, number), (frames, i) in zip(self._numbers, self._origin, strict=True):
            known = number >= 0
            function.append(strings.setdefault(name if known else "", len(strings)))
            file.append(strings.setdefault(path if known else "", len(strings)))
            line.append(number if known else 0)
            address.append(frames.address[i])
            at = frames.mapping[i]
            if at >= 0:
                whole = frames.mappings[at]
                if whole not in mapping_numbers:
                    mapping_numbers[whole] = len(mappings)
                    mappings.append(whole)
                at = mapping_numbers[whole]
            mapping.append(at)
        return Frames(list(strings), function, file, line, mapping, address, tuple(mappings))


def fold(tree: Tree, granularity: Granularity) -> Tree:
    """The tree with equal frames under one parent made one node."""
    table = FrameTable(granularity)
    trie = stacks.Trie()
    became = trie.graft(tree.parent, tree.frame, table.relabel(tree.frames))
    parent, frame = trie.parent, trie.frame
    values = tuple(stacks.scatter(became, column, len(parent)) for column in tree.values)
    return Tree(tree.measures, table.frames(), parent, frame, values)


@dataclass(frozen=True, slots=True)
class Union:
    """Profiles over one common set of nodes: their trees share `parent`, `frame` and `frames`.

    `nodes[p][i]` is the common node of sample `i` of profile `p`; a stack that a profile does not have is zero there.
    """

    trees: tuple[Tree, ...]
    nodes: tuple[Ints, ...]
    trie: stacks.Trie
    table: FrameTable

    def became(self, tree: Tree) -> Ints:
        """The common node of each node of one of the profiles' own trees (`'i'`)."""
        return self.trie.graft(tree.parent, tree.frame, self.table.relabel(tree.frames))


def union(profiles: Sequence[Profile], measures: Sequence[Measure], granularity: Granularity) -> Union:
    """Lay profiles over each other, keeping `measures`. Linear in their stacks: each is walked once."""
    table, trie = FrameTable(granularity), stacks.Trie()
    nodes = tuple(p.samples.stacks.plant(trie, table.relabel(p.frames)) for p in profiles)
    parent, frame, frames = trie.parent, trie.frame, table.frames()
    trees = tuple(
        Tree(
            tuple(measures),
            frames,
            parent,
            frame,
            tuple(stacks.scatter(own, p.samples.values[p.measures.index(m)], len(parent)) for m in measures),
        )
        for p, own in zip(profiles, nodes, strict=True)
    )
    return Union(trees, nodes, trie, table)


def subtract(after: Tree, before: Tree) -> Tree:
    """What `after` has more than `before`, which share their nodes (see `union`); negative where it shrank."""
    values = []
    for new, old in zip(after.values, before.values, strict=True):
        column = ints(len(new))
        for i, value in enumerate(new):
            column[i] = value - old[i]
        values.append(column)
    return Tree(after.measures, after.frames, after.parent, after.frame, tuple(values))


def survived(trees: Sequence[Tree]) -> Tree:
    """What all later trees have more than the first, with which they share their nodes (see `union`); else nothing.

    What came and went between two dumps is not in it, nor what came after the second.
    """
    first, *later = trees
    values = []
    for of, *others in zip(first.values, *(tree.values for tree in later), strict=True):
        column = ints(len(of))
        for i, least in enumerate(map(min, *others) if len(others) > 1 else others[0]):
            column[i] = max(least - of[i], 0)
        values.append(column)
    return Tree(first.measures, first.frames, first.parent, first.frame, tuple(values))


def invert(tree: Tree, measure: int) -> Tree:
    """The tree from the other end: allocation sites at the top, their callers below. One measure."""
    starts, frames, values = array("q", [0]), array("i"), array("q")
    for node, value in enumerate(tree.values[measure]):
        if value and node:
            frames.extend(reversed(tree.stack(node)))
            starts.append(len(frames))
            values.append(value)
    trie = stacks.Trie()
    nodes = trie.insert(starts, frames)
    parent = trie.parent
    column = stacks.scatter(nodes, values, len(parent))
    return Tree((tree.measures[measure],), tree.frames, parent, trie.frame, (column,))
