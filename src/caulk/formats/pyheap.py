"""PyHeap files: the object graph of a CPython program that PyHeap took through a debugger.

Layout: https://github.com/ivanyu/pyheap (`dumper_inferior.py`), version 1, big endian. References have no names but
those of attributes, types no module. Values that PyHeap was told to print are not looked at, but for the names of
modules, classes and functions.
"""

import re
from array import array
from datetime import datetime

from caulk._core import cpython_graph as kernel
from caulk._core import pyheap
from caulk.model.census import Extent
from caulk.model.column import Ints
from caulk.model.errors import MalformedDump
from caulk.model.graph import ROOTS, Label, ObjectGraph, TypeKind, Types

NAME = "pyheap"

_MAGIC = (123_000_321).to_bytes(8, "big")
_KINDS: dict[str, TypeKind] = {
    "str": "string", "bytes": "string", "bytearray": "string", "int": "number", "float": "number", "bool": "number",
    "complex": "number", "list": "array", "tuple": "array", "deque": "array", "code": "code", "function": "closure",
    "builtin_function_or_method": "closure", "method": "closure", "partial": "closure", "cell": "context",
    "frame": "frame", "generator": "frame", "coroutine": "frame", "module": "module", "type": "class",
    "ABCMeta": "class", "EnumType": "class", "EnumMeta": "class", "Thread": "thread",
}  # fmt: skip
#: How the references of a type are called that are no attributes: by place in `_LABELS`.
_LABELS = (Label("internal"), Label("element"), Label("key"))
_TAILS = {"list": 1, "tuple": 1, "set": 1, "frozenset": 1, "deque": 1, "dict": 2, "OrderedDict": 2, "defaultdict": 2}
#: What Python prints of things that the source names.
_PRINTED = {
    "module": re.compile(r"<(module) '([\w.]+)'"),
    "type": re.compile(r"<(class) '([\w.<>]+)'"),
    "function": re.compile(r"<(function) ([\w.<>]+) at"),
}
_HINT = "Was the disk full, or the program killed while PyHeap wrote? Take the dump again."


#: References an object, and bytes of memory an object while it is read; no object takes fewer bytes of the file.
_REFERENCES, _READING, _LEAST = 1.7, 60, 21


def sniff(head: bytes) -> bool:
    """The magic number 123,000,321 in eight bytes."""
    return head.startswith(_MAGIC)


