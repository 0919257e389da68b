"""The question how calls, or types of a heap, hang together: the heaviest with what goes between them, as in pprof.

Source of the meaning: `newGraph` in https://github.com/google/pprof/blob/main/internal/graph/graph.go. A stack counts
once for each edge, however often it passes there; an edge past functions that are left out is residual.
"""

from array import array

from caulk._core import stacks
from caulk.model.column import Ints
from caulk.model.diagram import Edge, Graph, Node
from caulk.model.tree import Tree
from caulk.reports import laid, profiles
from caulk.reports.objects import package_of_type
from caulk.reports.question import Question
from caulk.views.flame import package_of

#: An edge below this share of the total is left out, as in pprof.
_TRIM = 0.001


def graph(question: Question) -> Graph:
    """The call graph of the heaviest `limit` functions; of a heap dump of types, by which alone keeps which alive.

    Of several dumps values are what changed.
    """
    answer = laid.changed("tree", question) if len(question.dumps) > 1 else profiles.tree(question)
    tree, whole = answer.tree, abs(answer.total) or 1
    own, total = profiles.by_frame(tree)
    there = [f for f in range(len(total)) if own[f] or total[f]]
    chosen = sorted(there, key=lambda f: (-abs(total[f]), -abs(own[f]), f))[: question.limit]
    number = {frame: at for at, frame in enumerate(chosen)}
    edges = [edge for edge in _edges(tree, number) if edge.value]
    shown = [edge for edge in edges if abs(edge.value) >= _TRIM * whole]
    is_held = question.dumps[-1].profile.kind == "objects"
    left = f"Showing {len(chosen):,} of {len(there):,} {'types' if is_held else question.granularity}"
    small = f"; {len(edges) - len(shown):,} edges below {_TRIM:.1%} are left out" if len(shown) < len(edges) else ""
    return Graph(
        name="graph",
        measure=answer.measure,
        total=answer.total,
        nodes=tuple(_node(tree, frame, own, total, is_held=is_held) for frame in chosen),
        edges=tuple(shown),
        signed=answer.signed,
        notes=(*answer.notes, left + small),
    )


def _node(tree: Tree, frame: int, own: Ints, total: Ints, *, is_held: bool) -> Node:
    name, location = profiles.name_of(tree.frames, frame)
    package = package_of_type(name) if is_held else package_of(name, tree.frames.file_name(frame))
    return Node(name, location, package, own[frame], total[frame])


def _edges(tree: Tree, number: dict[int, int]) -> list[Edge]:
    """What goes between the nodes whose numbers are given by frame, heaviest first; calls of themselves are none."""
    parent, frame = tree.parent, tree.frame
    nearest = stacks.nearest(parent, frame, bytes(f in number for f in range(len(tree.frames))))
    pairs: dict[tuple[int, int], int] = {}
    residual: set[int] = set()
    # The edge by which each node is reached, from 1 on: 0 is none. Sums count it once on every stack.
    of_node = array("i", bytes(4 * len(parent)))
    for node in range(1, len(parent)):
        caller = nearest[parent[node]]
        if nearest[node] != node or not caller or frame[caller] == frame[node]:
            continue
        edge = pairs.setdefault((number[frame[caller]], number[frame[node]]), len(pairs) + 1)
        of_node[node] = edge
        if caller != parent[node]:
            residual.add(edge)
    groups = array("i", range(len(pairs) + 1))
    _, values = stacks.by_group(parent, of_node, groups, len(groups), tree.values[0])
    found = [Edge(*pair, values[edge], edge in residual) for pair, edge in pairs.items()]
    return sorted(found, key=lambda edge: (-abs(edge.value), edge.source, edge.target))
