"""Which reports some dumps can answer, and why they cannot answer the others: the tabs of a page about them."""

from collections.abc import Callable, Sequence

from caulk.analysis.dumps import Dump
from caulk.analysis.objects.fill import STORES
from caulk.formats.contents import holds_contents
from caulk.model.overview import Tab
from caulk.reports import source, threads

Why = Callable[[Dump], str]


def tabs(dumps: Sequence[Dump]) -> tuple[Tab, ...]:
    """All tabs in their order; of several dumps the newest decides, and whether all are of one kind."""
    kinds = {dump.profile.kind for dump in dumps}
    mixed = "" if len(kinds) == 1 else f"These dumps are of {len(kinds)} kinds, which cannot be laid over each other."
    found = []
    for name, title, reason in _TABS:
        why = reason(dumps[-1]) or (mixed if name not in ("suspects", "raw") else "")
        found.append(Tab(name, title, not why, why))
    return tuple(found)


def _none(_: Dump) -> str:
    return ""


def _objects(dump: Dump) -> str:
    """Why there is nothing to say of single objects."""
    if dump.census:
        return f"Only the types were counted: {dump.shortage}."
    return "" if dump.heap else "A profile says who allocated, not what holds: this needs a heap dump."


def _types(dump: Dump) -> str:
    return "" if dump.census else _objects(dump)


def _strings(dump: Dump) -> str:
    if dump.heap and not (dump.duplicates and holds_contents(dump.heap.graph)):
        return "This dump holds the sizes of strings, not their contents."
    return _objects(dump)


def _waste(dump: Dump) -> str:
    if dump.heap and dump.heap.graph.runtime not in STORES:
        return f"How {dump.heap.graph.runtime or 'this runtime'} builds its collections is not known."
    return _objects(dump)


_TABS: tuple[tuple[str, str, Why], ...] = (
    ("suspects", "Suspects", _none),
    ("flame", "Flame", _none),
    ("tree", "Tree", _none),
    ("top", "Top", _none),
    ("types", "Types", _types),
    ("dominators", "Dominators", _objects),
    ("paths", "Paths", _objects),
    ("roots", "Roots", _objects),
    ("graph", "Graph", _none),
    ("strings", "Strings", _strings),
    ("waste", "Waste", _waste),
    ("threads", "Threads", threads.why_not),
    ("source", "Source", source.why_not),
    ("raw", "Raw", _none),
)
