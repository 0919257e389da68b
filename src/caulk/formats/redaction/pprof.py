"""pprof profiles without values: stacks, numbers, functions, files and keys of labels stay, what labels say goes.

Equal values of a label stay equal (`[redacted 1]`, `[redacted 2]` …), so samples are told apart as before. A number
stays where its key or unit says that it is a size; others are numbered. Comments go: they may hold the command line.
"""

from collections.abc import Iterator

from caulk.formats import pprof
from caulk.model.errors import MalformedDump
from caulk.ports import Write

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SAMPLE, _STRING = 2, 6
#: Fields of profile.proto that are written again as they were: not comments (13) nor what no schema knows yet.
_KEPT = {1, 3, 4, 5, 7, 8, 9, 10, 11, 12, 14}
#: Which numbers of each message are strings.
_NAMES = {1: (1, 2), 3: (5, 6), 5: (2, 3, 4), 11: (1, 2)}
_SIZES = {"bytes", "request", "alignment", "byte", "kilobytes", "megabytes"}


def redact(data: bytes, write: Write) -> tuple[str, ...]:
    """Write the profile without values of labels and comments; raises `MalformedDump` as reading it does."""
    warnings = pprof.read(data).warnings
    fields = list(_fields(data))
    strings = [data[start:end] for field, _, _, start, end in fields if field == _STRING]
    labels = _Labels(strings)
    names: set[int] = {0}
    for field, begin, value, start, end in fields:
        if field in _NAMES:
            names.update(number for key, _, number, _, _ in _fields(data, start, end) if key in _NAMES[field])
        elif field in (7, 8, 14):
            names.add(value)
        if field == _SAMPLE:
            write(_message(_SAMPLE, b"".join(labels.sample(data, start, end))))
        elif field in _KEPT:
            write(data[begin:end])
    names |= labels.names
    for place, text in enumerate(strings):
        write(_message(_STRING, text if place in names else b""))
    for masked in labels.instead:
        write(_message(_STRING, masked.encode()))
    return tuple(warnings)


class _Labels:
    """What labels say, replaced: texts by texts behind the strings that there are, numbers by their order."""

    def __init__(self, strings: list[bytes]) -> None:
        self.strings = strings
        self.names: set[int] = set()
        self.instead: list[str] = []
        self._texts: dict[tuple[int, int], int] = {}
        self._numbers: dict[tuple[int, int], int] = {}
        self._known: dict[bytes, bytes] = {}

    def sample(self, data: bytes, start: int, end: int) -> Iterator[bytes]:
        for field, begin, _, inner, stop in _fields(data, start, end):
            if field == 3:
                label = data[inner:stop]
                if label not in self._known:
                    self._known[label] = _message(3, self._label(label))
                yield self._known[label]
            elif field in (1, 2):
                yield data[begin:stop]

    def _label(self, label: bytes) -> bytes:
        values = {field: value for field, _, value, _, _ in _fields(label)}
        key, text, number, unit = (values.get(field, 0) for field in (1, 2, 3, 4))
        self.names |= {key, unit}
        out = _number(1, key)
        if text:
            if (key, text) not in self._texts:
                self._texts[key, text] = len(self.strings) + len(self.instead)
                self.instead.append(f"[redacted {len(self.instead) + 1}]")
            out += _number(2, self._texts[key, text])
        if number and not (self._is_size(key) or self._is_size(unit)):
            number = self._numbers.setdefault((key, number), len(self._numbers) + 1)
        return out + _number(3, number) + _number(4, unit)

    def _is_size(self, number: int) -> bool:
        return number < len(self.strings) and self.strings[number].decode("utf-8", "replace") in _SIZES


def _fields(data: bytes, at: int = 0, end: int = -1) -> Iterator[tuple[int, int, int, int, int]]:
    """The fields of a message: number, where it begins, its value if it is a number, where its content begins, ends."""
    end = len(data) if end < 0 else end
    while at < end:
        begin = at
        key, at = _varint(data, at, end)
        wire, value, start = key & 7, 0, at
        if wire == _VARINT:
            value, at = _varint(data, at, end)
        elif wire == _BYTES:
            size, start = _varint(data, at, end)
            at = start + size
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        if at > end or wire not in (_VARINT, _FIXED64, _BYTES, _FIXED32):
            raise _damaged(begin)
        yield key >> 3, begin, value, start, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    begin = at
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise _damaged(begin)


def _damaged(at: int) -> MalformedDump:
    return MalformedDump(
        f"not a whole pprof profile: byte {at:,}", hint="The file was cut short or damaged; take the profile again."
    )


def _message(field: int, content: bytes) -> bytes:
    return _coded(field << 3 | _BYTES) + _coded(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _coded(field << 3) + _coded(value) if value else b""


def _coded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
