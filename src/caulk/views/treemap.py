"""Treemaps: the heaviest part of a tree as nested boxes, each as large as what it holds. A picture, without a script.

Boxes are laid out squarified (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000): in rows that keep them near
squares, since areas of long strips cannot be compared. What a node holds itself, beside its children, stays free.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from caulk.model.table import Stacks
from caulk.model.units import format_share, format_value
from caulk.views import flame
from caulk.views.markup import text

NAME = "treemap"

WIDTH, HEIGHT, TOP = 1200, 720, 26
#: The strip with a box's name, and the gap round its children.
_STRIP, _GAP = 14.0, 2.0
MAX_DRAWN = 2_000
#: A box below this many pixels a side is not drawn, nor is what is in it.
_LEAST = 2.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float


def svg(answer: Stacks) -> str:
    """A picture of the tree; names and numbers show when a box is pointed at."""
    layout = flame.lay_out(answer, limit=MAX_DRAWN)
    total = format_value(layout.total[0], layout.unit, signed=layout.signed)
    title = text(f"{answer.measure}: {total}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="ui-monospace,Menlo,Consolas,monospace" font-size="11"><title>{title}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><text x="4" y="17" font-size="13">{title}</text>\n'
        + "\n".join(_drawn(layout))
        + "\n</svg>\n"
    )


def squarified(weights: Sequence[float], into: Box) -> list[Box]:
    """Boxes as large as their weights, side by side in `into`; the weights come largest first and are above zero."""
    boxes: list[Box] = []
    left = sum(weights)
    x, y, width, height = into.x, into.y, into.width, into.height
    start = 0
    while start < len(weights):
        side = min(width, height)
        scale = width * height / left if left > 0 else 0.0
        end, row = start + 1, weights[start]
        worst = _stretch(weights[start], weights[start], row, side, scale)
        while end < len(weights):
            stretched = _stretch(weights[start], weights[end], row + weights[end], side, scale)
            if stretched > worst:
                break
            row, worst, end = row + weights[end], stretched, end + 1
        thick = row * scale / side if side > 0 else 0.0
        at = 0.0
        for weight in weights[start:end]:
            long = side * weight / row if row > 0 else 0.0
            boxes.append(Box(x, y + at, thick, long) if width >= height else Box(x + at, y, long, thick))
            at += long
        if width >= height:
            x, width = x + thick, width - thick
        else:
            y, height = y + thick, height - thick
        left -= row
        start = end
    return boxes


def _stretch(largest: float, smallest: float, row: float, side: float, scale: float) -> float:
    """How far the worst box of a row is from a square: the longer side by the shorter."""
    if not (row > 0 and side > 0 and scale > 0 and smallest > 0):
        return float("inf")
    square = side * side / (row * row * scale)
    return max(square * largest, 1 / (square * smallest))


def _drawn(layout: flame.Layout) -> Iterator[str]:
    children: list[list[int]] = [[] for _ in range(len(layout))]
    path: list[int] = []
    for number, depth in enumerate(layout.depth):
        del path[depth:]
        if path:
            children[path[-1]].append(number)
        path.append(number)
    waiting = [(0, Box(0, TOP, WIDTH, HEIGHT - TOP))]
    while waiting:
        node, box = waiting.pop()
        yield _box(layout, node, box)
        inner = Box(box.x + _GAP, box.y + _STRIP, max(box.width - 2 * _GAP, 0.0), max(box.height - _STRIP - _GAP, 0.0))
        below = [child for child in children[node] if layout.weight[child] > 0]
        if not below or min(inner.width, inner.height) < _LEAST:
            continue
        # What the node holds itself is a box like its children's, the last, and not drawn.
        weights = [float(layout.weight[child]) for child in below]
        own = layout.weight[node] - sum(weights)
        for child, place in zip(below, squarified([*weights, own] if own > 0 else weights, inner), strict=False):
            if min(place.width, place.height) >= _LEAST:
                waiting.append((child, place))


def _box(layout: flame.Layout, node: int, box: Box) -> str:
    value = format_value(layout.total[node], layout.unit, signed=layout.signed)
    name, room = layout.name(node), int((box.width - 6) / 6.7)
    said = f"{name}\n{layout.place(node)}\n{value}, {format_share(layout.share(node))}".replace("\n\n", "\n")
    shown = f"{flame.shortened(name, room)} {value}" if room > len(name) + len(value) else flame.shortened(name, room)
    has_room = room > 2 and box.height >= _STRIP
    label = f'<text x="{box.x + 3:.1f}" y="{box.y + 11:.1f}">{text(shown)}</text>' if has_room else ""
    return (
        f"<g><title>{'&#10;'.join(text(line) for line in said.splitlines())}</title>"
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{max(box.width - 1, 1):.1f}" '
        f'height="{max(box.height - 1, 1):.1f}" fill="{flame.fill(layout, node)}" stroke="#fff"/>{label}</g>'
    )
