"""A place where memory accumulates, in the terms of the program: who has it, of what, in what pattern."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from caulk._core import holdings
from caulk.analysis.holders.chains import Link, links, own_name
from caulk.analysis.holders.containers import Containers
from caulk.analysis.holders.names import holder_of, short
from caulk.analysis.holders.shapes import WEAK_TYPES
from caulk.analysis.holders.tree import Accumulation, HolderTree, plant, unpacked
from caulk.analysis.objects.paths import Nearest, shortest
from caulk.analysis.objects.retained import of_set
from caulk.model.column import Column
from caulk.model.graph import ROOTS, WEAK, Dominators, ObjectGraph, TypeKind

#: An entry's payload is what most of the entries have.
_MOST = 0.5
_PAYLOAD = ("value", "val", "item", "element", "data")
_LISTENING = ("listener", "handler", "observer", "subscriber", "callback", "hook")
#: So many holders that share are asked what they alone would free.
_MOST_SEARCHES = 2
#: The part of the entries whose line of allocation must be known for it to be said.
_KNOWN = 0.05
#: The part of what is kept that others hold too, from which it is said.
_SHARED = 0.2


class Held(NamedTuple):
    """An object graph with who dominates whom, the way from the roots to each object, and its tree if it was kept."""

    graph: ObjectGraph
    dominators: Dominators
    nearest: Nearest
    tree: Mapping[str, Column] | None = None

    def planted(self) -> HolderTree:
        """The tree that was kept, or a new one."""
        return unpacked(self.graph, self.dominators, self.tree) if self.tree else plant(self.graph, self.dominators)


@dataclass(frozen=True, slots=True)
class Named:
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
    dead: int = 0
    """How many of the entries are weak references to what is gone."""
    beside: tuple[str, ...] = ()
    """Who else holds the same objects."""
    freed: int | None = None
    """The bytes that would be freed without it, where that is less than what it keeps."""

    @property
    def container(self) -> str:
        """The type of the collection, empty where an object of the program itself has the entries."""
        return self.links[-1].type if self.links and self.links[-1].container and not self.is_chain else ""

    @property
    def is_chain(self) -> bool:
        """Whether each entry holds the next, with no collection around them."""
        return bool(self.place.entries and self.links) and self.links[-1].type == self.type and not self.dead


class Reader:
    """Reads places of one graph: the only part that looks at names."""

    def __init__(self, held: Held, tree: HolderTree) -> None:
        self.held, self.tree, self.graph = held, tree, held.graph
        self.containers = Containers(held.graph)
        self._searches = 0

    def read(self, place: Accumulation) -> Named:
        """The place in words. A path from the roots, and what lies right below; the container's entries are counted."""
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
        return Named(
            place=place,
            links=way,
            holder=holder,
            start=start,
            holders=self._holders(place),
            type=(own_name(name) or graph.types.name[payload]) if place.entries else (way[-1].type if way else ""),
            kind=kind,
            number=self._number(place, way, alike),
            alike=alike,
            above=self._above(place),
            has_others=has_others,
            shared=self._is_shared(place),
            pattern=self._pattern(way, place, payload, holder),
            location=location,
            location_share=part,
            dead=self._dead(place),
            freed=self._freed(place, way),
        )

    def _holders(self, place: Accumulation) -> int:
        """How many equal holders there are; of a group with one that has most, that one is meant."""
        count, alike = self.tree.count[place.node], self.tree.alike[place.node]
        return count if place.node and 2 * alike > count else 1

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
        if not self._is_chain(entry):
            return 0
        kinds, node, number = (tree.type(entry), tree.type(place.node)), place.node, 0
        while node and tree.type(node) in kinds:
            number += tree.count[node] if tree.type(node) == kinds[0] else 0
            node = tree.parent[node]
        return number

    def _is_chain(self, entry: int) -> bool:
        """Whether most objects of a node hang on others of it."""
        return 2 * self.tree.folded[entry] >= self.tree.count[entry] > 0

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
        around = tree.parent[entry]
        if container is not None and self._is_chain(entry) and tree.type(around) == graph.type[way[-1].number]:
            # Promise, reaction, promise …: the ring is of what it began with.
            return tree.type(around), ""
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
        if base in WEAK_TYPES:
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

    def _dead(self, place: Accumulation) -> int:
        """How many of the entries are weak references without a referent."""
        graph, entry = self.graph, place.entries[0] if place.entries else 0
        if not entry or graph.types.name[self.tree.type(entry)].rpartition(".")[2] not in WEAK_TYPES:
            return 0
        return holdings.without(self.tree.nodes, entry, graph.first, graph.label, WEAK)

    def _freed(self, place: Accumulation, way: Sequence[Link]) -> int | None:
        """What would be freed without the holder, of the first two that share what they hold: one search each."""
        if not self._is_shared(place) or not way or self._searches >= _MOST_SEARCHES:
            return None
        self._searches += 1
        if self._holders(place) == 1:
            return of_set(self.graph, self.held.dominators, array("i", [way[-1].number]))
        number = holdings.members(self.tree.nodes, place.node, 10_000)
        return of_set(self.graph, self.held.dominators, number)

    def _is_shared(self, place: Accumulation) -> bool:
        """Whether others hold much of what is kept here."""
        nodes = place.entries if place.is_group else (place.node,)
        return sum(self.tree.lent[node] for node in nodes) >= _SHARED * sum(self.tree.total[node] for node in nodes) > 0

    def _site(self, entry: int) -> tuple[str, float]:
        """Where most of the entries whose line is known were allocated, and the part of all of them that was.

        Nowhere, if hardly any is known: CPython's free lists give out memory that was allocated for something else.
        """
        graph = self.graph
        if not len(graph.site):
            return "", 0.0
        counts = holdings.tally(self.tree.nodes, entry, graph.site, len(graph.sites))
        number = sum(counts)
        if number < _KNOWN * self.tree.count[entry] or not number:
            return "", 0.0
        best = max(range(len(counts)), key=lambda site: (counts[site], -site))
        return graph.sites[best], counts[best] / max(self.tree.count[entry], 1)
