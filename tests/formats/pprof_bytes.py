"""pprof profiles for tests, byte by byte: a few lines say what one holds, and any field can be said wrongly."""

from collections.abc import Iterable


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def packed(field: int, values: Iterable[int]) -> bytes:
    return message(field, *map(varint, values))


def unpacked(field: int, values: Iterable[int]) -> bytes:
    return b"".join(number(field, value) for value in values)


class Pprof:
    """Collects messages; `bytes()` is the profile. Types are `"inuse_space/bytes"`; ids count up, or are given."""

    def __init__(self, *types: str) -> None:
        self.strings = [""]
        self.parts = [message(1, *self.pair(kind)) for kind in types]
        self.next_id = 0
        self.functions: dict[tuple[str, str], int] = {}

    def string(self, text: str) -> int:
        if text not in self.strings:
            self.strings.append(text)
        return self.strings.index(text)

    def pair(self, kind: str) -> tuple[bytes, bytes]:
        name, _, unit = kind.partition("/")
        return number(1, self.string(name)), number(2, self.string(unit))

    def fresh(self) -> int:
        self.next_id += 1
        return self.next_id

    def mapping(self, file: str, start: int = 0, limit: int = 0, offset: int = 0) -> int:
        ident = self.fresh()
        fields = zip((1, 2, 3, 4, 5), (ident, start, limit, offset, self.string(file)), strict=True)
        self.parts.append(message(3, *(number(k, v) for k, v in fields)))
        return ident

    def function(self, name: str, file: str = "", ident: int = 0) -> int:
        known = self.functions.get((name, file))
        if known is None:
            known = self.functions[name, file] = ident or self.fresh()
            names = number(1, known), number(2, self.string(name)), number(4, self.string(file))
            self.parts.append(message(5, *names))
        return known

    def location(self, *functions: str | int, ident: int = 0, address: int = 0, mapping: int = 0) -> int:
        """Innermost inlined call first, as the format wants it; lines are 10, 11, …"""
        ident = ident or self.fresh()
        ids = [f if isinstance(f, int) else self.function(f) for f in functions]
        lines = (message(4, number(1, f), number(2, 10 + i)) for i, f in enumerate(ids))
        self.parts.append(message(4, number(1, ident), number(2, mapping), number(3, address), *lines))
        return ident

    def stack(self, text: str, *values: int, labels: bytes = b"") -> "Pprof":
        """A sample by the names of its functions, outermost first: `"main;work;malloc"`."""
        return self.sample([self.location(name) for name in reversed(text.split(";"))], *values, labels=labels)

    def sample(self, locations: Iterable[int], *values: int, labels: bytes = b"", how=packed) -> "Pprof":
        self.parts.append(message(2, how(1, locations), how(2, values), labels))
        return self

    def label(self, key: str, text: str = "", value: int = 0, unit: str = "") -> bytes:
        fields = self.string(key), self.string(text), value, self.string(unit)
        return message(3, *(number(i, field) for i, field in enumerate(fields, 1) if field))

    def bytes(self, *more: bytes) -> bytes:
        return b"".join([*self.parts, *more, *(message(6, text.encode()) for text in self.strings)])

    def set(self, field: int, value: int | str) -> "Pprof":
        """A scalar: 7 drop_frames, 8 keep_frames, 9 time, 10 duration, 12 period, 14 default_sample_type."""
        self.parts.append(number(field, self.string(value) if isinstance(value, str) else value))
        return self
