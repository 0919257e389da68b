"""What holds for every object graph, from whatever it was read."""

from itertools import pairwise

from caulk._core import graph as kernel
from caulk.model.graph import LABEL_MASK, ROOTS, ObjectGraph


def check(graph: ObjectGraph) -> None:
    """Every number of a graph leads somewhere, and every size is one that a computer can have."""
    count = len(graph)
    kernel.check(graph.first, graph.target, graph.label)
    assert len(graph.first) == count + 1
    assert len(graph.size) == count
    assert len(graph.site) in (0, count)
    assert len(graph.types.name) == len(graph.types.kind) == len(graph.types.owner)
    assert all(0 <= number < len(graph.types) for number in set(graph.type))
    assert graph.types.kind[graph.type[ROOTS]] == "root"
    assert all(number & LABEL_MASK < len(graph.labels) for number in set(graph.label))
    assert all(-1 <= number < len(graph.sites) for number in set(graph.site))
    assert all(one < other for one, other in pairwise(graph.named))
    assert len(graph.named) == len(graph.naming)
    assert all(0 < number < count for number in graph.named)
    assert all(0 <= number < len(graph.strings) for number in graph.naming)
    assert all(0 < number < count and 0xFFFFFFFF <= size < 1 << 60 for number, size in graph.large.items())
    assert all(0 <= size < 1 << 60 for size in graph.memory.values())
    assert 0 <= graph.coverage <= 1
    assert all(text.isprintable() for text in (*graph.warnings, *graph.comments))
