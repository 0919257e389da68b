"""A type of a heap: what its objects have, who holds them by which reference, and what they keep alive."""

from array import array
from collections import Counter
from dataclasses import replace

from caulk._core import neighbours, stacks
from caulk.analysis.objects.heaps import Heap
from caulk.analysis.objects.retained import by_group
from caulk.model.column import Ints
from caulk.model.graph import LABEL_MASK, ROOTS
from caulk.reports.objects import heap_of, package_of_type
from caulk.reports.question import Question
from caulk.reports.selection.chosen import Around, Chosen, Sums, Values, named
from caulk.views.markup import plain


def of_type(question: Question, name: str) -> Chosen:
    """The types of a name (class loaders may have each their own) in the last heap, and their sums in all."""
    heap = heap_of(question)
    chosen = _types(heap, name)
    heaps = [heap_of(replace(question, dumps=[dump])) for dump in question.dumps]
    return Chosen(
        location=heap.graph.types.owner[min(chosen)] if chosen else "",
        package=package_of_type(name),
        unit="bytes",
        whole=heap.dominators.retained[ROOTS],
        sums=tuple(_sums(one, name) for one in heaps),
        around=_around(heap, chosen),
        before=_around(heaps[0], _types(heaps[0], name)) if len(heaps) > 1 else None,
        is_held=True,
        matched=len(chosen),
    )


def _types(heap: Heap, name: str) -> set[int]:
    types = heap.graph.types
    return {t for t in named(name, types.name) if types.kind[t] != "root"}


def _sums(heap: Heap, name: str) -> Sums:
    chosen, found = _types(heap, name), heap.types
    at = min(chosen, default=-1)
    if not chosen:
        return Sums(0, 0, 0)
    if len(chosen) > 1:
        numbers = array("i", (0 if t in chosen else -1 for t in range(len(heap.graph.types))))
        group = stacks.take(numbers, array("i", heap.graph.type.tobytes()))
        found, at = by_group(heap.graph, heap.dominators, group, 1), 0
    return Sums(found.shallow[at], found.retained[at], found.count[at])


def _around(heap: Heap, chosen: set[int]) -> Around:
    """Who holds the objects on the shortest paths from the roots, and what they dominate, by type and reference."""
    if not chosen:
        return Around()
    graph, found = heap.graph, heap.dominators
    marked = bytes(t in chosen for t in range(len(graph.types)))
    through = neighbours.hung(found.idom, found.order, graph.type, marked)
    holders, holding, kept, keeping = neighbours.around(
        found.idom,
        found.order,
        through,
        found.retained,
        parent=heap.nearest.parent,
        edge=heap.nearest.edge,
        label=graph.label,
        mask=LABEL_MASK,
        type=graph.type,
        marked=marked,
        types=len(graph.types),
        labels=len(graph.labels),
    )
    return Around(_summed(heap, holders, holding), _summed(heap, kept, keeping))


def _summed(heap: Heap, pairs: Ints, values: Ints) -> Values:
    """Pairs of type and label by name; equal ones are one."""
    trie = stacks.Trie()
    nodes = trie.insert(array("q", range(0, len(pairs) + 1, 2)), pairs)
    sums = stacks.scatter(nodes, values, len(trie))
    parent, frame, types, labels = trie.parent, trie.frame, heap.graph.types, heap.graph.labels
    found = Counter[tuple[str, str]]()
    for node, value in enumerate(sums):
        if value:
            label = plain(labels[frame[node]]) if frame[node] < len(labels) else ""
            found[plain(types.name[frame[parent[node]]]), label] += value
    return found
