"""Where a running CPython keeps its threads: the table of offsets at the start of `_PyRuntime`, for every version.

Source: https://docs.python.org/3/howto/remote_debugging.html and `Include/internal/pycore_debug_offsets.h`. The table
lies in the section `.PyRuntime` of the executable or of libpython. From 3.14 on it ends in what a debugger writes to.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Process
from caulk.ports import Reach

COOKIE = b"xdebugpy"
#: More than any table has.
TABLE_BYTES = 2048
#: Where the last block of the table stands, by version; other versions' is found by what it says.
_SUPPORT_AT = {(3, 14): 712}
_MOST_SECTIONS, _MOST_HEADERS, _MOST_NAMES = 4096, 64, 1 << 20
_PT_LOAD = 1


@dataclass(frozen=True, slots=True)
class Offsets:
    """The part of the table that leads to the threads. All are in bytes, from the start of the struct they are in.

    `version` is (major, minor); `is_final` is not so for previews, whose layout changes from one to the next. In a
    thread's state are `eval_breaker`, `pending` (an int) and `path` (of `path_size` bytes, with the last one NUL).
    """

    version: tuple[int, int]
    is_final: bool
    is_free_threaded: bool
    is_known: bool
    interpreters_head: int
    next_interpreter: int
    threads_head: int
    main_thread: int
    next_thread: int
    interpreter: int
    enabled: int
    eval_breaker: int
    pending: int
    path: int
    path_size: int


def offsets(table: bytes) -> Offsets:
    """What the table says; raises `CaptureFailed` where it is none, or of a Python before 3.14."""
    if len(table) < 256 or table[:8] != COOKIE:
        raise CaptureFailed("this Python does not say where it keeps its threads: it is older than 3.13")
    numbers = [0, *struct.unpack_from(f"<{len(table) // 8 - 1}Q", table, 8)]
    version = (numbers[1] >> 24 & 0xFF, numbers[1] >> 16 & 0xFF)
    if version < (3, 14):
        raise CaptureFailed(f"Python {version[0]}.{version[1]} has no door for debuggers: 3.14 is the first that has")
    at = _SUPPORT_AT.get(version) or _found(numbers)
    breaker, support, enabled, pending, path, size = numbers[at // 8 : at // 8 + 6]
    known = version in _SUPPORT_AT
    # A thread's state begins with the one before it, the one after it, and its interpreter.
    following, interpreter = (numbers[24], numbers[25]) if known else (8, 16)
    if not (0 < breaker < 1 << 16 and 0 < support < 1 << 16 and enabled < 1 << 24 and 64 <= size <= 1 << 16):
        raise CaptureFailed(f"the table of offsets of this Python {version[0]}.{version[1]} makes no sense to caulk")
    return Offsets(
        version=version,
        is_final=numbers[1] & 0xF0 == 0xF0,
        is_free_threaded=bool(numbers[2]),
        is_known=known,
        interpreters_head=numbers[5],
        next_interpreter=numbers[8],
        threads_head=numbers[9],
        main_thread=numbers[10],
        next_thread=following,
        interpreter=interpreter,
        enabled=enabled,
        eval_breaker=breaker,
        pending=support + pending,
        path=support + path,
        path_size=size,
    )


def _found(numbers: list[int]) -> int:
    """The block of a version that is not known: it ends in an int at 0, a text behind it, and that text's size."""
    for at in range(30, len(numbers) - 6):
        if numbers[at + 3 : at + 6] == [0, 4, 512] and 0 < numbers[at] < numbers[at + 1] < numbers[at + 2]:
            return at * 8
    raise CaptureFailed("caulk does not know how this version of Python is reached", hint="A newer caulk may.")


def runtime_address(reach: Reach, process: Process) -> int:
    """The address of `_PyRuntime` in the memory of a process; raises `CaptureFailed` where it cannot be told."""
    maps = b"".join(reach.fetch(f"/proc/{process.pid}/maps")).decode("utf-8", "replace")
    for path, base in _mapped(maps, process.executable):
        try:
            place = _section(reach, path, process)
        except CaulkError:
            continue
        if place is not None:
            return base + place
    raise CaptureFailed(
        "the interpreter's file cannot be read, or has no .PyRuntime",
        hint="A file that was replaced since the program started does not tell: start the program anew.",
    )


def _mapped(maps: str, executable: str) -> Iterator[tuple[str, int]]:
    """The files that may hold the interpreter, libraries first, and where each begins in memory."""
    first: dict[str, int] = {}
    for match in re.finditer(r"^([0-9a-f]+)-\S+ \S+ \S+ \S+ \S+ +(/.*)$", maps, re.MULTILINE):
        name = match[2].rpartition("/")[2]
        if "python" in name and (name.startswith("libpython") or match[2] == executable):
            first.setdefault(match[2], int(match[1], 16))
    yield from sorted(first.items(), key=lambda one: "libpython" not in one[0])


def _section(reach: Reach, path: str, process: Process) -> int | None:
    """How far behind the start of the first mapping `.PyRuntime` lies; None if the file has none."""
    name = f"/proc/{process.pid}/exe" if path == process.executable else path
    try:
        head = _bytes(reach, name, 0, 64)
    except CaulkError:
        name, head = path, _bytes(reach, path, 0, 64)
    if head[:6] != b"\x7fELF\x02\x01":
        return None
    headers_at, sections_at = struct.unpack_from("<QQ", head, 32)
    header_size, headers, section_size, sections, names_in = struct.unpack_from("<5H", head, 54)
    if header_size != 56 or section_size != 64 or headers > _MOST_HEADERS or sections > _MOST_SECTIONS:
        return None
    rows = list(struct.iter_unpack("<IIQQQQIIQQ", _bytes(reach, name, sections_at, sections * 64)))
    names = _bytes(reach, name, rows[names_in][4], min(rows[names_in][5], _MOST_NAMES))
    address = next((row[3] for row in rows if names[row[0] :].startswith(b".PyRuntime\0")), None)
    loads = struct.iter_unpack("<IIQQQQQQ", _bytes(reach, name, headers_at, headers * 56))
    first = next(((row[3], row[7] or 1) for row in loads if row[0] == _PT_LOAD), None)
    return None if address is None or first is None else address - (first[0] - first[0] % first[1])


def _bytes(reach: Reach, path: str, offset: int, length: int) -> bytes:
    found = b"".join(reach.fetch(path, offset, length))
    if len(found) < length:
        raise CaptureFailed(f"{path} is cut")
    return found


def version_of(process: Process) -> tuple[int, int] | None:
    """The version, by the names of its files: `libpython3.14.so.1.0`, `python3.14`; None where they do not say."""
    for path in (*sorted(process.libraries), process.executable):
        if match := re.search(r"/(?:lib)?python(\d+)\.(\d+)[^/]*$", path):
            return int(match[1]), int(match[2])
    for path, after in pairwise((*process.command, "")):
        if match := re.search(r"/python(\d+)\.(\d+)$", path or after):
            return int(match[1]), int(match[2])
    return None
