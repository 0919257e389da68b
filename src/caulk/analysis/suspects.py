"""Who makes the objects that are not freed: stacks grouped by the application's own frame nearest the allocation.

A stack ends in the runtime or a library as a rule (`append`, `json.loads`); who is to blame is the innermost frame of
the application that led there, or of a library where the application has none. All stacks with the same frame to blame
are one group, and its numbers over all profiles are what is judged. Names only tell whose code a frame is; an
allocator's frames that have none are told from where they stand (see `allocators`).
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from caulk._core import stacks
from caulk.analysis.allocators import SharedEnd, shared_end
from caulk.analysis.fold import Union, union
from caulk.analysis.growth import Growth, growth_of
from caulk.analysis.sampling import variances
from caulk.model.column import Ints
from caulk.model.measure import Measure
from caulk.model.origin import LOADER_FILE, Origin, marks, origins
from caulk.model.profile import Profile
from caulk.model.tree import Tree


@dataclass(frozen=True, slots=True)
class Suspect:
    """A frame to blame, with its numbers in every profile (`sizes`, and `counts` where objects are counted).

    `errors` and `count_errors` are their standard errors.
    """

    frame: int
    origin: Origin
    sizes: tuple[int, ...]
    errors: tuple[float, ...]
    counts: tuple[int, ...]
    growth: Growth
    count_growth: Growth | None
    count_errors: tuple[float, ...] = ()
    chain: tuple[int, ...] = ()
    """Nodes from the outermost caller to the allocation, along the heaviest way."""
    blamed: int = 0
    """The node of the chain whose frame is to blame."""
    chain_share: float = 1.0
    """The part of the group's growth (or size) that came along the chain down to `blamed`."""


@dataclass(frozen=True, slots=True)
class Line:
    """All profiles of one kind laid over each other, and every group's numbers."""

    profiles: tuple[Profile, ...]
    times: tuple[float, ...]
    laid: Union
    origin: tuple[Origin, ...]
    """Whose code each common frame is."""
    end: SharedEnd
    anchor: Ints
    """For each common node the node on its stack whose frame is to blame."""
    size: Measure
    count: Measure | None
    suspects: tuple[Suspect, ...]
    totals: tuple[int, ...]

    @property
    def tree(self) -> Tree:
        """The newest profile over the common nodes."""
        return self.laid.trees[-1]


def line_up(profiles: Sequence[Profile], times: Sequence[float], size: Measure, count: Measure | None) -> Line:
    """Group and measure everything in `profiles`, oldest first; `times` as for `growth_of`."""
    measures = [size] if count is None else [size, count]
    laid = union(profiles, measures, "functions")
    tree = laid.trees[-1]
    end = shared_end(profiles, laid.trees)
    origin = origins(tree.frames, profiles[-1].runtime)
    for f in end.frames:
        origin[f] = "runtime"
    anchor = _blamed_nodes(tree, origin)
    groups = len(tree.frames)
    group = array("i", (tree.frame[a] if a else -1 for a in anchor))
    # Node 0 carries what has no stack; it is nobody's, so it goes to a group of its own that is not looked at.
    shifted = array("i", (g if g >= 0 else groups for g in group))
    sizes = [stacks.scatter(shifted, t.values[0], groups + 1) for t in laid.trees]
    counts = [stacks.scatter(shifted, t.values[1], groups + 1) for t in laid.trees] if count else []
    spread = [
        _errors(profile, stacks.take(group, nodes), groups, measures)
        for profile, nodes in zip(profiles, laid.nodes, strict=True)
    ]
    suspects = []
    for g in range(groups):
        series = tuple(column[g] for column in sizes)
        numbers = tuple(column[g] for column in counts)
        if not any(series) and not any(numbers):
            continue
        errors = tuple(sqrt(v[0][g]) for v in spread)
        count_errors = tuple(sqrt(v[1][g]) for v in spread)
        suspects.append(
            Suspect(
                frame=g,
                origin=origin[g],
                sizes=series,
                errors=errors,
                counts=numbers,
                growth=growth_of(series, errors, times),
                count_growth=growth_of(numbers, count_errors, times) if numbers else None,
                count_errors=count_errors,
            )
        )
    return Line(
        profiles=tuple(profiles),
        times=tuple(times),
        laid=laid,
        origin=tuple(origin),
        end=end,
        anchor=anchor,
        size=size,
        count=count,
        suspects=tuple(suspects),
        totals=tuple(t.total(0) for t in laid.trees),
    )


