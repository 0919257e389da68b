"""Stacks as binary columns, which the page reads without parsing (`application/vnd.caulk.stacks`).

A u32, little-endian, is the length of the header, JSON padded with spaces so that what follows begins at a multiple of
8; then the columns that it lists, each at such a multiple. Nodes stand in preorder, siblings by weight. Totals are left
to the reader, one backward pass: so what is left out stays in a node `(rest)` below its caller.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from caulk._core import graph, stacks
from caulk.model.column import Ints
from caulk.model.table import Stacks
from caulk.model.tree import Frames, Tree
from caulk.views.flame import heaviest_first, package_of
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
        "frame": array("i", (frames.number[frame] for frame in nodes.frame)),
        "own": array("d", nodes.own),
        **({"before": array("d", nodes.before)} if before else {}),
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
    parent: Ints = field(default_factory=lambda: array("i"))
    frame: Ints = field(default_factory=lambda: array("i"))
    own: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    left_out: int = 0

    def add(self, parent: int, frame: int, own: Sequence[int]) -> None:
        self.parent.append(parent)
        self.frame.append(frame)
        self.own.append(own[0])
        if len(own) > 1:
            self.before.append(own[1])


def _chosen(tree: Tree, before: Tree | None, limit: int) -> _Nodes:
    """The nodes that are written, and for those whose callees are left out a further one with what these have."""
    sides = [tree.values[0], *([before.values[0]] if before else [])]
    by_weight, weighing = _by_weight(tree.parent, sides, limit)
    order, depth = heaviest_first(tree.parent, by_weight)
    totals = [stacks.totals(tree.parent, side) for side in sides]
    rest = [_rest(tree.parent, order, side, total) for side, total in zip(sides, totals, strict=True)]
    found = _Nodes(left_out=weighing - len(order))
    # Nodes whose callees are not all written yet, outermost first, and their numbers among those that are.
    path: list[tuple[int, int]] = []
    for node, level in zip(order, depth, strict=True):
        while len(path) > level:
            _close(found, path.pop(), rest)
        above = path[-1][1] if path else -1
        path.append((node, len(found.parent)))
        found.add(above, tree.frame[node] if node else _NO_FRAME, [side[node] for side in sides])
    while path:
        _close(found, path.pop(), rest)
    return found


def _close(found: _Nodes, written: tuple[int, int], rest: Sequence[dict[int, int]]) -> None:
    """A node whose callees are all written: what they lack of its total follows them."""
    node, number = written
    left = [side[node] for side in rest]
    if any(left):
        found.add(number, _REST_FRAME, left)


def _rest(parent: Ints, order: Sequence[int], own: Ints, total: Ints) -> dict[int, int]:
    """For each node that is written, the part of its total that neither it nor a callee that is written has."""
    left = {node: total[node] - own[node] for node in order}
    for node in order[1:]:
        left[parent[node]] -= total[node]
    return left


def _by_weight(parent: Ints, sides: Sequence[Ints], limit: int) -> tuple[Sequence[int], int]:
    """The heaviest nodes, each caller before its callees, and how many there are with any weight."""
    most = stacks.totals(parent, array("q", (min(max(map(abs, own)), _MOST) for own in zip(*sides, strict=True))))
    weighing = max(len(most) - most.count(0), 1)
    if len(sides) == 1:
        return graph.top(most, min(limit, weighing)), weighing
    after, before = sides
    changes = (min(abs(new - old), _MOST) for new, old in zip(after, before, strict=True))
    changed = stacks.totals(parent, array("q", changes))
    same = array("q", (0 if change else size for change, size in zip(changed, most, strict=True)))
    nodes = graph.top(changed, min(limit, max(len(changed) - changed.count(0), 1)))
    more = graph.top(same, min(limit - len(nodes), len(same) - same.count(0)))
    return [*nodes, *(node for node in more if node)], weighing


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
    for frame in dict.fromkeys(used):
        if frame == _NO_FRAME:
            continue
        columns.number[frame] = len(columns.name)
        name, file, line = REST, "", 0
        if frame != _REST_FRAME:
            name, file, line = frames.function_name(frame), frames.file_name(frame), frames.line[frame]
        package = package_of(name, file)
        for column, text in ((columns.name, name), (columns.file, file), (columns.package, package)):
            column.append(strings.setdefault(plain(text), len(strings)))
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
