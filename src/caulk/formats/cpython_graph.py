"""CPython graphs: what caulk's own dumper writes inside a Python program (`.cgraph`).

Layout: docs/cpython-graph.md. Blocks of tables and of objects, little endian; references are addresses. What the roots
do not reach is held by C code, which Python cannot look into, or by nothing but itself until the collector runs.
"""

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import get_args

from caulk._core import cpython_graph as kernel
from caulk.model.census import Extent
from caulk.model.column import Column, Ints
from caulk.model.errors import MalformedDump
from caulk.model.graph import ROOTS, STRENGTH_SHIFT, WEAK, Label, LabelKind, ObjectGraph, TypeKind, Types

NAME = "cpython-graph"

_MAGIC = b"\x89CGRAPH\n"
_VERSION = 1
_HEAD = 16
_NONE = 0xFFFFFFFF
_KINDS = get_args(LabelKind)
_LONGEST_INFO = 1 << 16

#: Bits of CPython's `tp_flags` that tell what a type is a kind of, and the types that have none.
_BY_FLAG: tuple[tuple[int, TypeKind], ...] = (
    (1 << 31, "class"), (1 << 28, "string"), (1 << 27, "string"), (1 << 24, "number"), (1 << 25, "array"),
    (1 << 26, "array"),
)  # fmt: skip
_BY_NAME: dict[str, TypeKind] = {
    "bytearray": "string", "memoryview": "string", "float": "number", "complex": "number", "bool": "number",
    "code": "code", "function": "closure", "builtin_function_or_method": "closure", "method": "closure",
    "functools.partial": "closure", "functools._lru_cache_wrapper": "closure", "cell": "context", "frame": "frame",
    "generator": "frame", "coroutine": "frame", "async_generator": "frame", "module": "module",
    "collections.deque": "array", "array.array": "array", "threading.Thread": "thread",
}  # fmt: skip
_UNSEEN = "held by C code, or a cycle"
_FUNCTION = "function held by C code: registered with atexit, or running"
_CALLBACKS = "list of callbacks held by C code: at-fork"


#: Bytes of the file an object, references an object, and bytes of memory an object while it is read.
_OBJECT_BYTES, _REFERENCES, _READING = 34, 1.7, 43


def sniff(head: bytes) -> bool:
    """The magic number of eight bytes."""
    return head.startswith(_MAGIC)


def read(data: bytes) -> ObjectGraph:
    """The graph in a file; one that was cut short gives the objects before the cut.

    Raises `MalformedDump` where no object can be read.
    """
    view = memoryview(data)
    found = _blocks(view)
    return _graph(view, found, _tables(view, found))


def extent(data: bytes) -> Extent:
    """How large the heap in a file is, by what objects take in others."""
    objects = len(data) // _OBJECT_BYTES
    return Extent(objects, round(objects * _REFERENCES), _READING)


@dataclass(slots=True)
class _Blocks:
    """Where the blocks of each tag lie, (start, end), and the end of the last that is whole."""

    at: dict[bytes, list[tuple[int, int]]] = field(default_factory=dict)
    #: Blocks of objects with the block of names before each, or None.
    objects: list[tuple[tuple[int, int], tuple[int, int] | None]] = field(default_factory=list)
    end: int = _HEAD
    is_whole: bool = False

    def __getitem__(self, tag: bytes) -> list[tuple[int, int]]:
        return self.at.get(tag, [])


@dataclass(slots=True)
class _Tables:
    strings: list[str]
    types: list[tuple[int, int, str, str]]
    """Address, flags, module and name."""
    labels: list[Label]
    label_word: list[int]
    shape_start: Ints
    shape_word: Ints
    sites: list[str]
    info: dict[str, str]


def _blocks(view: memoryview) -> _Blocks:
    if len(view) < _HEAD:
        raise MalformedDump(
            f"a CPython graph cut short at byte {len(view):,}, before its first block", hint="Take the dump again."
        )
    version = int.from_bytes(view[8:12], "little")
    if version != _VERSION:
        raise MalformedDump(
            f"a CPython graph of version {version:,}; this caulk reads version {_VERSION}",
            hint="Read it with the caulk whose dumper wrote it, or a newer one.",
        )
    found = _Blocks()
    names = None
    while len(view) - found.end >= _HEAD:
        tag = bytes(view[found.end : found.end + 4])
        start = found.end + _HEAD
        length = int.from_bytes(view[found.end + 8 : start], "little")
        if length > len(view) - start:
            break
        where = (start, start + length)
        if tag == b"OBJS":
            found.objects.append((where, names))
        names = where if tag == b"NAME" else None
        found.at.setdefault(tag, []).append(where)
        found.end = min(start + length + -length % 8, len(view))
        if tag == b"END!":
            found.is_whole = True
            break
    return found


