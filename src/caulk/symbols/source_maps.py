"""Source maps (`bundle.js.map`): which place of the source each place of a bundle is from.

Format: https://tc39.es/ecma426/, version 3, index maps (`sections`) included. The sources themselves
(`sourcesContent`) are not looked at, and nothing is fetched: neither a section's `url` nor a `sourceMappingURL`.

A map has names for identifiers, not for functions, and V8 says where a function's parameters begin. The function's
name is the identifier before them that the bundle calls as V8 does. With the bundle at hand that is read there; without
it, the few forms in which a minifier writes a function are tried.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urljoin

import msgspec

from caulk._core import source_map
from caulk.model.decoding import decoded
from caulk.model.errors import UsageError
from caulk.model.original import Written

#: The largest map or bundle that is read.
MOST_BYTES = 128 << 20
_MOST_SECTIONS = 10_000
#: How far before its parameters a function's name is looked for, in segments and in characters.
_SEGMENTS, _CHARACTERS = 32, 256
#: What stands between them: `f(`, `f=(`, `f=function(`, and so on. A class without a constructor begins at its word.
_BETWEEN = frozenset(
    map(len, ("", "=", "=function", "=function*", "=async function", "{constructor", "=class{constructor"))
)
_BEFORE_NAME = len("class ")
_LONGEST = 256
_IDENTIFIER = re.compile(rf"[\w$\u200c\u200d]{{1,{_LONGEST}}}")
_SCHEME = re.compile(r"[a-z][a-z+.\-]+://")
_XSSI = b")]}'"


class _Offset(msgspec.Struct):
    line: int
    column: int


class _Map(msgspec.Struct):
    version: int = 3
    mappings: str = ""
    sources: list[str | None] = []
    names: list[str] = []
    sourceRoot: str | None = None  # noqa: N815 - the format's own word


class _Section(msgspec.Struct):
    offset: _Offset
    map: _Map | None = None


class _File(_Map):
    file: str | None = None
    sections: list[_Section] | None = None


class _Part:
    """One map: the whole file, or a section of it that begins at `line` and `column` of the bundle."""

    def __init__(self, document: _Map, path: Path, line: int = 0, column: int = 0) -> None:
        self.line, self.column = line, column
        self.sources, self.names = document.sources, document.names
        self.root = document.sourceRoot or ""
        try:
            columns = source_map.segments(document.mappings.encode("utf-8", "replace"))
        except ValueError as error:
            raise _not_a_map(path, str(error)) from None
        self.begins, self.columns, self.source, self.lines, self.within, self.name = columns

    def row(self, line: int, column: int | None) -> int:
        """The segment that a place (of the part) lies in, -1 where it lies in none."""
        first, end = self.of_line(line)
        if column is None:
            end = min(end, first + _SEGMENTS)
            return next((row for row in range(first, end) if 0 <= self.source[row] < len(self.sources)), -1)
        row = bisect_right(self.columns, column, first, end) - 1
        return row if row >= first and 0 <= self.source[row] < len(self.sources) else -1

    def of_line(self, line: int) -> tuple[int, int]:
        """The first segment of a line, and the first behind it."""
        return (self.begins[line], self.begins[line + 1]) if 0 <= line < len(self.begins) - 1 else (0, 0)

    def own_name(self, row: int) -> str:
        """The identifier of a segment, as the source has it; empty where it has none."""
        return self.names[self.name[row]] if 0 <= self.name[row] < len(self.names) else ""


class SourceMap:
    """A map of one bundle; `text` is the bundle itself where it is at hand."""

    def __init__(self, path: Path, file: str, parts: Sequence[_Part], text: str | None) -> None:
        self.path, self.file, self._parts = path, file, parts
        self._starts = [(part.line, part.column) for part in parts]
        self._lines = text.split("\n") if text is not None else None
        self._utf16: dict[int, bytes] = {}

    def of(self, url: str) -> "MappedScript":
        """The map for a bundle that was loaded from there: sources are named as seen from it."""
        return MappedScript(self, url)

    def place(self, line: int, column: int | None) -> tuple[_Part, int, int | None] | None:
        """The part that a place of the bundle lies in, with line and column in it."""
        at = bisect_right(self._starts, (line, column if column is not None else 1 << 31)) - 1
        if at < 0:
            return None
        part = self._parts[at]
        is_shifted = column is not None and line == part.line
        return part, line - part.line, column - part.column if is_shifted and column is not None else column

    def text_at(self, line: int, column: int) -> str | None:
        """The identifier at a place of the bundle; None where the bundle is not at hand."""
        if self._lines is None:
            return None
        text = self._lines[line] if line < len(self._lines) else ""
        if not text.isascii():
            # Columns count UTF-16 units.
            if line not in self._utf16:
                self._utf16 = {line: text.encode("utf-16-le", "surrogatepass")}
            around = self._utf16[line][2 * column : 2 * column + 4 * _LONGEST]
            text, column = around.decode("utf-16-le", "replace"), 0
        found = _IDENTIFIER.match(text, column)
        return found[0] if found else ""

    @cached_property
    def variables(self) -> dict[str, str]:
        """By the bundle's name of an identifier the source's, where it is one and the same all over the bundle.

        Short names are given again in every function, so most have several; those of the outermost scopes, which keep
        most of what lives long, mostly have one.
        """
        if self._lines is None:
            return {}
        found: dict[str, Counter[str]] = {}
        for part in self._parts:
            for line in range(len(part.begins) - 1):
                for row in range(*part.of_line(line)):
                    if name := part.own_name(row):
                        shift = part.column if line == 0 else 0
                        short = self.text_at(line + part.line, part.columns[row] + shift)
                        if short:
                            found.setdefault(short, Counter())[name] += 1
        return {short: next(iter(names)) for short, names in found.items() if len(names) == 1}


class MappedScript:
    """A bundle of the program (`Script`)."""

    def __init__(self, map: SourceMap, url: str) -> None:
        self._map, self._url = map, url
        self._files: dict[tuple[int, int], str] = {}

    def at(self, line: int, column: int | None, name: str) -> Written | None:
        """The function that begins there."""
        found = self._map.place(line, column)
        if not found:
            return None
        part, line_in, column_in = found
        row = part.row(line_in, column_in)
        if row < 0:
            return None
        own = self._name(part, line_in, column_in, name) if column_in is not None else name
        return Written(own, self._file(part, part.source[row]), part.lines[row] + 1)

    def variable(self, name: str) -> str:
        """What the source calls a variable."""
        return self._map.variables.get(name, name)

    def _name(self, part: _Part, line: int, column: int, name: str) -> str:
        """The source's name of the function whose parameters begin there."""
        short = name.rpartition(".")[2]
        if not short or not _IDENTIFIER.fullmatch(short):
            return name
        first, end = part.of_line(line)
        nearest = bisect_right(part.columns, column + _BEFORE_NAME, first, end) - 1
        shift = part.column if line == 0 else 0
        for row in range(nearest, max(nearest - _SEGMENTS, first - 1), -1):
            at, own = part.columns[row], part.own_name(row)
            between = column - at - len(short)
            if not own or between > _CHARACTERS:
                continue
            text = self._map.text_at(line + part.line, at + shift)
            is_here = between >= 0 or at == column + _BEFORE_NAME
            if between in _BETWEEN if text is None else text == short and is_here:
                return f"{name[: len(name) - len(short)]}{own}"
        return name

    def _file(self, part: _Part, number: int) -> str:
        key = (id(part), number)
        if key not in self._files:
            self._files[key] = _resolved(self._url, part.root, part.sources[number] or "")
        return self._files[key]


