"""What the strings of a heap dump contain: for the formats with a module `duplicates` in their package.

A graph has no values, so the dump is read again; its objects have the same numbers whenever it is read.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module

from caulk._core import contents as kernel
from caulk._core import graph
from caulk.formats import recognise
from caulk.formats.source import Source
from caulk.model.column import Column, Ints
from caulk.model.contents import Duplicates
from caulk.model.errors import MalformedDump, UsageError
from caulk.model.graph import ObjectGraph

#: The formats that hold the contents of strings.
HOLDING = ("hprof", "heap_snapshot")
_REDACTED = "its values were removed"


def duplicates(source: Source, graph: ObjectGraph, held: Column, *, rows: int, objects: int) -> Duplicates:
    """The contents that several strings have: the `rows` that waste most, with up to `objects` strings of each.

    `held` (`'i'`) is what dominates each object, -1 for those that nothing holds. Raises `UsageError` for a format that
    holds no contents and for a redacted dump.
    """
    module = recognise(source)
    name = module.__name__.rpartition(".")[2]
    if name not in HOLDING:
        raise UsageError(
            f"{source.path}: a {module.NAME} file holds the sizes of strings, not their contents",
            hint="Heap dumps of the JVM (.hprof) and of V8 (.heapsnapshot) hold contents.",
        )
    if _REDACTED in graph.comments:
        raise UsageError(
            f"{source.path} is redacted: its strings have no contents to compare",
            hint="Ask the dump that it was made from.",
        )
    try:
        found: Duplicates = import_module(f"{module.__name__}.duplicates").duplicates(
            source.data, graph, held, rows=rows, objects=objects
        )
    except MalformedDump as error:
        raise MalformedDump(f"{source.path}: {error}", hint=error.hint) from None
    return found


def holds_contents(graph: ObjectGraph) -> bool:
    """Whether the dump of a graph holds what its strings contain."""
    return graph.format in [name.replace("_", "") for name in HOLDING] and _REDACTED not in graph.comments


def repeated(source: Source, graph: ObjectGraph) -> float:
    """The share of a heap that equal strings take beside one of each: at least about so much, by a look at parts of it.

    0 for a format that holds no contents and for a redacted dump. Reads a few megabytes; of strings that are there only
    a few times it sees little.
    """
    module = recognise(source)
    if module.__name__.rpartition(".")[2] not in HOLDING or _REDACTED in graph.comments:
        return 0.0
    found: float = import_module(f"{module.__name__}.duplicates").repeated(source.data)
    return found


def repeated_share(sizes: Iterable[tuple[int, int]], whole: int) -> float:
    """What part of `whole` the second and every further one of equal things takes; of each its hash and its bytes."""
    copies = Counter(sizes)
    return sum((n - 1) * size for (_, size), n in copies.items()) / max(whole, 1)


def most_wasted(
    content: Column, copies: Ints, numbers: Sequence[int], wasted: Ints, *, rows: int, objects: int
) -> tuple[Ints, list[Ints]]:
    """The contents that waste most, by their place in `wasted` (`'i'`), and up to `objects` of the objects of each.

    `content` (`'i'`, by object) are numbers of contents, `numbers` those of the contents that there are several of.
    """
    best = graph.top(wasted, rows)
    row_of = array("i", [-1]) * (max((numbers[at] for at in best), default=0) + 1)
    for row, at in enumerate(best):
        row_of[numbers[at]] = row
    return best, kernel.spread(content, row_of, array("q", (copies[at] for at in best)), objects)
