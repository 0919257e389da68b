"""The shapes that a plug-in fills: a format, a view, a runtime. Start reading here.

A format is one module in `formats/`, listed once in `formats/__init__.py`; a view is one in `views/`, named once in
`app.OUTPUTS`; a runtime is one in `runtimes/`, listed once in `watch/run.py`; a question is one row in `reports.py`.
Nothing else has to learn a new one's name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from caulk.model.graph import ObjectGraph
from caulk.model.original import Originals
from caulk.model.profile import Profile
from caulk.model.tree import Tree

#: What a dump holds: who allocated, or who holds.
Snapshot: TypeAlias = Profile | ObjectGraph
#: Where a dump that is written goes, piece by piece.
Write: TypeAlias = "Callable[[bytes | bytearray | memoryview], object]"


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
        """


class NamingFormat(Format, Protocol):
    """A format whose reader asks for the names of the source: `formats.RENAMED`."""

    def read(self, data: bytes, originals: Originals | None = None) -> Snapshot:
        """As `Format.read`; with `originals` functions, classes and fields are called as the source calls them."""


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
