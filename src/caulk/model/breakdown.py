"""Where a program's memory is at one moment, kind by kind; and the settings that bound a part of it."""

from dataclasses import dataclass
from typing import Literal

Part = Literal[
    "managed", "unreturned", "stacks", "malloc", "native", "anonymous", "shmem", "files", "kernel", "others", "free"
]


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of one kind, and what that is for people."""

    part: Part
    size: int
    what: str


@dataclass(frozen=True, slots=True)
class HeapNow:
    """A runtime's own heap in bytes: `used` holds objects (garbage too), `size` is what it has taken for them."""

    used: int
    size: int
    source: str


@dataclass(frozen=True, slots=True)
class Bound:
    """What a runtime lets its heap grow to, in bytes; None where nothing bounds it.

    `setting` is as it was written, or what the runtime does by itself; `template` writes another (`-Xmx{mb}m`).
    `is_filled` says that the runtime fills whatever it is allowed before it collects in earnest.
    """

    size: int | None
    setting: str
    template: str
    is_filled: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A memory cgroup in bytes: what its processes have together; `limit` is None where there is none.

    `peak` is the most that was ever used, 0 where the kernel does not say; `kills` are those for memory.
    """

    used: int
    limit: int | None
    anonymous: int
    file: int
    shared: int
    kernel: int
    peak: int = 0
    kills: int = 0


@dataclass(frozen=True, slots=True)
class Mapped:
    """Resident memory of a process in bytes, by what its mappings are.

    `anonymous` is all private memory, of which are `stacks` of `threads`, `malloc` (the C library's), and `lazy`, freed
    pages that the kernel takes when it needs them. `files` are pages of files, `shared` those of shared memory.
    """

    anonymous: int = 0
    stacks: int = 0
    malloc: int = 0
    lazy: int = 0
    files: int = 0
    shared: int = 0
    swapped: int = 0
    threads: int = 0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Breakdown:
    """All of `limit`, or without one all that the process has, in `slices` that add up to it."""

    slices: tuple[Slice, ...]
    used: int
    limit: int | None = None
    peak: int = 0
    kills: int = 0
    notes: tuple[str, ...] = ()

    def size(self, *parts: Part) -> int:
        """Bytes of these parts."""
        return sum(piece.size for piece in self.slices if piece.part in parts)


@dataclass(frozen=True, slots=True)
class Advice:
    """What would fit: `limit` in bytes where another is advised, and sentences that name settings and figures."""

    limit: int | None
    sentences: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
