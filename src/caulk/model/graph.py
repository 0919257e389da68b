"""An object graph: who holds. Objects with types and sizes, the references between them, and the roots.

Every heap dump reads into this one type, so holders, retained sizes and paths are found once for all runtimes. It is
columns, not objects: a heap has 10⁵ to 10⁹ of them, and an index file can be mapped into memory in place of reading.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from caulk.model.column import Column

#: Object 0 stands for all roots together: what it refers to is alive.
ROOTS = 0

#: How firmly a reference holds, in the two top bits of its label; `--references` says up to which it counts.
STRONG, SOFT, WEAK, NEVER = range(4)
STRENGTH_SHIFT = 30
LABEL_MASK = (1 << STRENGTH_SHIFT) - 1
References = Literal["strong", "soft", "all"]
WEAKEST: dict[References, int] = {"strong": STRONG, "soft": SOFT, "all": WEAK}

TypeKind = Literal[
    "object", "array", "class", "string", "number", "code", "closure", "context", "frame", "thread", "module", "loader",
    "native", "internal", "root",
]  # fmt: skip
LabelKind = Literal["field", "static", "element", "key", "local", "variable", "internal", "root"]


@dataclass(frozen=True, slots=True)
class Types:
    """The types of a heap, by number: their name in the program's language, what they are, and whose.

    `owner` is the class loader, package, npm package or module that the type belongs to, empty where unknown.
    """

    name: Sequence[str]
    kind: Sequence[TypeKind]
    owner: Sequence[str]

    def __len__(self) -> int:
        return len(self.name)


class Label(NamedTuple):
    """What a reference is called in the program. A key that is data (of a map, a dict) has no name: it is a value."""

    kind: LabelKind
    name: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "field" | "static":
                return f".{self.name}"
            case "element":
                return "[]"
            case "key":
                return "[key]"
            case "local":
                return f"local {self.name}" if self.name else "local"
            case "variable":
                return f"variable {self.name}"
            case _:
                return f"({self.name})"


class Reference(NamedTuple):
    """One reference of an object; `strength` is STRONG, SOFT, WEAK or NEVER (drawn by the dump, held by nothing)."""

    target: int
    label: Label
    strength: int


@dataclass(frozen=True)
class ObjectGraph:
    """Objects × (type, size, references) of one moment, n objects with m references.

    `type` (`'i'`, n), `size` in bytes (`'I'`, n; an object of 4 GiB or more stands in `large` with its real size).
    The references of object `i` are `first[i]` to `first[i + 1]` (`'I'`, n + 1) in `target` (`'i'`, m) and `label`
    (`'I'`, m: the strength in the top two bits, below it a number in `labels`). `named` (`'i'`, ascending) are objects
    with a name of their own (classes, modules, functions), `naming` (`'i'`) where it stands in `strings`. `site`
    (`'i'`, n or empty; -1 unknown) is where an object was allocated, a number in `sites` (`file:line`).

    Exact for what the dump holds: `coverage` is the share of it that could be read, `warnings` say what is missing.
    """

    format: str
    runtime: str
    types: Types
    type: Column
    size: Column
    first: Column
    target: Column
    label: Column
    labels: Sequence[Label]
    large: Mapping[int, int] = field(default_factory=dict)
    named: Column = field(default_factory=lambda: memoryview(b"").cast("i"))
    naming: Column = field(default_factory=lambda: memoryview(b"").cast("i"))
    strings: Sequence[str] = ()
    site: Column = field(default_factory=lambda: memoryview(b"").cast("i"))
    sites: Sequence[str] = ()
    taken_at: datetime | None = None
    coverage: float = 1.0
    warnings: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    memory: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.type)

    def size_of(self, number: int) -> int:
        """The bytes of one object itself (shallow)."""
        return self.large.get(number) or self.size[number]

    def references(self, number: int) -> Iterator[Reference]:
        """What an object refers to, in the dump's order."""
        for at in range(self.first[number], self.first[number + 1]):
            word = self.label[at]
            yield Reference(self.target[at], self.labels[word & LABEL_MASK], word >> STRENGTH_SHIFT)

    def type_name(self, number: int) -> str:
        """The name of an object's type."""
        return self.types.name[self.type[number]]

    def name(self, number: int) -> str:
        """An object's own name (a class, a module, a function), else the empty string."""
        at = bisect_left(self.named, number)
        return self.strings[self.naming[at]] if at < len(self.named) and self.named[at] == number else ""


@dataclass(frozen=True, slots=True)
class Dominators:
    """Who alone keeps whom: `idom[i]` is the nearest object through which every path from the roots to `i` goes.

    `idom` (`'i'`, n) is -1 for the roots and for what they do not reach. `order` (`'i'`) are the reached objects, the
    roots first and every dominator before what it dominates. `retained` (`'q'`, n) are the bytes that would be freed
    with an object; an unreached one retains only itself.
    """

    references: References
    idom: Column
    order: Column
    retained: Column
