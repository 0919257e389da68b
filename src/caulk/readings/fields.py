"""Fields of a protobuf message, one after another: enough to read the few that a reading needs.

Wire format: https://protobuf.dev/programming-guides/encoding/. Numbers come as they are, fixed ones as their bytes.
"""

from collections.abc import Iterator

from caulk.model.errors import MalformedDump

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message, in order; raises MalformedDump for what is none."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _LENGTH:
            size, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise MalformedDump(f"byte {at:,} begins no field of protobuf")
        if at + size > end:
            raise MalformedDump(f"a field at byte {at:,} is cut: {size:,} bytes are said, {end - at:,} are there")
        yield key >> 3, message[at : at + size]
        at += size


def signed(value: int) -> int:
    """A varint as the signed number that it stands for."""
    return value - (1 << 64) if value >> 63 else value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise MalformedDump(f"a number at byte {at:,} is cut")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise MalformedDump(f"a number before byte {at:,} is longer than 64 bits")