def read_map(path: Path) -> SourceMap:
    """The map in a file; raises `UsageError` where it is none. Reading it again costs nothing until it changes."""
    try:
        status = path.stat()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _read(path: Path, size: int, _: int) -> SourceMap:
    if size > MOST_BYTES:
        raise UsageError(f"{path} has {size:,} bytes; a source map may have {MOST_BYTES:,}")
    data = path.read_bytes()
    if data.startswith(_XSSI):
        data = data.partition(b"\n")[2]
    try:
        document = decoded(data.removeprefix(b"\xef\xbb\xbf"), _File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_a_map(path, str(error)) from None
    if document.version != 3:
        raise _not_a_map(path, f"its version is {document.version}, not 3")
    parts = [_Part(document, path)] if document.sections is None else _sections(document.sections, path)
    return SourceMap(path, document.file or "", parts, _bundle(path, document.file or ""))


def _sections(sections: Sequence[_Section], path: Path) -> list[_Part]:
    if len(sections) > _MOST_SECTIONS:
        raise _not_a_map(path, f"it has {len(sections):,} sections")
    parts = []
    for section in sections:
        if min(section.offset.line, section.offset.column) < 0:
            raise _not_a_map(path, "a section begins before the first line")
        if section.map:
            parts.append(_Part(section.map, path, section.offset.line, section.offset.column))
    return sorted(parts, key=lambda part: (part.line, part.column))


def _bundle(path: Path, file: str) -> str | None:
    """The text of the bundle, if it lies beside its map."""
    for name in (path.name.removesuffix(".map"), PurePosixPath(file).name):
        bundle = path.with_name(name) if name and name != path.name else path
        try:
            if bundle != path and bundle.is_file() and bundle.stat().st_size <= MOST_BYTES:
                return bundle.read_text("utf-8", "replace")
        except (OSError, ValueError):
            continue
    return None


def _resolved(url: str, root: str, source: str) -> str:
    """The path of a source as seen from its bundle: `../src/a.ts` of `/srv/dist/b.js` is `/srv/src/a.ts`."""
    if root and not _SCHEME.match(source) and not source.startswith("/"):
        source = f"{root.removesuffix('/')}/{source}"
    if scheme := _SCHEME.match(source):
        # `webpack://app/./src/a.ts`, `file:///srv/src/a.ts`.
        path = source[scheme.end() :]
        return f"/{path.partition('/')[2]}" if scheme[0] == "file://" else normpath(path.partition("/")[2] or path)
    if _SCHEME.match(url) and not url.startswith("file://"):
        return urljoin(url, source)
    path = unquote(url.removeprefix("file://"), errors="replace")
    return normpath(f"{path.rpartition('/')[0]}/{source}" if "/" in path and not source.startswith("/") else source)


def _not_a_map(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not a source map that can be read: {why}",
        hint="Bundlers write it beside the bundle, as `bundle.js.map`.",
    )
