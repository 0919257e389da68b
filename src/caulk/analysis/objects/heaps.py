"""A heap: an object graph with what every question about it needs, found out once.

`examine` does the work; `packed` and `unpacked` turn a heap into columns and a description and back, so that it can
be kept: the second question about a dump reads neither the dump nor the whole of what is kept.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from caulk.analysis.objects.dominators import dominators
from caulk.analysis.objects.paths import Nearest, nearest
from caulk.analysis.objects.plan import begun
from caulk.analysis.objects.retained import TypeTotals, by_type
from caulk.analysis.objects.trees import MEASURES, dominator_tree
from caulk.model.census import Census, Mode
from caulk.model.column import Column, Ints
from caulk.model.graph import Dominators, Label, ObjectGraph, References, Types
from caulk.model.measure import Measure
from caulk.model.profile import Profile, samples_of
from caulk.model.records import Finding
from caulk.model.tree import Frames, Tree

if TYPE_CHECKING:
    from caulk.ports import Progress

#: Changes whenever something else is found out than before: what was kept by an older caulk is not looked at.
VERSION = "5"

_GRAPH = ("type", "size", "first", "target", "label", "named", "naming", "site")
_HOLDERS = "holders."
_FRAMES = ("function", "file", "line", "mapping", "address")


@dataclass(frozen=True)
class Heap:
    """`tree` is the dominator tree merged by type path, `types` what each type has and retains: of what is held.

    `findings` are what keeps much of it, worst first, and `holders` the columns of the tree that they come from, which
    growth is told by; `mode` is how they were found, which changes none of them.
    """

    graph: ObjectGraph
    dominators: Dominators
    nearest: Nearest
    types: TypeTotals
    tree: Tree
    findings: tuple[Finding, ...]
    holders: Mapping[str, Column]
    mode: Mode = "exact"

    @property
    def profile(self) -> Profile:
        """Who retains what, as stacks of types: what trees, flame graphs, tops and differences are made of."""
        graph, tree = self.graph, self.tree
        return Profile(
            format=graph.format,
            runtime=graph.runtime,
            kind="objects",
            measures=tree.measures,
            frames=tree.frames,
            samples=samples_of(tree),
            taken_at=graph.taken_at,
            coverage=graph.coverage,
            warnings=graph.warnings,
            comments=graph.comments,
            memory=graph.memory,
        )


@dataclass(frozen=True, slots=True)
class Description:
    """What a kept heap has besides columns."""

    format: str
    runtime: str
    types: Types
    labels: list[Label]
    large: dict[int, int]
    strings: list[str]
    sites: list[str]
    taken_at: datetime | None
    coverage: float
    warnings: tuple[str, ...]
    comments: tuple[str, ...]
    memory: dict[str, int]
    references: References
    measures: tuple[Measure, ...]
    frames: list[str]
    findings: tuple[Finding, ...]
    mode: Mode


def examine(
    graph: ObjectGraph,
    references: References = "strong",
    *,
    aside: Callable[[Column], Column] | None = None,
    progress: "Progress" = lambda *_: None,
) -> Heap:
    """Who holds what, by the references that count: the costly part of every question about a graph.

    With `aside`, which gives a column back in a file, memory holds only the columns that are being made: the two-pass
    mode; the graph's own are best laid aside before (`laid_aside`). `progress` hears of the steps of a plan.
    """
    put = aside or (lambda column: column)
    progress(begun("dominators"), 1, "dominators")
    found = dominators(graph, references)
    found = replace(found, idom=put(found.idom), order=put(found.order), retained=put(found.retained))
    progress(begun("types"), 1, "types")
    types, tree = by_type(graph, found), dominator_tree(graph, found)
    progress(begun("paths"), 1, "paths")
    near = nearest(graph, references)
    near = Nearest(put(near.parent), put(near.edge))
    progress(begun("holders"), 1, "holders")
    # Telling holders is half of the code; who asks again of an analysed dump does not wait for it.
    from caulk.analysis import holders  # noqa: PLC0415

    held = holders.Held(graph, found, near)
    planted = held.planted()
    findings = holders.findings(held, planted)
    kept = {name: put(column) for name, column in holders.packed(planted).items()}
    return Heap(graph, found, near, types, tree, findings, kept, "two-pass" if aside else "exact")


def laid_aside(graph: ObjectGraph, aside: Callable[[Column], Column]) -> ObjectGraph:
    """The same graph with its columns in files; whoever still has the other one keeps it in memory."""
    columns: dict[str, Any] = {name: aside(getattr(graph, name)) for name in _GRAPH}
    return replace(graph, **columns)


def counted(census: Census) -> Profile:
    """What a census says, as stacks of one type each: bytes and objects themselves, held or not."""
    count = len(census.types)
    nothing = array("i", bytes(4 * count))
    frames = Frames(
        strings=["", *_cleaned(census.types.name)],
        function=array("i", range(1, count + 1)),
        file=nothing,
        line=array("q", bytes(8 * count)),
        mapping=array("i", [-1]) * count,
        address=array("q", bytes(8 * count)),
    )
    parent = array("i", [-1, *([0] * count)])
    values = tuple(array("q", [0, *column]) for column in (census.shallow, census.count))
    tree = Tree(MEASURES, frames, parent, array("i", range(-1, count)), values)
    return Profile(
        format=census.format,
        runtime=census.runtime,
        kind="objects",
        measures=MEASURES,
        frames=frames,
        samples=samples_of(tree),
        taken_at=census.taken_at,
        coverage=census.coverage,
        warnings=(*census.warnings, "only the types were counted: what nothing holds any more is among them"),
        comments=census.comments,
        memory=census.memory,
    )


def packed(heap: Heap) -> tuple[Description, dict[str, Column]]:
    """A heap as a description and columns."""
    graph, tree = heap.graph, heap.tree
    # Columns of large pages first: what they give back takes in the others.
    columns: dict[str, Column] = {
        "dominators.idom": heap.dominators.idom,
        "dominators.order": heap.dominators.order,
        "dominators.retained": heap.dominators.retained,
        "nearest.parent": heap.nearest.parent,
        "nearest.edge": heap.nearest.edge,
        "types.count": heap.types.count,
        "types.shallow": heap.types.shallow,
        "types.retained": heap.types.retained,
        "tree.parent": tree.parent,
        "tree.frame": tree.frame,
    }
    columns |= {f"{_HOLDERS}{name}": column for name, column in heap.holders.items()}
    columns |= {f"tree.value.{i}": column for i, column in enumerate(tree.values)}
    columns |= {f"frames.{name}": getattr(tree.frames, name) for name in _FRAMES}
    columns |= {f"graph.{name}": getattr(graph, name) for name in _GRAPH}
    types = Types(_cleaned(graph.types.name), list(graph.types.kind), _cleaned(graph.types.owner))
    description = Description(
        format=graph.format,
        runtime=graph.runtime,
        types=types,
        labels=[Label(label.kind, _clean(label.name)) for label in graph.labels],
        large=dict(graph.large),
        strings=_cleaned(graph.strings),
        sites=_cleaned(graph.sites),
        taken_at=graph.taken_at,
        coverage=graph.coverage,
        warnings=graph.warnings,
        comments=graph.comments,
        memory=graph.memory,
        references=heap.dominators.references,
        measures=tree.measures,
        frames=_cleaned(tree.frames.strings),
        findings=heap.findings,
        mode=heap.mode,
    )
    return description, columns


def unpacked(description: Description, columns: Mapping[str, Column]) -> Heap:
    """The heap that was packed; its columns are those given."""
    kept = description
    graph = ObjectGraph(
        format=kept.format,
        runtime=kept.runtime,
        types=kept.types,
        labels=kept.labels,
        large=kept.large,
        strings=kept.strings,
        sites=kept.sites,
        taken_at=kept.taken_at,
        coverage=kept.coverage,
        warnings=kept.warnings,
        comments=kept.comments,
        memory=kept.memory,
        **{name: columns[f"graph.{name}"] for name in _GRAPH},
    )
    # Trees are small, and who works with them changes arrays in place.
    function, file, line, mapping, address = (_array(columns[f"frames.{name}"]) for name in _FRAMES)
    frames = Frames(kept.frames, function, file, line, mapping, address)
    values = tuple(_array(columns[f"tree.value.{i}"]) for i in range(len(kept.measures)))
    return Heap(
        graph=graph,
        dominators=Dominators(
            references=kept.references,
            idom=columns["dominators.idom"],
            order=columns["dominators.order"],
            retained=columns["dominators.retained"],
        ),
        nearest=Nearest(columns["nearest.parent"], columns["nearest.edge"]),
        types=TypeTotals(*(_array(columns[f"types.{name}"]) for name in ("count", "shallow", "retained"))),
        tree=Tree(kept.measures, frames, _array(columns["tree.parent"]), _array(columns["tree.frame"]), values),
        findings=kept.findings,
        holders={name.removeprefix(_HOLDERS): column for name, column in columns.items() if name.startswith(_HOLDERS)},
        mode=kept.mode,
    )


def _array(column: Column) -> Ints:
    return column if isinstance(column, array) else array(column.format, column.tobytes())


def _cleaned(texts: Sequence[str]) -> list[str]:
    return [_clean(text) for text in texts]


def _clean(text: str) -> str:
    """Text that can be written as UTF-8: a dump may hold halves of surrogate pairs."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
