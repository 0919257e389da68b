"""Flame graphs: the heaviest part of a tree, laid out once, drawn by the page's script or as a picture without one.

A box is as wide as what was allocated below it. In a difference it is as wide as all that changed below it, gained and
lost, because a gain and a loss that cancel out are not nothing; its colour and its sign say which of the two prevailed.
"""

import heapq
import itertools
import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from caulk._core import graph, preorder, stacks
from caulk.model.column import Ints
from caulk.model.table import Stacks
from caulk.model.units import format_share, format_value
from caulk.views.markup import plain, text

#: What is drawn at most: the widest boxes (the ten-thousandth is narrower than a pixel, but can be zoomed to), and no
#: stack deeper than anybody scrolls.
MAX_NODES = 10_000
MAX_DEPTH = 500
#: The picture without a script: its size in pixels, and its boxes at most.
WIDTH, ROW, TOP = 1200, 18, 26
MAX_DRAWN = 4_000

_SCRIPT = (".py", ".js", ".mjs", ".cjs", ".ts", ".tsx")
_BEFORE_ARGUMENTS = re.compile(r"[^(\[<]*")


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes in the order they are drawn: each before what it called, the widest of its callees first.

    Shape: one entry a box in every column; box 0 is the whole. `own` is of exactly this stack, `total` includes what
    it called, `weight` is the width. `left_out` counts the nodes that are too small or too many to draw.
    """

    answer: Stacks
    signed: bool
    depth: Ints
    frame: Ints
    own: Ints
    total: Ints
    weight: Ints
    left_out: int

    def __len__(self) -> int:
        return len(self.depth)

    @property
    def unit(self) -> str:
        """The unit of the measure that is drawn."""
        return self.answer.measure.unit

    @property
    def whole(self) -> int:
        """What shares are of: the answer's own total, else all that is drawn."""
        return abs(self.answer.total) or self.weight[0] or 1

    def name(self, box: int) -> str:
        """What is written in a box, visible but not escaped."""
        return plain(self.answer.tree.frames.function_name(self.frame[box])) if box else "all"

    def place(self, box: int) -> str:
        """`file:line`, as far as the dump says it."""
        if not box:
            return ""
        file, line = self.answer.tree.frames.file_name(self.frame[box]), self.answer.tree.frames.line[self.frame[box]]
        return plain(f"{file}:{line}" if file and line > 0 else file)

    def share(self, box: int) -> float:
        """Part of the whole; of a difference, part of the growth."""
        return self.total[box] / self.whole

    def heaviest(self, limit: int) -> list[int]:
        """The `limit` widest boxes, in the order they are drawn."""
        return sorted(heapq.nsmallest(limit, range(1, len(self)), key=lambda box: (-self.weight[box], box)))


def lay_out(answer: Stacks, *, limit: int = MAX_NODES) -> Layout:
    """At most `limit` boxes; values below zero make any tree a difference."""
    tree, own = answer.tree, answer.tree.values[0]
    total = weight = stacks.totals(tree.parent, own)
    has_losses = min(own, default=0) < 0
    if has_losses:
        changed = array("q", (min(abs(value), (1 << 63) - 1) for value in own))
        weight = stacks.totals(tree.parent, changed)
    weighing = max(len(weight) - weight.count(0), 1)
    # By weight, then number: a caller weighs as much as its callee or more, and has the smaller number.
    order, depth = preorder.heaviest_first(tree.parent, graph.top(weight, min(limit, weighing)), MAX_DEPTH)
    return Layout(
        answer=answer,
        signed=answer.signed or has_losses,
        depth=depth,
        frame=array("i", (tree.frame[node] for node in order)),
        own=array("q", (own[node] for node in order)),
        total=array("q", (total[node] for node in order)),
        weight=array("q", (weight[node] for node in order)),
        left_out=weighing - len(order),
    )


