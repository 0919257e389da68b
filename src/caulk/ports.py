"""The shapes that a plug-in fills: a format, a view, a place, a runtime, a source of readings. Start reading here.

A format is one module in `formats/`, listed once in `formats/__init__.py`; a view is one in `views/`, named once in
`app.OUTPUTS`; a runtime is one in `runtimes/`, a place one in `places/`; a question is one row in `reports.py`.
Nothing else has to learn a new one's name.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from caulk.model.capture import Check, Cost, Evidence, Setting, Taken
from caulk.model.census import Census, Extent
from caulk.model.graph import ObjectGraph
from caulk.model.profile import Profile
from caulk.model.series import Reading
from caulk.model.target import Access, FileStat, Patience, Process, Ran, Room, Target, Volume
from caulk.model.tree import Tree
from caulk.model.watching import Observation

#: What a dump holds: who allocated, or who holds.
Snapshot: TypeAlias = Profile | ObjectGraph
#: Where a dump that is written goes, piece by piece.
Write: TypeAlias = "Callable[[bytes | bytearray | memoryview], object]"
#: How long work says what is done, of what total, and which step begins. Raising from it ends the work.
Progress: TypeAlias = Callable[[float, float, str], object]
#: Who is told a SHA-256, in hexadecimal digits.
Hashed: TypeAlias = Callable[[str], object]


class Format(Protocol):
    """How one kind of dump is recognised and read: a module with these names."""

    __name__: str
    NAME: str
    """What the format is called in JSON and in messages."""

    def sniff(self, head: bytes) -> bool:
        """Whether `head`, the first 4 KiB after decompression, is this format: by content, never by file name."""

    def read(self, data: bytes) -> Snapshot:
        """The `Snapshot` in `data`; raises `MalformedDump`, or answers in part and says so (`coverage`, `warnings`).

        `data` are bytes; a format of object graphs (`formats.GRAPHS`) may get a mapped file, which reads like them.
        Those of `formats.RENAMED` take `originals` too, and call functions, classes and fields as the source does;
        those of `formats.LAID_OUT` take `compact_headers`.
        """


class HeapFormat(Format, Protocol):
    """A format of object graphs: it says how large a heap is before it is read, and may count without a graph.

    `extent` says what a `census` takes; a format whose extent says nothing of it needs none.
    """

    def extent(self, data: bytes) -> Extent:
        """How many objects and references there are, about, at a fraction of the cost of reading them."""

    def census(self, data: bytes) -> Census:
        """The types of all objects, in memory that does not grow with their number."""


class View(Protocol):
    """A rendering of weighted stacks for another tool: a module with these names.

    Text, JSON and HTML show every kind of answer and take it whole; see their own `render` and `page`.
    """

    NAME: str
    """What `-o` calls it."""

    def render(self, tree: Tree) -> str | bytes:
        """The tree's first measure as text or bytes; the same tree gives the same bytes."""


class Runtime(Protocol):
    """How a program of one runtime is made to show its heap while caulk runs it: a module with these names."""

    NAME: str

    def environment(self, environ: Mapping[str, str], workspace: Path) -> dict[str, str]:
        """The variables to set so that any process of this runtime below the command can be asked for profiles.

        Only variables: the command line is the user's. What is there already is kept and added to.
        """


class Place(Protocol):
    """Where programs run: a module with these names."""

    NAME: str
    SCHEMES: tuple[str, ...]
    """What references of its targets begin with, before the colon."""

    def targets(self, wanted: str, access: Access) -> Sequence[Target]:
        """What `wanted` (`docker:web`, or `docker:` for all) means there; raises `Unreachable`, `UsageError`."""

    def reach(self, target: Target, access: Access) -> "Reach":
        """The few verbs on a target; raises `Unreachable` if it is gone."""


