"""Who made certain objects: the stacks of a profile, searched by line, by type, by a function's place, or by amount.

Each search answers with the application's own function nearest to the allocation, or with nothing: two that fit alike
are none.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal
from urllib.parse import unquote

from caulk._core import stacks
from caulk.analysis.holders.names import split
from caulk.model.column import Ints
from caulk.model.origin import marks, origins
from caulk.model.profile import Profile
from caulk.model.records import StackFrame
from caulk.model.tree import Frames

#: How well it is known: object by object, by the name of a type, by where a function stands in its file, by amount.
Quality = Literal["object", "type", "place", "amount"]

#: Amounts are alike within this part, and twice the sampling error, which must itself be no larger than `_ROUGHEST`.
_ALIKE, _ROUGHEST = 0.15, 0.25
#: A smaller part of what is live has the size of many things.
_LEAST = 0.02
#: A function found by its place must have made between this part of what is kept and its inverse.
_COMPARABLE = 0.5
#: Of so many functions with the same amount none is told from the others.
_MOST_ALIKE = 16
#: The part of a function's allocations that comes through another, from which that other is its caller.
_INSIDE = 0.9

_Function = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """Who made objects: `stack` from the outermost caller down, `blamed` the application's function on it.

    `bytes` are live there; `share` is the part of what was looked for that `blamed` made.
    """

    by: Quality
    stack: tuple[StackFrame, ...]
    blamed: StackFrame
    bytes: int
    share: float = 1.0


class Allocations:
    """The stacks of one profile of live memory; `earlier` ones of the same program tell what grows."""

    def __init__(self, profile: Profile, earlier: Sequence[Profile] = ()) -> None:
        self.profile, self.tree, self.frames = profile, profile.tree, profile.tree.frames
        self.values = _live(profile)
        self.total = stacks.totals(self.tree.parent, self.values)
        self.origin = origins(self.frames, profile.runtime)
        self.own = stacks.nearest(self.tree.parent, self.tree.frame, marks(self.origin, "application"))
        self._before = earlier[0] if earlier else None
        self._key = _functions(self.frames)

    def at_line(self, location: str) -> Made | None:
        """Who allocates at `file:line`."""
        frames = self.frames
        file, _, line = location.rpartition(":")
        if not file or not line.isdecimal():
            return None
        here = [frames.file_name(i) == file and frames.line[i] == int(line) for i in range(len(frames))]
        nodes = [n for n in range(1, len(self.tree)) if here[self.tree.frame[n]] and self.values[n] > 0]
        return self._heaviest("object", [(n, self.own[n] or n, self.values[n]) for n in nodes])

    def of_type(self, name: str) -> Made | None:
        """Who calls the constructor of a type, or defines the function that each object of this `type` is."""
        makes = _CONSTRUCTORS.get(self.profile.runtime)
        found = [makes(name, *key) if makes else None for key in self._key]
        # What made a closure is the function around it; what made an instance has called its constructor.
        outermost = self._outermost([role is not None for role in found])
        return self._heaviest(
            "type",
            [
                (n, n if found[self.tree.frame[n]] == "around" else self.own[self.tree.parent[n]] or n, self.total[n])
                for n in outermost
            ],
        )

    def around(self, function: str, amount: int) -> Made | None:
        """Who defines a function, given by its name and place: who begins last before it, and made about `amount`."""
        name, place = split(function)
        file, _, line = place.rpartition(":")
        if not file or not line.isdecimal():
            return None
        file, number, frames = _path(file), int(line), self.frames
        before = [
            i
            for i in range(len(frames))
            if frames.file_name(i) == file
            and 0 < frames.line[i] <= number
            and (frames.line[i] < number or frames.function_name(i) != name)
        ]
        nearest = max((frames.line[i] for i in before), default=0)
        marked = [False] * len(frames)
        for i in before:
            marked[i] = frames.line[i] == nearest
        made = self._heaviest("place", [(n, n, self.total[n]) for n in self._outermost(marked)])
        return made if made and _COMPARABLE * amount <= made.bytes <= amount / _COMPARABLE else None

    def of_amount(self, amount: int, *, is_growing: bool) -> Made | None:
        """Who alone made about `amount` bytes: the innermost of those that call each other, nobody where more fit."""
        error = 2 * sqrt(amount * max(self.profile.period, 0)) if self.profile.period > 1 else 0.0
        if amount < _LEAST * max(sum(self.values), 1) or error > _ROUGHEST * amount:
            return None
        now = self._amounts(self.profile)
        before = self._amounts(self._before) if self._before else {}
        alike = [
            key
            for key, sums in now.items()
            if any(abs(one - amount) <= _ALIKE * amount + error for one in sums)
            and not (is_growing and self._before and sums[1] <= before.get(key, (0, 0))[1])
        ]
        if not 0 < len(alike) <= _MOST_ALIKE:
            return None
        nodes = {key: self._outermost([own == key for own in self._key]) for key in alike}
        for key in alike:
            if all(self._is_inside(nodes[key], other) for other in alike if other != key):
                return self._heaviest("amount", [(n, n, self.total[n]) for n in nodes[key]])
        return None

    def _amounts(self, profile: Profile) -> dict[_Function, tuple[int, int]]:
        """What each function of the application made itself or through libraries, and with all that it called."""
        tree, values = profile.tree, _live(profile)
        frames, parent, frame = tree.frames, tree.parent, tree.frame
        origin = origins(frames, profile.runtime)
        numbers: dict[_Function, int] = {}
        group = array("i", (numbers.setdefault(key, len(numbers)) for key in _functions(frames)))
        _, cumulative = stacks.by_group(parent, frame, group, len(numbers), values)
        own = stacks.nearest(parent, frame, marks(origin, "application"))
        itself = [0] * len(numbers)
        for node, value in enumerate(values):
            if value and own[node]:
                itself[group[frame[own[node]]]] += value
        of_application = {group[i] for i, whose in enumerate(origin) if whose == "application"}
        return {key: (itself[i], cumulative[i]) for key, i in numbers.items() if i in of_application}

    def _is_inside(self, nodes: Sequence[int], other: _Function) -> bool:
        below = stacks.inherit(self.tree.parent, self.tree.frame, bytes(key == other for key in self._key))
        whole = sum(self.total[n] for n in nodes)
        return sum(self.total[n] for n in nodes if below[self.tree.parent[n]]) >= _INSIDE * whole > 0

    def _outermost(self, marked: Sequence[bool]) -> list[int]:
        """The nodes of marked frames that have none above them: together they count every stack once."""
        parent, frame = self.tree.parent, self.tree.frame
        if not any(marked):
            return []
        below = stacks.inherit(parent, frame, bytes(marked))
        return [n for n in range(1, len(parent)) if marked[frame[n]] and not below[parent[n]] and self.total[n] > 0]

    def _heaviest(self, by: Quality, found: Iterable[tuple[int, int, int]]) -> Made | None:
        """The function that most comes from, of (node of the allocation, node to blame, bytes)."""
        sums: dict[_Function, int] = {}
        best: dict[_Function, tuple[int, int, int]] = {}
        for node, blamed, size in found:
            key = self._key[self.tree.frame[blamed]]
            sums[key] = sums.get(key, 0) + size
            best[key] = max(best.get(key, (0, 0, 0)), (size, -node, -blamed))
        if not sums:
            return None
        key = max(sums, key=lambda key: (sums[key], key))
        _, node, blamed = best[key]
        return Made(
            by=by,
            stack=tuple(self._frame(frame) for frame in self.tree.stack(-node)),
            blamed=self._frame(self.tree.frame[-blamed]),
            bytes=sums[key],
            share=sums[key] / sum(sums.values()),
        )

    def _frame(self, frame: int) -> StackFrame:
        frames = self.frames
        return StackFrame(frames.function_name(frame), frames.file_name(frame), frames.line[frame])


def _live(profile: Profile) -> Ints:
    size = next(i for i, m in enumerate(profile.measures) if m.role in ("live", "unknown") and m.unit == "bytes")
    return profile.tree.values[size]


def _functions(frames: Frames) -> list[_Function]:
    return [(frames.function_name(i), frames.file_name(i)) for i in range(len(frames))]


def _path(url: str) -> str:
    return unquote(url.removeprefix("file://")) if url.startswith("file://") else url


_Role = Literal["constructor", "around"] | None


def _node(type_name: str, function: str, file: str) -> _Role:
    """V8 calls instances by their constructor, which is a function; the engine's own have no file."""
    return "constructor" if function == type_name and file and not file.startswith("node:") else None


