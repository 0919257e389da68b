"""Small heaps from a line of text, for tests: `heap("a! -> b; b -> c.field; c:Ticket*24")`."""

import re
from array import array
from collections.abc import Mapping

from caulk.model.graph import NEVER, ROOTS, SOFT, STRENGTH_SHIFT, STRONG, WEAK, Label, ObjectGraph, Types

_ARROWS = {"->": STRONG, "~>": SOFT, "?>": WEAK, "x>": NEVER}
_OBJECT = re.compile(
    r"(?P<name>\w+)(?::(?P<type>[\w.$\[\]]+))?(?:\*(?P<size>\d+))?(?P<root>!)?(?:\.(?P<field>\w+|\[\]))?"
)


class Heap(ObjectGraph):
    """An object graph whose objects have the names that the test gave them."""

    numbers: Mapping[str, int]

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    def names(self, numbers: object) -> list[str]:
        """The test's names of objects."""
        by_number = {number: name for name, number in self.numbers.items()} | {ROOTS: "ROOTS"}
        return [by_number[number] for number in numbers]  # type: ignore[attr-defined]


def heap(text: str, *, size: int = 8) -> Heap:
    """Statements end at `;`: `a:Type*24!` declares (a root by `!`), `a -> b.field` refers (`~>` softly, `?>` weakly).

    What is left out is filled in: type `T`, `size` bytes, the field `f`; `a -> b.[]` is an element.
    """
    numbers: dict[str, int] = {}
    types = {"(roots)": 0}
    labels: dict[Label, int] = {Label("root", "root"): 0}
    type_of, sizes = [0], [0]
    edges: dict[int, list[tuple[int, int]]] = {ROOTS: []}

    def declared(match: re.Match[str]) -> int:
        name = match["name"]
        if name not in numbers:
            numbers[name] = len(type_of)
            type_of.append(types.setdefault("T", len(types)))
            sizes.append(size)
            edges[numbers[name]] = []
        number = numbers[name]
        if match["type"]:
            type_of[number] = types.setdefault(match["type"], len(types))
        if match["size"]:
            sizes[number] = int(match["size"])
        if match["root"]:
            edges[ROOTS].append((number, 0))
        return number

    for statement in filter(None, (part.strip() for part in text.split(";"))):
        arrow = next((arrow for arrow in _ARROWS if arrow in statement), None)
        if arrow is None:
            for word in statement.split():
                declared(_matched(word))
            continue
        left, right = statement.split(arrow)
        source = declared(_matched(left.strip()))
        for word in right.split():
            match = _matched(word)
            field = match["field"] or "f"
            label = Label("element") if field == "[]" else Label("field", field)
            number = labels.setdefault(label, len(labels))
            edges[source].append((declared(match), _ARROWS[arrow] << STRENGTH_SHIFT | number))
    first, target, labelled = array("I", [0]), array("i"), array("I")
    for number in range(len(type_of)):
        target.extend(t for t, _ in edges[number])
        labelled.extend(word for _, word in edges[number])
        first.append(len(target))
    made = Heap(
        format="test",
        runtime="test",
        types=Types(list(types), ["root"] + ["object"] * (len(types) - 1), [""] * len(types)),
        type=array("i", type_of),
        size=array("I", sizes),
        first=first,
        target=target,
        label=labelled,
        labels=list(labels),
    )
    object.__setattr__(made, "numbers", numbers)
    return made


def _matched(word: str) -> re.Match[str]:
    match = _OBJECT.fullmatch(word)
    assert match, f"{word!r} is not an object of a heap"
    return match
