"""HPROF dumps for tests, a record at a time: `Hprof().loaded(...).heap(klass(...), instance(...))`."""

import struct
from collections.abc import Sequence

OBJECT, BOOLEAN, CHAR, FLOAT, DOUBLE, BYTE, SHORT, INT, LONG = 2, 4, 5, 6, 7, 8, 9, 10, 11
_FORMATS = {BOOLEAN: "B", CHAR: "H", FLOAT: "f", DOUBLE: "d", BYTE: "b", SHORT: "h", INT: "i", LONG: "q"}


class Hprof:
    """A dump that grows; names become string records when they are first used."""

    def __init__(self, version: str = "1.0.2", *, id_size: int = 8) -> None:
        self.id_size = id_size
        self._ids: dict[str, int] = {}
        self.data = f"JAVA PROFILE {version}".encode() + struct.pack(">BIQ", 0, id_size, 1_700_000_000_000)

    def id(self, value: int) -> bytes:
        return value.to_bytes(self.id_size, "big")

    def record(self, tag: int, body: bytes = b"", *, length: int | None = None) -> "Hprof":
        self.data += struct.pack(">BII", tag, 0, len(body) if length is None else length) + body
        return self

    def name(self, text: str) -> bytes:
        if text not in self._ids:
            self._ids[text] = 0x5000 + len(self._ids)
            self.record(0x01, self.id(self._ids[text]) + text.encode())
        return self.id(self._ids[text])

    def loaded(self, **classes: int) -> "Hprof":
        """Class names by id, `__` for a slash: `loaded(com__example__Ticket=0x100)`."""
        for serial, (text, id) in enumerate(classes.items(), 1):
            self.loaded_as(text.replace("__", "/"), id, serial)
        return self

    def loaded_as(self, text: str, id: int, serial: int = 1) -> "Hprof":
        name = self.name(text)
        return self.record(0x02, struct.pack(">I", serial) + self.id(id) + struct.pack(">I", 0) + name)

    def frame(self, id: int, method: str, source: str, *, serial: int, line: int) -> "Hprof":
        parts = [self.id(id), self.name(method), self.name("()V"), self.name(source)]
        return self.record(0x04, b"".join(parts) + struct.pack(">Ii", serial, line))

    def trace(self, serial: int, thread: int, frames: Sequence[int]) -> "Hprof":
        head = struct.pack(">III", serial, thread, len(frames))
        return self.record(0x05, head + b"".join(map(self.id, frames)))

    def heap(self, *parts: bytes, tag: int = 0x1C, length: int | None = None) -> "Hprof":
        return self.record(tag, b"".join(parts), length=length)

    def end(self) -> "Hprof":
        return self.record(0x2C)

    def root(self, tag: int, id: int, *more: int) -> bytes:
        widths = {0x01: "Q" if self.id_size == 8 else "I"}
        return bytes([tag]) + self.id(id) + struct.pack(">" + widths.get(tag, "i") * len(more), *more)

    def klass(
        self,
        id: int,
        *,
        above: int = 0,
        loader: int = 0,
        fields: Sequence[tuple[str, int]] = (),
        statics: Sequence[tuple[str, int, int]] = (),
        size: int = 0,
    ) -> bytes:
        out = bytes([0x20]) + self.id(id) + bytes(4) + b"".join(map(self.id, (above, loader, 0, 0, 0, 0)))
        out += struct.pack(">IHH", size, 0, len(statics))
        for name, kind, value in statics:
            out += self.name(name) + bytes([kind]) + self.value(kind, value)
        out += struct.pack(">H", len(fields))
        return out + b"".join(self.name(name) + bytes([kind]) for name, kind in fields)

    def value(self, kind: int, value: int) -> bytes:
        return self.id(value) if kind == OBJECT else struct.pack(">" + _FORMATS[kind], value)

    def instance(self, id: int, of: int, *values: tuple[int, int]) -> bytes:
        """`values` are (type, value), the class's own fields first."""
        body = b"".join(self.value(kind, value) for kind, value in values)
        return bytes([0x21]) + self.id(id) + bytes(4) + self.id(of) + struct.pack(">I", len(body)) + body

    def objects(self, id: int, of: int, *elements: int) -> bytes:
        head = bytes([0x22]) + self.id(id) + bytes(4) + struct.pack(">I", len(elements)) + self.id(of)
        return head + b"".join(map(self.id, elements))

    def primitives(self, id: int, kind: int, *elements: int) -> bytes:
        head = bytes([0x23]) + self.id(id) + bytes(4) + struct.pack(">IB", len(elements), kind)
        return head + b"".join(self.value(kind, element) for element in elements)
