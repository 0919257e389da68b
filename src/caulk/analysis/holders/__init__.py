"""Who holds it: what keeps much of one object graph, or ever more over several, named by field and class.

The one entry is `analyse`. Ranking reads numbers only: of one graph how much is kept and in what shape, of several how
it grew. Names, containers and patterns serve the sentences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from caulk.analysis.holders import growth as holder_growth
from caulk.analysis.holders import prose as holder_prose
from caulk.analysis.holders.findings import of_growth, of_one
from caulk.analysis.holders.reading import Held, Named, Reader
from caulk.analysis.holders.shapes import dead_references, weight
from caulk.analysis.holders.tree import HolderTree, accumulations, packed
from caulk.analysis.verdict import state_of
from caulk.model.graph import ROOTS
from caulk.model.records import Finding, State, Verdict

__all__ = ["Held", "analyse", "findings", "packed", "verdict_of_one"]

#: A holder of one graph that keeps less of the heap is not listed; one that keeps more is a suspect.
_LISTED, _LEADS = 0.01, 0.1
_MOST_FINDINGS = 10
_MOST_DEAD = 2


def findings(held: Held, tree: HolderTree) -> tuple[Finding, ...]:
    """What keeps much of one graph, worst first; `tree` is the graph's own."""
    reader = Reader(held, tree)
    whole = max(tree.total[ROOTS], 1)
    least = max(round(_LISTED * whole), 1)
    places = accumulations(tree.parent, tree.total, tree.alike, tree.flat, least)
    weighed = [(weight(tree, place) * place.amount, place) for place in places]
    heavy = [pair for pair in weighed if pair[0] >= least]
    ranked = [place for _, place in sorted(heavy, key=lambda pair: (-pair[0], pair[1].node, pair[1].entries))]
    dead = dead_references(tree)[:_MOST_DEAD]
    read = [reader.read(place) for place in (*ranked[: _MOST_FINDINGS - len(dead)], *dead)]
    listed = _together(_distinct(read))
    return tuple(of_one(reader, found, rank, whole) for rank, found in enumerate(listed, 1))


def verdict_of_one(found: tuple[Finding, ...]) -> Verdict:
    """What the findings of one graph come to: at most `suspect`."""
    first = found[0] if found else None
    state: State = "suspect" if first and first.share >= _LEADS and first.confidence >= 0.1 else "unknown"
    sentence = holder_prose.verdict_sentence(state, found, 1, 0)
    return Verdict(state, sentence, first.confidence if first else 0.1)


def analyse(graphs: Sequence[Held], hours: Sequence[float] = ()) -> tuple[Verdict, tuple[Finding, ...]]:
    """Judge graphs of one program, oldest first; `hours` are their times, empty where they are not known.

    One graph is at most `suspect`: it shows what is held, not what grows.
    """
    if len(graphs) == 1:
        found = findings(graphs[0], graphs[0].planted())
        return verdict_of_one(found), found
    trees = [held.planted() for held in graphs]
    grew = holder_growth.growing(trees, hours or list(range(len(graphs))))
    reader = Reader(graphs[-1], trees[-1])
    whole = max(trees[-1].total[ROOTS], 1)
    pairs = [(one, reader.read(one.place)) for one in grew if one.place.node or one.place.entries]
    kept = _together(_distinct([found for _, found in pairs]))
    by_place = {found.place: one for one, found in pairs}
    listed = tuple(
        of_growth(reader, by_place[found.place], found, rank, whole=whole, hours=hours)
        for rank, found in enumerate(kept, 1)
    )
    before = trees[0].total[ROOTS]
    state = state_of([by_place[found.place] for found in kept], len(graphs), before)
    sentence = holder_prose.verdict_sentence(state, listed, len(graphs), trees[-1].total[ROOTS] - before)
    steady = {2: 0.4, 3: 0.5}.get(len(graphs), 0.7)
    return Verdict(state, sentence, listed[0].confidence if listed else steady), listed


def _distinct(read: Iterable[Named]) -> list[Named]:
    """One finding a holder and type: the first stands for what else the same holder has of it."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for found in read:
        if (key := (found.holder, found.type)) not in seen:
            seen.add(key)
            kept.append(found)
    return kept


def _together(found: Sequence[Named]) -> list[Named]:
    """The findings, each with the others that hold the same objects."""
    told = []
    for one in found:
        others = [other.holder for other in found if other is not one and other.shared and other.type == one.type]
        told.append(replace(one, beside=tuple(others)) if one.shared and others else one)
    return told
