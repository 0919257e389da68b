"""The question about types: what each has and retains, or by how much that changed between two heaps."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caulk._core import stacks
from caulk.analysis.dumps import Dump
from caulk.analysis.objects.heaps import Heap
from caulk.analysis.objects.retained import TypeTotals, by_group
from caulk.model.census import Census
from caulk.model.graph import ROOTS, Types
from caulk.model.table import Heading, Table
from caulk.model.units import format_value
from caulk.reports.changes import hourly
from caulk.reports.objects import headline, heap_of, matcher, package_of_type
from caulk.reports.question import Grouping, Question

_OBJECTS = Heading("objects", "objects", "count")
_SHALLOW = Heading("shallow", "shallow", "bytes")
_SHALLOW_SHARE = Heading("shallow_share", "shallow%", "share")
_RETAINED = Heading("retained", "retained", "bytes")
_RETAINED_SHARE = Heading("retained_share", "retained%", "share")
_MORE_OBJECTS = Heading("objects_change", "Δ objects", "count", signed=True)
_MORE_SHALLOW = Heading("shallow_change", "Δ shallow", "bytes", signed=True)
_MORE_RETAINED = Heading("retained_change", "Δ retained", "bytes", signed=True)
_HOURLY = Heading("retained_per_hour", "Δ/h", "bytes", signed=True)
_KEPT_OBJECTS = Heading("objects_survived", "new objects", "count")
_KEPT_SHALLOW = Heading("shallow_survived", "new shallow", "bytes")
_KEPT_RETAINED = Heading("retained_survived", "new retained", "bytes")


def types(question: Question) -> Table:
    """Types, or what they belong to, by what they retain: their objects together, none counted twice.

    Of several heaps those of the last that changed since the first, from what grew to what shrank.
    """
    if len(question.dumps) > 1:
        return _changed(question)
    dump = question.dumps[-1]
    if dump.census:
        return _counted(question, dump, dump.census)
    heap = heap_of(question)
    names, totals = _grouped(heap, question.by)
    matches = matcher(question.pattern)
    there = (i for i in range(len(names)) if totals.count[i] and totals.retained[i] >= question.least)
    wanted = sorted((i for i in there if matches(names[i])), key=lambda i: (-totals.retained[i], names[i], i))
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
    whose = [Heading("owner", "owner")] if owner else []
    headings = (_OBJECTS, _SHALLOW, _SHALLOW_SHARE, _RETAINED, _RETAINED_SHARE, _type(question), *whose)
    notes = (headline(heap), _showing(question, rows, wanted))
    return Table("types", headings, rows, notes, {"total": heap.dominators.retained[ROOTS], "mode": heap.mode})


def _type(question: Question) -> Heading:
    return Heading("type", question.by.removesuffix("s"))


def _showing(question: Question, rows: Sequence[Any], wanted: Sequence[Any], what: str = "") -> str:
    least = f" of at least {format_value(question.least, 'bytes')}" if question.least else ""
    return f"Showing {len(rows):,} of {len(wanted):,} {question.by}{what}{least}"


def _grouped(heap: Heap, by: Grouping) -> tuple[Sequence[str], TypeTotals]:
    """What the rows are called, and what each has."""
    types = heap.graph.types
    return (types.name, heap.types) if by == "types" else _by_name(heap, by)


def _by_name(heap: Heap, by: Grouping) -> tuple[Sequence[str], TypeTotals]:
    """The same by name alone: types of one name are one row."""
    numbers: dict[str, int] = {}
    group = array("i", (numbers.setdefault(name, len(numbers)) for name in _groups(heap.graph.types, by)))
    group[heap.graph.type[ROOTS]] = -1
    if by == "types" and len(numbers) == len(group):
        return list(numbers), heap.types
    groups = stacks.take(group, array("i", heap.graph.type.tobytes()))
    return list(numbers), by_group(heap.graph, heap.dominators, groups, len(numbers))


def _groups(types: Types, by: Grouping) -> Iterable[str]:
    """What the row of each type is called."""
    if by == "types":
        return types.name
    of_type = map(package_of_type, types.name) if by == "packages" else types.owner
    return (name or "(none)" for name in of_type)


def _counted(question: Question, dump: Dump, census: Census) -> Table:
    """Types of a heap of which only they were counted: what they have, held or not, and not what they retain."""
    found = _census_sizes(census, question.by)
    there = (name for name, size in found.items() if size.shallow >= question.least)
    wanted = sorted(filter(matcher(question.pattern), there), key=lambda name: (-found[name].shallow, name))
    whole = sum(census.shallow)
    sizes = [(found[name], name) for name in wanted[: question.limit]]
    rows = [(size.objects, size.shallow, size.shallow / (whole or 1), name) for size, name in sizes]
    notes = (
        _census_headline(dump, census),
        f"What they retain is not told: {dump.shortage}",
        _showing(question, rows, wanted),
    )
    headings = (_OBJECTS, _SHALLOW, _SHALLOW_SHARE, _type(question))
    return Table("types", headings, rows, notes, {"total": whole, "mode": dump.mode})


def _census_headline(dump: Dump, census: Census) -> str:
    taken = f", taken {census.taken_at:%Y-%m-%d %H:%M:%S} UTC" if census.taken_at else ""
    return (
        f"{census.runtime} heap ({census.format}), {sum(census.count):,} objects, held or not,"
        f" {format_value(sum(census.shallow), 'bytes')}{taken}; mode: {dump.mode}"
    )


@dataclass(frozen=True, slots=True)
class _Size:
    """What the types of a row have; of a census nobody knows what they retain."""

    objects: int = 0
    shallow: int = 0
    retained: int = 0

    def less(self, other: "_Size") -> "_Size":
        return _Size(self.objects - other.objects, self.shallow - other.shallow, self.retained - other.retained)

    def positive(self) -> "_Size":
        return _Size(max(self.objects, 0), max(self.shallow, 0), max(self.retained, 0))


def _least(sizes: Sequence[_Size]) -> _Size:
    """The least of each of their numbers."""
    return _Size(*(min(column) for column in zip(*((s.objects, s.shallow, s.retained) for s in sizes), strict=True)))


def _census_sizes(census: Census, by: Grouping) -> dict[str, _Size]:
    found: dict[str, _Size] = {}
    for of, name in enumerate(_groups(census.types, by)):
        if census.types.kind[of] != "root" and census.count[of]:
            before = found.get(name, _Size())
            found[name] = _Size(before.objects + census.count[of], before.shallow + census.shallow[of])
    return found


def _sizes(question: Question, dump: Dump, *, is_counted: bool) -> dict[str, _Size]:
    """By name, what the rows of one dump have; `is_counted` leaves out what a census does not know."""
    if dump.census:
        return _census_sizes(dump.census, question.by)
    names, totals = _by_name(heap_of(Question([dump])), question.by)
    there = (i for i in range(len(names)) if totals.count[i])
    kept = [0] * len(names) if is_counted else totals.retained
    return {names[i]: _Size(totals.count[i], totals.shallow[i], kept[i]) for i in there}


def _changed(question: Question) -> Table:
    """What each type has in the last heap and how much more, or less, than in the first; the largest changes.

    Of survivors, how much more it has in all later heaps than in the first.
    """
    dumps = question.lasting if question.survivors else (question.ordered[0], question.ordered[-1])
    short = next((dump for dump in reversed(dumps) if dump.census), None)
    is_counted = short is not None
    sizes = [_sizes(question, dump, is_counted=is_counted) for dump in dumps]
    size: Callable[[_Size], int] = (lambda s: s.shallow) if is_counted else (lambda s: s.retained)
    change = _changes(sizes, is_kept=question.survivors)
    matches = matcher(question.pattern)
    there = (name for name, more in change.items() if more != _Size() and abs(size(more)) >= question.least)
    wanted = sorted(filter(matches, there), key=lambda name: (-abs(size(change[name])), name))
    shown = sorted(wanted[: question.limit], key=lambda name: (-size(change[name]), name))
    hours = None if is_counted or question.survivors else question.hours
    now = sizes[-1]
    rows = [_row(now.get(name, _Size()), change[name], name, is_counted=is_counted, hours=hours) for name in shown]
    showing = _showing(question, rows, wanted, " that survived" if question.survivors else " that changed")
    headings = _headings(question, is_counted=is_counted, is_hourly=bool(hours))
    return Table("types", headings, rows, _noted(question, dumps, short, showing))


def _changes(sizes: Sequence[Mapping[str, _Size]], *, is_kept: bool) -> dict[str, _Size]:
    """By name, what the last heap has more than the first; of what is kept, what all later ones have more."""
    found = {}
    for name in dict.fromkeys(name for of in (sizes[-1], *sizes) for name in of):
        first, *later = (of.get(name, _Size()) for of in sizes)
        found[name] = _least(later).less(first).positive() if is_kept else later[-1].less(first)
    return found


def _headings(question: Question, *, is_counted: bool, is_hourly: bool) -> tuple[Heading, ...]:
    is_kept = question.survivors
    kept = (_RETAINED, _KEPT_RETAINED if is_kept else _MORE_RETAINED, *[_HOURLY] * is_hourly)
    return (
        _OBJECTS,
        _KEPT_OBJECTS if is_kept else _MORE_OBJECTS,
        _SHALLOW,
        _KEPT_SHALLOW if is_kept else _MORE_SHALLOW,
        *(() if is_counted else kept),
        _type(question),
    )


def _noted(question: Question, dumps: Sequence[Dump], short: Dump | None, showing: str) -> tuple[str, ...]:
    arrow = f"{dumps[0].path} → {dumps[-1].path}"
    if question.survivors:
        arrow = f"New in {dumps[1].path} against {dumps[0].path}, and still there in {dumps[-1].path}"
    said = [f"What they retain is not told, and garbage may count: {short.shortage}"] if short else []
    return (arrow, *said, showing)


def _row(now: _Size, more: _Size, name: str, *, is_counted: bool, hours: float | None) -> tuple[Any, ...]:
    kept = () if is_counted else (now.retained, more.retained, *hourly(more.retained, hours))
    return (now.objects, more.objects, now.shallow, more.shallow, *kept, name)
