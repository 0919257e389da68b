"""The dominator tree merged by path, with field names; and where in it memory accumulates.

A node stands for all objects that are reached over references of the same names through the same types, so six threads'
thread-locals are one node. Where one object refers to ever so many of a kind, that is where memory accumulates:
such places are found by numbers alone, no name is read.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from caulk._core import holdings, stacks
from caulk._core.holdings import Holdings
from caulk.model.column import Column, Ints
from caulk.model.graph import WEAKEST, Dominators, Label, ObjectGraph, TypeKind

#: This part of what a node retains makes a way that leads on, or a collection.
_MOST = 0.6
#: A collection has this many times as many entries as there are collections, and at least so many.
_FAN = 8
_MANY = 16
#: A place further down takes over only if the number jumps so many times more than further up.
_STEEPER = 4
#: Objects that several hold are shared out where there are so many, none of them more than this part of all.
_SHARED_MANY = 16
_SHARED_BEST = 0.25
#: Below this part of the heap nothing is shared out.
_SHARED_LEAST = 0.001
#: The nodes among which an array is looked for that tells how wide references are.
_LOOKED_AT = 20_000
#: What the kernel has to know of a reference.
_REFERENCES = {"element": 1, "key": 1, "field": 2}


@dataclass(frozen=True)
class HolderTree:
    """`nodes` is the node of each object. Columns have one entry a node, node 0 is the roots; `parent[i] < i`.

    `count` objects are at a node, `flat` are their own bytes, `total` the bytes of all that is below too; `sample` is
    the object that retains most, `alike` how many of its size the bytes would make. `shared` marks nodes whose bytes
    were given to those that refer to their objects.
    """

    graph: ObjectGraph
    dominators: Dominators
    nodes: Column
    parent: Ints
    via: Ints
    identity: Ints
    sample: Ints
    count: Ints
    flat: Ints
    total: Ints
    alike: Ints
    folded: Ints
    """How many objects of a node were reached from objects of the same node, or of one below: a list, a ring."""
    shared: bytearray
    lent: Ints
    """Of `total`, the bytes of objects that others hold too."""

    def label(self, node: int) -> Label | None:
        """How the objects of a node are referred to; None where several refer to them."""
        return self.graph.labels[self.via[node]] if self.via[node] >= 0 else None

    def type(self, node: int) -> int:
        """The number of the type of a node's objects."""
        return self.graph.type[self.sample[node]]

    def kind(self, node: int) -> TypeKind:
        """The kind of a node's objects."""
        return self.graph.types.kind[self.type(node)]

    @cached_property
    def width(self) -> int:
        """The bytes of a reference in an array: 4 as soon as one array has more than would fit with 8."""
        graph = self.graph
        is_array = [kind == "array" for kind in graph.types.kind]
        for number in self.sample[:_LOOKED_AT]:
            if is_array[graph.type[number]]:
                references = graph.first[number + 1] - graph.first[number]
                if 8 * references > graph.size_of(number):
                    return 4
        return 8


_COLUMNS = ("parent", "via", "identity", "sample", "count", "flat", "total", "alike", "folded", "lent")


def packed(tree: HolderTree) -> dict[str, Column]:
    """The columns of a tree, to be kept beside those of its graph."""
    columns: dict[str, Column] = {name: getattr(tree, name) for name in _COLUMNS}
    return columns | {"nodes": tree.nodes, "shared": array("B", tree.shared)}


def unpacked(graph: ObjectGraph, dominators: Dominators, columns: Mapping[str, Column]) -> HolderTree:
    """The tree that was packed; its columns are copied but for the one that has an entry an object."""
    small = {name: array(memoryview(columns[name]).format, columns[name].tobytes()) for name in _COLUMNS}
    return HolderTree(graph, dominators, columns["nodes"], shared=bytearray(columns["shared"]), **small)


