"""The counters that a JVM keeps in a file for `jstat`: read without its knowing, they say how large the heap is.

`/tmp/hsperfdata_USER/PID`, in the byte order of the machine; absent with -XX:-UsePerfData or a read-only /tmp.
Layout: https://github.com/openjdk/jdk/blob/master/src/hotspot/share/runtime/perfMemory.hpp.
"""

import struct
from collections.abc import Mapping

from caulk.model.errors import CaulkError
from caulk.ports import Reach
from caulk.runtimes.jvm.attach import DIRECTORY

Counters = Mapping[str, int | str]

_MAGIC = b"\xca\xfe\xc0\xc0"
_MOST_BYTES = 1 << 20
_MOST_ENTRIES = 10_000


def counters(reach: Reach, pid: int) -> Counters:
    """The counters of a JVM by name, numbers and texts; none where they cannot be read."""
    try:
        for directory in reach.listing(DIRECTORY):
            if directory.path.rpartition("/")[2].startswith("hsperfdata_"):
                path = f"{directory.path}/{pid}"
                if reach.stat(path) is not None:
                    return parse(b"".join(reach.fetch(path, 0, _MOST_BYTES)))
    except CaulkError:
        pass
    return {}


def parse(data: bytes) -> Counters:
    """The counters in such a file; as many as make sense, as the JVM writes to it meanwhile."""
    if len(data) < 32 or not data.startswith(_MAGIC):
        return {}
    order = "<" if data[4] else ">"
    at, count = struct.unpack_from(f"{order}ii", data, 24)
    found: dict[str, int | str] = {}
    for _ in range(min(count, _MOST_ENTRIES)):
        if not 0 <= at <= len(data) - 20:
            break
        length, name_at, is_text, value_at = struct.unpack_from(f"{order}iii4xi", data, at)
        name, start = _text(data, at + name_at), at + value_at
        if is_text:
            found[name] = _text(data, start)
        elif 0 <= start <= len(data) - 8:
            (found[name],) = struct.unpack_from(f"{order}q", data, start)
        if length <= 0:
            break
        at += length
    return found


def _text(data: bytes, start: int) -> str:
    end = data.find(b"\0", start) if start >= 0 else -1
    return data[start:end].decode(errors="replace") if end >= 0 else ""
