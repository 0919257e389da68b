"""Stacks as binary columns, which the page reads without parsing (`application/vnd.caulk.stacks`).

A u32, little-endian, is the length of the header, JSON padded with spaces so that what follows begins at a multiple of
8; then the columns that it lists, each at such a multiple. Nodes stand in preorder, siblings by weight. Totals are left
to the reader, one backward pass: so what is left out stays in a node `(rest)` below its caller.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from caulk._core import graph, preorder, stacks
from caulk.model.column import Ints
from caulk.model.table import Stacks
from caulk.model.tree import Frames, Tree
from caulk.views.flame import MAX_DEPTH, package_of
from caulk.views.markup import MAX_SENTENCE, plain

NAME = "columns"
MEDIA = "application/vnd.caulk.stacks"
#: What a page draws, searches and totals without a pause.
MAX_NODES = 250_000
REST = "(rest)"
_NO_FRAME = -1
_REST_FRAME = -2
_MOST_LINE = (1 << 31) - 1
_MOST = (1 << 63) - 1


def render(answer: Stacks, limit: int = MAX_NODES, *, before: Tree | None = None) -> bytes:
    """The `limit` heaviest nodes, down to 500 calls deep.

    With `before`, a tree of the same nodes, `answer` is what there is after: a difference. There
    siblings stand by what changed below them, then by size; what did not change is there as well.
    """
    nodes = _chosen(answer.tree, before, limit)
    has_losses = min(answer.tree.values[0], default=0) < 0
    frames, strings = _frames(answer.tree.frames, nodes.frame)
    columns = {
        "parent": nodes.parent,
        "frame": array("i", map(frames.number.__getitem__, nodes.frame)),
        **dict(zip(("own", "before"), nodes.values, strict=False)),
        "name": frames.name,
        "file": frames.file,
        "package": frames.package,
        "line": frames.line,
    }
    header = {
        "schema": "caulk.stacks/1",
        "report": answer.name,
        "measure": answer.measure.name,
        "unit": answer.measure.unit,
        "total": answer.total,
        "signed": answer.signed or before is not None or has_losses,
        "notes": [plain(note, limit=MAX_SENTENCE) for note in answer.notes],
        "left_out": nodes.left_out,
        "strings": strings,
    }
    return _packed(header, columns)


@dataclass(frozen=True, slots=True)
class _Nodes:
    """What is written of nodes: `own` and, of a difference, `before`."""

    parent: Ints
    frame: Ints
    values: Sequence["array[float]"]
    left_out: int


def _chosen(tree: Tree, before: Tree | None, limit: int) -> _Nodes:
    """The nodes that are written, and for those whose callees are left out a further one with what these have."""
    sides = [tree.values[0], *([before.values[0]] if before else [])]
    by_weight, weighing = _by_weight(tree.parent, sides, limit)
    order, depth = preorder.heaviest_first(tree.parent, by_weight, MAX_DEPTH)
    rests = [preorder.rest(tree.parent, order, side, stacks.totals(tree.parent, side)) for side in sides]
    parent, place = preorder.with_rest(depth, bytes(map(any, zip(*rests, strict=True))))
    frame = array("i", (tree.frame[order[at]] if at >= 0 else _REST_FRAME for at in place))
    frame[0] = _NO_FRAME
    values = [
        array("d", (side[order[at]] if at >= 0 else rest[-1 - at] for at in place))
        for side, rest in zip(sides, rests, strict=True)
    ]
    return _Nodes(parent, frame, values, weighing - len(order))


def _by_weight(parent: Ints, sides: Sequence[Ints], limit: int) -> tuple[Ints, int]:
    """The heaviest nodes, each caller before its callees, and how many there are with any weight."""
    most = stacks.totals(parent, _sizes(sides))
    weighing = max(len(most) - most.count(0), 1)
    if len(sides) == 1:
        return graph.top(most, min(limit, weighing)), weighing
    after, before = sides
    changes = (min(abs(new - old), _MOST) for new, old in zip(after, before, strict=True))
    changed = stacks.totals(parent, array("q", changes))
    same = array("q", (0 if change else size for change, size in zip(changed, most, strict=True)))
    nodes = graph.top(changed, min(limit, max(len(changed) - changed.count(0), 1)))
    more = graph.top(same, min(limit - len(nodes), len(same) - same.count(0)))
    return nodes + array("i", filter(None, more)), weighing


def _sizes(sides: Sequence[Ints]) -> Ints:
    """By node the larger of its values, whatever its sign."""
    if len(sides) == 1 and min(sides[0], default=0) >= 0:
        return sides[0]
    return array("q", (min(max(map(abs, own)), _MOST) for own in zip(*sides, strict=True)))


@dataclass(frozen=True, slots=True)
class _FrameColumns:
    number: dict[int, int] = field(default_factory=lambda: {_NO_FRAME: -1})
    name: Ints = field(default_factory=lambda: array("i"))
    file: Ints = field(default_factory=lambda: array("i"))
    package: Ints = field(default_factory=lambda: array("i"))
    line: Ints = field(default_factory=lambda: array("i"))


def _frames(frames: Frames, used: Iterable[int]) -> tuple[_FrameColumns, list[str]]:
    """The frames that occur, in the order in which they do, and the strings that they are told by."""
    columns, strings = _FrameColumns(), {"": 0}

    @cache
    def number(text: str) -> int:
        return strings.setdefault(plain(text), len(strings))

    for frame in dict.fromkeys(used):
        if frame == _NO_FRAME:
            continue
        columns.number[frame] = len(columns.name)
        name, file, line = REST, "", 0
        if frame != _REST_FRAME:
            name, file, line = frames.function_name(frame), frames.file_name(frame), frames.line[frame]
        package = package_of(name, file)
        for column, text in ((columns.name, name), (columns.file, file), (columns.package, package)):
            column.append(number(text))
        columns.line.append(min(max(line, 0), _MOST_LINE))
    return columns, list(strings)


def _packed(header: dict[str, Any], columns: dict[str, Any]) -> bytes:
    listed, body = [], bytearray()
    for name, column in columns.items():
        body += bytes(-len(body) % 8)
        kind = "f64" if column.typecode == "d" else "i32"
        listed.append({"name": name, "type": kind, "at": len(body), "length": len(column)})
        # Columns are little-endian, as every machine is that caulk runs on.
        body += column.tobytes()
    text = msgspec.json.encode(header | {"columns": listed})
    text += b" " * (-(4 + len(text)) % 8)
    return struct.pack("<I", len(text)) + text + bytes(body)
