"""Who holds it: what keeps much of one object graph, or ever more over several, named by field and class.

The one entry is `analyse`. Ranking reads numbers only: of one graph how much is kept and in what shape, of several how
it grew. Names, containers and patterns serve the sentences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from caulk._core import holdings
from caulk.analysis import holder_growth, holder_prose
from caulk.analysis.chains import Link, describe, links, own_name
from caulk.analysis.containers import Containers
from caulk.analysis.fingerprint import fingerprint
from caulk.analysis.holder_growth import Grew
from caulk.analysis.holder_names import holder_of, normal, short
from caulk.analysis.holder_tree import Accumulation, HolderTree, accumulations, plant
from caulk.analysis.paths import Nearest, shortest
from caulk.analysis.verdict import state_of
from caulk.model.graph import ROOTS, Dominators, ObjectGraph, TypeKind
from caulk.model.records import Finding, State, Verdict
from caulk.model.units import format_share

#: A holder of one graph that keeps less of the heap is not listed; one that keeps more is a suspect.
_LISTED, _LEADS = 0.01, 0.1
_MOST_FINDINGS = 10
#: What weighs less of one graph: the program's own code, what cannot grow, and what is merely large.
_CODE, _FIXED, _SINGLE = 0.2, 0.5, 0.6
#: An entry's payload is what most of the entries have.
_MOST = 0.5
_PAYLOAD = ("value", "val", "item", "element", "data")
_LISTENING = ("listener", "handler", "observer", "subscriber", "callback", "hook")
_WEAK = ("WeakReference", "PhantomReference", "weakref", "ReferenceType", "WeakRef", "WeakCell")


class Held(NamedTuple):
    """An object graph with who dominates whom, and the way from the roots to each object."""

    graph: ObjectGraph
    dominators: Dominators
    nearest: Nearest


def findings(graph: ObjectGraph, dominators: Dominators, nearest: Nearest) -> tuple[Finding, ...]:
    """What keeps much of one graph, worst first."""
    tree = plant(graph, dominators)
    reader = _Reader(Held(graph, dominators, nearest), tree)
    whole = max(tree.total[ROOTS], 1)
    least = max(round(_LISTED * whole), 1)
    places = accumulations(tree.parent, tree.total, tree.alike, tree.flat, least)
    weighed = [(_weight(tree, place) * place.amount, place) for place in places]
    heavy = [pair for pair in weighed if pair[0] >= least]
    ranked = [place for _, place in sorted(heavy, key=lambda pair: (-pair[0], pair[1].node, pair[1].entries))]
    read = [reader.read(place) for place in ranked[:_MOST_FINDINGS]]
    return tuple(_of_one(reader, found, rank, whole) for rank, found in enumerate(_distinct(read), 1))


def analyse(graphs: Sequence[Held], hours: Sequence[float] = ()) -> tuple[Verdict, tuple[Finding, ...]]:
    """Judge graphs of one program, oldest first; `hours` are their times, empty where they are not known.

    One graph is at most `suspect`: it shows what is held, not what grows.
    """
    if len(graphs) == 1:
        found = findings(*graphs[0])
        first = found[0] if found else None
        state: State = "suspect" if first and first.share >= _LEADS and first.confidence >= 0.1 else "unknown"
        sentence = holder_prose.verdict_sentence(state, found, 1, 0)
        return Verdict(state, sentence, first.confidence if first else 0.1), found
    trees = [plant(held.graph, held.dominators) for held in graphs]
    grew = holder_growth.growing(trees, hours or list(range(len(graphs))))
    reader = _Reader(graphs[-1], trees[-1])
    whole = max(trees[-1].total[ROOTS], 1)
    pairs = [(one, reader.read(one.place)) for one in grew if one.place.node or one.place.entries]
    kept = _distinct([found for _, found in pairs])
    by_place = {found.place: one for one, found in pairs}
    listed = tuple(
        _of_growth(reader, by_place[found.place], found, rank, whole=whole, hours=hours)
        for rank, found in enumerate(kept, 1)
    )
    before = trees[0].total[ROOTS]
    state = state_of([by_place[found.place] for found in kept], len(graphs), before)
    sentence = holder_prose.verdict_sentence(state, listed, len(graphs), trees[-1].total[ROOTS] - before)
    steady = {2: 0.4, 3: 0.5}.get(len(graphs), 0.7)
    return Verdict(state, sentence, listed[0].confidence if listed else steady), listed


def _weight(tree: HolderTree, place: Accumulation) -> float:
    """How much the shape of a place looks like a leak, from kinds of types and numbers alone."""
    kind = tree.kind(place.entries[0] if place.entries else place.node)
    if kind in ("code", "module") or not _is_programs(tree, place.node):
        return _CODE
    if not place.entries:
        return _SINGLE
    return _FIXED if _is_full(tree, place) else 1.0


def _is_programs(tree: HolderTree, node: int) -> bool:
    """Whether the way from the roots goes through anything that a program makes: all else is the runtime's own."""
    while node:
        if tree.kind(node) not in ("root", "internal", "code", "array", "native"):
            return True
        node = tree.parent[node]
    return False