def plant(graph: ObjectGraph, dominators: Dominators) -> HolderTree:
    """The tree of one graph. Two passes over the references, a few more where much is shared."""
    tree = Holdings(bytes(_REFERENCES.get(label.kind, 0) for label in graph.labels))
    weakest = WEAKEST[dominators.references]
    naming = _by_text(graph)
    nodes = tree.merge(
        dominators.idom,
        dominators.order,
        dominators.retained,
        first=graph.first,
        target=graph.target,
        label=graph.label,
        kind=graph.type,
        size=graph.size,
        named=graph.named,
        naming=naming,
        types=len(graph.types),
        weakest=weakest,
    )
    shared = _shareable(tree)
    if any(shared):
        shared = tree.share(
            nodes,
            shared,
            dominators.idom,
            dominators.retained,
            first=graph.first,
            target=graph.target,
            label=graph.label,
            kind=graph.type,
            named=graph.named,
            naming=naming,
            types=len(graph.types),
            weakest=weakest,
        )
    parent, flat = tree.column("parent"), tree.column("flat")
    for number, size in graph.large.items():
        flat[nodes[number]] += size - graph.size[number]
    count, total = tree.column("count"), stacks.totals(parent, flat)
    return HolderTree(
        graph=graph,
        dominators=dominators,
        nodes=nodes,
        parent=parent,
        via=tree.column("via"),
        identity=tree.column("identity"),
        sample=tree.column("sample"),
        count=count,
        flat=flat,
        total=total,
        folded=tree.column("folded"),
        alike=holdings.evenly(count, total, tree.column("best"), tree.column("folded")),
        shared=shared,
        lent=stacks.totals(parent, tree.column("lent")),
    )


def _by_text(graph: ObjectGraph) -> Ints:
    """`naming` with one number for equal names: fifty loaders' copies of one class are called the same."""
    first: dict[str, int] = {}
    return array("i", map(first.setdefault, map(graph.strings.__getitem__, graph.naming), graph.naming))


def _shareable(tree: Holdings) -> bytearray:
    """Marks the nodes of many objects that nobody holds alone."""
    via, count, best = tree.column("via"), tree.column("count"), tree.column("best")
    total = stacks.totals(tree.column("parent"), tree.column("flat"))
    marked = bytearray(len(tree))
    for node in holdings.reaching(total, max(round(_SHARED_LEAST * total[0]), 1)):
        if via[node] < 0 and node and count[node] >= _SHARED_MANY and best[node] <= _SHARED_BEST * total[node]:
            marked[node] = 1
    return marked


@dataclass(frozen=True, slots=True)
class Accumulation:
    """A place where memory accumulates: `entries` are nodes right below `node`, largest first.

    Without entries the objects of `node` are large themselves. `jump` is the number of entries per object of `node`. Of
    a group only the entries are meant: `node` has much else, or is the roots.
    """

    node: int
    entries: tuple[int, ...]
    amount: int
    jump: float
    is_group: bool = False


def accumulations(
    parent: Sequence[int], total: Ints, number: Sequence[int], flat: Sequence[int], least: int
) -> list[Accumulation]:
    """Where `total` accumulates, from the top down; of one dump's amounts or of what they grew by.

    A way leads on into the child that has most of a node. It ends where most goes to children of which there are many
    times as many; of several such places on one way the uppermost counts, unless the number jumps far more below.
    """
    children: dict[int, list[int]] = {}
    for node in holdings.reaching(total, max(least, 1)):
        if node:
            children.setdefault(parent[node], []).append(node)
    found = []
    #: A node, the best place on the way to it, and what lies beside the way since then.
    waiting: list[tuple[int, Accumulation | None, tuple[int, ...]]] = [(0, None, ())]
    while waiting:
        node, best, beside = waiting.pop()
        below = sorted(children.get(node, ()), key=lambda child: (-total[child], child))
        here = max(number[node], 1)
        many = tuple(child for child in below if number[child] >= max(_MANY, _FAN * here))
        on = below[0] if below and total[below[0]] >= _MOST * total[node] else None
        amount = sum(total[child] for child in many)
        others = [child for child in below if child != on]
        if amount >= _MOST * total[node] and many:
            jump = sum(number[child] for child in many) / here
            if best is None or jump > _STEEPER * best.jump:
                others = [child for child in others if child not in many]
                # The better place is further down: what lies beside the way to it belongs to nothing else.
                waiting.extend((child, None, ()) for child in (*beside, *(others if best is None else ())))
                best, beside, others = _place(node, many, total, jump), (), others if best is not None else []
        if best is not None:
            beside = (*beside, *others)
        else:
            waiting.extend(
                (child, _group(node, child, total, number) if child in many else None, ()) for child in others
            )
        if on is not None:
            waiting.append((on, best, beside))
        elif best is not None:
            found.append(best)
        elif node and flat[node] >= _MOST * total[node]:
            found.append(Accumulation(node, (), total[node], 1.0))
    return found


def _place(node: int, many: tuple[int, ...], total: Sequence[int], jump: float) -> Accumulation:
    if node:
        return Accumulation(node, many, total[node], jump)
    return Accumulation(node, many, sum(total[child] for child in many), jump, is_group=True)


def _group(node: int, child: int, total: Sequence[int], number: Sequence[int]) -> Accumulation:
    """Many of a kind beside much else."""
    return Accumulation(node, (child,), total[child], number[child] / max(number[node], 1), is_group=True)
