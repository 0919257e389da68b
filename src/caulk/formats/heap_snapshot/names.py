"""Names of a snapshot's types, labels and functions, in the words of the program; contents are never names."""

import json
import re
from array import array
from collections.abc import Sequence
from itertools import chain
from mmap import mmap

from caulk._core import heap_labels
from caulk.model.column import Column, Ints
from caulk.model.graph import Label, LabelKind, TypeKind, Types

#: What all nodes of one of the kernel's kinds are, in its order, and the name of those whose own name is their content.
_KINDS: tuple[tuple[TypeKind, str], ...] = (
    ("internal", ""), ("array", ""), ("string", "(string)"), ("object", ""), ("code", ""), ("closure", ""),
    ("internal", "(regexp)"), ("number", "(number)"), ("native", ""), ("root", ""),
    ("string", "(concatenated string)"), ("string", "(sliced string)"), ("internal", "(symbol)"),
    ("number", "(bigint)"), ("internal", ""), ("object", ""), ("internal", "(other)"), ("native", ""),
    ("context", "system / Context"), ("internal", "(hash table)"),
)  # fmt: skip
OBJECT, _CODE, CLOSURE, _SYNTHETIC, _DETACHED = 3, 4, 5, 9, 17
_UNNAMED = {1: "(array)", 3: "Object", 4: "(code)", 5: "(anonymous)"}
#: Labels without a name, in the kernel's order.
_LABELS = (
    Label("element"), Label("key"), Label("internal", "hidden"), Label("internal", "weak"),
    Label("internal", "value in WeakMap"),
)  # fmt: skip
_LABEL_KINDS: tuple[LabelKind, ...] = ("internal", "variable", "field", "internal", "root")
_NAME = (1 << 29) - 1
#: A type: its name, what it is, and whose.
TypeRow = tuple[str, TypeKind, str]
# Chrome writes an element with its attributes, a window and a script with their address: contents, all of them.
_ELEMENT = re.compile(r"((?:Detached )?<[^\s>]*)[\s>].*", re.DOTALL)
_DETAIL = re.compile(r"(Window[^/]*?|system / [^/]*?) / .*", re.DOTALL)
_SCRIPT = "system / Script / "
_ADDRESS = re.compile(r"(?:system / Script / )?(?:[a-z][a-z0-9+.-]*://|data:)")


def name_alone(text: str, *, is_native: bool) -> str:
    """What a node is called, without what V8 and Chrome write behind it: attributes, queries, addresses of pages."""
    if address := _ADDRESS.match(text):
        return address[0] if address[0].endswith("data:") else re.split(r"[?#]", text, maxsplit=1)[0]
    if text.startswith(_SCRIPT):
        return text
    text = _DETAIL.sub(r"\1", text)
    return _ELEMENT.sub(r"\1>", text) if is_native else text


class Text:
    """The strings of a snapshot by number, decoded when asked for; `<string #n>` for those that were cut off."""

    def __init__(self, data: bytes | mmap, strings: Ints) -> None:
        self._data, self._start = data, strings

    def __getitem__(self, number: int) -> str:
        if number >= len(self._start) - 1:
            return f"<string #{number}>"
        raw = self._data[self._start[number] : self._start[number + 1] - 1]
        text = raw[: raw.rfind(b'"')].decode("utf-8", "replace")
        if "\\" not in text:
            return text
        try:
            decoded: str = json.loads(f'"{text}"', strict=False)
        except ValueError:
            return text
        # V8 cuts texts at a number of UTF-16 units: half a pair is left at the end.
        return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Names:
    """The names of one snapshot."""

    def __init__(self, data: bytes | mmap, strings: Ints) -> None:
        self.text = Text(data, strings)
        # Functions are thousands, the scripts that they are from a few.
        self._scripts: dict[int, str] = {0: ""}

    def types(self, column: Column, keys: Ints, more: Sequence[TypeRow] = ()) -> Types:
        """The table of types, of which `column` gets the numbers; several keys may come to one name.

        `more` are types that `column` numbers behind those of the keys.
        """
        table: dict[TypeRow, int] = {}
        rows = chain(map(self._type, keys), more)
        numbers = array("i", [table.setdefault(row, len(table)) for row in rows])
        if len(table) < len(numbers):
            heap_labels.renumber(column, numbers)
        return Types(*(list(part) for part in zip(*table, strict=True)))

    def _type(self, key: int) -> TypeRow:
        kind, number, script = key & 31, key >> 5 & _NAME, key >> 34
        word, name = _KINDS[kind]
        if name:
            return name, word, ""
        if kind == _CODE and number == 0:
            return _UNNAMED[_CODE], word, ""
        name = self.text[number]
        if kind == _SYNTHETIC and not name:
            return "(roots)", word, ""
        if " / " in name:
            name = _DETAIL.sub(r"\1", name)
        if word in {"object", "native"} and name.startswith("system / "):
            word = "internal"
        elif word == "native":
            name = _ELEMENT.sub(r"\1>", name)
            if kind == _DETACHED and not name.startswith("Detached "):
                name = f"Detached {name}"
        return name or _UNNAMED.get(kind, "(unnamed)"), word, self.script(script)

    def labels(self, column: Column, keys: Ints) -> list[Label]:
        """The labels, of which `column` gets the numbers."""
        table: dict[Label, int] = {}
        numbers = array("i", [table.setdefault(self._label(key), len(table)) for key in keys])
        if len(table) < len(keys):
            heap_labels.renumber_labels(column, numbers)
        return list(table)

    def _label(self, key: int) -> Label:
        if key < len(_LABELS):
            return _LABELS[key]
        kind = _LABEL_KINDS[key >> 29]
        name = self.text[key & _NAME]
        if kind == "internal" and " / " in name:
            # "12 / (name)": the number says nothing.
            number, _, rest = name.partition(" / ")
            name = rest if rest and number.isdigit() else name
        elif kind == "root":
            name = name.strip("()") or "roots"
        return Label(kind, name)

    @staticmethod
    def runtime(types: Types) -> str:
        """Who wrote it, by what only they have: `node`, `chrome`, `hermes`."""
        if "HiddenClass" in types.name:
            return "hermes"
        return "chrome" if any(name.startswith(("Window", "HTML")) for name in types.name) else "node"

    def of(self, key: int) -> str:
        """The name that a type's key has, empty if it has none."""
        return self.text[key >> 5 & _NAME]

    def function(self, key: int, line: int) -> str:
        """A function by its type's key, with script and line (given from 0, shown from 1)."""
        name, script = self.or_anonymous(self.of(key)), self.script(key >> 34)
        return f"{name} {script}:{line + 1}" if script else name

    @staticmethod
    def or_anonymous(name: str) -> str:
        """What a function of that name is called."""
        return name or _UNNAMED[CLOSURE]

    def script(self, number: int) -> str:
        """The address of a script, without what may be data in it; empty if there is none."""
        if number not in self._scripts:
            self._scripts[number] = _script(self.text[number].removeprefix(_SCRIPT))
        return self._scripts[number]


def _script(address: str) -> str:
    if address.startswith("data:"):
        return "data:"
    # V8 calls a script without an address by its type.
    return "" if address.startswith("system / ") else re.split(r"[?#]", address, maxsplit=1)[0]