def _is_full(tree: HolderTree, place: Accumulation) -> bool:
    """Whether the entries are in an array that has no room for another one, as what is filled once has."""
    number = tree.sample[place.node]
    if place.is_group or tree.graph.types.kind[tree.graph.type[number]] != "array":
        return False
    references = tree.graph.first[number + 1] - tree.graph.first[number]
    # A header is 12 to 24 bytes, and sizes are rounded up to eight.
    return references > 0 and 12 <= tree.graph.size_of(number) - tree.width * references < 32


@dataclass(frozen=True, slots=True)
class _Found:
    """A place in words: `links` end at the object that has the entries."""

    place: Accumulation
    links: tuple[Link, ...]
    holder: str
    start: int
    holders: int
    type: str
    kind: TypeKind
    number: int
    alike: tuple[int, ...]
    """Which of the place's entries are of this type."""
    above: int
    has_others: bool
    shared: bool
    pattern: str
    location: str
    location_share: float

    @property
    def container(self) -> str:
        """The type of the collection, empty where an object of the program itself has the entries."""
        return self.links[-1].type if self.links and self.links[-1].container else ""


class _Reader:
    """Reads places of one graph: the only part that looks at names."""

    def __init__(self, held: Held, tree: HolderTree) -> None:
        self.held, self.tree, self.graph = held, tree, held.graph
        self.containers = Containers(held.graph)

    def read(self, place: Accumulation) -> _Found:
        tree, graph = self.tree, self.graph
        # Of a group at the roots only an entry has a way that can be shown.
        node = place.node or place.entries[0]
        way = self.path(tree.sample[node])
        holder, start = self.holder(way)
        entry = place.entries[0] if place.entries else node
        payload, name = self._payload(entry, way) if place.node else (graph.type[tree.sample[entry]], "")
        kind = graph.types.kind[payload]
        location, part = self._site(entry)
        alike, has_others = self._alike(place, way)
        return _Found(
            place=place,
            links=way,
            holder=holder,
            start=start,
            holders=self._holders(place),
            type=(own_name(name) or graph.types.name[payload])
            if place.entries
            else (way[-1].type if way else ""),
            kind=kind,
            number=self._number(place, way, alike),
            alike=alike,
            above=self._above(place),
            has_others=has_others,
            shared=bool(place.entries) and place.entries[0] >= tree.unshared,
            pattern=self._pattern(way, place, payload, holder),
            location=location,
            location_share=part,
        )

    def _holders(self, place: Accumulation) -> int:
        """How many equal holders there are; of a group with one that has most, that one is meant."""
        count, alike = self.tree.count[place.node], self.tree.alike[place.node]
        return count if place.node and 2 * alike >= count else 1

    def _number(self, place: Accumulation, way: Sequence[Link], alike: Sequence[int]) -> int:
        """How many entries the holders have together."""
        tree = self.tree
        if not place.entries:
            return tree.count[place.node]
        container = way[-1].container if way else None
        if container is not None and container.counting == "entries" and tree.count[place.node] == 1:
            return self.containers.entries(container, way[-1].number, self.held.dominators.references)
        return sum(tree.count[place.entries[at]] for at in alike) + self._above(place)

    def _alike(self, place: Accumulation, way: Sequence[Link]) -> tuple[tuple[int, ...], bool]:
        """Which of the entries are of the kind that is named, and whether there is much else among them."""
        tree, container = self.tree, way[-1].container if way else None
        entries = place.entries
        if not entries or (container is not None and container.counting == "pairs"):
            # Of keys and values the heavier are meant.
            return (0,), False
        first = entries[0]
        if container is not None and self.containers.is_part(container, tree.type(first), self.graph.labels[0]):
            return tuple(range(len(entries))), False
        alike = tuple(at for at, entry in enumerate(entries) if tree.identity[entry] == tree.identity[first])
        most = sum(tree.total[entries[at]] for at in alike)
        return alike, most < 0.8 * sum(tree.total[entry] for entry in entries)

    def _above(self, place: Accumulation) -> int:
        """The entries of a long chain that stand above the place, where the chain was not folded yet."""
        tree, entry = self.tree, place.entries[0] if place.entries else 0
        if 2 * tree.folded[entry] < tree.count[entry]:
            return 0
        kinds, node, number = (tree.type(entry), tree.type(place.node)), place.node, 0
        while node and tree.type(node) in kinds:
            number += tree.count[node] if tree.type(node) == kinds[0] else 0
            node = tree.parent[node]
        return number

    def path(self, number: int) -> tuple[Link, ...]:
        """The folded path to an object."""
        steps = shortest(self.graph, self.held.nearest, number)
        return links(self.graph, [(s.number, s.label) for s in steps if s.number != ROOTS], self.containers)

    def holder(self, way: Sequence[Link]) -> tuple[str, int]:
        """The holder's name; a thread-local by the variable of the program that is its key."""
        name, start = holder_of(way)
        if not name.startswith("thread-local"):
            return name, start
        tables = [link for link in way if link.container and link.container.pattern == "thread-local"]
        key = self._key(tables[-1]) if tables else -1
        if key > 0 and (to_key := self.path(key)):
            variable, _ = holder_of(to_key)
            return f"{name} {short(variable)}".strip(), start
        return name, start

    def _key(self, table: Link) -> int:
        """The object that a thread-local's entry is for."""
        if not table.inside:
            return -1
        found = [r.target for r in self.graph.references(table.inside[-1]) if r.label.name == "referent"]
        return found[0] if found and self.held.nearest.parent[found[0]] >= 0 else -1

    def _payload(self, entry: int, way: Sequence[Link]) -> tuple[int, str]:
        """The type of what the entries are for the program, and the own name that they share."""
        tree, graph = self.tree, self.graph
        container = way[-1].container if way else None
        for _ in range(4):
            sample = tree.sample[entry]
            if container is None or not self.containers.is_part(container, graph.type[sample], graph.labels[0]):
                break
            below = [
                node
                for node in holdings.members(tree.parent, entry, 64)
                if tree.count[node] >= _MOST * tree.count[entry] and node != entry
            ]
            if not below:
                references = [r for r in graph.references(sample) if r.label.name in _PAYLOAD and not r.strength]
                if references:
                    return graph.type[references[0].target], graph.name(references[0].target)
                break
            entry = max(below, key=lambda node: (self._is_payload(node), tree.total[node], -node))
        sample = tree.sample[entry]
        return graph.type[sample], graph.name(sample)

    def _is_payload(self, node: int) -> bool:
        label = self.tree.label(node)
        return label is not None and label.name in _PAYLOAD

    def _pattern(self, way: Sequence[Link], place: Accumulation, payload: int, holder: str) -> str:
        graph = self.graph
        type_name, kind = graph.types.name[payload], graph.types.kind[payload]
        if not place.entries:
            return "large-object"
        if kind in ("loader", "class") or any(link.kind == "loader" for link in way[-1:]):
            return "class-loader"
        if "Detached " in type_name:
            return "detached-dom"
        base = type_name.rpartition(".")[2]
        if base in _WEAK:
            return "weak-references"
        if base in ("Finalizer", "FinalizerReference"):
            return "finalizer"
        patterns = [link.container.pattern for link in reversed(way) if link.container]
        if patterns and patterns[0] != "collection":
            return patterns[0]
        if "thread-local" in patterns:
            return "thread-local"
        if base in ("PromiseReaction", "system / PromiseReaction", "Promise", "CompletableFuture"):
            return "promise"
        if base in ("Timeout", "TimerTask", "TimerHandle", "ScheduledFutureTask"):
            return "timer"
        if kind == "closure" or "$$Lambda" in type_name:
            last = holder.rpartition(".")[2].lower()
            return "listener" if any(word in last for word in _LISTENING) else "closure"
        return "collection"

    def _site(self, entry: int) -> tuple[str, float]:
        """Where most of the entries were allocated, and the part of them that was."""
        graph = self.graph
        if not len(graph.site):
            return "", 0.0
        counts = holdings.tally(self.tree.nodes, entry, graph.site, len(graph.sites))
        number = sum(counts)
        if not number:
            return "", 0.0
        best = max(range(len(counts)), key=lambda site: (counts[site], -site))
        return graph.sites[best], counts[best] / max(self.tree.count[entry], 1)


