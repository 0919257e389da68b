"""Paths from the roots: the shortest one, others beside it, and who refers to an object."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from caulk._core import graph as kernel
from caulk.analysis.objects.dominators import counting
from caulk.model.column import Column
from caulk.model.graph import LABEL_MASK, ROOTS, Label, ObjectGraph, References

#: Referrers of one object that are looked at for other paths.
_REFERRERS = 64


class Step(NamedTuple):
    """An object on a path, and the reference by which the one before it (first: the roots) holds it."""

    number: int
    label: Label


@dataclass(frozen=True, slots=True)
class Nearest:
    """The tree of shortest paths: `parent` of each object (`'i'`; -1: none) and the reference taken (`'I'`; else 0)."""

    parent: Column
    edge: Column


def nearest(graph: ObjectGraph, references: References = "strong") -> Nearest:
    """A shortest path to every object that the roots reach; among equals the one that the dump has first."""
    return Nearest(*kernel.nearest(graph.first, graph.target, graph.label, counting(references)))


def shortest(graph: ObjectGraph, nearest: Nearest, number: int) -> tuple[Step, ...]:
    """The shortest path from the roots to an object, which it ends with; empty where nothing holds it."""
    steps = []
    while nearest.parent[number] >= 0:
        steps.append(Step(number, _label(graph, nearest.edge[number])))
        number = nearest.parent[number]
    return tuple(reversed(steps))


def referrers(graph: ObjectGraph, number: int, references: References = "all", *, most: int = 100) -> tuple[Step, ...]:
    """Who refers to an object, and how; at most `most` of them, in the order of their numbers.

    The graph keeps no references backwards: one pass over all of them.
    """
    wanted = bytearray(len(graph))
    wanted[number] = 1
    edges = kernel.references_to(graph.target, graph.label, counting(references), wanted, most)
    return tuple(Step(_source(graph, edge), _label(graph, edge)) for edge in edges)


def all_paths(
    graph: ObjectGraph, nearest: Nearest, number: int, limit: int = 10, *, references: References = "strong"
) -> tuple[tuple[Step, ...], ...]:
    """The shortest path to an object, and paths that leave the roots another way and come to it: short ones first.

    A path goes the shortest way to someone who refers to an object of the shortest path, and on along that.
    `references` are those that `nearest` went by. One pass over them, of which the first 64 to each object count.
    """
    main = shortest(graph, nearest, number)
    if not main or limit < 1:
        return ()
    place = {step.number: at for at, step in enumerate(main)}
    wanted = bytearray(len(graph))
    for on_path in place:
        wanted[on_path] = 1
    found = [main]
    for edge in kernel.references_to(graph.target, graph.label, counting(references), wanted, _REFERRERS):
        source, at = _source(graph, edge), place[graph.target[edge]]
        if edge == nearest.edge[main[at].number] or (source != ROOTS and nearest.parent[source] < 0):
            continue
        before = shortest(graph, nearest, source)
        # It must not come through what it leads to.
        if all(place.get(step.number, -1) < at for step in before):
            found.append((*before, Step(main[at].number, _label(graph, edge)), *main[at + 1 :]))
    return tuple(sorted(found, key=len)[:limit])


def _source(graph: ObjectGraph, edge: int) -> int:
    return bisect_right(graph.first, edge) - 1


def _label(graph: ObjectGraph, edge: int) -> Label:
    return graph.labels[graph.label[edge] & LABEL_MASK]
