"""The questions about memory that holds nothing new: strings, waste. By what would be freed without it."""

from array import array
from collections.abc import Iterator
from typing import Any

from caulk._core.contents import spread
from caulk.analysis.holders.usual import UsualHolders
from caulk.analysis.objects.fill import STORES, filling
from caulk.analysis.objects.heaps import Heap
from caulk.model.contents import Duplicates
from caulk.model.errors import UsageError
from caulk.model.graph import ROOTS
from caulk.model.table import Heading, Table
from caulk.model.units import format_share, format_value
from caulk.reports.objects import headline, heap_of, matcher
from caulk.reports.question import Question

#: Who holds a group is told by so many of it.
_SAMPLES = 100
#: Characters of a text that are shown to who asks for values.
_SHOWN = 80
_BOXES = {
    f"java.lang.{name}" for name in ("Boolean", "Byte", "Character", "Short", "Integer", "Long", "Float", "Double")
}


def strings(question: Question) -> Table:
    """Contents that several strings have, by the bytes that all but one of them take."""
    heap, dump = heap_of(question), question.dumps[-1]
    if dump.duplicates is None:
        raise UsageError(f"{dump.path} cannot be read again for the contents of its strings")
    found = dump.duplicates(question.limit, _SAMPLES)
    holders = UsualHolders(heap.graph, heap.nearest)
    whole = heap.dominators.retained[ROOTS] or 1
    headings = [
        Heading("copies", "copies", "count"),
        Heading("length", "length", "count"),
        Heading("wasted", "wasted", "bytes"),
        Heading("wasted_share", "wasted%", "share"),
        Heading("held_share", "held%", "share"),
        Heading("compared", "compared"),
        Heading("holder", "held by"),
    ]
    if question.values:
        headings.append(Heading("text", "text"))
    rows: list[tuple[Any, ...]] = []
    for number, row in enumerate(found.rows):
        holder, share = holders.of(row.objects)
        compared = "whole" if row.is_certain else "beginning"
        text = [_escaped(found.text(number, _SHOWN + 1))] if question.values else []
        rows.append((row.copies, row.length, row.wasted, row.wasted / whole, share, compared, holder, *text))
    notes = (headline(heap), *_said(found, whole))
    extra = {"contents": found.contents, "copies": found.copies, "wasted": found.wasted}
    return Table("strings", tuple(headings), rows, notes, extra)


def waste(question: Question) -> Table:
    """Types of collections by what those of them waste that are empty or nearly so."""
    heap = heap_of(question)
    graph, names = heap.graph, heap.graph.types.name
    if graph.runtime not in STORES:
        raise UsageError(f"how {graph.runtime} builds its collections is not known")
    found = filling(graph, heap.dominators)
    matches = matcher(question.pattern)
    wanted = [kind for kind in range(len(names)) if found.wasted[kind] and matches(names[kind])]
    wanted.sort(key=lambda kind: (-found.wasted[kind], names[kind], kind))
    shown = wanted[: question.limit]
    row_of = array("i", [-1]) * (len(names) + 1)
    for row, kind in enumerate(shown):
        row_of[kind + 1] = row
    counts = array("q", [found.empty[kind] + found.nearly[kind] for kind in shown])
    usual = UsualHolders(graph, heap.nearest)
    holders = [usual.of(members) for members in spread(found.wasting, row_of, counts, _SAMPLES)]
    whole = heap.dominators.retained[ROOTS] or 1
    rows = [
        (
            found.count[kind],
            found.empty[kind],
            found.nearly[kind],
            found.wasted[kind],
            found.wasted[kind] / whole,
            share,
            holder,
            names[kind],
        )
        for kind, (holder, share) in zip(shown, holders, strict=True)
    ]
    headings = (
        Heading("collections", "collections", "count"),
        Heading("empty", "empty", "count"),
        Heading("nearly_empty", "nearly", "count"),
        Heading("wasted", "wasted", "bytes"),
        Heading("wasted_share", "wasted%", "share"),
        Heading("held_share", "held%", "share"),
        Heading("holder", "held by"),
        Heading("type", "type"),
    )
    total = sum(found.wasted)
    notes = (headline(heap), *_filled(heap, sum(found.count), total / whole, total))
    return Table("waste", headings, rows, notes, {"collections": sum(found.count), "wasted": total})


def _filled(heap: Heap, collections: int, share: float, wasted: int) -> Iterator[str]:
    yield (
        f"{collections:,} collections; {format_value(wasted, 'bytes')} ({format_share(share)}) are empty ones and"
        " unused slots of those that are less than a quarter full"
    )
    if heap.graph.runtime in ("node", "chrome"):
        yield "A snapshot does not have small integers, booleans and undefined: few of these alone look like none"
    boxed = [kind for kind, name in enumerate(heap.graph.types.name) if name in _BOXES]
    number, taken = (sum(column[kind] for kind in boxed) for column in (heap.types.count, heap.types.shallow))
    if number:
        yield f"{number:,} boxed numbers take {format_value(taken, 'bytes')}"


def _said(found: Duplicates, whole: int) -> Iterator[str]:
    yield (
        f"Showing {len(found.rows):,} of {found.contents:,} texts that are there more than once: {found.copies:,}"
        f" strings; one of each would take {format_value(found.wasted, 'bytes')} less"
        f" ({format_share(found.wasted / whole)})"
    )
    unsure = sum(not row.is_certain for row in found.rows)
    if unsure:
        yield (
            f"Of {unsure:,} of the texts below the dump has only the beginning: strings of one size that begin alike"
            " are taken for equal"
        )


def _escaped(text: str) -> str:
    """A text on one line, cut: what does not print stands as its escape."""
    shown = "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in text[:_SHOWN])
    return shown + "…" * (len(text) > _SHOWN)
