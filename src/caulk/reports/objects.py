"""The questions about the objects of a heap dump: types, dominators, paths, roots.

Sizes are of what is held, by the references that count (`--references`); what nothing holds any more is garbage.
"""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence

from caulk._core import stacks
from caulk._core.graph import members
from caulk.analysis.dumps import Dump
from caulk.analysis.objects.heaps import Heap
from caulk.analysis.objects.retained import TypeTotals, by_group, of_set
from caulk.analysis.objects.trees import path_tree
from caulk.model.census import Census
from caulk.model.column import Column
from caulk.model.errors import UsageError
from caulk.model.graph import ROOTS, Types
from caulk.model.table import Heading, Stacks, Table
from caulk.model.units import format_value
from caulk.reports.question import Grouping, Question


def types(question: Question) -> Table:
    """Types, or what they belong to, by what they retain: their objects together, none counted twice."""
    dump = question.dumps[-1]
    if dump.census:
        return _counted(question, dump, dump.census)
    heap = heap_of(question)
    matches = matcher(question.pattern)
    names, totals = _grouped(heap, question.by)
    wanted = [i for i in range(len(names)) if totals.count[i] and matches(names[i])]
    wanted.sort(key=lambda i: (-totals.retained[i], names[i], i))
    whole = heap.dominators.retained[ROOTS] or 1
    owner = heap.graph.types.owner if question.by == "types" else None
    rows = [
        (
            totals.count[i],
            totals.shallow[i],
            totals.shallow[i] / whole,
            totals.retained[i],
            totals.retained[i] / whole,
            names[i],
            *([owner[i]] if owner else []),
        )
        for i in wanted[: question.limit]
    ]
    notes = (headline(heap), f"Showing {len(rows):,} of {len(wanted):,} {question.by}")
    headings = (
        Heading("objects", "objects", "count"),
        Heading("shallow", "shallow", "bytes"),
        Heading("shallow_share", "shallow%", "share"),
        Heading("retained", "retained", "bytes"),
        Heading("retained_share", "retained%", "share"),
        Heading("type", question.by.removesuffix("s")),
        *([Heading("owner", "owner")] if owner else []),
    )
    return Table("types", headings, rows, notes, {"total": heap.dominators.retained[ROOTS], "mode": heap.mode})


def _grouped(heap: Heap, by: Grouping) -> tuple[Sequence[str], TypeTotals]:
    """What the rows are called, and what each has."""
    types = heap.graph.types
    if by == "types":
        return types.name, heap.types
    numbers: dict[str, int] = {}
    group = array("i", (numbers.setdefault(name, len(numbers)) for name in _groups(types, by)))
    group[heap.graph.type[ROOTS]] = -1
    groups = stacks.take(group, array("i", heap.graph.type))
    return list(numbers), by_group(heap.graph, heap.dominators, groups, len(numbers))


def _groups(types: Types, by: Grouping) -> Iterator[str]:
    """What the row of each type is called."""
    if by == "types":
        return iter(types.name)
    of_type = (package_of_type(name) for name in types.name) if by == "packages" else iter(types.owner)
    return (name or "(none)" for name in of_type)


def _counted(question: Question, dump: Dump, census: Census) -> Table:
    """Types of a heap of which only they were counted: what they have, held or not, and not what they retain."""
    matches = matcher(question.pattern)
    count, shallow = Counter[str](), Counter[str]()
    for of, name in enumerate(_groups(census.types, question.by)):
        if census.types.kind[of] != "root":
            count[name] += census.count[of]
            shallow[name] += census.shallow[of]
    wanted = sorted((name for name in count if count[name] and matches(name)), key=lambda name: (-shallow[name], name))
    whole = sum(census.shallow)
    rows = [(count[name], shallow[name], shallow[name] / (whole or 1), name) for name in wanted[: question.limit]]
    taken = f", taken {census.taken_at:%Y-%m-%d %H:%M:%S} UTC" if census.taken_at else ""
    notes = (
        f"{census.runtime} heap ({census.format}), {sum(census.count):,} objects, held or not,"
        f" {format_value(whole, 'bytes')}{taken}; mode: {dump.mode}",
        f"What they retain is not told: {dump.shortage}",
        f"Showing {len(rows):,} of {len(wanted):,} {question.by}",
    )
    headings = (
        Heading("objects", "objects", "count"),
        Heading("shallow", "shallow", "bytes"),
        Heading("shallow_share", "shallow%", "share"),
        Heading("type", question.by.removesuffix("s")),
    )
    return Table("types", headings, rows, notes, {"total": whole, "mode": dump.mode})


def package_of_type(name: str) -> str:
    """The package or module of a type: what stands before its last dot, of arrays that of their elements."""
    return name.partition("[")[0].rpartition(".")[0]


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
    said = f"Without these {held:,} objects, {format_value(freed, 'bytes')} would be freed"
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
