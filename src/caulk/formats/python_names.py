"""Function names for lines of Python, where their source is at hand.

tracemalloc writes file and line but no function. Where the program's own source lies at the same path (the usual case
on the machine that ran it), the innermost `def` around a line is its function. Only what the source says is read:
nothing is imported or run. Library frames keep `file:line`: there would be hundreds of files to parse.
"""

import ast
from array import array
from dataclasses import replace
from pathlib import Path

from caulk.model.origin import origin_of
from caulk.model.profile import Profile
from caulk.model.tree import Frames

_MAX_FILES = 200
_MAX_BYTES = 2 << 20


def named(profile: Profile) -> Profile:
    """The profile with functions for the application's lines; itself where there is nothing to name."""
    frames = profile.frames
    if profile.format != "tracemalloc" or not len(frames):
        return profile
    strings, function = list(frames.strings), array("i", frames.function)
    numbers: dict[str, int] = {}
    sources: dict[int, _Source | None] = {}
    for i, file in enumerate(frames.file):
        if file not in sources:
            sources[file] = _source(strings[file]) if len(sources) < _MAX_FILES else None
        source = sources[file]
        if source and not function[i]:
            name = source.function_at(frames.line[i])
            if name not in numbers:
                numbers[name] = len(strings)
                strings.append(name)
            function[i] = numbers[name]
    seen = Frames(strings, function, frames.file, frames.line, frames.mapping, frames.address, frames.mappings)
    return replace(profile, frames=seen)


class _Source:
    """The functions of one file, by the lines that they cover."""

    def __init__(self, tree: ast.Module) -> None:
        spans: list[tuple[int, int, str]] = []
        waiting: list[tuple[ast.AST, str]] = [(tree, "")]
        while waiting:
            node, prefix = waiting.pop()
            for child in ast.iter_child_nodes(node):
                inner = prefix
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    name = f"{prefix}{child.name}"
                    inner = f"{name}."
                    if not isinstance(child, ast.ClassDef):
                        spans.append((child.lineno, child.end_lineno or child.lineno, name))
                waiting.append((child, inner))
        # The longest first, so that an inner function overwrites the lines of the one around it.
        marks: dict[int, str] = {}
        for start, end, name in sorted(spans, key=lambda span: span[0] - span[1]):
            for line in range(start, end + 1):
                marks[line] = name
        self._function_of_line = marks

    def function_at(self, line: int) -> str:
        return self._function_of_line.get(line, "<module>")


def _source(path: str) -> _Source | None:
    if not path.endswith(".py") or origin_of("", path, "", "cpython") != "application":
        return None
    try:
        file = Path(path)
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return None
        return _Source(ast.parse(file.read_bytes()))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
