"""The question which lines of a function allocate: its source with what each line holds, as `go tool pprof -list`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from caulk.analysis.dumps import Dump
from caulk.model.errors import UsageError
from caulk.model.table import Heading, Table
from caulk.model.tree import Tree
from caulk.model.units import format_share, format_value
from caulk.reports import profiles
from caulk.reports.objects import matcher
from caulk.reports.question import Question
from caulk.symbols.sources import Found
from caulk.views.flame import package_of

#: Functions that are shown, lines around those that hold something, and lines of one function at most.
_FUNCTIONS, _AROUND, _MOST = 10, 5, 400

#: Finds the source of a file; the second argument is the package of what stands in it.
Finding = Callable[[str, str], "Found | None"]


def why_not(dump: Dump) -> str:
    """Why a dump has no lines of source code to show; empty where it has."""
    if dump.profile.kind == "objects":
        return "A heap dump says which objects hold, not which lines allocate."
    frames = dump.profile.frames
    if not any(line > 0 and file for line, file in zip(frames.line, frames.file, strict=True)):
        return "This profile names no lines of source code."
    return ""


@dataclass(slots=True)
class _Function:
    """A function in one file: own and total values by line."""

    name: str
    file: str
    own: int = 0
    total: int = 0
    lines: dict[int, tuple[int, int]] = field(default_factory=dict)


def source(question: Question) -> Table:
    """The lines of the functions that match, with what each holds itself and with all it calls.

    Text of source comes from `question.sources`, links from `question.source_url`; without either, lines are numbers.
    """
    dump = question.dumps[-1]
    why = why_not(dump)
    if why:
        raise UsageError(f"{dump.path}: {why[0].lower()}{why[1:].removesuffix('.')}")
    link = _link(question.source_url)
    measure = profiles.chosen_measure(dump.profile, question.measure)
    tree = profiles.tree_of(replace(question, granularity="lines"), dump.profile, [measure])
    whole, unit = dump.profile.total(measure) or 1, tree.measures[0].unit
    functions = _functions(tree, question.pattern)
    rows: list[tuple[Any, ...]] = []
    notes = [profiles.headline_of(dump.profile, tree.measures[0])]
    if not functions:
        notes.append("The dump names no line of it: a binary with debug information does, given by `--binary PATH`")
    for function in functions[:_FUNCTIONS]:
        found = question.sources(function.file, package_of(function.name, "")) if question.sources else None
        rows += _rows(function, found, link)
        own, total = format_value(function.own, unit), format_value(function.total, unit)
        notes.append(
            f"{function.name} in {found.path if found else function.file}: {own} itself, {total} with all it calls"
            f" ({format_share(function.total / whole)})"
        )
    if len(functions) > _FUNCTIONS:
        notes.append(f"{len(functions) - _FUNCTIONS:,} more functions match")
    if rows and not any(row[-1 - bool(link)] for row in rows):
        notes.append("No source was found: `--source DIR` says where it is")
    kind = profiles.kind_of(tree.measures[0])
    headings = (
        Heading("own", "flat", kind),
        Heading("total", "cum", kind),
        Heading("location", "location"),
        Heading("source", "source"),
        *([Heading("link", "link")] if link else []),
    )
    return Table("source", headings, rows, tuple(notes), {"measure": tree.measures[0].name, "unit": unit})


def _functions(tree: Tree, pattern: str) -> list[_Function]:
    """The functions with lines that match, by what they hold themselves; without a pattern the heaviest.

    Raises `UsageError` where no function matches, with lines or without.
    """
    matches, frames = matcher(pattern), tree.frames
    own, total = profiles.by_frame(tree)
    found: dict[tuple[str, str], _Function] = {}
    is_known = False
    for frame in range(len(frames)):
        name, file, line = frames.function_name(frame), frames.file_name(frame), frames.line[frame]
        if not matches(name):
            continue
        is_known = True
        if file and line > 0 and (own[frame] or total[frame]):
            function = found.setdefault((name, file), _Function(name, file))
            function.own += own[frame]
            # Lines of one function on one stack are recursion: the sum may be more than the whole.
            function.total += total[frame]
            function.lines[line] = own[frame], total[frame]
    if pattern and not is_known:
        raise UsageError(f"no function matches {pattern!r}", hint="`caulk top` lists the functions.")
    return sorted(found.values(), key=lambda f: (-abs(f.own), -abs(f.total), f.name, f.file))


def _rows(function: _Function, found: Found | None, link: Callable[[str, int], str] | None) -> list[tuple[Any, ...]]:
    """The lines that hold something; with their neighbours, where there is source."""
    path = found.path if found else function.file
    shown = sorted(function.lines)
    if found:
        near = {n for line in shown for n in range(line - _AROUND, line + _AROUND + 1)}
        shown = [n for n in sorted(near) if 0 < n <= len(found.lines) or n in function.lines]
    rows = []
    for line in shown[:_MOST]:
        own, total = function.lines.get(line, (None, None))
        text = found.lines[line - 1].expandtabs(4) if found and line <= len(found.lines) else ""
        rows.append((own, total, f"{path}:{line}", text, *([link(path, line)] if link else [])))
    return rows


def _link(template: str) -> Callable[[str, int], str] | None:
    """Addresses of lines, from a template such as `https://host/o/r/blob/REV/{file}#L{line}`."""
    if not template:
        return None
    if not re.match(r"https?://[^/\s]", template) or "{file}" not in template:
        raise UsageError(
            f"{template!r} is no address with a place for a file",
            hint="For instance https://host/owner/repository/blob/REVISION/{file}#L{line}",
        )
    return lambda file, line: template.replace("{file}", quote(file.lstrip("/"))).replace("{line}", str(line))