class Reach(Protocol):
    """What a place can do to one target; paths, ports and numbers are those of the target's own namespaces.

    Every verb raises `Lacks` where the place, or the user's rights, do not allow it, and `Unreachable` when the target
    is gone or answers no more. None of them leaves anything behind.
    """

    target: Target

    def process(self) -> Process:
        """The target's process as it is now."""

    def reading(self) -> Reading:
        """Its memory now."""

    def room(self) -> Room:
        """What its limits leave it."""

    def patience(self) -> Patience | None:
        """How long it may stand still; None where nothing looks."""

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """A command of the target's own image, as the target's user, beside the target."""

    def stat(self, path: str) -> FileStat | None:
        """The file at `path`; None if there is none."""

    def listing(self, directory: str) -> Sequence[FileStat]:
        """The files right in a directory; none if it is not there."""

    def volume(self, path: str) -> Volume:
        """Where a directory lies."""

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        """Pieces of a file, in order; ends at the file's end, and raises `Unreachable` if it was cut before.

        At the end `hashed` is told what `digest` of `offset + length` bytes would say, where the target can hash while
        it reads; `length` must be given then.
        """

    def digest(self, path: str, length: int) -> str:
        """SHA-256 of the first `length` bytes of a file, computed at the target; in hexadecimal digits."""

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """A new file of the target's user, whole or not at all."""

    def remove(self, path: str) -> None:
        """Deletes a file; it may be gone already."""

    def move(self, path: str, to: str) -> None:
        """Renames a file, never onto another."""

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        """A connection to a TCP port, or to the path of a Unix socket, as the target's user would get it."""

    def signal(self, signum: int) -> None:
        """Sends a signal, if the process catches it; else raises `CaptureFailed`, since it would be killed."""

    def peek(self, address: int, length: int) -> bytes:
        """Bytes of its memory, 1 MiB at most; fewer where it has no more there."""

    def poke(
        self,
        writes: Sequence[tuple[int, bytes]],
        bits: Sequence[tuple[int, int]] = (),
        expected: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """Writes into its memory, and then sets bits of its words of 8 bytes, while none of its threads runs.

        Raises `CaptureFailed`, and writes nothing, where memory is not as `expected` by then.
        """

    def lend(self, size: int) -> AbstractContextManager[int]:
        """Raises the memory limit by `size` bytes; at the end it is lowered again. Gives the new limit."""

    def close(self) -> None:
        """Ends what was opened to reach the target."""


class Source(Protocol):
    """Where readings of memory come from: one thing to ask, which answers for all replicas that it knows."""

    name: str
    """What it is called in messages: `pid:`, `http://10.0.0.7:9090/metrics`."""

    async def read(self) -> Sequence[Observation]:
        """What there is to see now, each replica at most once; raises `CaulkError` where it cannot be asked.

        Nothing blocks the thread for longer than some milliseconds; whoever calls cuts what does not answer.
        """

    def state(self) -> Mapping[str, Any]:
        """What it must remember over a restart of caulk, as JSON has it."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` said."""

    async def close(self) -> None:
        """Ends what is open."""


class Sink(Protocol):
    """Where a capture goes while it is taken."""

    def write(self, data: bytes | bytearray | memoryview) -> object:
        """The next bytes of the capture."""

    def leaving(self, path: str) -> None:
        """Says, before it is made, what file will lie in the target: a crash must not leave it there unknown."""

    def beside(self, name: str, data: bytes | memoryview) -> None:
        """A further file that belongs to it: a binary (a view of a mapped file), a script, a source map."""

    def progress(self, done: float, total: float, step: str) -> object:
        """How far it is; raising ends the capture."""


class Way(Protocol):
    """One way to get evidence from one target, by one runtime."""

    name: str
    """Protocol and command: `attach:GC.heap_dump`, `pprof:heap`, `inspector:snapshot`."""
    alias: str
    """What `--as` calls it: `heap`, `histogram`, `goroutine`, `cpu` …"""
    evidence: Evidence
    format: str
    """The name of the format in `formats/` that reads it."""
    suffix: str

    def check(self) -> Check:
        """Whether it would work now; changes nothing in the target."""

    def cost(self) -> Cost:
        """What it would take, from live figures; asked only where `check` says `ready` or `unsafe`."""

    def take(self, sink: Sink) -> Taken:
        """Takes it; raises `CaptureFailed`, and then leaves nothing in the target."""


class Capturing(Protocol):
    """How a running program of one runtime is captured: a module with these names."""

    NAME: str
    EVIDENCE: tuple[str, ...]
    """What `caulk ps` says can be had, at best: `heap graph`, `profile`, `histogram`."""

    def serves(self, process: Process) -> bool:
        """Whether a process is of this runtime."""

    def ways(self, reach: Reach, access: Access) -> Sequence[Way]:
        """What there is to take, and how: all that this runtime knows, usable or not, richest first."""

    def arm(self, reach: Reach, directory: str) -> Sequence[Setting]:
        """Switches on dumps at death into a directory of the target; raises `CaptureFailed` with the reason."""

    def disarm(self, reach: Reach, settings: Sequence[Setting]) -> None:
        """Puts back what `arm` switched, where it still stands as `arm` left it."""
