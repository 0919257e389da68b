"""Answers for a terminal, as plain text: columns that line up, sentences that wrap. Colour only where it is asked for.

Marks of colour are put round whole cells after they are padded, so a table is the same with and without.
"""

import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from caulk._core import stacks
from caulk.model.diagram import Graph
from caulk.model.table import Heading, Stacks, Table
from caulk.model.tree import Tree
from caulk.model.units import format_share, format_value

if TYPE_CHECKING:
    from caulk.model.records import Analysis, Finding, Input, StackFrame

NAME = "text"

#: A node of a tree below this share of the total is left out, as in pprof.
_TRIM = 0.005
_MOST_NODES = 200
#: More dumps of one kind than this are named in one line.
_FEW_INPUTS = 3
_STATE_COLOUR = {"leaking": "1;31", "suspect": "1;33", "warming": "1;36", "steady": "1;32", "unknown": "1;35"}
_BLOCKS = "▁▂▃▄▅▆▇█"

Paint = Callable[[str, str], str]


def render(answer: "Table | Stacks | Graph | Analysis", *, width: int = 100, colour: bool = False) -> str:
    """The answer as lines of text; names are cut to `width`, sentences wrapped at it."""
    paint: Paint = (lambda text, code: f"\x1b[{code}m{text}\x1b[0m") if colour else (lambda text, code: text)
    if isinstance(answer, Table):
        return _table(answer, width, paint)
    if isinstance(answer, Graph):
        # Nothing else in text needs what draws.
        from caulk.views import diagram  # noqa: PLC0415

        return _table(diagram.table(answer), width, paint)
    if isinstance(answer, Stacks):
        return _flame(answer, width, paint) if answer.name == "flame" else _tree(answer, width, paint)
    return _analysis(answer, width, paint)


def cell(value: Any, heading: Heading) -> str:
    """A cell for people."""
    if value is None:
        return ""
    if heading.kind == "share":
        return ("+" if heading.signed and value > 0 else "") + format_share(value)
    if heading.kind in ("bytes", "count", "nanoseconds"):
        return format_value(value, heading.kind, signed=heading.signed)
    return clean(str(value))


