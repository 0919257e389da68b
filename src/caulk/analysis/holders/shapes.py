"""What a place's shape says of one graph: how much it looks like a leak, told from kinds of types and numbers alone."""

from caulk._core import holdings
from caulk.analysis.holders.tree import Accumulation, HolderTree
from caulk.model.graph import WEAK

#: What weighs less: the program's own code, what cannot grow, and what is merely large.
_CODE, _FIXED, _SINGLE = 0.2, 0.5, 0.6
#: So many dead weak references in one place are a finding.
_MANY_DEAD = 500
#: The types of weak references, without their packages.
WEAK_TYPES = ("WeakReference", "PhantomReference", "weakref", "ReferenceType", "WeakRef", "WeakCell")


def weight(tree: HolderTree, place: Accumulation) -> float:
    """How much the shape of a place looks like a leak, from kinds of types and numbers alone."""
    kind = tree.kind(place.entries[0] if place.entries else place.node)
    if kind in ("code", "module") or not _is_programs(tree, place.node):
        return _CODE
    if not place.entries:
        return _SINGLE
    return _FIXED if is_full(tree, place) else 1.0


def dead_references(tree: HolderTree) -> list[Accumulation]:
    """Weak references that pile up though what they referred to is gone: too small to be seen by their bytes."""
    names = tree.graph.types.name
    found = []
    for kind in range(len(names)):
        if names[kind].rpartition(".")[2] not in WEAK_TYPES:
            continue
        for node in holdings.members(tree.identity, kind, 64):
            dead = holdings.without(tree.nodes, node, tree.graph.first, tree.graph.label, WEAK)
            if dead >= _MANY_DEAD and 2 * dead >= tree.count[node]:
                above = tree.parent[node]
                jump = tree.count[node] / max(tree.count[above], 1)
                # What a queue holds too was shared out: these are their own bytes.
                own = tree.count[node] * tree.graph.size_of(tree.sample[node])
                found.append(Accumulation(above, (node,), max(tree.total[node], own), jump, is_group=True))
    return sorted(found, key=lambda place: (-place.amount, place.node))


def is_full(tree: HolderTree, place: Accumulation) -> bool:
    """Whether the entries are in an array that has no room for another one, as what is filled once has."""
    number = tree.sample[place.node]
    if place.is_group or tree.graph.types.kind[tree.graph.type[number]] != "array":
        return False
    references = tree.graph.first[number + 1] - tree.graph.first[number]
    # A header is 12 to 24 bytes, and sizes are rounded up to eight.
    return references > 0 and 12 <= tree.graph.size_of(number) - tree.width * references < 32


def _is_programs(tree: HolderTree, node: int) -> bool:
    """Whether the way from the roots goes through anything that a program makes: all else is the runtime's own."""
    while node:
        if tree.kind(node) not in ("root", "internal", "code", "array", "native"):
            return True
        node = tree.parent[node]
    return False
