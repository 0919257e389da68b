"""Dominators: which object alone keeps which, and what would be freed with it.

Lengauer and Tarjan's algorithm in its simple form (A fast algorithm for finding dominators in a flowgraph, 1979):
O(m log n) on every graph. The faster ones on ordinary heaps are quadratic on a long list whose tail shares its objects
with an array.
"""

from caulk._core import graph as kernel
from caulk.model.column import Ints
from caulk.model.graph import STRENGTH_SHIFT, WEAKEST, Dominators, ObjectGraph, References


def dominators(graph: ObjectGraph, references: References = "strong") -> Dominators:
    """Who alone keeps whom, by references as firm as `references` says; the same rule for what is reached at all.

    `order` is a preorder of the dominator tree: what an object keeps follows it without a gap. Needs 20 bytes an
    object besides the graph. Raises ValueError for references that lead nowhere.
    """
    idom, order = kernel.dominators(graph.first, graph.target, graph.label, counting(references))
    retained = kernel.widened(graph.size)
    for number, size in graph.large.items():
        retained[number] = size
    kernel.retain(idom, order, retained)
    return Dominators(references, idom, order, retained)


def dominated(found: Dominators, number: int) -> Ints:
    """The objects right below one in the dominator tree, ascending (`'i'`); one pass over the objects."""
    return kernel.equal(found.idom, number)


def counting(references: References) -> int:
    """Label words below this number are of references that count."""
    return (WEAKEST[references] + 1) << STRENGTH_SHIFT
