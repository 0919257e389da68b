"""Answers for machines: an analysis in its published schema, tables and trees as plain objects.

The same answer gives the same bytes: fields keep their order, and nothing depends on time or hashing.
"""

from array import array
from typing import Any

import msgspec

from caulk._core import stacks
from caulk.model.diagram import Graph
from caulk.model.records import Analysis
from caulk.model.table import Stacks, Table

NAME = "json"


def render(answer: Table | Stacks | Graph | Analysis) -> str:
    """Indented JSON with a `schema` key."""
    value: Any = answer
    if isinstance(answer, Table):
        value = _table(answer)
    elif isinstance(answer, Stacks):
        value = _stacks(answer)
    elif isinstance(answer, Graph):
        value = _graph(answer)
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of `caulk.analysis/1`."""
    return msgspec.json.schema(Analysis)


def _table(table: Table) -> dict[str, Any]:
    keys = [heading.key for heading in table.headings]
    return {
        "schema": "caulk.table/1",
        "report": table.name,
        **table.extra,
        "notes": table.notes,
        "headings": [
            {"key": heading.key, "title": heading.title, "kind": heading.kind, "signed": heading.signed}
            for heading in table.headings
        ],
        "rows": [dict(zip(keys, row, strict=True)) for row in table.rows],
    }


def _graph(graph: Graph) -> dict[str, Any]:
    """Nodes, and edges between their places in the list."""
    return {
        "schema": "caulk.graph/1",
        "report": graph.name,
        "measure": graph.measure.name,
        "unit": graph.measure.unit,
        "total": graph.total,
        "signed": graph.signed,
        "notes": graph.notes,
        "nodes": graph.nodes,
        "edges": [
            {"from": edge.source, "to": edge.target, "value": edge.value, "is_residual": edge.is_residual}
            for edge in graph.edges
        ],
    }


def _stacks(answer: Stacks) -> dict[str, Any]:
    """Nodes from the root on, each with its parent's number; children follow their parents."""
    tree = answer.tree
    totals = stacks.totals(tree.parent, tree.values[0])
    frames = tree.frames
    nodes: list[dict[str, Any]] = [{"parent": -1, "function": "", "flat": tree.values[0][0], "cum": totals[0]}]
    numbers = {0: 0}
    # A branch whose parts cancel out is still a branch: what counts is whether anything in it is not zero.
    weight = stacks.totals(tree.parent, array("q", map(abs, tree.values[0])))
    for node in stacks.preorder(tree.parent)[1:]:
        if not weight[node]:
            continue
        numbers[node] = len(nodes)
        frame = tree.frame[node]
        nodes.append(
            {
                "parent": numbers[tree.parent[node]],
                "function": frames.function_name(frame),
                "file": frames.file_name(frame),
                "line": frames.line[frame],
                "flat": tree.values[0][node],
                "cum": totals[node],
            }
        )
    return {
        "schema": "caulk.tree/1",
        "report": answer.name,
        "measure": answer.measure.name,
        "unit": answer.measure.unit,
        "total": answer.total,
        "signed": answer.signed,
        "notes": answer.notes,
        "nodes": nodes,
    }
