"""Growth over several graphs of one program, without object identity: the same paths hold ever more.

The merged dominator trees are laid over each other; a node that is called the same by references and types is the same.
What grew is then looked for as in one graph, in the differences: the uppermost place where ever more of a kind pile up.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from caulk._core import holdings, stacks
from caulk._core.holdings import Holdings
from caulk.analysis.growth import Growth, growth_of
from caulk.analysis.holders.names import lasting, stable
from caulk.analysis.holders.tree import Accumulation, HolderTree, accumulations
from caulk.analysis.verdict import confidence_of, least_growth
from caulk.model.column import Ints
from caulk.model.graph import Label

#: Of the heap: what grew less is not listed beside what grew more.
_LISTED = 0.01
_MOST_FINDINGS = 10
#: Many small objects: their number grew by this many times the least, and by this part of what it was.
_MANY_TIMES, _MANY_PART = 10, 0.1


@dataclass(frozen=True)
class Overlay:
    """Trees over common nodes, in columns of one entry a node; `became` is the common node of each tree's own."""

    trees: tuple[HolderTree, ...]
    parent: Ints
    total: tuple[Ints, ...]
    flat: tuple[Ints, ...]
    count: tuple[Ints, ...]
    alike: tuple[Ints, ...]
    became: tuple[Ints, ...]

    def newest(self, node: int) -> int:
        """The node of the newest tree that has most of a common node; 0 where it has none."""
        tree = self.trees[-1]
        found = holdings.members(self.became[-1], node, 64)
        return max(found, key=lambda one: (tree.total[one], -one), default=0)


@dataclass(frozen=True, slots=True)
class Grew:
    """A place that grew: `place` in the newest tree, its numbers in every dump, oldest first.

    `counts` has a series for each of the place's entries, or one for the place itself where it has none.
    """

    place: Accumulation
    sizes: tuple[int, ...]
    counts: tuple[tuple[int, ...], ...]
    growth: Growth
    by_count: bool
    share: float
    confidence: float


def lay_over(trees: Sequence[HolderTree]) -> Overlay:
    """The trees over common nodes, oldest first. Linear in their nodes."""
    common = Holdings()
    labels: dict[Label, int] = {}
    identities: dict[tuple[str, str], int] = {}
    became = []
    for tree in trees:
        vias = array("i", (labels.setdefault(label, len(labels)) for label in tree.graph.labels))
        names = array("i", (identities.setdefault(("type", stable(n)), len(identities)) for n in tree.graph.types.name))
        names.extend(identities.setdefault(("", lasting(n)), len(identities)) for n in tree.graph.strings)
        became.append(common.graft(tree.parent, tree.via, tree.identity, vias, names))
    parent = common.column("parent")
    length = len(parent)

    def summed(columns: Iterable[Ints]) -> tuple[Ints, ...]:
        return tuple(stacks.scatter(nodes, column, length) for nodes, column in zip(became, columns, strict=True))

    flat = summed(tree.flat for tree in trees)
    return Overlay(
        trees=tuple(trees),
        parent=parent,
        total=tuple(stacks.totals(parent, column) for column in flat),
        flat=flat,
        count=summed(tree.count for tree in trees),
        alike=summed(tree.alike for tree in trees),
        became=tuple(became),
    )


def growing(trees: Sequence[HolderTree], times: Sequence[float]) -> list[Grew]:
    """What grew, worst first; `times` as for `growth_of`."""
    laid = lay_over(trees)
    whole = laid.total[-1][0]
    gained = holdings.less(laid.total[-1], laid.total[0])
    more = holdings.less(laid.alike[-1], laid.alike[0])
    own = holdings.less(laid.flat[-1], laid.flat[0])
    least = least_growth(len(trees), whole, "bytes")
    places = accumulations(laid.parent, gained, more, own, least)
    all_growth = sum(place.amount for place in places) or 1
    found = [_grew(laid, place, times, all_growth) for place in places]
    seen = {grew.place.node for grew in found}
    found.extend(_by_number(laid, more, times, seen))
    found = [grew for grew in found if grew.growth.shape not in ("flat", "falling") and grew.growth.delta > 0]
    found.sort(key=_rank)
    rises = any(grew.growth.shape == "rising" for grew in found)
    return [g for g in found if g.share >= (0.05 if rises and g.growth.shape != "rising" else _LISTED)][:_MOST_FINDINGS]


def _grew(laid: Overlay, place: Accumulation, times: Sequence[float], all_growth: int) -> Grew:
    measured = place.entries if place.is_group else (place.node,)
    sizes = tuple(sum(column[node] for node in measured) for column in laid.total)
    growth = growth_of(sizes, [0.0] * len(sizes), times)
    share = min(max(place.amount, 0) / all_growth, 1.0)
    confidence = confidence_of(growth, share, len(sizes)) * min(tree.graph.coverage for tree in laid.trees)
    newest, counts = _in_newest(laid, place)
    return Grew(newest, sizes, counts, growth, False, round(share, 4), round(confidence, 2))


def _by_number(laid: Overlay, more: Ints, times: Sequence[float], seen: set[int]) -> list[Grew]:
    """Places where the number of objects grows by much though the bytes do not."""
    total = stacks.totals(laid.parent, more)
    least = max(least_growth(len(laid.trees), 0, "count") * _MANY_TIMES, round(0.2 * total[0]))
    found = []
    for place in accumulations(laid.parent, total, more, more, least):
        counted = place.entries or (place.node,)
        counts = tuple(sum(column[node] for node in counted) for column in laid.count)
        if place.node in seen or counts[-1] - counts[0] < _MANY_PART * counts[0]:
            continue
        sizes = tuple(sum(column[node] for node in counted) for column in laid.total)
        growth = growth_of(counts, [0.0] * len(counts), times)
        share = min(growth.delta / max(total[0], 1), 1.0)
        confidence = confidence_of(growth, share, len(sizes)) * min(tree.graph.coverage for tree in laid.trees)
        newest, each = _in_newest(laid, place)
        found.append(Grew(newest, sizes, each, growth, True, round(share, 4), round(confidence, 2)))
    return found


def _in_newest(laid: Overlay, place: Accumulation) -> tuple[Accumulation, tuple[tuple[int, ...], ...]]:
    """The same place by the newest tree's nodes, with the number of each of its entries in every dump."""
    pairs = [(laid.newest(entry), entry) for entry in place.entries]
    held = [(newest, entry) for newest, entry in pairs if newest]
    counted = [entry for _, entry in held] or [place.node]
    series = tuple(tuple(column[node] for column in laid.count) for node in counted)
    return replace(place, node=laid.newest(place.node), entries=tuple(newest for newest, _ in held)), series


def _rank(grew: Grew) -> tuple[int, float, int]:
    """What sorts the worst first: shape, then how much of the growth it is; the node's number only breaks ties."""
    shape = {"rising": 0, "unknown": 1}.get(grew.growth.shape, 2)
    return shape, -grew.share * (0.5 if grew.by_count else 1.0), grew.place.node
