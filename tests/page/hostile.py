"""Dumps whose names try to be anything but names: markup, scripts, marks that turn the direction, endless ones."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

#: What each script would do if it ran; `test_hostile_names` asks for it.
HACK = "window.hacked=1"
NAMES = (
    f"<script>{HACK}</script>",
    f"<img src=x onerror={HACK}>",
    f"\"><svg onload='{HACK}'>",
    f"javascript:{HACK}",
    f"]]>--></style><script>{HACK}</script>",
    "\u202egnihtyna\u2066\u200b",
    "__proto__",
    "constructor",
    "L" * 100_000,
    "{{7*7}} ${7*7} %00 \x07 & < ' \"",
)

_KINDS = ["hidden", "array", "string", "object", "code", "closure", "regexp", "number", "native", "synthetic"]
_META = {
    "node_fields": ["type", "name", "id", "self_size", "edge_count"],
    "node_types": [_KINDS, "string", "number", "number", "number"],
    "edge_fields": ["type", "name_or_index", "to_node"],
    "edge_types": [
        ["context", "element", "property", "internal", "hidden", "shortcut", "weak"],
        "string_or_number",
        "node",
    ],
}


def heap(path: Path, names: Sequence[str] = NAMES) -> Path:
    """A heap snapshot of V8 in which a class, a field and a string have each name; each holds the next."""
    strings: list[str] = []

    def text(value: str) -> int:
        strings.append(value)
        return len(strings) - 1

    width, nodes, edges = len(_META["node_fields"]), [], []
    count = 2 + 2 * len(names)
    objects = [2 + 2 * number for number in range(len(names))]
    nodes += [_KINDS.index("synthetic"), text(""), 1, 0, 1]
    edges += [1, 1, 1 * width]
    nodes += [_KINDS.index("synthetic"), text("(GC roots)"), 3, 0, len(names)]
    for number, name in zip(objects, names, strict=True):
        edges += [2, text(name), number * width]
    for place, (number, name) in enumerate(zip(objects, names, strict=True)):
        after = objects[place + 1 : place + 2]
        nodes += [_KINDS.index("object"), text(name), 5 + 4 * place, 1_000_000 + place, 1 + len(after)]
        edges += [2, text(name), (number + 1) * width]
        for other in after:
            edges += [2, text(name), other * width]
        nodes += [_KINDS.index("string"), text(name), 7 + 4 * place, 100, 0]
    told = {
        "snapshot": {"meta": _META, "node_count": count, "edge_count": len(edges) // 3, "trace_function_count": 0},
        "nodes": nodes,
        "edges": edges,
        "strings": strings,
    }
    path.write_text(json.dumps(told))
    return path


def profile(path: Path, names: Sequence[str] = NAMES) -> Path:
    """A heap profile of pprof in which a function, its file and the file of its binary have each name."""
    strings = ["", "inuse_space", "bytes", *names]
    numbers = range(3, len(strings))
    kind = _field(1, _number(1, 1) + _number(2, 2))
    samples = b"".join(
        _field(
            2,
            _number(1, at - 2)
            + b"".join(_number(1, other - 2) for other in numbers if other < at)
            + _number(2, 1000 * at),
        )
        for at in numbers
    )
    binary = _field(3, _number(1, 1) + _number(2, 0x1000) + _number(3, 0x9000) + _number(5, 3))
    locations = b"".join(
        _field(4, _number(1, at - 2) + _number(2, 1) + _field(4, _number(1, at - 2) + _number(2, at))) for at in numbers
    )
    functions = b"".join(
        _field(5, _number(1, at - 2) + _number(2, at) + _number(3, at) + _number(4, at)) for at in numbers
    )
    texts = b"".join(_field(6, text.encode()) for text in strings)
    path.write_bytes(gzip.compress(kind + samples + binary + locations + functions + texts))
    return path


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data
