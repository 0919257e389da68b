"""How full collections are: which of them hold nothing, which have room for much more than they hold, and its bytes.

Told from sizes and references alone. What a runtime does not write into its dump cannot be counted: small integers,
booleans and undefined in V8, so there a table of some size is never called empty, and none nearly empty.
"""

import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caulk._core import contents as kernel
from caulk.model.column import Ints
from caulk.model.graph import Dominators, ObjectGraph, TypeKind

#: No table is too large to be seen to be empty.
_ANY = 1 << 62
#: What a slot is where it is a reference.
_REFERENCE = -1
_ENTRIES = frozenset({"element", "key", "field", "static"})


@dataclass(frozen=True, slots=True)
class Store:
    """Collections of the `types` (a regular expression on whole names) that keep what they have in their `fields`.

    A table of them is `base` bytes and its slots, of `slot` bytes (0: it cannot be told how many are used). With fewer
    than `least` slots it is as small as it can be; one of more than `empty` bytes is not empty, whatever it refers to.
    """

    types: str
    fields: tuple[str, ...] = ()
    base: int = 16
    slot: int = _REFERENCE
    least: int = 4
    empty: int = _ANY


_V8 = (
    # Their smallest tables: four entries, or eight where a reference has four bytes.
    Store(r"Map|Set", ("table",), slot=0, empty=160),
    Store(r"Array", ("elements",), slot=0, empty=0),
)
STORES: dict[str, tuple[Store, ...]] = {
    "jvm": (
        Store(r"java\.util\.(Linked)?HashSet", ("map", "table")),
        Store(r"java\.util\.((Linked|Weak|Identity)?HashMap|Hashtable)", ("table",)),
        Store(r"java\.util\.concurrent\.ConcurrentHashMap", ("table",)),
        Store(r"java\.util\.concurrent\.ConcurrentHashMap\$KeySetView|java\.util\.Properties", ("map", "table")),
        Store(r"java\.util\.(ArrayList|Vector|Stack)", ("elementData",)),
        Store(r"java\.util\.ArrayDeque", ("elements",)),
        Store(r"java\.util\.(concurrent\.PriorityBlocking|Priority)Queue", ("queue",)),
        Store(r"java\.util\.concurrent\.CopyOnWriteArrayList", ("array",)),
        Store(r"java\.util\.concurrent\.CopyOnWriteArraySet", ("al", "array")),
        Store(r"java\.util\.TreeMap", ("root",), slot=0),
        Store(r"java\.util\.TreeSet", ("m", "root"), slot=0),
        Store(r"java\.util\.LinkedList", ("first",), slot=0),
    ),
    "node": _V8,
    "chrome": _V8,
    "cpython": (
        # An entry of a dict has 16 bytes or 24 and its part of the index; five are the fewest that there is room for.
        Store(r"dict|collections\.OrderedDict", base=64, slot=24, least=6),
        Store(r"list", base=56, slot=8, least=5),
        # Eight entries lie in the set itself.
        Store(r"set", base=200, slot=16, least=9),
        Store(r"collections\.deque", slot=0),
    ),
}


@dataclass(frozen=True, slots=True)
class Filling:
    """By type (`'q'`): collections, those that are empty or nearly, and what these waste in bytes.

    `wasting` (`'i'`, by object) is the type of each of these from 1, else 0.
    """

    count: Ints
    empty: Ints
    nearly: Ints
    wasted: Ints
    wasting: Ints


def filling(graph: ObjectGraph, dominators: Dominators) -> Filling:
    """How full the collections are that are held.

    An empty one wastes itself and what it has for itself alone; a table of which less than a quarter is used wastes the
    rest of its slots. Two passes over the references.
    """
    stores = STORES.get(graph.runtime, ())
    row_of = array("i", map(_row_of(stores), graph.types.name, graph.types.kind))
    arrays = bytes(kind == "array" for kind in graph.types.kind)
    reference = 4 if kernel.narrow(graph.first, graph.type, graph.size, arrays) else 8
    fields = {field for store in stores for field in store.fields}
    rows = [
        (store.base, reference if store.slot == _REFERENCE else store.slot, store.least, store.empty, not store.fields)
        for store in stores
    ]
    return Filling(
        *kernel.fill(
            graph.first,
            graph.target,
            graph.label,
            graph.type,
            graph.size,
            dominators.idom,
            row_of=row_of,
            stores=bytes(label.name in fields for label in graph.labels),
            counted=bytes(label.kind in _ENTRIES for label in graph.labels),
            rows=array("q", [number for row in rows for number in row]),
        )
    )


def _row_of(stores: Sequence[Store]) -> Callable[[str, TypeKind], int]:
    def row(name: str, kind: TypeKind) -> int:
        # V8 calls the type of a function by the function, and `Map` is one.
        if kind == "closure":
            return -1
        return next((i for i, store in enumerate(stores) if re.fullmatch(store.types, name)), -1)

    return row
