"""How large a Go heap is and may become: its arenas in the memory map, GOMEMLIMIT and GOGC.

Arenas are 64 MiB, aligned, at 0x00c0 in the upper bytes of the address, from Go 1.26 on at a random one, and far below
all that is mapped without an address being asked for (runtime/malloc.go). GOMEMLIMIT bounds all that the runtime takes,
not the heap alone (https://go.dev/doc/gc-guide#Memory_limit).
"""

import re

from caulk.model.breakdown import Bound, HeapNow
from caulk.model.errors import CaulkError
from caulk.model.target import Process
from caulk.model.units import parse_bytes
from caulk.ports import Reach

_ARENA_BYTES = 64 << 20
_ARENAS = range(1 << 32, 0x700000000000)
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (?:rw|--)-p \S+ \S+ 0 *(?:\[anon: Go: heap.*\])?$")
_MOST_MAP = 32 << 20


def heap(reach: Reach, process: Process) -> HeapNow | None:
    """The resident pages of its arenas, less those that it has given back; None where there are none."""
    try:
        text = b"".join(reach.fetch(f"/proc/{process.pid}/smaps", 0, _MOST_MAP)).decode("ascii", "replace")
    except CaulkError:
        return None
    resident, end, is_arena = 0, 0, False
    for line in text.splitlines():
        if line[:1] in "0123456789abcdef":
            head = _HEAD.match(line)
            begin = int(head[1], 16) if head else 0
            is_next = is_arena and begin == end
            is_arena = begin in _ARENAS and (is_next or begin % _ARENA_BYTES == 0)
            end = int(head[2], 16) if head else 0
        elif is_arena and line.startswith(("Anonymous:", "LazyFree:")):
            resident += (int(line.split()[1]) << 10) * (1 if line.startswith("A") else -1)
    return HeapNow(resident, resident, "Go's arenas in the memory map") if resident > 0 else None


def bound(process: Process, limit: int | None) -> Bound | None:
    """What GOMEMLIMIT says; without it nothing bounds the heap: at GOGC=100 it doubles between collections."""
    template = "GOMEMLIMIT={mb}MiB"
    said = process.environ.get("GOMEMLIMIT", "")
    try:
        size = parse_bytes(said) if said and said != "off" else None
    except ValueError:
        size = None
    if size is not None:
        return Bound(size, f"GOMEMLIMIT={said}", template)
    return Bound(None, "GOMEMLIMIT is not set", template) if limit is not None else None
