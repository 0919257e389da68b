"""The mappings of a process by kind: `/proc/PID/smaps`, as https://docs.kernel.org/filesystems/proc.html has it.

A thread's stack is private memory right behind a small guard without rights; glibc's arenas are 64 MiB, aligned, and
unused at their end (malloc/arena.c: HEAP_MAX_SIZE).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from caulk.model.breakdown import Mapped

_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *(.*)")
_FIGURES = ("Rss", "Anonymous", "LazyFree", "Swap")
_GUARD_BYTES = 128 << 10
_MOST_STACK_BYTES = 64 << 20
_ARENA_BYTES = 64 << 20
#: Runtimes choose addresses below; what is mapped anywhere, as arenas are, lies above.
_ANYWHERE = 0x700000000000
_SHARED = ("/dev/shm/", "/SYSV", "/memfd:", "/dev/zero (deleted)", "/[aio]")  # noqa: S108  # a name to compare with


@dataclass(slots=True)
class _Mapping:
    begin: int
    end: int
    rights: str
    name: str
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.end - self.begin

    @property
    def is_private(self) -> bool:
        return not self.name or self.name.startswith(("[heap]", "[stack", "[anon:"))


def mapped(smaps: str, status: str = "") -> Mapped:
    """The sums of `/proc/PID/smaps`; `status` adds what only `/proc/PID/status` has: threads and the peak."""
    sums = dict.fromkeys(("anonymous", "stacks", "malloc", "lazy", "files", "shared", "swapped"), 0)
    mappings = list(_mappings(smaps))
    for before, mapping, after in _with_neighbours(mappings):
        anonymous = mapping.sizes.get("Anonymous", 0)
        rest = mapping.sizes.get("Rss", 0) - anonymous
        sums["anonymous"] += anonymous
        sums["lazy"] += mapping.sizes.get("LazyFree", 0)
        sums["swapped"] += mapping.sizes.get("Swap", 0)
        is_shared = mapping.name.startswith(_SHARED) or (mapping.rights.endswith("s") and not mapping.name)
        sums["shared" if is_shared else "files"] += rest
        if _is_stack(before, mapping):
            sums["stacks"] += anonymous
        elif mapping.name == "[heap]" or _is_arena(mapping, after):
            sums["malloc"] += anonymous
    figures = dict(re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE))
    return Mapped(**sums, threads=int(figures.get("Threads", 0)), peak=int(figures.get("VmHWM", 0)) << 10)


def _mappings(smaps: str) -> Iterator[_Mapping]:
    mapping: _Mapping | None = None
    for line in smaps.splitlines():
        head = _HEAD.match(line)
        if head:
            if mapping:
                yield mapping
            mapping = _Mapping(int(head[1], 16), int(head[2], 16), head[3], head[5])
        elif mapping:
            name, _, value = line.partition(":")
            if name in _FIGURES:
                mapping.sizes[name] = int(value.split()[0]) << 10
    if mapping:
        yield mapping


def _with_neighbours(mappings: list[_Mapping]) -> Iterator[tuple[_Mapping | None, _Mapping, _Mapping | None]]:
    for i, mapping in enumerate(mappings):
        before = mappings[i - 1] if i and mappings[i - 1].end == mapping.begin else None
        after = mappings[i + 1] if i + 1 < len(mappings) and mappings[i + 1].begin == mapping.end else None
        yield before, mapping, after


def _is_stack(before: _Mapping | None, mapping: _Mapping) -> bool:
    if mapping.name.startswith("[stack"):
        return True
    is_guarded = before is not None and before.rights.startswith("---p") and before.length <= _GUARD_BYTES
    return is_guarded and mapping.is_private and mapping.rights == "rw-p" and mapping.length <= _MOST_STACK_BYTES


def _is_arena(mapping: _Mapping, after: _Mapping | None) -> bool:
    if mapping.rights != "rw-p" or not mapping.is_private or mapping.begin < _ANYWHERE or mapping.begin % _ARENA_BYTES:
        return False
    reserved = after.length if after and after.rights == "---p" else 0
    return mapping.length + reserved == _ARENA_BYTES
