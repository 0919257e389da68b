"""The narrowest call that growth can be pinned to, where no single place has grown more than the sampling's noise.

Of a coarsely sampled profile each place may show a sample or two; below a caller that they have in common, they are
many. From the root down, the call that grew most is followed for as long as its growth is significant.
"""

from dataclasses import dataclass
from math import sqrt

from caulk._core import stacks
from caulk.analysis.growth import Growth, growth_of
from caulk.analysis.suspects import Line, Suspect, variances_of
from caulk.model.column import Ints


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The growth of everything, and the application's innermost call below which it is significant, if there is one."""

    whole: Growth
    suspect: Suspect | None


def narrowed(line: Line) -> Narrowed:
    """Linear in the nodes, once for each profile: every number is counted with all that was called below it."""
    tree = line.tree
    parent = tree.parent
    sizes = [stacks.totals(parent, t.values[0]) for t in line.laid.trees]
    counts = [stacks.totals(parent, t.values[1]) for t in line.laid.trees] if line.count else []
    errors = [_below(parent, variances_of(line, p)[0]) for p in range(len(line.profiles))]

    def growth(node: int) -> Growth:
        return growth_of([column[node] for column in sizes], [sqrt(e[node]) for e in errors], line.times)

    children: dict[int, list[int]] = {}
    for node in range(1, len(parent)):
        children.setdefault(parent[node], []).append(node)
    whole = growth(0)
    way, at, found = [], 0, whole
    best: tuple[int, Growth, int] | None = None
    while found.is_significant and at in children:
        at = max(children[at], key=lambda node: (sizes[-1][node] - sizes[0][node], -node))
        found = growth(at)
        way.append(at)
        if found.is_significant and line.origin[tree.frame[at]] == "application":
            best = at, found, len(way)
    if not best:
        return Narrowed(whole, None)
    node, found, depth = best
    suspect = Suspect(
        frame=tree.frame[node],
        origin="application",
        sizes=tuple(column[node] for column in sizes),
        errors=tuple(sqrt(e[node]) for e in errors),
        counts=tuple(column[node] for column in counts),
        growth=found,
        count_growth=None,
        chain=tuple(way[:depth]),
        blamed=node,
    )
    return Narrowed(whole, suspect)


def _below(parent: Ints, own: list[float]) -> list[float]:
    """The sums of `own` over each node and all below it."""
    total = list(own)
    for node in range(len(total) - 1, 0, -1):
        total[parent[node]] += total[node]
    return total
