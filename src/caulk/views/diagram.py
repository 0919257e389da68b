"""Diagrams as tables, for who reads text, and in the language of Graphviz, for who draws them (`dot -Tsvg`)."""

from collections.abc import Iterator

from caulk.model.diagram import Graph
from caulk.model.table import Heading, Kind, Table
from caulk.model.units import format_share, format_value
from caulk.views.flame import shortened
from caulk.views.markup import plain

NAME = "dot"
#: Characters of a name in a box.
_ROOM = 60
#: Points of the largest letters and the thickest line.
_LETTERS, _LINE = 24, 6


def table(graph: Graph) -> Table:
    """The edges, heaviest first, each with what its ends have themselves; nodes without an edge stand alone."""
    joined = {end for edge in graph.edges for end in (edge.source, edge.target)}
    alone = [number for number in range(len(graph.nodes)) if number not in joined]
    unit = graph.measure.unit
    kind: Kind = "bytes" if unit == "bytes" else "nanoseconds" if unit == "nanoseconds" else "count"
    whole = graph.total or 1
    rows = [
        (
            edge.value,
            edge.value / whole,
            graph.nodes[edge.source].name,
            "⇢" if edge.is_residual else "→",
            graph.nodes[edge.target].name,
        )
        for edge in graph.edges
    ]
    rows += [(graph.nodes[n].total, graph.nodes[n].total / whole, graph.nodes[n].name, "", "") for n in alone]
    headings = (
        Heading("value", "value", kind, signed=graph.signed),
        Heading("share", "share", "share", signed=graph.signed),
        Heading("from", "from"),
        Heading("by", ""),
        Heading("to", "to"),
    )
    notes = (*graph.notes, "⇢ leads past others that are not shown") if "⇢" in {row[3] for row in rows} else graph.notes
    return Table(graph.name, headings, sorted(rows, key=lambda row: -abs(row[0])), notes)


def render(graph: Graph) -> str:
    """The graph as a `digraph`: letters as large as what a node has itself, lines as thick as what passes there."""
    return "\n".join(["digraph caulk {", *_lines(graph), "}"]) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    whole = abs(graph.total) or 1
    yield 'node [shape=box, style=filled, fillcolor="#f4f4f4", fontname="sans-serif"];'
    yield f'label={_quoted(" · ".join(graph.notes))}; labelloc=t; fontname="sans-serif";'
    for number, node in enumerate(graph.nodes):
        own, total = (_value(graph, value) for value in (node.own, node.total))
        said = f"{shortened(plain(node.name), _ROOM)}\n{own} ({format_share(node.own / whole)})\nof {total}"
        size = 8 + (_LETTERS - 8) * min(abs(node.own) / whole, 1) ** 0.5
        yield f"N{number} [label={_quoted(said)}, fontsize={size:.0f}, tooltip={_quoted(node.location or node.name)}];"
    for edge in graph.edges:
        width = 1 + (_LINE - 1) * min(abs(edge.value) / whole, 1)
        style = ", style=dashed" if edge.is_residual else ""
        said = _quoted(_value(graph, edge.value))
        yield f"N{edge.source} -> N{edge.target} [label={said}, penwidth={width:.1f}{style}];"


def _value(graph: Graph, value: int) -> str:
    return format_value(value, graph.measure.unit, signed=graph.signed)


def _quoted(text: str) -> str:
    """A string of DOT, of which no character can end it or begin an escape: one would be the node's name."""
    lines = [plain(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return '"' + "\\n".join(lines) + '"'