def _cpython(type_name: str, function: str, file: str) -> _Role:
    """`Quote.__init__` in `shop/orders.py` makes `shop.orders.Quote`, `listen` makes `app.listen.<locals>.on_event`."""
    around, is_inner, _ = type_name.rpartition(".<locals>.")
    constructor = re.fullmatch(r"(.+)\.__(?:init|new|post_init)__", function)
    if is_inner and _is_of(around, function.replace(".", ".<locals>."), file):
        return "around"
    if is_inner and _is_of(around, function, file):
        return "around"
    return "constructor" if constructor and _is_of(type_name, constructor[1], file) else None


def _is_of(qualified: str, name: str, file: str) -> bool:
    """Whether `module.name` is `name` in that file."""
    module = qualified.removesuffix(f".{name}")
    if module == qualified:
        return False
    stem = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return module == "__main__" or f".{stem}".endswith(f".{module}")


def _jvm(type_name: str, function: str, file: str) -> _Role:
    """async-profiler puts the class on top of the stack; a constructor is called `<init>`."""
    plain = re.sub(r"_\[[ik]\]$", "", function).replace("/", ".")
    return "constructor" if plain in (type_name, f"{type_name}.<init>") else None


_CONSTRUCTORS: dict[str, Callable[[str, str, str], _Role]] = {"node": _node, "cpython": _cpython, "jvm": _jvm}