def with_chains(line: Line, suspects: Sequence[Suspect], *, measure: int = 0) -> list[Suspect]:
    """The suspects with the way that most of each came: the heaviest group of its stacks, down to the allocation.

    `measure` 0 weighs by size, 1 by count. One pass over the nodes for all suspects.
    """
    tree = line.tree
    newest = tree.values[measure]
    oldest = line.laid.trees[0].values[measure] if len(line.profiles) > 1 else bytes(len(tree))
    by_anchor: dict[int, dict[int, int]] = {suspect.frame: {} for suspect in suspects}
    heaviest: dict[int, tuple[int, int]] = {}
    frame = tree.frame
    for node, at in enumerate(line.anchor):
        weights = by_anchor.get(frame[at]) if at else None
        weight = newest[node] - oldest[node]
        if weights is None or not weight:
            continue
        weights[at] = weights.get(at, 0) + weight
        if at not in heaviest or weight > heaviest[at][0]:
            heaviest[at] = (weight, node)
    found = []
    for suspect in suspects:
        weights = by_anchor[suspect.frame]
        if not weights:
            found.append(suspect)
            continue
        best = max(weights, key=lambda at: (weights[at], -at))
        gained = sum(weight for weight in weights.values() if weight > 0)
        chain = [heaviest[best][1]]
        while tree.parent[chain[-1]] > 0:
            chain.append(tree.parent[chain[-1]])
        share = weights[best] / gained if gained > 0 else 1.0
        found.append(replace(suspect, chain=tuple(reversed(chain)), blamed=best, chain_share=share))
    return found


def lines_of(line: Line, nodes: Sequence[int]) -> dict[int, int]:
    """The source line of each of `nodes` that grew most (of one profile: that holds most), 0 where none is known.

    Functions are what is compared; the line is looked up in the profiles' own stacks.
    """
    wanted = set(nodes)
    weight: dict[int, dict[int, int]] = {node: {} for node in wanted}
    ends = [(line.profiles[-1], 1)]
    if len(line.profiles) > 1:
        ends.append((line.profiles[0], -1))
    for profile, sign in ends:
        tree = profile.tree
        became = line.laid.became(tree)
        total = stacks.totals(tree.parent, tree.values[tree.measures.index(line.size)])
        for i, node in enumerate(became):
            if node in wanted and i:
                number = tree.frames.line[tree.frame[i]]
                weight[node][number] = weight[node].get(number, 0) + sign * total[i]
    return {
        node: max(found, key=lambda number: (found[number], -number)) if found else 0 for node, found in weight.items()
    }


def variances_of(line: Line, profile: int) -> tuple[list[float], list[float]]:
    """The variances of size and count at each common node of one of the profiles, its own samples alone."""
    measures = [line.size] if line.count is None else [line.size, line.count]
    return _errors(line.profiles[profile], line.laid.nodes[profile], len(line.tree), measures)


def _blamed_nodes(tree: Tree, origin: list[Origin]) -> Ints:
    """For each node the node on its stack whose frame is to blame (0 only for the root)."""
    parent, frame = tree.parent, tree.frame
    application = stacks.nearest(parent, frame, marks(origin, "application"))
    library = stacks.nearest(parent, frame, marks(origin, "library"))
    loading = bytes(1 if tree.frames.file_name(i).startswith(LOADER_FILE) else 0 for i in range(len(tree.frames)))
    loader = stacks.nearest(parent, frame, loading)
    # A descendant has the larger number: a loader below the application's frame means that code is being loaded.
    return array(
        "i",
        (
            code if code > own else own or other or node
            for node, (own, other, code) in enumerate(zip(application, library, loader, strict=True))
        ),
    )


def _errors(profile: Profile, group: Ints, groups: int, measures: Sequence[Measure]) -> tuple[list[float], list[float]]:
    """Variances of size and count in each group; only bytes are sampled, a count of goroutines is exact."""
    size, count = measures[0], measures[1] if len(measures) > 1 else None
    if profile.period <= 1 or size.unit != "bytes":
        return [0.0] * groups, [0.0] * groups
    names = profile.measures
    return variances(profile, group, groups, size=names.index(size), count=names.index(count) if count else None)
