"""Small V8 heap snapshots from a few lines of text, for tests."""

import json
import re
from collections.abc import Iterable, Sequence

NODE_TYPES = [
    "hidden", "array", "string", "object", "code", "closure", "regexp", "number", "native", "synthetic",
    "concatenated string", "sliced string", "symbol", "bigint", "object shape",
]  # fmt: skip
EDGE_TYPES = ["context", "element", "property", "internal", "hidden", "shortcut", "weak"]
FIELDS = ("type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness")
SECTIONS = ("snapshot", "nodes", "edges", "trace_function_infos", "trace_tree", "samples", "locations", "strings")
_NODE = re.compile(r"(?P<label>\w+) = (?P<type>[a-z ]+?) '(?P<name>[^']*)'(?: (?P<size>\d+))?(?: state (?P<state>\d))?")
_EDGE = re.compile(r"(?P<from>\w+) (?P<type>\w+) (?:'(?P<name>[^']*)' )?-> (?P<to>\w+)")


def snapshot(
    text: str,
    *,
    fields: Sequence[str] = FIELDS,
    edge_fields: Sequence[str] = ("type", "name_or_index", "to_node"),
    order: Iterable[str] = SECTIONS,
    lines: Iterable[tuple[str, int]] = (),
    root: str = "",
) -> bytes:
    """A snapshot of lines `a = object 'Quote' 24` (24 bytes) and `a property 'bid' -> b`; the first node is the root.

    Ids are 1, 3, 5 … in the order of the nodes; `lines` are the locations of closures. Strings are numbered as they
    come, after V8's `<dummy>`.
    """
    nodes: dict[str, re.Match[str]] = {}
    edges: dict[str, list[re.Match[str]]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if match := _NODE.fullmatch(line):
            nodes[match["label"]] = match
        else:
            match = _EDGE.fullmatch(line)
            assert match, line
            edges.setdefault(match["from"], []).append(match)
    numbers = {label: number for number, label in enumerate(nodes)}
    strings = {"<dummy>": 0}
    node_row: list[int] = []
    for label, node in nodes.items():
        values = {
            "type": NODE_TYPES.index(node["type"]),
            "name": strings.setdefault(node["name"], len(strings)),
            "id": 2 * numbers[label] + 1,
            "self_size": int(node["size"] or 0),
            "edge_count": len(edges.get(label, ())),
            "trace_node_id": 0,
            "detachedness": int(node["state"] or 0),
        }
        node_row += [values[field] for field in fields]
    edge_row: list[int] = []
    for label in nodes:
        for edge in edges.get(label, ()):
            is_index = edge["type"] in ("element", "hidden")
            values = {
                "type": EDGE_TYPES.index(edge["type"]),
                "name_or_index": 0 if is_index else strings.setdefault(edge["name"], len(strings)),
                "to_node": numbers[edge["to"]] * len(fields),
            }
            edge_row += [values[field] for field in edge_fields]
    meta = {
        "node_fields": list(fields),
        "node_types": [NODE_TYPES if field == "type" else "number" for field in fields],
        "edge_fields": list(edge_fields),
        "edge_types": [EDGE_TYPES if field == "type" else "node" for field in edge_fields],
        "location_fields": ["object_index", "script_id", "line", "column"],
    }
    header = {"meta": meta, "node_count": len(nodes), "edge_count": sum(map(len, edges.values()))}
    if root:
        header["root_index"] = numbers[root] * len(fields)
    sections = {
        "snapshot": header,
        "nodes": node_row,
        "edges": edge_row,
        "trace_function_infos": [],
        "trace_tree": [],
        "samples": [],
        "locations": [n for label, line in lines for n in (numbers[label] * len(fields), 7, line, 3)],
        "strings": list(strings),
    }
    return json.dumps({name: sections[name] for name in order}, separators=(",", ":")).encode()
