"""Names of classes as the Java language writes them, and of the loaders that they belong to."""

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence

from caulk._core.protobuf import positions
from caulk.model.column import Ints, Strings
from caulk.model.graph import TypeKind

PRIMITIVES: Mapping[int, str] = {
    4: "boolean", 5: "char", 6: "float", 7: "double", 8: "byte", 9: "short", 10: "int", 11: "long",
}  # fmt: skip
_DESCRIPTORS = {
    "Z": "boolean",
    "C": "char",
    "F": "float",
    "D": "double",
    "B": "byte",
    "S": "short",
    "I": "int",
    "J": "long",
}
#: Where a hidden class was put in memory, which is another place in every run.
_HIDDEN = re.compile(r"[+/]0x[0-9a-f]{6,}(?=$|\[)")
_KINDS: tuple[tuple[str, TypeKind], ...] = (
    ("java.lang.String", "string"),
    ("java.lang.Thread", "thread"),
    ("java.lang.ClassLoader", "loader"),
    ("java.lang.Number", "number"),
    ("java.lang.Class", "class"),
)


def class_name(text: str) -> str:
    """`com/example/Ticket` as `com.example.Ticket`, `[Ljava/lang/String;` as `java.lang.String[]`."""
    text = _HIDDEN.sub("", text)
    dimensions = len(text) - len(text.lstrip("["))
    element = text[dimensions:]
    if dimensions:
        element = _DESCRIPTORS.get(element) or element.removeprefix("L").removesuffix(";")
    return element.replace("/", ".") + "[]" * dimensions


def is_hidden(text: str) -> bool:
    """Whether a class was defined without a name that others could ask its loader for: a lambda, a method handle."""
    return bool(_HIDDEN.search(text))


def kind_of(line: Iterable[str]) -> TypeKind:
    """What instances of a class are, from its own name and its superclasses'."""
    names = list(line)
    if names and names[0].endswith("[]"):
        return "array"
    return next((kind for name, kind in _KINDS if name in names), "object")


def loader_names(loaders: Sequence[int], known: Mapping[int, str], classes: Mapping[int, str]) -> dict[int, str]:
    """What each loader is called: `known` names, else its class, numbered where several are of one class."""
    same: dict[str, int] = {}
    for loader in loaders:
        if loader not in known:
            same[classes.get(loader, "")] = same.get(classes.get(loader, ""), 0) + 1
    names, met = dict(known), dict.fromkeys(same, 0)
    for loader in loaders:
        if loader not in known:
            name = classes.get(loader, "")
            met[name] += 1
            names[loader] = f"{name or 'unknown loader'} #{met[name]}" if same[name] > 1 else name or "unknown loader"
    return names


class Texts:
    """The names in a dump by their id: found together, decoded when asked for."""

    def __init__(self, strings: Strings, ids: Ints) -> None:
        self._strings, self._ids = strings, ids
        self._places: dict[int, int] = {}

    def also(self, wanted: Iterable[int]) -> "Texts":
        """Itself, once it has looked for these ids too: one pass over the ids of the dump."""
        new = array("q", [id for id in wanted if id not in self._places])
        self._places.update(zip(new, positions(self._ids, new), strict=True))
        return self

    def __getitem__(self, id: int) -> str:
        """The text of an id that was looked for, empty if the dump does not have it."""
        at = self._places.get(id, -1)
        return self._strings[at] if at >= 0 else ""


def distinct(*columns: Ints) -> set[int]:
    """The different numbers of some columns."""
    return set().union(*columns)