def extent(data: bytes) -> Extent:
    """How large the heap in a file is: it says how many objects it has."""
    objects = min(_Head(memoryview(data)).count, len(data) // _LEAST)
    return Extent(objects, round(objects * _REFERENCES), _READING)


def read(data: bytes) -> ObjectGraph:
    """The graph in a file; one that was cut short gives the objects before the cut, without the names of their types.

    Raises `MalformedDump` where no object can be read.
    """
    view = memoryview(data)
    head = _Head(view)
    reader = pyheap.Reader(view, len(head.frequent))
    columns, end = pyheap.scan(reader, head.at, head.count, array("Q", head.common), head.has_text)
    if not len(columns[0]):
        raise MalformedDump(f"a PyHeap file without an object in its {len(view):,} bytes", hint=_HINT)
    rest = _Cursor(view, end)
    types, is_whole = {}, False
    if len(columns[0]) == head.count:
        try:
            types = {rest.number(8): rest.text() for _ in range(rest.number(4))}
            is_whole = rest.number(8) == int.from_bytes(_MAGIC, "big")
        except _Ended:
            pass
    return _graph(view, head, reader, columns, type_names=types, is_whole=is_whole, end=end)


class _Ended(Exception):
    """The data ends before what it promises."""


class _Cursor:
    def __init__(self, view: memoryview, at: int) -> None:
        self.view, self.at = view, at

    def number(self, size: int) -> int:
        if self.at + size > len(self.view):
            raise _Ended
        self.at += size
        return int.from_bytes(self.view[self.at - size : self.at], "big")

    def text(self) -> str:
        length = self.number(2)
        if self.at + length > len(self.view):
            raise _Ended
        self.at += length
        return str(self.view[self.at - length : self.at], "utf-8", "replace")


class _Head:
    """What stands before the objects: the variables of threads, names of attributes, types that have none."""

    def __init__(self, view: memoryview) -> None:
        cursor = _Cursor(view, 8)
        try:
            version = cursor.number(4)
            if version != 1:
                raise MalformedDump(f"a PyHeap file of version {version:,}; caulk reads version 1")
            self.taken_at = cursor.text()
            self.has_text = bool(cursor.number(8) & 1)
            #: (name of the variable, address of its value) of every frame.
            self.locals: list[tuple[str, int]] = []
            for _ in range(cursor.number(4)):
                cursor.text()  # the thread's name is a value
                cursor.number(2)
                for _ in range(cursor.number(4)):
                    cursor.text()
                    cursor.number(4)
                    cursor.text()
                    self.locals += [(cursor.text(), cursor.number(8)) for _ in range(cursor.number(4))]
            self.frequent = [cursor.text() for _ in range(cursor.number(4))]
            self.common: list[int] = []
            for _ in range(cursor.number(4)):
                self.common.append(cursor.number(8))
                for _ in range(cursor.number(4)):
                    length = cursor.number(2)
                    cursor.at += 8 + (length if length < 0x8000 else 0)
            self.count = cursor.number(4)
            self.at = cursor.at
        except _Ended:
            raise MalformedDump(
                f"a PyHeap file cut short before its first object, in {len(view):,} bytes", hint=_HINT
            ) from None
        # Each object of another type is compared with them.
        self.common = sorted(set(self.common))[:64]


def _graph(
    view: memoryview,
    head: _Head,
    reader: pyheap.Reader,
    columns: tuple[Ints, ...],
    *,
    type_names: dict[int, str],
    is_whole: bool,
    end: int,
) -> ObjectGraph:
    address, type_address, size, reference, attribute, text = columns
    number_of = {each: i for i, each in enumerate(dict.fromkeys(type_address))}
    types = _types([type_names.get(each, "") for each in number_of])
    numbers = array("I", map(number_of.__getitem__, type_address))
    classes = [i for i, each in enumerate(address) if each in number_of]
    reader.remember(array("q", [attribute[i] for i in classes]), array("Q", [address[i] for i in classes]))
    tails = [_TAILS.get(name, 0) for name in types.name[1:]]
    is_own = bytearray(not (name.startswith("__") and name.endswith("__")) for name in head.frequent)
    count, target, label = pyheap.references(
        reader,
        (type_address, reference, attribute),
        array("I", map(tails.__getitem__, numbers)),
        is_own=is_own,
        named=len(_LABELS),
    )
    labels = [*_LABELS, *(Label("field", name) for name in head.frequent)]
    labels += [
        Label("field", str(view[start : start + length], "utf-8", "replace"))
        for start, length in zip(*reader.texts(), strict=True)
    ]
    roots, words = _roots(head, types, numbers, address, labels)
    builder = kernel.Builder(len(address), len(target) + len(roots), len(number_of), 0)
    rows = array("I", bytes(8 * len(address)))
    rows[::2], rows[1::2] = numbers, size
    none = array("I")
    builder.leaves(address, rows, none)
    builder.roots(roots, words)
    builder.labelled(address, count, target, label)
    named = _named(view, types, numbers, text)
    objects = builder.numbers(array("Q", [address[i] for i, _ in named]))
    type_, size, _, first, target, label, dropped = builder.take()
    reached = bytearray(len(type_))
    reached[ROOTS] = 1
    kernel.reach(first, target, label, reached)
    unseen = kernel.entries(first, target, label, reached)
    kernel.insert_roots(first, len(unseen))
    at = first[1] - len(unseen)
    labels.append(Label("root", "held by C code, or a cycle"))
    target[at:at] = unseen
    label[at:at] = array("I", [len(labels) - 1]) * len(unseen)
    strings = dict(zip(objects, (name for _, name in named), strict=True))
    return ObjectGraph(
        format=NAME,
        runtime="cpython",
        types=types,
        type=type_,
        size=size,
        first=first,
        target=target,
        label=label,
        labels=labels,
        named=array("i", sorted(strings)),
        naming=array("i", range(len(strings))),
        strings=[strings[number] for number in sorted(strings)],
        taken_at=_time(head.taken_at),
        coverage=1.0 if is_whole else min(end / (len(view) + 1), 1.0),
        warnings=_warnings(view, head, len(address), is_whole=is_whole, end=end, dropped=dropped),
        comments=("PyHeap writes types without their modules, and sees what the garbage collector tracks",),
    )


def _types(names: list[str]) -> Types:
    """Types by number from 1; those of a file that was cut short have no names."""
    names = [name or f"type {i}" for i, name in enumerate(names, 1)]
    kinds = [_KINDS.get(name, "object") for name in names]
    return Types(["(roots)", *names, "(unknown)"], ["root", *kinds, "object"], [""] * (len(names) + 2))


def _roots(head: _Head, types: Types, numbers: Ints, address: Ints, labels: list[Label]) -> tuple[Ints, Ints]:
    """Variables of the running functions, and modules: PyHeap does not say which those of the interpreter are."""
    roots, words = array("Q"), array("I")
    known: dict[str, int] = {}
    for name, value in head.locals:
        if name not in known:
            known[name] = len(labels)
            labels.append(Label("local", name))
        roots.append(value)
        words.append(known[name])
    if "module" in types.name:
        labels.append(Label("root", "module"))
        module = types.name.index("module") - 1
        modules = [address[i] for i, number in enumerate(numbers) if number == module]
        roots.extend(modules)
        words.extend([len(labels) - 1] * len(modules))
    return roots, words


def _named(view: memoryview, types: Types, numbers: Ints, text: Ints) -> list[tuple[int, str]]:
    """Row and name of the modules, classes and functions, where the file has what Python prints of them."""
    wanted = {i - 1: _PRINTED[name] for i, name in enumerate(types.name) if name in _PRINTED}
    found = []
    for i, number in enumerate(numbers):
        if number in wanted and text[i] >= 0:
            length = int.from_bytes(view[text[i] : text[i] + 2], "big")
            printed = str(view[text[i] + 2 : text[i] + 2 + length], "utf-8", "replace")
            if match := wanted[number].match(printed):
                found.append((i, f"{match[1]} {match[2]}"))
    return found


def _time(text: str) -> datetime | None:
    try:
        taken = datetime.fromisoformat(text)
    except ValueError:
        return None
    return taken if taken.tzinfo else None


def _warnings(
    view: memoryview, head: _Head, objects: int, *, is_whole: bool, end: int, dropped: int
) -> tuple[str, ...]:
    warnings = []
    if not is_whole:
        warnings.append(
            f"the file was cut short: {objects:,} of {head.count:,} objects are whole, "
            f"the last ends at byte {end:,} of {len(view):,}; types have no names"
        )
    if dropped:
        warnings.append(f"{dropped:,} references lead to objects that the file does not have")
    return tuple(warnings)