def columns(layout: Layout) -> dict[str, Any]:
    """The layout as the page's script reads it: strings once, frames once, a number or two a box."""
    strings: dict[str, int] = {}
    frames: dict[int, int] = {}
    rows: list[tuple[int, int, int]] = []
    for box in range(len(layout)):
        if layout.frame[box] not in frames:
            frames[layout.frame[box]] = len(rows)
            name, place = layout.name(box), layout.place(box)
            number = strings.setdefault(name, len(strings)), strings.setdefault(place, len(strings))
            rows.append((*number, hue(layout, box)))
    return {
        "unit": layout.unit,
        "signed": layout.signed,
        "whole": layout.whole,
        "strings": list(strings),
        "name": [row[0] for row in rows],
        "place": [row[1] for row in rows],
        "hue": [row[2] for row in rows],
        "depth": layout.depth.tolist(),
        "frame": [frames[frame] for frame in layout.frame],
        "own": layout.own.tolist(),
        "total": layout.total.tolist(),
        "weight": layout.weight.tolist() if layout.weight != layout.total else None,
    }


def hue(layout: Layout, box: int) -> int:
    """The colour of a box in degrees: that of its package, the same in every graph; -1 for the whole."""
    if not box:
        return -1
    frames, frame = layout.answer.tree.frames, layout.frame[box]
    package = package_of(frames.function_name(frame), frames.file_name(frame))
    return zlib.crc32(package.encode("utf-8", "replace")) % 360


def package_of(function: str, file: str) -> str:
    """The package of a frame, as its language would say: by folder for scripts, else by the function's own name."""
    if file.endswith(_SCRIPT):
        return file.rpartition("/")[0]
    # Arguments and type parameters may hold any character; the package stands before them.
    found = _BEFORE_ARGUMENTS.match(function)
    name = found[0] if found else function
    if "/" in name or file.endswith(".go"):
        path, slash, rest = name.rpartition("/")
        return path + slash + rest.partition(".")[0]
    if "::" in name:
        return name.partition("::")[0]
    words = name.split(".")[:-1]
    return ".".join(itertools.takewhile(str.islower, words)) or (words[0] if words else file.rpartition("/")[0])


def svg(answer: Stacks) -> str:
    """A picture of the tree, root on top; names and numbers show when a box is pointed at. Needs no script."""
    layout = lay_out(answer, limit=MAX_DRAWN)
    height = TOP + ROW * (max(layout.depth) + 1)
    total = format_value(layout.total[0], layout.unit, signed=layout.signed)
    title = text(f"{answer.measure}: {total}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="ui-monospace,Menlo,Consolas,monospace" font-size="11"><title>{title}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/><text x="4" y="17" font-size="13">{title}</text>\n'
        + "\n".join(_drawn(layout))
        + "\n</svg>\n"
    )


def _drawn(layout: Layout) -> Iterator[str]:
    scale = WIDTH / layout.weight[0] if layout.weight[0] else 0
    # The left edge of the next box at each depth: boxes come callers first, so one pass places them all.
    left = [0.0] * (max(layout.depth) + 2)
    for box in range(len(layout)):
        depth, width = layout.depth[box], layout.weight[box] * scale
        x, y = left[depth], TOP + ROW * depth
        left[depth], left[depth + 1] = x + width, x
        if width < 0.5:
            continue
        value = format_value(layout.total[box], layout.unit, signed=layout.signed)
        name, room = layout.name(box), int((width - 6) / 6.7)
        said = f"{name}\n{layout.place(box)}\n{value}, {format_share(layout.share(box))}".replace("\n\n", "\n")
        label = f'<text x="{x + 3:.1f}" y="{y + 13}">{text(shortened(name, room))}</text>' if room > 2 else ""
        yield (
            f"<g><title>{'&#10;'.join(text(line) for line in said.splitlines())}</title>"
            f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" '
            f'fill="{fill(layout, box)}"/>{label}</g>'
        )


def fill(layout: Layout, box: int) -> str:
    """The colour of a box as CSS has it: of a difference by its sign, else by its package."""
    if layout.signed and layout.weight[box]:
        strength = abs(layout.total[box]) / layout.weight[box]
        return f"hsl({28 if layout.total[box] > 0 else 212} 90% {92 - 22 * min(strength, 1):.0f}%)"
    degrees = hue(layout, box)
    return "hsl(0 0% 88%)" if degrees < 0 else f"hsl({degrees} 60% 80%)"


def shortened(name: str, room: int) -> str:
    """As much of a name as fits: without its path first, then without its end."""
    if len(name) > room:
        path = _BEFORE_ARGUMENTS.match(name)
        name = name[path[0].rfind("/") + 1 if path else 0 :]
    return name if len(name) <= room else name[: room - 1] + "…"
