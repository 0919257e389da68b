"""A heap dump of a program whose names are made to break pages."""

import json

HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "\" onmouseover='document.title=1' x=\"",
)


def hostile_heap() -> bytes:
    """A V8 heap snapshot of objects of these types, with such names for their references."""
    fields = ["type", "name", "id", "self_size", "edge_count"]
    meta = {
        "node_fields": fields,
        "node_types": [["synthetic", "object"], "string", "number", "number", "number"],
        "edge_fields": ["type", "name_or_index", "to_node"],
        "edge_types": [["property"], "string_or_number", "node"],
    }
    nodes, edges = [0, 0, 1, 0, len(HOSTILE)], []
    for number in range(len(HOSTILE)):
        nodes += [1, number + 1, 2 * number + 3, 100 * (number + 1), 0]
        edges += [0, number + 1, (number + 1) * len(fields)]
    head = {"meta": meta, "node_count": len(HOSTILE) + 1, "edge_count": len(HOSTILE)}
    return json.dumps({"snapshot": head, "nodes": nodes, "edges": edges, "strings": ["", *HOSTILE]}).encode()
