"""Containers as data: how the collections of each runtime are built, so that they are shown as what they are.

A row says which types a container has, which types (or references) are its insides, what an entry is made of, and what
people call the entries. Nothing here is read when findings are ranked: a row only gives them better words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from caulk._core import holdings
from caulk.model.graph import WEAKEST, Label, ObjectGraph, References

#: How entries are counted: the inner objects of the entry types; every reference that leaves the insides; or, where
#: keys and values leave alike, those to the most frequent type.
Counting = Literal["entries", "references", "pairs"]


@dataclass(frozen=True, slots=True)
class Container:
    """`types`, `parts` and `entry` are regular expressions on whole type names; `inside` names references that stay in.

    `start` names references whose owner is such a container, whatever its type (`_events` makes an emitter).
    """

    types: str
    parts: str = ""
    entry: str = ""
    inside: frozenset[str] = frozenset()
    start: frozenset[str] = frozenset()
    noun: str = "entries"
    counting: Counting = "references"
    pattern: str = "collection"


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


_HASH = r"java\.util\.(Linked)?HashMap"
_HASH_PARTS = rf"{_HASH}\$(Node|Entry|TreeNode)(\[\])?"
_HASH_ENTRY = rf"{_HASH}\$(Node|Entry|TreeNode)"
_CONCURRENT = r"java\.util\.concurrent\.ConcurrentHashMap"
_CONCURRENT_PARTS = rf"{_CONCURRENT}\$(Node|TreeNode|TreeBin|ForwardingNode|ReservationNode|CounterCell)(\[\])?"
_LINKED_QUEUE = r"java\.util\.concurrent\.(Linked(Blocking(Queue|Deque)|TransferQueue)|ConcurrentLinked(Queue|Deque))"
_ARRAY = r"java\.lang\.Object\[\]"

_JVM = (
    Container(
        r"java\.lang\.ThreadLocal\$ThreadLocalMap",
        r"java\.lang\.ThreadLocal\$ThreadLocalMap\$Entry(\[\])?",
        r"java\.lang\.ThreadLocal\$ThreadLocalMap\$Entry",
        noun="thread-locals",
        counting="entries",
        pattern="thread-local",
    ),
    Container(
        r"java\.util\.(Linked)?HashSet",
        rf"{_HASH}|{_HASH_PARTS}",
        _HASH_ENTRY,
        counting="entries",
        noun="elements",
    ),
    Container(_HASH, _HASH_PARTS, _HASH_ENTRY, counting="entries"),
    Container(
        rf"{_CONCURRENT}\$KeySetView",
        rf"{_CONCURRENT}|{_CONCURRENT_PARTS}",
        rf"{_CONCURRENT}\$(Node|TreeNode)",
        counting="entries",
        noun="elements",
    ),
    Container(_CONCURRENT, _CONCURRENT_PARTS, rf"{_CONCURRENT}\$(Node|TreeNode)", counting="entries"),
    Container(
        r"java\.util\.Properties",
        rf"{_CONCURRENT}|{_CONCURRENT_PARTS}",
        rf"{_CONCURRENT}\$(Node|TreeNode)",
        counting="entries",
    ),
    Container(r"java\.util\.TreeMap", r"java\.util\.TreeMap\$Entry", r"java\.util\.TreeMap\$Entry", counting="entries"),
    Container(
        r"java\.util\.TreeSet",
        r"java\.util\.TreeMap(\$Entry)?",
        r"java\.util\.TreeMap\$Entry",
        counting="entries",
        noun="elements",
    ),
    Container(
        r"java\.util\.(Hashtable|WeakHashMap)",
        r"java\.util\.(Hashtable|WeakHashMap)\$Entry(\[\])?",
        r"java\.util\.(Hashtable|WeakHashMap)\$Entry",
        counting="entries",
    ),
    Container(
        r"java\.util\.concurrent\.ConcurrentSkipList(Map|Set)",
        r"java\.util\.concurrent\.ConcurrentSkipListMap(\$(Node|Index|HeadIndex))?",
        r"java\.util\.concurrent\.ConcurrentSkipListMap\$Node",
        counting="entries",
    ),
    Container(r"java\.util\.(IdentityHashMap|EnumMap)", _ARRAY, counting="pairs"),
    Container(
        r"java\.util\.LinkedList",
        r"java\.util\.LinkedList\$Node",
        r"java\.util\.LinkedList\$Node",
        counting="entries",
        noun="elements",
    ),
    Container(_LINKED_QUEUE, rf"{_LINKED_QUEUE}\$Node", rf"{_LINKED_QUEUE}\$Node", counting="entries", noun="elements"),
    Container(
        r"java\.util\.concurrent\.ScheduledThreadPoolExecutor\$DelayedWorkQueue",
        r"java\.util\.concurrent\.RunnableScheduledFuture\[\]",
        noun="timers",
        pattern="timer",
    ),
    Container(r"java\.util\.TaskQueue", r"java\.util\.TimerTask\[\]", noun="timers", pattern="timer"),
    Container(
        r"javax\.swing\.event\.EventListenerList|java\.beans\.\w*ChangeSupport",
        rf"{_ARRAY}|{_HASH}|{_HASH_PARTS}|java\.beans\.\w+",
        noun="listeners",
        counting="pairs",
        pattern="listener",
    ),
    Container(
        r"java\.util\.(ArrayList|Vector|Stack|ArrayDeque|PriorityQueue|Arrays\$ArrayList|ImmutableCollections\$\w+)"
        r"|java\.util\.concurrent\.(CopyOnWriteArrayList|ArrayBlockingQueue|PriorityBlockingQueue)",
        r"java\.lang\.Object\[\]|[\w.$]+\[\]",
        noun="elements",
    ),
    Container(
        r"java\.util\.concurrent\.(CopyOnWriteArraySet|DelayQueue)",
        rf"java\.util\.concurrent\.CopyOnWriteArrayList|java\.util\.PriorityQueue|{_ARRAY}|[\w.$]+\[\]",
        noun="elements",
    ),
    Container(r"java\.lang\.ApplicationShutdownHooks", noun="hooks", pattern="at-exit"),
    Container(r"java\.lang\.ref\.(Finalizer|Reference(Queue)?)", r"java\.lang\.ref\.Finalizer", pattern="finalizer"),
    Container(r"[\w.$]+\[\]", noun="elements"),
)

_V8 = (
    Container(
        r"EventEmitter",
        r"Array|\(object (elements|properties)\)",
        inside=_names("_events", "elements", "properties"),
        start=_names("_events"),
        noun="listeners",
        pattern="listener",
    ),
    Container(
        r"EventTarget",
        inside=_names("kEvents", "events", "table", "next", "root"),
        start=_names("kEvents"),
        noun="listeners",
        pattern="listener",
    ),
    Container(
        r"TimersList",
        r"Timeout",
        r"Timeout",
        _names("_idleNext", "_idlePrev"),
        noun="timers",
        counting="entries",
        pattern="timer",
    ),
    Container(
        r"Promise",
        r"system / Promise\w*Reaction|PromiseReaction",
        inside=_names("reactions_or_result", "promise_or_capability"),
        noun="reactions",
        pattern="promise",
    ),
    Container(r"Map|WeakMap", inside=_names("table"), counting="pairs"),
    Container(r"Set|WeakSet", inside=_names("table"), noun="elements"),
    Container(r"FinalizationRegistry", inside=_names("active_cells", "next"), noun="cells", pattern="finalizer"),
    Container(r"Array", inside=_names("elements"), noun="elements"),
)

_PYTHON = (
    Container(
        r"(functools\.)?_lru_cache_wrapper",
        r"dict|(functools\.|_functools\.)?_lru_list_elem",
        noun="results",
        counting="pairs",
        pattern="cache",
    ),
    Container(r"weakref\.Weak(Key|Value)Dictionary", r"dict", counting="pairs", pattern="weak-references"),
    Container(r"dict|(collections\.)?(OrderedDict|defaultdict|Counter)|mappingproxy", counting="pairs"),
    Container(r"list|(collections\.)?deque|set|frozenset|tuple|array\.array", noun="elements"),
)

TABLES: dict[str, tuple[Container, ...]] = {"jvm": _JVM, "node": _V8, "chrome": _V8, "hermes": _V8, "cpython": _PYTHON}

#: Types that only pass calls on to what they hold, and one-element boxes: never the holder that is named.
WRAPPERS = re.compile(
    r"""java\.util\.Collections\$\w+|java\.util\.concurrent\.atomic\.\w+|java\.util\.Optional
      |java\.lang\.ref\.(Soft|Strong)?Reference|java\.util\.concurrent\.locks\.\w+
      |(Object|system\ /\ .*|\(.*\))?
      |dict|cell|list|tuple|types\.SimpleNamespace|method|mappingproxy""",
    re.VERBOSE,
)


class Containers:
    """The containers of one graph, by the number of a type; every type is looked at once."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._rows = TABLES.get(graph.runtime, ())
        self._found: dict[int, Container | None] = {}
        self._parts: dict[tuple[Container, int], bool] = {}

    def of(self, kind: int) -> Container | None:
        """The container that objects of this type are."""
        if kind not in self._found:
            name = self._graph.types.name[kind]
            self._found[kind] = next((row for row in self._rows if re.fullmatch(row.types, name)), None)
        return self._found[kind]

    def started_by(self, label: Label) -> Container | None:
        """The container that whatever refers by this label is."""
        return next((row for row in self._rows if label.name in row.start), None) if label.name else None

    def is_part(self, container: Container, kind: int, label: Label) -> bool:
        """Whether an object of this type, referred to by this label from inside a container, is its inside too."""
        if label.name and label.name in container.inside:
            return True
        key = (container, kind)
        if key not in self._parts:
            name = self._graph.types.name[kind]
            self._parts[key] = bool(container.parts) and re.fullmatch(container.parts, name) is not None
        return self._parts[key]

    def entries(self, container: Container, number: int, references: References = "strong") -> int:
        """How many entries one container has. Linear in them, and in the types."""
        graph = self._graph
        types, labels = graph.types, graph.labels
        parts = bytes(bool(container.parts) and re.fullmatch(container.parts, name) is not None for name in types.name)
        inside = bytes(label.name in container.inside for label in labels)
        inner, outer = holdings.contents(
            graph.first,
            graph.target,
            graph.label,
            graph.type,
            number,
            parts=parts,
            inside=inside,
            types=len(types),
            weakest=WEAKEST[references],
        )
        if container.counting == "entries":
            return _sum(inner, [bool(re.fullmatch(container.entry, name)) for name in types.name])
        counted = [n for n, kind in zip(outer, types.kind, strict=True) if kind not in ("internal", "code")]
        return max(counted, default=0) if container.counting == "pairs" else sum(counted)


def _sum(counts: Sequence[int], wanted: Sequence[bool]) -> int:
    return sum(n for n, is_wanted in zip(counts, wanted, strict=True) if is_wanted)
