"""CPython graphs for tests, a block at a time, where a real program would be too large or never the same twice."""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence

NONE = 0xFFFFFFFF
FIELD, STATIC, ELEMENT, KEY, LOCAL, VARIABLE, INTERNAL, ROOT = range(8)


class CGraph:
    """A graph that grows; strings, like all tables, are numbered from 0 as they come."""

    def __init__(self) -> None:
        self._strings = 0
        self.data = b"\x89CGRAPH\n" + struct.pack("<II", 1, 0)

    def block(self, tag: bytes, *parts: bytes) -> "CGraph":
        body = b"".join(parts)
        self.data += tag + struct.pack("<IQ", 0, len(body)) + body + bytes(-len(body) % 8)
        return self

    def strings(self, *texts: str) -> "CGraph":
        encoded = [text.encode() for text in texts]
        return self.block(b"STRS", struct.pack(f"<I{len(texts)}I", len(texts), *map(len, encoded)), *encoded)

    def types(self, *rows: tuple[int, int, int, int]) -> "CGraph":
        """Rows of address, flags, and the strings of module and name."""
        return self.block(b"TYPE", *(struct.pack("<QQII", *row) for row in rows))

    def labels(self, *rows: tuple[int, int, int]) -> "CGraph":
        """Rows of kind, strength and the string of the name."""
        return self.block(b"LABL", *(struct.pack("<IIII", *row, 0) for row in rows))

    def shape(self, tail: int, second: int = NONE, fixed: Sequence[int] = ()) -> "CGraph":
        return self.block(b"SHAP", struct.pack(f"<III{len(fixed)}I", len(fixed), tail, second, *fixed))

    def objects(
        self,
        addresses: Iterable[int],
        targets: Iterable[int],
        rows: Iterable[int],
        sites: Iterable[int] = (),
    ) -> "CGraph":
        """`rows` are four numbers an object: type, size, shape, references."""
        columns = little("Q", addresses), little("Q", targets), little("I", rows), little("I", sites)
        return self.block(b"OBJS", struct.pack("<QQ", len(columns[0]) // 8, len(columns[1]) // 8), *columns)

    def leaves(self, addresses: Iterable[int], rows: Iterable[int], sites: Iterable[int] = ()) -> "CGraph":
        """`rows` are two numbers an object: type and size."""
        columns = little("Q", addresses), little("I", rows), little("I", sites)
        return self.block(b"LEAF", struct.pack("<Q", len(columns[0]) // 8), *columns)

    def pairs(self, tag: bytes, typecode: str, *rows: tuple[int, int]) -> "CGraph":
        return self.block(tag, little(typecode, (number for row in rows for number in row)))

    def end(self) -> "CGraph":
        return self.block(b"END!", bytes(24))


def little(typecode: str, numbers: Iterable[int]) -> bytes:
    column = numbers if isinstance(numbers, array) else array(typecode, numbers)
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def cgraph() -> bytes:
    """A module `app` whose `ROWS` holds rows, one of them through a weak reference, with a block of every kind."""
    module, space, rows, row, other, table, blob, class_ = range(0x1000, 0x1000 + 8 * 0x10, 0x10)
    name, number, big = 0x2000, 0x2010, 0x2020
    made = CGraph().block(b"INFO", b"python 3.12.3\ntaken-at 1795228046.5\ntraces 1\nmemory rss 9000\natexit 1\n")
    made.strings("builtins", "module", "dict", "list", "app", "Row", "str", "bytes", "type")
    made.strings("__dict__", "ROWS", "parts", "module app", "app.py", "secret thread", "frame", "class app.Row")
    made.types((0x10, 0, 0, 1), (0x20, 1 << 29, 0, 2), (0x30, 1 << 25, 0, 3), (class_, 0, 4, 5), (0x40, 1 << 28, 0, 6))
    made.types((0x50, 1 << 27, 0, 7), (0x60, 1 << 31, 0, 8))
    made.labels((FIELD, 0, 9), (FIELD, 0, 10), (ELEMENT, 0, NONE), (KEY, 0, NONE), (FIELD, 0, 11), (INTERNAL, 2, NONE))
    made.labels((ROOT, 0, 1), (ROOT, 0, 15))
    made.shape(5).shape(3, fixed=[0]).shape(3, 2, fixed=[1]).shape(2).shape(4)
    made.pairs(b"SITE", "I", (13, 7), (13, 9))
    made.pairs(b"NAME", "I", (0, 12), (1, 12), (7, 16))
    made.objects(
        [module, space, rows, row, other, table, table, class_],
        [space, rows, name, number, row, other, table, blob, row, name, blob, name, rows],
        [
            *(0, 72, 1, 1), *(1, 232, 2, 3), *(2, 88, 3, 2), *(3, 48, 4, 2), *(3, 48, 5, 1), *(1, 184, 2, 2),
            *(NONE, 0, 0, 1), *(6, 900, 0, 1),
        ],
        [0, 0, 1, 1, 1, NONE, NONE, NONE],
    )  # fmt: skip
    made.leaves([name, number, blob, big], [4, 55, 4, 50, 5, 4096, 5, NONE], [NONE, NONE, 0, 1])
    made.pairs(b"ROOT", "Q", (module, 6), (big, 7)).pairs(b"BIGS", "Q", (big, 5 << 30)).block(b"LATE", b"unknown")
    return made.end().data
