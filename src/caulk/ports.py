"""The shapes that a plug-in fills: a format, a view, a runtime. Start reading here.

A format is one module in `formats/`, listed once in `formats/__init__.py`; a view is one in `views/`, named once in
`app.OUTPUTS`; a runtime is one in `runtimes/`, listed once in `watch/run.py`; a question is one row in `reports.py`.
Nothing else has to learn a new one's name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from caulk.model.census import Census, Extent
from caulk.model.graph import ObjectGraph
from caulk.model.profile import Profile
from caulk.model.tree import Tree

#: What a dump holds: who allocated, or who holds.
Snapshot: TypeAlias = Profile | ObjectGraph
#: Where a dump that is written goes, piece by piece.
Write: TypeAlias = "Callable[[bytes | bytearray | memoryview], object]"
#: How long work says what is done, of what total, and which step begins. Raising from it ends the work.
Progress: TypeAlias = Callable[[float, float, str], object]


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
