"""The questions about the objects of a heap dump: dominators, paths, roots.

Sizes are of what is held, by the references that count (`--references`); what nothing holds any more is garbage.
"""

import re
from collections.abc import Callable, Container

from caulk._core.graph import members
from caulk.analysis.objects.heaps import Heap
from caulk.analysis.objects.retained import of_set
from caulk.analysis.objects.trees import path_tree
from caulk.model.column import Column
from caulk.model.errors import UsageError
from caulk.model.graph import ROOTS
from caulk.model.table import Heading, Stacks, Table
from caulk.model.units import format_value
from caulk.reports.question import Question


def dominators(question: Question) -> Stacks:
    """Who alone keeps what: each type below the type that all paths to its objects go through."""
    heap = heap_of(question)
    return Stacks("dominators", heap.tree, heap.tree.total(0), notes=(headline(heap),))


def paths(question: Question) -> Stacks:
    """The shortest paths from the roots to the objects of the types that match, laid over each other."""
    heap = heap_of(question)
    wanted = wanted_types(heap, question.pattern)
    numbers = objects_of(heap, wanted)
    found = path_tree(heap.graph, heap.nearest, numbers)
    freed = of_set(heap.graph, heap.dominators, numbers)
    held = sum(heap.types.count[t] for t in wanted)
    those = "this object" if held == 1 else f"these {held:,} objects"
    said = f"Without {those}, {format_value(freed, 'bytes')} would be freed"
    if not held:
        said = f"No {heap.dominators.references} references lead to any of these; `--references` says which count"
    return Stacks("paths", found, found.total(0), notes=(headline(heap), said))


def wanted_types(heap: Heap, pattern: str) -> set[int]:
    """The types whose names match a regular expression; raises `UsageError` where none does, or none is given."""
    found = matching(heap, pattern) if pattern else set()
    if not found:
        raise UsageError(
            f"no type matches {pattern!r}" if pattern else "paths needs a type",
            hint="`caulk types` lists the types of a heap dump.",
        )
    return found


def matching(heap: Heap, pattern: str) -> set[int]:
    """The types whose names match a regular expression; the roots are none."""
    matches, types = matcher(pattern), heap.graph.types
    return {t for t in range(len(types)) if types.kind[t] != "root" and matches(types.name[t])}


def objects_of(heap: Heap, types: Container[int]) -> Column:
    """The objects of some types, held or not, ascending (`'i'`)."""
    return members(heap.graph.type, bytes(t in types for t in range(len(heap.graph.types))))


def roots(question: Question) -> Table:
    """The roots by kind: how many objects each kind holds directly, and what those retain."""
    heap = heap_of(question)
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
    return Table("roots", headings, rows, (headline(heap),))


def heap_of(question: Question) -> Heap:
    """The heap that is asked about; raises `UsageError` for a profile."""
    dump = question.dumps[-1]
    if dump.census:
        raise UsageError(
            f"{dump.path}: {dump.shortage}",
            hint="--max-memory SIZE allows more. `caulk types` shows what there is of each type.",
        )
    if dump.heap is None:
        raise UsageError(
            f"{dump.path} is a profile: it says who allocated, not what holds",
            hint="A heap dump has objects (.hprof, .heapsnapshot). `caulk top` and `caulk tree` show a profile.",
        )
    return dump.heap


def matcher(pattern: str) -> Callable[[str], object]:
    """Whether a name matches a regular expression; raises `UsageError` for what is none."""
    try:
        return re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}") from None


def package_of_type(name: str) -> str:
    """The package or module of a type: what stands before its last dot, of arrays that of their elements."""
    return name.partition("[")[0].rpartition(".")[0]


def headline(heap: Heap) -> str:
    """What the answer is about, in a line."""
    graph, found = heap.graph, heap.dominators
    taken = f", taken {graph.taken_at:%Y-%m-%d %H:%M:%S} UTC" if graph.taken_at else ""
    held = format_value(found.retained[ROOTS], "bytes")
    garbage = len(graph) - len(found.order)
    beside = f"; {garbage:,} objects are not held" if garbage else ""
    return (
        f"{graph.runtime} heap ({graph.format}), {len(found.order) - 1:,} objects held, {held},"
        f" {found.references} references{beside}{taken}; mode: {heap.mode}"
    )
