"""V8 heap snapshots without values: the same nodes, sizes and references, and of the strings those that name code.

The snapshot is written anew, in the layout that Chrome reads. A string that is content of a node is told apart from the
same string as a name: the nodes of strings, numbers, symbols and regular expressions all have one name, keys another.
Names of constructors, functions, fields, variables and scripts stay. Indexes begin anew in each object, for they may be
keys. Left out: allocation stacks and samples.
"""

import json
from array import array
from collections.abc import Iterator
from itertools import compress
from mmap import mmap

from caulk._core import snapshot_redaction as kernel
from caulk._core.heap_rows import lengthened
from caulk.formats.heap_snapshot.meanings import meaning
from caulk.formats.heap_snapshot.names import Text, name_alone
from caulk.formats.heap_snapshot.text import EDGES, NODES, Snapshot, sections
from caulk.model.column import Ints
from caulk.ports import Write

#: In the kernel's order. None of them could be a name in a program: each is read as data, wherever it stands.
_INSTEAD = ("[redacted]", "[key]", "[cut off]")
_META = {
    "node_fields": ["type", "name", "id", "self_size", "edge_count", "detachedness"],
    "node_types": [[*NODES, "other"], "string", "number", "number", "number", "number"],
    "edge_fields": ["type", "name_or_index", "to_node"],
    "edge_types": [list(EDGES), "string_or_number", "node"],
    "trace_function_info_fields": [
        "function_id", "name", "script_name", "script_id", "line", "column",
    ],
    "trace_node_fields": ["id", "function_info_index", "count", "size", "children"],
    "sample_fields": ["timestamp_us", "last_assigned_id"],
    "location_fields": ["object_index", "script_id", "line", "column"],
}  # fmt: skip
_ROW = 6
_ROWS = 1 << 14
_PAIR = 5
_OF_NODE, _OF_NATIVE = 2, 4


def redact(data: bytes | mmap, write: Write) -> tuple[str, ...]:
    """Write the snapshot without contents; memory is what reading takes, and 4 bytes an edge."""
    snapshot = sections(data, located=("closure", "object"))
    means, meant = meaning(data, snapshot)
    was = lengthened(snapshot.what, len(snapshot.what))
    labels = meant.labels()
    kept = array("B", bytes(len(snapshot.strings) - 1))
    kernel.name_nodes(snapshot.kind, snapshot.name, kept)
    kernel.name_edges(snapshot.first, snapshot.target, was, snapshot.what, labels, means, kept)
    numbers = kernel.renumber(kept)
    nodes, edges = snapshot.claimed
    header = {
        "meta": _META,
        "node_count": nodes,
        "edge_count": edges,
        "trace_function_count": 0,
        "extra_native_bytes": snapshot.memory.get("native outside of the heap", 0),
        "redacted": True,
    }
    write(f'{{"snapshot":{json.dumps(header, separators=(",", ":"))},\n"nodes":['.encode())
    columns = (snapshot.kind, snapshot.name, snapshot.number, snapshot.size, snapshot.first)
    _joined(write, (kernel.node_rows(*part, columns, numbers, snapshot.large) for part in _parts(len(snapshot.kind))))
    write(b'],\n"edges":[')
    total = len(snapshot.kind)
    parts = _parts(len(was))
    _joined(write, (kernel.edge_rows(*part, was, snapshot.target, numbers, total) for part in parts))
    write(b'],\n"trace_function_infos":[],\n"trace_tree":[],\n"samples":[],\n"locations":[')
    _joined(write, _locations(snapshot))
    write(b'],\n"strings":[')
    texts = Text(data, snapshot.strings)
    _joined(write, (_json(text) for text in _strings(texts, kept, means)))
    write(b"]}\n")
    return snapshot.warnings


def _strings(texts: Text, kept: Ints, means: Ints) -> Iterator[str]:
    for number in compress(range(len(kept)), kept):
        text = texts[number]
        if means[number] == _PAIR:
            # What both ends of a pair are called stands in the name of the edge.
            index, _, rest = text.partition(" / ")
            text = (
                f"{index} / part of key (key @0) -> value (value @0) pair in WeakMap {rest[rest.rindex('(table @') :]}"
            )
        elif kept[number] & _OF_NODE:
            text = name_alone(text, is_native=bool(kept[number] & _OF_NATIVE))
        yield text
    yield from _INSTEAD


def _locations(snapshot: Snapshot) -> Iterator[bytes]:
    columns = (snapshot.located, snapshot.script, snapshot.line, snapshot.column)
    for node, *place in zip(*columns, strict=True):
        yield b"%d,%d,%d,%d," % (_ROW * node, *place)


def _json(text: str) -> bytes:
    # Halves of surrogate pairs can be said by escapes alone.
    return json.dumps(text).encode() + b","


def _parts(count: int) -> Iterator[tuple[int, int]]:
    return ((at, min(at + _ROWS, count)) for at in range(0, count, _ROWS))


def _joined(write: Write, pieces: Iterator[bytes | bytearray]) -> None:
    """Write pieces that each end with a comma, but for the last comma."""
    batch = bytearray()
    for piece in pieces:
        if len(batch) > 1 << 18:
            write(batch)
            batch = bytearray()
        batch += piece
    write(batch[:-1])