def _column(view: memoryview, start: int, end: int, typecode: str) -> Column:
    """A part of the file as numbers, in place; what is not a multiple of their size is left out."""
    size = 4 if typecode == "I" else 8
    part = view[start : start + max(end - start, 0) // size * size]
    if sys.byteorder == "little":
        return part.cast(typecode)  # type: ignore[call-overload,no-any-return]
    column = array(typecode, part.tobytes())
    column.byteswap()
    return column


def _tables(view: memoryview, found: _Blocks) -> _Tables:
    strings = [text for where in found[b"STRS"] for text in _strings(view, *where)]

    def text(number: int) -> str:
        return strings[number] if number < len(strings) else ""

    types = []
    for start, end in found[b"TYPE"]:
        column = _column(view, start, end, "Q")
        for i in range(0, len(column) - 2, 3):
            names = column[i + 2]
            types.append((column[i], column[i + 1], text(names & _NONE), text(names >> 32)))
    # The last label is of references that a damaged table leaves without one.
    labels: list[Label] = []
    words: list[int] = []
    for start, end in found[b"LABL"]:
        column = _column(view, start, end, "I")
        for i in range(0, len(column) - 3, 4):
            kind, strength, name, _ = column[i : i + 4]
            labels.append(Label(_KINDS[kind] if kind < len(_KINDS) else "internal", text(name)))
            words.append(min(strength, WEAK) << STRENGTH_SHIFT | len(words))
    words.append(len(labels))
    labels.append(Label("internal"))
    shape_start, shape_word = _shapes(view, found, words)
    sites: list[str] = []
    for start, end in found[b"SITE"]:
        column = _column(view, start, end, "I")
        sites.extend(f"{text(column[i])}:{column[i + 1]}" for i in range(0, len(column) - 1, 2))
    return _Tables(strings, types, labels, words, shape_start, shape_word, sites, _info(view, found))


def _strings(view: memoryview, start: int, end: int) -> Iterator[str]:
    count = int.from_bytes(view[start : min(start + 4, end)], "little")
    at = start + 4 + 4 * count
    if at > end:
        return
    for length in _column(view, start + 4, at, "I"):
        yield str(view[min(at, end) : min(at + length, end)], "utf-8", "replace")
        at += length


def _shapes(view: memoryview, found: _Blocks, words: list[int]) -> tuple[Ints, Ints]:
    """Shape 0 of an empty table is one of unnamed references: every number beyond the table means that one."""
    starts, shapes = array("i", [0]), array("I")
    for start, end in found[b"SHAP"]:
        column = _column(view, start, end, "I")
        at = 0
        while at + 3 <= len(column):
            fixed, tail, second = column[at : at + 3]
            if fixed > len(column) - at - 3:
                break
            for label in (tail, second, *column[at + 3 : at + 3 + fixed]):
                shapes.append(words[label] if label < len(words) else words[-1])
            if second == _NONE:
                shapes[starts[-1] + 1] = _NONE
            at += 3 + fixed
            starts.append(len(shapes))
    if len(starts) == 1:
        shapes.extend((words[-1], _NONE))
        starts.append(2)
    return starts, shapes


def _info(view: memoryview, found: _Blocks) -> dict[str, str]:
    text = "\n".join(
        str(view[start : min(end, start + _LONGEST_INFO)], "utf-8", "replace") for start, end in found[b"INFO"]
    )
    return {name: value for name, _, value in (line.rpartition(" ") for line in text.split("\n")) if name}


def _graph(view: memoryview, found: _Blocks, tables: _Tables) -> ObjectGraph:
    with_sites = tables.info.get("traces", "0") != "0" and bool(tables.sites)
    objects = [_Objects.of(view, *where, with_sites) for where, _ in found.objects]
    leaves = [_leaves(view, *where, with_sites) for where in found[b"LEAF"]]
    count = sum(len(block.address) for block in objects) + sum(len(block[0]) for block in leaves)
    if not count:
        raise MalformedDump(
            f"a CPython graph without an object in its {len(view):,} bytes",
            hint="Was the disk full, or the program killed while it wrote? Take the dump again.",
        )
    if count > (1 << 31) - 16:
        raise MalformedDump(f"a CPython graph of {count:,} objects, which are more than caulk can number")
    roots = [_column(view, *where, "Q") for where in found[b"ROOT"]]
    references = sum(len(block.target) for block in objects) + sum(len(block) // 2 for block in roots)
    builder = kernel.Builder(count, references, len(tables.types), len(tables.sites) if with_sites else 0)
    empty = array("I")
    named = array("i")
    for block, (_, names) in zip(objects, found.objects, strict=True):
        pairs = _column(view, *names, "I") if names else empty
        named.extend(builder.objects(block.address, block.rows, block.sites, pairs))
    for leaf in leaves:
        builder.leaves(*leaf)
    class_number = builder.numbers(array("Q", [address for address, *_ in tables.types]))
    large = _large(view, found, builder)
    for block_of_roots in roots:
        labels = [tables.label_word[min(label, len(tables.label_word) - 1)] for label in block_of_roots[1::2]]
        builder.roots(array("Q", block_of_roots[: 2 * len(labels) : 2]), array("I", labels))
    for block in objects:
        builder.references(block.address, block.rows, block.target, tables.shape_start, tables.shape_word)
    *columns, dropped = builder.take()
    graph = _finished(columns, tables, named=named, class_number=class_number, large=large)
    return replace(
        graph,
        coverage=1.0 if found.is_whole else min(found.end / (len(view) + 1), 1.0),
        warnings=_warnings(view, found, dropped, len(graph.target)),
    )


@dataclass(slots=True)
class _Objects:
    """One block's columns."""

    address: Column
    target: Column
    rows: Column
    sites: Column

    @classmethod
    def of(cls, view: memoryview, start: int, end: int, with_sites: bool) -> "_Objects":
        count, references = (int.from_bytes(view[start + i : start + i + 8], "little") for i in (0, 8))
        if start + 16 + 24 * count + 8 * references > end:
            count = references = 0
        at = start + 16
        address = _column(view, at, at + 8 * count, "Q")
        target = _column(view, at + 8 * count, at + 8 * (count + references), "Q")
        at += 8 * (count + references)
        rows = _column(view, at, at + 16 * count, "I")
        at += 16 * count
        sites = _column(view, at, min(at + 4 * count, end) if with_sites else at, "I")
        return cls(address, target, rows, sites)


def _leaves(view: memoryview, start: int, end: int, with_sites: bool) -> tuple[Column, Column, Column]:
    count = int.from_bytes(view[start : min(start + 8, end)], "little")
    if start + 8 + 16 * count > end:
        count = 0
    at = start + 8
    rows = at + 8 * count
    sites = rows + 8 * count
    return (
        _column(view, at, rows, "Q"),
        _column(view, rows, sites, "I"),
        _column(view, sites, min(sites + 4 * count, end) if with_sites else sites, "I"),
    )


def _large(view: memoryview, found: _Blocks, builder: kernel.Builder) -> dict[int, int]:
    large = {}
    for where in found[b"BIGS"]:
        column = _column(view, *where, "Q")
        pairs = len(column) // 2
        numbers = builder.numbers(array("Q", column[: 2 * pairs : 2]))
        for number, size in zip(numbers, column[1 : 2 * pairs : 2], strict=True):
            if number > 0 and size >= _NONE:
                large[number] = min(size, 1 << 48)
    return large


def _finished(
    columns: list[Ints], tables: _Tables, *, named: Ints, class_number: Ints, large: dict[int, int]
) -> ObjectGraph:
    """The graph with its roots complete: what nothing seen holds, C code does."""
    type_, size, site, first, target, label = columns
    types = _types(tables.types)
    numbers, naming = named[::2], named[1::2]
    _mark_modules(types, type_, numbers, naming, tables.strings)
    reached = bytearray(len(type_))
    reached[ROOTS] = 1
    kernel.reach(first, target, label, reached)
    # An object keeps its class. That is drawn only where nothing else does: the class of a module has a better holder.
    class_of = array("i", bytes(4 * len(types)))
    for i, number in enumerate(class_number, 1):
        class_of[i] = number if number > 0 and not reached[number] else 0
    tables.labels.append(Label("internal", "class"))
    first, target, label = kernel.with_classes(first, target, label, type_, class_of, len(tables.labels) - 1)
    kernel.reach(first, target, label, reached)
    unseen = kernel.entries(first, target, label, reached)
    words = _labels_of(unseen, type_, types, labels=tables.labels, first=first, target=target)
    kernel.insert_roots(first, len(unseen))
    at = first[1] - len(unseen)
    target[at:at] = unseen
    label[at:at] = words
    return ObjectGraph(
        format=NAME,
        runtime="cpython",
        types=types,
        type=type_,
        size=size,
        first=first,
        target=target,
        label=label,
        labels=tables.labels,
        large=large,
        named=numbers,
        naming=array("i", (min(name, len(tables.strings)) for name in naming)),
        strings=[*tables.strings, ""],
        site=site,
        sites=tables.sites,
        taken_at=_taken_at(tables.info),
        comments=_comments(tables.info, reached.count(2), len(unseen)),
        memory=_memory(tables.info),
    )


def _types(rows: list[tuple[int, int, str, str]]) -> Types:
    """The roots' type, those of the file, one for what has none that is known, and `dict` as a module's own."""
    names, kinds, owners = ["(roots)"], ["root"], [""]
    for _, flags, module, name in rows:
        names.append(f"{module}.{name}" if module not in ("", "builtins") else name)
        kinds.append(_BY_NAME.get(names[-1]) or next((kind for bit, kind in _BY_FLAG if flags & bit), None) or "object")
        owners.append(module.partition(".")[0])
    return Types([*names, "(unknown)", "dict"], [*kinds, "object", "module"], [*owners, "", "builtins"])  # type: ignore[list-item]


def _mark_modules(types: Types, type_: Ints, numbers: Ints, naming: Ints, strings: list[str]) -> None:
    """Tell the dicts that are the name spaces of modules from other dicts."""
    plain = types.name.index("dict")
    for number, name in zip(numbers, naming, strict=True):
        if type_[number] == plain and name < len(strings) and strings[name].startswith("module "):
            type_[number] = len(types) - 1


def _labels_of(unseen: Ints, type_: Ints, types: Types, *, labels: list[Label], first: Ints, target: Ints) -> Ints:
    """How those are held that nothing seen refers to: functions by lists of C, all else somehow."""
    labels.extend(Label("root", name) for name in (_UNSEEN, _FUNCTION, _CALLBACKS))
    somehow = len(labels) - 3
    words = array("I")
    for number in unseen:
        inner = target[first[number] : first[number + 1]] if types.name[type_[number]] == "list" else ()
        if types.kind[type_[number]] == "closure":
            words.append(somehow + 1)
        elif len(inner) and all(types.kind[type_[one]] == "closure" for one in inner):
            words.append(somehow + 2)
        else:
            words.append(somehow)
    return words


def _taken_at(info: dict[str, str]) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(info["taken-at"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _memory(info: dict[str, str]) -> dict[str, int]:
    return {
        name.removeprefix("memory "): int(value)
        for name, value in info.items()
        if name.startswith("memory ") and value.isascii() and value.isdigit() and len(value) < 19
    }


def _warnings(view: memoryview, found: _Blocks, dropped: int, references: int) -> tuple[str, ...]:
    warnings = []
    if not found.is_whole:
        warnings.append(f"the graph was cut short: its last whole block ends at byte {found.end:,} of {len(view):,}")
    # A few were made while the dump was written, its own frames among them.
    if dropped * 1000 > references:
        warnings.append(f"{dropped:,} references lead to objects that the file does not have")
    changed = next(
        (int.from_bytes(view[end - 8 : end], "little") for start, end in found[b"END!"] if end - start >= 24), 0
    )
    if changed:
        warnings.append(f"{changed:,} containers changed while they were read; part of them is missing")
    return tuple(warnings)


def _comments(info: dict[str, str], unseen: int, entries: int) -> tuple[str, ...]:
    comments = []
    if unseen:
        comments.append(
            f"{unseen:,} objects are reached from no module, thread or class but through {entries:,} of them, "
            "which C code holds, or a cycle that is not collected yet"
        )
    if info.get("atexit", "").isdigit():
        comments.append(
            f"{info['atexit']} functions are registered with atexit, which keeps them where Python cannot look"
        )
    return tuple(comments)
