"""The files that gperftools' heap profiler writes: `PREFIX.0001.heap`, numbered as long as the process lives.

Source: https://gperftools.github.io/gperftools/heapprofile.html and heap-profiler.cc: a dump is composed in memory, of
1 MiB at most, and written at once under its own name; it ends in the memory map, by which addresses get names.
"""

import re
from collections.abc import Sequence

from caulk.model.errors import CaulkError
from caulk.model.target import FileStat
from caulk.ports import Reach

NAME = "gperftools"
SUFFIX = ".heap"
#: As large as a dump gets, with its memory map.
MOST_BYTES = 2 << 20
_MAP = b"MAPPED_LIBRARIES:"
_HEADER = re.compile(rb"heap profile: *(\d{1,19}): *(\d{1,19}) *\[")


def dumps(reach: Reach, prefix: str) -> Sequence[FileStat]:
    """The dumps with this prefix, oldest first; of several processes, the one is meant whose prefix it is."""
    folder, _, stem = prefix.rpartition("/")
    name = re.compile(re.escape(stem) + r"\.(\d{4,9})\.heap")
    found = []
    for file in reach.listing(folder or "/"):
        if match := name.fullmatch(file.path.rpartition("/")[2]):
            found.append((int(match[1]), file))
    return [file for _, file in sorted(found, key=lambda one: one[0])]


def is_whole(reach: Reach, file: FileStat) -> bool:
    """Whether a dump has come to its memory map: what is written last."""
    try:
        data = b"".join(reach.fetch(file.path, 0, MOST_BYTES))
    except CaulkError:
        return False
    return _MAP in data and data.endswith(b"\n")


def live_bytes(reach: Reach, path: str) -> int | None:
    """What a dump says in its first line of live memory; None if it has no such line."""
    try:
        match = _HEADER.match(b"".join(reach.fetch(path, 0, 200)))
    except CaulkError:
        return None
    return int(match[2]) if match else None
