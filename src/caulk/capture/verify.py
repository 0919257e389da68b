"""Whether a dump is whole, by its own end: what was cut looks fine until somebody reads it at night.

HPROF ends in a record HEAP DUMP END (tag 0x2C) where it was written in segments; a heap snapshot in its closing
bracket; gzip in the length and the CRC of its content; a pickle in STOP; caulk's CPython graph in its end mark.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

_SEGMENT, _END, _WHOLE = 0x1C, 0x2C, 0x0C
_BLOCK = 1 << 20


def fault(path: Path, format: str) -> str:
    """What shows that the file is not whole, in a phrase; empty if nothing does."""
    size = path.stat().st_size
    if not size:
        return "it is empty"
    with path.open("rb") as raw:
        is_packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not is_packed:
            return _ENDS.get(format, _any)(raw)
        from isal import igzip, isal_zlib  # noqa: PLC0415 - only where there is something packed

        try:
            file = cast("BinaryIO", igzip.open(raw, "rb"))  # type: ignore[no-untyped-call]
            found = _ENDS.get(format, _any)(file)
            while not found and file.read(_BLOCK):
                pass
            return found
        except (EOFError, OSError, isal_zlib.error) as error:  # type: ignore[misc]  # isal types its class as an instance
            return f"its gzip stream is damaged ({error})"


def _any(file: BinaryIO) -> str:
    return ""


def _hprof(file: BinaryIO) -> str:
    head = file.read(512)
    end = head.find(b"\0")
    if not head.startswith(b"JAVA PROFILE 1.") or end < 0:
        return "it does not begin as an HPROF does"
    at = end + 1 + 4 + 8
    file.seek(at)
    last = None
    while len(header := file.read(9)) == 9:
        last, length = header[0], struct.unpack(">I", header[5:])[0]
        if last == _END:
            # While a dump is written its records have no lengths yet, and reading on from one is led astray.
            return "" if not length and not file.read(1) else "bytes follow what seems to be its end"
        if length and not _reaches(file, at + 9 + length):
            return "it ends within a record"
        at += 9 + length
    if header:
        return "it ends within the head of a record"
    return "" if last == _WHOLE else "its last record does not end the dump"


def _reaches(file: BinaryIO, position: int) -> bool:
    """Goes to `position`; whether the file has that much."""
    file.seek(position - 1)
    return len(file.read(1)) == 1


def _snapshot(file: BinaryIO) -> str:
    head = file.read(64)
    if head.lstrip()[:1] != b"{":
        return "it does not begin as a heap snapshot does"
    # The strings are the last of it, an array.
    return "" if b"".join(_tail(file, head).split())[-2:] == b"]}" else "its closing bracket is missing"


def _json(file: BinaryIO) -> str:
    try:
        msgspec.json.decode(file.read())
    except msgspec.DecodeError as error:
        return f"it is no JSON ({error})"
    return ""


def _pickle(file: BinaryIO) -> str:
    return "" if _tail(file)[-1:] == b"." else "its last opcode does not end it"


def _graph(file: BinaryIO) -> str:
    return "" if _tail(file)[-40:-36] == b"END!" else "its end mark is missing"


def _tail(file: BinaryIO, tail: bytes = b"") -> bytes:
    """The last bytes, behind those that were read; what is packed has to be read up to them."""
    while block := file.read(_BLOCK):
        tail = (tail + block)[-64:]
    return tail


_ENDS: dict[str, Callable[[BinaryIO], str]] = {
    "hprof": _hprof,
    "heapsnapshot": _snapshot,
    "v8-sampling": _json,
    "tracemalloc": _pickle,
    "cpython-graph": _graph,
}
