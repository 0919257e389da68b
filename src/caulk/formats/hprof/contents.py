"""What objects contain: equal arrays counted without showing one, and single objects read on purpose.

A graph holds no values. Whoever wants them needs the dump again: its objects get the same numbers whenever it is read.
"""

import struct
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from caulk._core import hprof_contents
from caulk._core.hprof_cursor import Cursor
from caulk.formats.hprof.heap import number_objects
from caulk.formats.hprof.layout import REFERENCE, WIDTHS
from caulk.formats.hprof.records import class_dumps, read_header, read_records
from caulk.formats.hprof.references import superclasses
from caulk.model.column import Column, Ints
from caulk.model.graph import ObjectGraph

_INSTANCE, _OBJECTS, _PRIMITIVES = 0x21, 0x22, 0x23
_CHAR = 5
#: The type whose objects are strings.
STRING = "java.lang.String"
_FLOATS = {6: ">f", 7: ">d"}
_UNSIGNED = {4, 5}


class Value(NamedTuple):
    """A field of an object: a number, or the number of the object that it refers to (0 for null)."""

    name: str
    type: int
    value: int | float


class Text(NamedTuple):
    """Where the text of a string is, in bytes of the dump, and how it is written; `length` is in characters."""

    start: int
    end: int
    encoding: str
    length: int


class Contents:
    """The values in a dump; `data` may be a mapped file."""

    def __init__(self, data: bytes) -> None:
        header = read_header(data[:64])
        self._data, self._id_size = data, header.id_size
        self._cursor = Cursor(data, header.id_size)
        self._dump = read_records(data, header, self._cursor)
        self._addresses, found = number_objects(self._dump, self._cursor)
        self._classes = class_dumps(found, self._dump)
        self._rows = {each.id: row for row, each in enumerate(self._classes)}
        self._above = superclasses(self._classes)

    def equal_arrays(self, graph: ObjectGraph, held: Column) -> tuple[Ints, Ints]:
        """Which arrays of held strings are equal, by a hash of 64 bits; `held` is what dominates each object, or -1.

        The number of each one's content, from 1 (`'i'` by object), and four numbers (`'q'`) for each content that there
        is more than once: how often, elements, the first array that has it, its number. One pass over the dump.
        """
        is_string = bytes(name == STRING for name in graph.types.name)
        content = hprof_contents.targets_of(graph.type, graph.first, graph.target, is_string, held)
        return content, hprof_contents.same(self._cursor, self._dump.heap, self._addresses, content)

    def places(self, numbers: Iterable[int]) -> dict[int, int]:
        """The bytes of the dump at which the records of objects begin, for those that have one. One pass over it."""
        wanted = bytearray(len(self._addresses) + 1)
        for number in numbers:
            wanted[number] = number > 0
        found = hprof_contents.places(self._cursor, self._dump.heap, self._addresses, bytes(wanted))
        # Of an object that was dumped twice the first counts.
        return dict(zip(reversed(found[::2]), reversed(found[1::2]), strict=True))

    def place(self, number: int) -> int:
        """The byte of the dump at which the record of an object begins, -1 if it has none."""
        return self.places([number]).get(number, -1)

    def fields(self, number: int) -> list[Value]:
        """The fields of an instance, its own class's first; empty for arrays and classes."""
        return self._fields(self.place(number))

    def length(self, number: int) -> int:
        """The elements of an array, -1 for what is none."""
        at = self.place(number)
        if at < 0 or self._data[at] not in (_OBJECTS, _PRIMITIVES):
            return -1
        return self._number(at + 5 + self._id_size, 4)

    def texts(self, strings: Iterable[tuple[int, int]]) -> dict[int, Text]:
        """Where the texts of strings are, by string, of pairs of a string and its array. One pass over the dump."""
        pairs = list(strings)
        places = self.places(number for pair in pairs for number in pair)
        found = {s: self._text(self._fields(places.get(s, -1)), places.get(a, -1)) for s, a in pairs}
        return {number: text for number, text in found.items() if text}

    def decoded(self, text: Text, most: int) -> str:
        """The beginning of a text: a value, for who has asked to see values."""
        raw = self._data[text.start : min(text.end, text.start + 2 * most)]
        return raw.decode(text.encoding, "replace")[:most]

    def text(self, number: int, *, most: int = 200) -> str:
        """The beginning of a string: a value, for who has asked to see values."""
        values = [each.value for each in self.fields(number) if each.name == "value"]
        found = self.texts([(number, int(values[0]))]) if values else {}
        return self.decoded(found[number], most) if number in found else ""

    def _text(self, fields: list[Value], at: int) -> Text | None:
        if at < 0 or self._data[at] != _PRIMITIVES:
            return None
        values = {each.name: int(each.value) for each in fields}
        n = self._id_size
        kind, body = self._data[at + 9 + n], at + 10 + n
        # A UTF-16 string in a byte[] is in the order of the machine, and nearly all are little-endian.
        encoding = "utf-16-be" if kind == _CHAR else "utf-16-le" if values.get("coder") == 1 else "latin-1"
        width = 1 if encoding == "latin-1" else 2
        size = self._number(at + 5 + n, 4) * WIDTHS.get(kind, 0)
        start = min(max(width * values.get("offset", 0), 0), size)
        end = min(max(start + width * values["count"], start), size) if "count" in values else size
        return Text(body + start, body + end, encoding, (end - start) // width)

    def _fields(self, at: int) -> list[Value]:
        if at < 0 or self._data[at] != _INSTANCE:
            return []
        n = self._id_size
        row = self._rows.get(int.from_bytes(self._data[at + 5 + n : at + 5 + 2 * n], "big", signed=n == 8), -1)
        length = self._number(at + 5 + 2 * n, 4)
        return list(self._values(row, at + 9 + 2 * n, length))

    def _values(self, row: int, at: int, left: int) -> Iterator[Value]:
        while row >= 0:
            for name, kind in self._classes[row].fields:
                width = self._id_size if kind == REFERENCE else WIDTHS.get(kind, 0)
                left -= width
                if left < 0:
                    return
                yield Value(name, kind, self._value(kind, at, width))
                at += width
            row = self._above[row]

    def _value(self, kind: int, at: int, width: int) -> int | float:
        raw = self._data[at : at + width]
        if kind == REFERENCE:
            return self._addresses.numbers(array("q", [int.from_bytes(raw, "big", signed=width == 8)]))[0]
        if kind in _FLOATS:
            value: float = struct.unpack(_FLOATS[kind], raw)[0]
            return value
        return int.from_bytes(raw, "big", signed=kind not in _UNSIGNED)

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(self._data[at : at + width], "big")
