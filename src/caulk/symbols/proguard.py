"""R8's and ProGuard's `mapping.txt`: what classes, fields and methods were called before they were obfuscated.

Format: https://r8.googlesource.com/r8/+/refs/heads/main/doc/retrace.md and ProGuard's manual, "ReTrace". A class is
`com.example.Cache -> a.b:`, below it indented members: `java.util.Map quotes -> a`, and methods with the lines that
they have in the dump and in the source: `1:3:void put(int):40:42 -> a`. Several methods for the same lines were
inlined, the innermost first. Of R8's comments only the name of the source file is read.

A mapping may have hundreds of megabytes. It is mapped, looked through once for the lines of classes, and only the
members of classes that are in the dump are read, when somebody asks.
"""

import mmap
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from caulk.model.errors import UsageError
from caulk.model.original import Written

#: What is read of one class: no real one comes near.
_MOST_OF_CLASS = 8 << 20
#: Any line that is not a member's, a comment or empty. Beginning with the line's end makes it four times as fast.
_CLASS = re.compile(rb"\n([^\s#][^\n]{0,4096}?) -> ([^\s:]{1,4096}):[ \t\r]*(?=\n|\Z)")
_FIRST = re.compile(_CLASS.pattern[2:])
_MEMBER = re.compile(
    r"\s+(?:(?P<start>\d{1,9}):(?P<end>\d{1,9}):)?(?P<type>[^\s:]+) (?P<name>[^\s(:]+)(?P<arguments>\([^)]*\))?"
    r"(?::(?P<from>\d{1,9})(?::(?P<to>\d{1,9}))?)? -> (?P<short>\S+)"
)
_SOURCE = re.compile(r'\s*#\s*\{.*"fileName"\s*:\s*"([^"]{1,255})"')


class _Method(NamedTuple):
    """A row of a method: lines in the dump (0 to 0: any), its class and name, the first line in the source or 0."""

    start: int
    end: int
    owner: str
    name: str
    first: int
    is_range: bool


class Class:
    """A class of a mapping (`ClassNames`)."""

    def __init__(self, name: str, block: bytes) -> None:
        self.name, self._block = name, block

    def field(self, name: str) -> str:
        """What the source calls a field."""
        return self._members[0].get(name, name)

    def method(self, name: str, line: int) -> Written | None:
        """The method of a frame; of methods inlined at this line the outermost, whose frame it is."""
        rows: Sequence[_Method] = self._members[1].get(name, ())
        fitting = [row for row in rows if row.start <= line <= row.end] if line else []
        if fitting:
            row = fitting[-1]
            place = row.first + (line - row.start if row.is_range else 0) if row.first else line
        else:
            candidates = [row for row in rows if not row.end] or rows
            if len({(row.owner, row.name) for row in candidates}) != 1:
                return None
            row = candidates[0]
            place = 0 if row.end else row.first or line
        owner = row.owner or self.name
        return Written(f"{owner}.{row.name}", self._file(owner), place)

    def _file(self, owner: str) -> str:
        if owner == self.name and self._members[2]:
            return self._members[2]
        return f"{owner.rpartition('.')[2].partition('$')[0]}.java"

    @cached_property
    def _members(self) -> tuple[dict[str, str], dict[str, list[_Method]], str]:
        fields: dict[str, str] = {}
        methods: dict[str, list[_Method]] = {}
        file = ""
        for line in self._block.decode("utf-8", "replace").splitlines():
            if source := _SOURCE.match(line):
                file = file or source[1]
            elif member := _MEMBER.fullmatch(line.rstrip()):
                if member["arguments"] is None:
                    fields.setdefault(member["short"], member["name"])
                else:
                    methods.setdefault(member["short"], []).append(_row(member))
        return fields, methods, file


class ProguardMapping:
    """The mapping in a file; raises `UsageError` where it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                # An empty file cannot be mapped.
                self._data: bytes | mmap.mmap = (
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
                )
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from None
        if not (_FIRST.match(self._data) or _CLASS.search(self._data, 0, 1 << 20)):
            raise UsageError(
                f"{path} is neither a source map nor a mapping of R8 or ProGuard",
                hint="It begins with a class, `com.example.Cache -> a.b:`, after comments.",
            )

    def classes(self, names: Collection[str]) -> dict[str, Class]:
        """Those of the classes of a dump that it names, by their name in the dump."""
        wanted = {name.encode(): name for name in names}
        found: dict[str, Class] = {}
        for short, full, start, end in self._blocks():
            name = wanted.get(short)
            if name is not None and name not in found:
                found[name] = Class(
                    full.decode("utf-8", "replace"), self._data[start : min(end, start + _MOST_OF_CLASS)]
                )
        return found

    def _blocks(self) -> Iterator[tuple[bytes, bytes, int, int]]:
        """Each class: its name in the dump, in the source, and where its members begin and end."""
        last: re.Match[bytes] | None = None
        for match in chain(filter(None, (_FIRST.match(self._data),)), _CLASS.finditer(self._data)):
            if last:
                yield last[2], last[1], last.end(), match.start()
            last = match
        if last:
            yield last[2], last[1], last.end(), len(self._data)


def _row(member: re.Match[str]) -> _Method:
    owner, _, name = member["name"].rpartition(".")
    start, end = int(member["start"] or 0), int(member["end"] or 0)
    return _Method(start, end, owner, name, int(member["from"] or 0), member["to"] is not None)