def _distinct(read: Iterable[_Found]) -> list[_Found]:
    """One finding a holder and type: the first stands for what else the same holder has of it."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for found in read:
        if (key := (found.holder, found.type)) not in seen:
            seen.add(key)
            kept.append(found)
    return kept


def _of_one(reader: _Reader, found: _Found, rank: int, whole: int) -> Finding:
    share = found.place.amount / whole
    weight = _weight(reader.tree, found.place)
    what = _what(found)
    who = holder_prose.subject(found.holder, found.holders)
    evidence = _evidence(found)
    if found.place.entries and _is_full(reader.tree, found.place):
        evidence.append("its array is exactly full, as one that is filled once: rather a table than a leak")
    return Finding(
        rank=rank,
        pattern=found.pattern,
        title=holder_prose.title_of_one(who, what, found.container, found.place.amount, share, holders=found.holders)
        + _allocated(found),
        bytes=found.place.amount,
        bytes_error=0,
        share=round(share, 4),
        count=found.number,
        holder=found.holder,
        type=found.type,
        path=_path(found),
        location=found.location or None,
        confidence=round(weight * (0.2 + 0.4 * min(share, 1.0)) * reader.graph.coverage, 2),
        evidence=tuple(evidence),
        fingerprint=_fingerprint(reader, found),
        series=(found.place.amount,),
    )


def _of_growth(reader: _Reader, grew: Grew, found: _Found, rank: int, *, whole: int, hours: Sequence[float]) -> Finding:
    sizes = grew.sizes
    counts = tuple(found.above + sum(numbers) for numbers in zip(*(grew.counts[at] for at in found.alike), strict=True))
    number = counts[-1]
    per_hour = grew.growth.slope if hours else None
    title = holder_prose.title_of_growth(
        holder_prose.subject(found.holder, found.holders),
        _what(found, number),
        found.container,
        grew=grew.growth,
        sizes=sizes,
        counts=counts,
        hours=hours[-1] if hours else 0.0,
        per_hour=per_hour,
        by_count=grew.by_count,
        holders=found.holders,
    )
    said = holder_prose.evidence_of_growth(grew.growth, sizes, counts, by_count=grew.by_count)
    return Finding(
        rank=rank,
        pattern=found.pattern,
        title=title + _allocated(found),
        bytes=sizes[-1],
        bytes_error=0,
        share=round(sizes[-1] / whole, 4),
        count=counts[-1],
        growth_bytes=sizes[-1] - sizes[0],
        growth_bytes_per_hour=round(per_hour, 1) if per_hour is not None and not grew.by_count else None,
        growth_count=counts[-1] - counts[0],
        growth_share=grew.share,
        shape=grew.growth.shape,
        holder=found.holder,
        type=found.type,
        path=_path(found, counts[-1]),
        location=found.location or None,
        confidence=grew.confidence,
        evidence=(*said, *_evidence(found)),
        fingerprint=_fingerprint(reader, found),
        series=counts if grew.by_count else sizes,
        unit="count" if grew.by_count else "bytes",
    )


def _what(found: _Found, number: int | None = None) -> str:
    if not found.place.entries:
        return ""
    count = found.number if number is None else number
    what = holder_prose.what_is_kept(
        count, found.type, is_function=found.kind == "closure", is_class=found.kind == "class"
    )
    return f"{what.rstrip(',')} and others" if found.has_others else what


def _path(found: _Found, number: int | None = None) -> tuple[str, ...]:
    """The path from where the holder's name begins, to the entries."""
    said = describe(found.links[found.start :])
    if not found.place.entries:
        return said
    noun = found.links[-1].container.noun if found.links and found.links[-1].container else "references"
    return (*said, f"[{found.number if number is None else number:,} {noun}] {found.type}")


def _evidence(found: _Found) -> list[str]:
    place = found.place
    said = []
    if found.holders > 1:
        said.append(f"{found.holders:,} of the same kind, over the same path, taken together")
    if place.entries and place.jump >= 2:
        each = f" in each of {found.holders:,}" if found.holders > 1 else ""
        said.append(f"{found.number / max(found.holders, 1):,.0f} entries{each}")
    if found.shared:
        said.append("others refer to these objects too: each counts here for its part, and none is freed by one alone")
    if found.location:
        said.append(f"{format_share(found.location_share)} of them were allocated at {found.location}")
    return said


def _allocated(found: _Found) -> str:
    return f"; allocated at {found.location}" if found.location else ""


def _fingerprint(reader: _Reader, found: _Found) -> str:
    """Of the reference path from the holder on: types and fields, no numbers."""
    way = found.links[found.start :]
    names = [(normal(link.name or link.type), link.label.name if at else "") for at, link in enumerate(way)]
    return fingerprint(f"{reader.graph.runtime}/holder", [*names, (normal(found.type), "")])
