"""What objects contain: equal strings counted without showing one, and single objects read on purpose.

A graph holds no values. Whoever wants them needs the dump again: its objects get the same numbers whenever it is read.
"""

import struct
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from caulk._core.hprof import Reader, targets_of
from caulk.formats.hprof.heap import number_objects
from caulk.formats.hprof.layout import REFERENCE, WIDTHS
from caulk.formats.hprof.records import class_dumps, read_header, read_records
from caulk.formats.hprof.references import superclasses
from caulk.model.graph import ObjectGraph

_INSTANCE, _OBJECTS, _PRIMITIVES = 0x21, 0x22, 0x23
_CHAR = 5
_STRING = "java.lang.String"
_FLOATS = {6: ">f", 7: ">d"}
_UNSIGNED = {4, 5}


class Equal(NamedTuple):
    """Arrays of strings with one content: how many, how long each (elements), bytes that all but one take, and one."""

    copies: int
    length: int
    wasted: int
    sample: int


class Value(NamedTuple):
    """A field of an object: a number, or the number of the object that it refers to (0 for null)."""

    name: str
    type: int
    value: int | float


class Contents:
    """The values in a dump; `data` may be a mapped file."""

    def __init__(self, data: bytes) -> None:
        header = read_header(data[:64])
        self._data, self._id_size = data, header.id_size
        self._reader = Reader(data, header.id_size)
        self._dump = read_records(data, header, self._reader)
        self._addresses, found = number_objects(self._dump, self._reader)
        self._classes = class_dumps(found, self._dump)
        self._rows = {each.id: row for row, each in enumerate(self._classes)}
        self._above = superclasses(self._classes)

    def equal_strings(self, graph: ObjectGraph) -> list[Equal]:
        """Contents that several strings have an array of their own for, by what they waste; one pass over the dump.

        Strings that share an array share it here too. Contents are told apart by a hash of 64 bits. A dump whose values
        were removed has none to compare.
        """
        if self._dump.is_redacted:
            return []
        of_strings = bytes(name == _STRING for name in graph.types.name)
        marked = targets_of(graph.type, graph.first, graph.target, of_strings)
        rows = iter(self._reader.same(self._dump.heap, marked))
        found = [
            Equal(copies, length, (copies - 1) * graph.size_of(sample), sample)
            for copies, length, sample in zip(rows, rows, rows, strict=True)
        ]
        return sorted(found, key=lambda each: (-each.wasted, each.sample))

    def place(self, number: int) -> int:
        """The byte of the dump at which the record of an object begins, -1 if it has none."""
        wanted = bytearray(len(self._addresses) + 1)
        wanted[number] = number > 0
        found = self._reader.places(self._dump.heap, bytes(wanted))
        return found[1] if found else -1

    def fields(self, number: int) -> list[Value]:
        """The fields of an instance, its own class's first; empty for arrays and classes."""
        at = self.place(number)
        if at < 0 or self._data[at] != _INSTANCE:
            return []
        n = self._id_size
        row = self._rows.get(int.from_bytes(self._data[at + 5 + n : at + 5 + 2 * n], "big", signed=n == 8), -1)
        length = self._number(at + 5 + 2 * n, 4)
        return list(self._values(row, at + 9 + 2 * n, length))

    def length(self, number: int) -> int:
        """The elements of an array, -1 for what is none."""
        at = self.place(number)
        if at < 0 or self._data[at] not in (_OBJECTS, _PRIMITIVES):
            return -1
        return self._number(at + 5 + self._id_size, 4)

    def text(self, number: int, *, most: int = 200) -> str:
        """The beginning of a string: a value, for who has asked to see values."""
        fields = {each.name: each for each in self.fields(number)}
        if "value" not in fields:
            return ""
        at = self.place(int(fields["value"].value))
        if at < 0 or self._data[at] != _PRIMITIVES:
            return ""
        n = self._id_size
        kind, body = self._data[at + 9 + n], at + 10 + n
        size = self._number(at + 5 + n, 4) * WIDTHS.get(kind, 0)
        is_wide = kind == _CHAR or ("coder" in fields and fields["coder"].value == 1)
        start = 2 * int(fields["offset"].value) if "offset" in fields else 0
        end = start + 2 * int(fields["count"].value) if "count" in fields else size
        raw = self._data[body + start : body + min(size, end, start + 2 * most)]
        if kind == _CHAR:
            return raw.decode("utf-16-be", "replace")[:most]
        # A UTF-16 string in a byte[] is in the order of the machine, and nearly all are little-endian.
        return raw.decode("utf-16-le" if is_wide else "latin-1", "replace")[:most]

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