def clean(text: str) -> str:
    """Text from a dump without what could steer a terminal: control characters become U+FFFD."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def _table(table: Table, width: int, paint: Paint) -> str:
    lines = [paint(clean(note), "2") for note in table.notes]
    headings = table.headings
    cells = [[cell(value, heading) for value, heading in zip(row, headings, strict=True)] for row in table.rows]
    widths = [
        max([len(heading.title), *(len(row[i]) for row in cells)], default=0) for i, heading in enumerate(headings)
    ]
    numeric = [heading.kind != "text" for heading in headings]
    room = width - sum(w + 2 for w, n in zip(widths, numeric, strict=True) if n)
    lines.append(_row([heading.title for heading in headings], widths, numeric, room))
    for row, values in zip(cells, table.rows, strict=True):
        line = _row(row, widths, numeric, room)
        strong = "self" in values[:1] or (bool(headings[0].signed) and bool(values[0] and values[0] > 0))
        lines.append(paint(line, "1") if strong else line)
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool], room: int) -> str:
    texts = [i for i, n in enumerate(numeric) if not n]
    parts = []
    for i, text in enumerate(cells):
        if numeric[i]:
            parts.append(text.rjust(widths[i]))
        elif i == texts[-1]:
            parts.append(text)
        else:
            parts.append(text.ljust(min(widths[i], max(room // 2, 20))))
    return "  ".join(parts).rstrip()


def _tree(answer: Stacks, width: int, paint: Paint) -> str:
    tree, unit = answer.tree, answer.measure.unit
    totals = stacks.totals(tree.parent, tree.values[0])
    children = children_of(tree, totals)
    whole = answer.total or 1
    lines = [paint(clean(note), "2") for note in answer.notes]
    shown = left_out = 0
    # (node, depth): an explicit stack, since a tree may be deeper than Python can recurse.
    waiting = [(node, 0) for node in reversed(children[0])]
    lines.append(f"{format_value(totals[0], unit):>9}  {format_share(totals[0] / whole):>6}  (all)")
    while waiting:
        node, depth = waiting.pop()
        if abs(totals[node]) < _TRIM * abs(whole) or shown >= _MOST_NODES:
            left_out += 1
            continue
        shown += 1
        name, at = _frame_text(tree, tree.frame[node])
        indent = "  " * min(depth, 30) + (f"[{depth}] " if depth > 30 else "")
        amount = format_value(totals[node], unit, signed=answer.signed)
        line = f"{amount:>9}  {format_share(totals[node] / whole):>6}  {indent}{name}"
        own = tree.values[0][node]
        if own and abs(own) >= _TRIM * abs(whole):
            line += paint(f"  ← {format_value(own, unit, signed=answer.signed)} here", "1")
        lines.append(line + (paint(f"  {at}", "2") if at and len(line) + len(at) < width + 20 else ""))
        waiting.extend((child, depth + 1) for child in reversed(children[node]))
    if left_out:
        lines.append(
            paint(
                f"{left_out:,} smaller branches left out (below {format_share(_TRIM)} or past {_MOST_NODES} lines)", "2"
            )
        )
    return "\n".join(lines) + "\n"


def _flame(answer: Stacks, width: int, paint: Paint) -> str:
    """An icicle of text: a row a depth, a box a call, as wide as its share."""
    tree, unit = answer.tree, answer.measure.unit
    totals = stacks.totals(tree.parent, tree.values[0])
    children = children_of(tree, totals)
    lines = [paint(clean(note), "2") for note in answer.notes]
    lines.append(_box(f"all {format_value(totals[0], unit)}", width, 0, paint))
    level = [(0, 0, width)]
    whole = totals[0] or 1
    while level:
        following = []
        line, at = "", 0
        for node, left, room in level:
            x = left
            for child in children[node]:
                size = min(round(room * totals[child] / (totals[node] or 1)), left + room - x)
                if size < 3:
                    continue
                line += " " * (x - at) + _box(
                    f"{_frame_text(tree, tree.frame[child])[0]} {format_share(totals[child] / whole)}",
                    size,
                    len(lines),
                    paint,
                )
                at = x + size
                following.append((child, x, size))
                x += size
        if line:
            lines.append(line.rstrip())
        level = following if len(lines) < 80 else []
    return "\n".join(lines) + "\n"


def _box(text: str, size: int, depth: int, paint: Paint) -> str:
    label = text if len(text) <= size - 2 else text[: max(size - 3, 0)] + "…" if size > 4 else ""
    return paint("▏" + label.ljust(size - 1)[: size - 1], "30;43" if depth % 2 else "30;103")


def children_of(tree: Tree, totals: Sequence[int]) -> list[list[int]]:
    """The children of each node, largest first; nodes without any total are left out."""
    children: list[list[int]] = [[] for _ in range(len(tree))]
    for node in range(1, len(tree)):
        if totals[node]:
            children[tree.parent[node]].append(node)
    for row in children:
        row.sort(key=lambda node: (-abs(totals[node]), node))
    return children


def _frame_text(tree: Tree, frame: int) -> tuple[str, str]:
    frames = tree.frames
    file, line = frames.file_name(frame), frames.line[frame]
    return clean(frames.function_name(frame)), clean(f"{file}:{line}" if file and line else file)


def _analysis(analysis: "Analysis", width: int, paint: Paint) -> str:
    verdict = analysis.verdict
    lines = []
    for line in _inputs(analysis):
        lines.append(paint(clean(line), "2"))
    lines.extend(_warnings(analysis))
    totals = ", ".join(f"{format_value(t.value, t.unit)} {t.measure}".rstrip() for t in analysis.totals)
    if totals:
        lines.append(paint(f"{totals} in the newest" if len(analysis.inputs) > 1 else totals, "2"))
    lines.append("")
    badge = paint(verdict.state.upper(), _STATE_COLOUR.get(verdict.state, "1"))
    sentence = clean(verdict.sentence)
    lines.append(badge)
    lines.extend(_wrapped(sentence, width, "  "))
    for reason in verdict.reasons:
        lines.extend(_wrapped(clean(reason), width, "  · "))
    for finding in analysis.findings:
        lines.append("")
        lines.extend(_finding(finding, width, paint))
    for note in analysis.notes:
        lines.extend(["", *_wrapped(clean(note), width, "  ")])
    return "\n".join(lines) + "\n"


def _inputs(analysis: "Analysis") -> list[str]:
    """A line an input; many of one kind are one line with the first and the last."""
    kinds: dict[str, list[Input]] = {}
    for i in analysis.inputs:
        what = "heap dump" if i.kind == "objects" else i.kind
        kinds.setdefault(f"{i.runtime} {what} ({i.format})", []).append(i)
    lines = []
    for kind, inputs in kinds.items():
        if len(inputs) > _FEW_INPUTS:
            first, last = inputs[0], inputs[-1]
            times = f", taken {first.taken_at} to {last.taken_at}" if first.taken_at and last.taken_at else ""
            lines.append(f"{len(inputs)} × {kind}: {first.path} … {last.path}{times}")
            continue
        for i in inputs:
            taken = f", taken {i.taken_at}" if i.taken_at else ""
            covered = f", {i.coverage:.0%} of it readable".replace("%", " %") if i.coverage < 1 else ""
            mode = f", mode: {i.mode}" if i.mode and i.mode != "exact" else ""
            lines.append(f"{i.path}: {kind}{taken}{covered}{mode}")
    return lines


def _warnings(analysis: "Analysis") -> list[str]:
    """What is wrong with the inputs; what is wrong with many of them in the same way is said of the newest."""
    said: dict[str, list[tuple[str, str]]] = {}
    for i in analysis.inputs:
        for warning in i.warnings:
            said.setdefault(re.sub(r"[\d,]+", "#", warning), []).append((i.path, warning))
    lines = []
    for alike in said.values():
        path, warning = alike[-1]
        more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
        lines.append(f"  warning: {clean(path)}{more}: {clean(warning)}")
    return lines


def _finding(finding: "Finding", width: int, paint: Paint) -> list[str]:
    lines = _wrapped(clean(finding.title), width, f"{finding.rank:>2}. ")
    lines[0] = paint(lines[0], "1")
    if len(finding.series) > 1 and max(finding.series) > 0:
        lines.append(f"    {sparkline(finding.series)}  {clean('; '.join(finding.evidence[:2]))}")
        rest = finding.evidence[2:]
    else:
        rest = finding.evidence
    for said in rest:
        lines.extend(_wrapped(clean(said), width, "    · "))
    for depth, step in enumerate(finding.path):
        mark = "→" if depth == len(finding.path) - 1 else " "
        lines.append(f"    {mark} {'  ' * min(depth, 12)}{clean(step)}")
    blamed = _blamed_at(finding)
    for depth, frame in enumerate(finding.stack):
        at = frame_place(frame)
        mark = "→" if depth == blamed else " "
        line = f"    {mark} {'  ' * min(depth, 12)}{clean(frame.function)}"
        lines.append((paint(line, "1") if mark == "→" else line) + (paint(f"  {clean(at)}", "2") if at else ""))
    said = f"confidence {finding.confidence:.0%}".replace("%", " %")
    lines.append(paint(f"    {said}, fingerprint {finding.fingerprint}", "2"))
    return lines


def _blamed_at(finding: "Finding") -> int:
    """Where the frame that is blamed stands on the stack, -1 nowhere: of those of its name the one at its place."""
    blamed, last = finding.allocator or finding.type or "", -1
    for depth, frame in enumerate(finding.stack):
        if frame.function == blamed and finding.location in (None, f"{frame.file}:{frame.line}"):
            last = depth
    return last


def frame_place(frame: "StackFrame") -> str:
    """`file:line` of a frame as far as it is known."""
    if not frame.file or frame.function == f"{frame.file.rpartition('/')[2]}:{frame.line}":
        return frame.file if "/" in frame.file else ""
    return f"{frame.file}:{frame.line}" if frame.line else frame.file


def sparkline(values: Sequence[int]) -> str:
    """The values as a row of blocks, from zero to the largest."""
    most = max(*values, 1)
    return "".join(_BLOCKS[min(max(value, 0) * (len(_BLOCKS) - 1) // most, len(_BLOCKS) - 1)] for value in values)


def _wrapped(text: str, width: int, lead: str) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [lead.rstrip()]
