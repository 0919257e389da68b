"""The shapes that a plug-in fills: a format, a runtime, a view, a report. Start reading here.

A format is one module in `formats/`, listed once in `formats/__init__.py`; a view is one in `views/`; a report is one
row in `reports.py`; a runtime is one module in `runtimes/`. Nothing else has to learn a new one's name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from caulk.model.profile import Profile
from caulk.model.table import Table
from caulk.model.tree import Tree

#: `progress(done, total, step)` is handed down into long work; raising `Cancelled` from it stops the work.
Progress = Callable[[int, int, str], None]


class Format(Protocol):
    """How one kind of dump is recognised and read: a module with these names."""

    NAME: str
    """What the format is called in JSON and in messages."""

    def sniff(self, head: bytes) -> bool:
        """Whether `head`, the first 4 KiB after decompression, is this format: by content, never by file name."""

    def read(self, data: bytes) -> Profile:
        """The profile in `data`; raises `MalformedDump`, or answers in part and says so (`coverage`, `warnings`)."""


class View(Protocol):
    """A rendering of any tree or table: a module with these names."""

    NAME: str

    def render(self, answer: Tree | Table) -> str | bytes:
        """The answer as text or bytes; the same answer gives the same bytes."""


class Runtime(Protocol):
    """How a program of one runtime is made to show its heap while caulk runs it: a module with these names."""

    NAME: str

    def environment(self, environ: Mapping[str, str], workspace: Path) -> dict[str, str]:
        """The variables to set so that any process of this runtime below the command can be asked for profiles.

        Only variables: the command line is the user's. What is there already is kept and added to.
        """


Json = dict[str, Any]
