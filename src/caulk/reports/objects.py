"""The questions about the objects of a heap dump: types, dominators, paths, roots.

Sizes are of what is held, by the references that count (`--references`); what nothing holds any more is garbage.
"""

import re
from collections.abc import Callable

from caulk.analysis.graph_trees import merged
from caulk.analysis.heaps import Heap
from caulk.model.errors import UsageError
from caulk.model.graph import ROOTS
from caulk.model.table import Heading, Stacks, Table
from caulk.model.units import format_value
from caulk.reports.question import Question


def types(question: Question) -> Table:
    """Types by what they retain: their objects together, none counted twice."""
    heap = _heap(question)
    graph, totals = heap.graph, heap.types
    matches = _matcher(question.pattern)
    names = graph.types.name
    wanted = [t for t in range(len(names)) if totals.count[t] and graph.types.kind[t] != "root" and matches(names[t])]
    wanted.sort(key=lambda t: (-totals.retained[t], names[t], t))
    whole = heap.dominators.retained[ROOTS] or 1
    rows = [
        (
            totals.count[t],
            totals.shallow[t],
            totals.shallow[t] / whole,
            totals.retained[t],
            totals.retained[t] / whole,
            names[t],
            graph.types.owner[t],
        )
        for t in wanted[: question.limit]
    ]
    notes = (_headline(heap), f"Showing {len(rows):,} of {len(wanted):,} types")
    headings = (
        Heading("objects", "objects", "count"),
        Heading("shallow", "shallow", "bytes"),
        Heading("shallow_share", "shallow%", "share"),
        Heading("retained", "retained", "bytes"),
        Heading("retained_share", "retained%", "share"),
        Heading("type", "type"),
        Heading("owner", "owner"),
    )
    return Table("types", headings, rows, notes, {"total": heap.dominators.retained[ROOTS]})


def dominators(question: Question) -> Stacks:
    """Who alone keeps what: each type below the type that all paths to its objects go through."""
    heap = _heap(question)
    return Stacks("dominators", heap.tree, heap.tree.total(0), notes=(_headline(heap),))


def paths(question: Question) -> Stacks:
    """The shortest paths from the roots to the objects of the types that match, laid over each other."""
    heap = _heap(question)
    graph = heap.graph
    matches = _matcher(question.pattern)
    names = graph.types.name
    wanted = {t for t in range(len(names)) if matches(names[t]) and graph.types.kind[t] != "root"}
    if not question.pattern or not wanted:
        raise UsageError(
            f"no type matches {question.pattern!r}" if question.pattern else "paths needs a type",
            hint="`caulk types` lists the types of a heap dump.",
        )
    found = merged(graph, heap.nearest, wanted)
    return Stacks("paths", found, found.total(0), notes=(_headline(heap),))


def roots(question: Question) -> Table:
    """The roots by kind: how many objects each kind holds directly, and what those retain."""
    heap = _heap(question)
    graph, found = heap.graph, heap.dominators
    kinds: dict[str, list[int]] = {}
    seen: set[int] = set()
    for reference in graph.references(ROOTS):
        row = kinds.setdefault(str(reference.label).strip("()"), [0, 0, 0])
        row[0] += 1
        # An object with several roots counts for the first of them: the sums are those of the heap.
        if reference.target not in seen and found.idom[reference.target] == ROOTS:
            seen.add(reference.target)
            row[1] += graph.size_of(reference.target)
            row[2] += found.retained[reference.target]
    whole = found.retained[ROOTS] or 1
    order = sorted(kinds, key=lambda kind: (-kinds[kind][2], kind))
    rows = [(*kinds[kind], kinds[kind][2] / whole, kind) for kind in order[: question.limit]]
    headings = (
        Heading("references", "references", "count"),
        Heading("shallow", "shallow", "bytes"),
        Heading("retained", "retained", "bytes"),
        Heading("retained_share", "retained%", "share"),
        Heading("root", "root"),
    )
    return Table("roots", headings, rows, (_headline(heap),))


def _heap(question: Question) -> Heap:
    dump = question.dumps[-1]
    if dump.heap is None:
        raise UsageError(
            f"{dump.path} is a profile: it says who allocated, not what holds",
            hint="A heap dump has objects (.hprof, .heapsnapshot). `caulk top` and `caulk tree` show a profile.",
        )
    return dump.heap


def _matcher(pattern: str) -> Callable[[str], object]:
    try:
        return re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}") from None


def _headline(heap: Heap) -> str:
    graph, found = heap.graph, heap.dominators
    taken = f", taken {graph.taken_at:%Y-%m-%d %H:%M:%S} UTC" if graph.taken_at else ""
    held = format_value(found.retained[ROOTS], "bytes")
    garbage = len(graph) - len(found.order)
    beside = f"; {garbage:,} objects are not held" if garbage else ""
    return (
        f"{graph.runtime} heap ({graph.format}), {len(found.order) - 1:,} objects held, {held},"
        f" {found.references} references{beside}{taken}"
    )
