"""Retained sizes of more than one object: of a type, of any other group, of any set."""

from dataclasses import dataclass

from caulk._core import graph as kernel
from caulk.analysis.objects.dominators import counting
from caulk.model.column import Column, Ints
from caulk.model.graph import ROOTS, Dominators, ObjectGraph


@dataclass(frozen=True, slots=True)
class TypeTotals:
    """By type, or by another group, over the objects that are held: their number, their own bytes, what they retain.

    Columns are `'q'`, one entry a group. What a group retains inside itself counts once.
    """

    count: Ints
    shallow: Ints
    retained: Ints


def by_type(graph: ObjectGraph, dominators: Dominators) -> TypeTotals:
    """What the objects of each type have and retain; the roots belong to none."""
    return by_group(graph, dominators, graph.type, len(graph.types))


def by_group(graph: ObjectGraph, dominators: Dominators, group: Column, groups: int) -> TypeTotals:
    """As `by_type`, for groups that `group` (`'i'`, below `groups`, negative: none) gives each object.

    An object's retained bytes count unless an object of its group dominates it. One pass over the dominator tree.
    """
    idom = dominators.idom
    count, shallow, retained = kernel.by_group(idom, dominators.order, dominators.retained, graph.size, group, groups)
    for number, size in graph.large.items():
        if idom[number] >= 0 and group[number] >= 0:
            shallow[group[number]] += size - graph.size[number]
    return TypeTotals(count, shallow, retained)


def of_set(graph: ObjectGraph, dominators: Dominators, objects: Column) -> int:
    """The bytes that would be freed if these objects (`'i'`) were cut out, themselves included.

    Exact: what is reached, by the references of `dominators`, without what is still reached around them. One search of
    the graph, where they are more than one.
    """
    idom = dominators.idom
    if len(objects) == 1:
        return dominators.retained[objects[0]] if objects[0] == ROOTS or idom[objects[0]] >= 0 else 0
    left = bytearray(len(graph))
    kernel.mark(left, objects, 2)
    kernel.reach(graph.first, graph.target, graph.label, counting(dominators.references), left)
    lost = kernel.lost(graph.size, idom, left)
    for number, size in graph.large.items():
        if (idom[number] >= 0 or number == ROOTS) and left[number] != 1:
            lost += size - graph.size[number]
    return lost
