"""Random graphs for tests, and the answers by brute force: what is reached when one object is taken away."""

from array import array
from collections.abc import Iterable

from hypothesis import strategies as some

from caulk.model.graph import STRENGTH_SHIFT, WEAKEST, Label, ObjectGraph, References, Types

TYPES = 3


def graph_of(edges: Iterable[tuple[int, int, int]], sizes: list[int], types: list[int]) -> ObjectGraph:
    """A graph from (source, target, strength) and the size and type of each object; object 0 is the roots."""
    by_source: list[list[tuple[int, int]]] = [[] for _ in sizes]
    for source, target, strength in edges:
        by_source[source].append((target, strength))
    first, target, label = array("I", [0]), array("i"), array("I")
    for own in by_source:
        target.extend(t for t, _ in own)
        label.extend(strength << STRENGTH_SHIFT for _, strength in own)
        first.append(len(target))
    return ObjectGraph(
        format="test",
        runtime="test",
        types=Types([f"T{t}" for t in range(TYPES)], ["object"] * TYPES, [""] * TYPES),
        type=array("i", types),
        size=array("I", sizes),
        first=first,
        target=target,
        label=label,
        labels=[Label("field", "f")],
    )


@some.composite
def graphs(draw, most: int = 12) -> ObjectGraph:
    """Graphs of up to `most` objects, with loops, parallel references, and all strengths (mostly strong)."""
    count = draw(some.integers(1, most))
    number = some.integers(0, count - 1)
    strength = some.sampled_from([0, 0, 0, 0, 1, 2, 3])
    edges = draw(some.lists(some.tuples(number, number, strength), max_size=3 * count))
    sizes = [0, *draw(some.lists(some.integers(0, 100), min_size=count - 1, max_size=count - 1))]
    types = [0, *draw(some.lists(some.integers(0, TYPES - 1), min_size=count - 1, max_size=count - 1))]
    return graph_of(edges, sizes, types)


def reached(graph: ObjectGraph, references: References, without: Iterable[int] = ()) -> set[int]:
    """What the roots reach by references that count, not through `without`."""
    return _reached(_counting(graph, references), without)


def dominated_by(graph: ObjectGraph, references: References) -> dict[int, set[int]]:
    """For each reached object what is reached only through it, itself included."""
    targets = _counting(graph, references)
    everything = _reached(targets)
    return {number: everything - _reached(targets, [number]) for number in everything}


def _counting(graph: ObjectGraph, references: References) -> list[list[int]]:
    """By object, what its references that count lead to."""
    weakest = WEAKEST[references]
    return [
        [reference.target for reference in graph.references(number) if reference.strength <= weakest]
        for number in range(len(graph))
    ]


def _reached(targets: list[list[int]], without: Iterable[int] = ()) -> set[int]:
    seen = set(without)
    found = [] if 0 in seen else [0]
    seen.add(0)
    for number in found:
        for target in targets[number]:
            if target not in seen:
                seen.add(target)
                found.append(target)
    return set(found)
