"""Trees of merged objects: the dominator tree by types, and the shortest paths by references and types.

Objects under one node with the same frame are one node, so a heap of 10⁸ objects is a tree of some thousand nodes that
every view of a profile can show. A list of a million is one node, or a few where types take turns.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from caulk._core import graph_trees as kernel
from caulk._core import stacks
from caulk.analysis.objects.paths import Nearest
from caulk.model.column import Column, Ints
from caulk.model.graph import Dominators, ObjectGraph
from caulk.model.measure import Measure
from caulk.model.tree import Frames, Tree

MEASURES = (Measure("live", "bytes"), Measure("objects", "count"))
#: The node for what is too little to show.
REST = "(rest)"
#: A node is shown from this share of all bytes on: one in so many.
_SHOWN = 100_000
#: Nodes before the small ones are merged: more paths than this are no answer.
_MOST_NODES = 1 << 20


def dominator_tree(graph: ObjectGraph, dominators: Dominators) -> Tree:
    """The dominator tree, merged: types under the types that alone keep them. A node's total is what it retains."""
    called = graph.type, graph.named, graph.naming, len(graph.types)
    parent, frame, own, objects, nodes = kernel.merge_dominated(
        dominators.idom, dominators.order, *called, graph.size, _MOST_NODES
    )
    for number, size in graph.large.items():
        if nodes[number]:
            own[nodes[number]] += size - graph.size[number]
    return _finished(parent, frame, own, objects, _names(graph))


def path_tree(graph: ObjectGraph, nearest: Nearest, numbers: Column) -> Tree:
    """The shortest paths to some objects, merged by (reference, type or own name): `.OPEN java.util.HashMap`.

    `numbers` (`'i'`) are ascending; what is on the way to them counts nothing.
    """
    called = graph.type, graph.named, graph.naming, len(graph.types)
    parent, frame, own, objects, nodes, label, name = kernel.merge_paths(
        nearest.parent, nearest.edge, graph.label, *called, graph.size, _MOST_NODES, numbers
    )
    names = _names(graph)
    pairs = [""] + [f"{graph.labels[label[i]]} {names[name[i]]}" for i in range(1, len(label))]
    for number, size in graph.large.items():
        at = bisect_left(numbers, number)
        if nodes[number] and at < len(numbers) and numbers[at] == number:
            own[nodes[number]] += size - graph.size[number]
    return _finished(parent, frame, own, objects, pairs)


def _names(graph: ObjectGraph) -> Sequence[str]:
    """What objects are called: by their type, or where they are one of a kind by their own name.

    Classes, modules and functions are told apart: they are what a program's data hangs on.
    """
    return [*graph.types.name, *graph.strings] if len(graph.named) else graph.types.name


def _finished(parent: Column, frame: Column, own: Column, objects: Column, names: Sequence[str]) -> Tree:
    """Leave out what is small, and name the frames."""
    totals = stacks.totals(parent, own)
    parent, frame, became = kernel.prune(parent, frame, totals, -(-totals[0] // _SHOWN))
    values = tuple(stacks.scatter(became, column, len(parent)) for column in (own, objects))
    return Tree(MEASURES, *_framed(parent, frame, names), values)


def _framed(parent: Ints, frame: Ints, names: Sequence[str]) -> tuple[Frames, Ints, Ints]:
    """Frames for the names that occur, with the columns of nodes in their numbers."""
    strings: dict[str, int] = {"": 0}
    for number in frame[1:]:
        strings.setdefault((names[number] or "(unnamed)") if number >= 0 else REST, len(strings))
    numbers = array("i", [-1])
    numbers.extend(strings[(names[n] or "(unnamed)") if n >= 0 else REST] - 1 for n in frame[1:])
    count = len(strings) - 1
    nothing = array("i", [0]) * count
    frames = Frames(
        strings=list(strings),
        function=array("i", range(1, count + 1)),
        file=nothing,
        line=array("q", [0]) * count,
        mapping=array("i", [-1]) * count,
        address=array("q", [0]) * count,
    )
    return frames, parent, numbers
