"""Strings of a V8 heap snapshot that have equal contents.

V8 writes equal texts once, so equal texts have equal numbers; but it cuts texts at 1,024 characters, so of those only
what is of one size is taken for equal. Concatenated and sliced strings are left out: their text is elsewhere.
"""

from array import array
from collections.abc import Iterator
from mmap import mmap

from caulk._core import contents as kernel
from caulk._core.heap_rows import Rows
from caulk.formats.contents import most_wasted, repeated_share
from caulk.formats.heap_snapshot.names import Text
from caulk.formats.heap_snapshot.text import NODES, Reader, node_layout, sections
from caulk.model.column import Column
from caulk.model.contents import Duplicate, Duplicates
from caulk.model.graph import ObjectGraph

#: UTF-16 units of a text that V8 writes.
_CUT = 1024
#: Pieces of the nodes' text that are looked at for equal strings, and bytes of each.
_PIECES, _PIECE = 64, 32 << 10
#: The bits of a node's kind that are not its detachedness, and strings that have their text.
_KIND, _STRING = 31, NODES.index("string")


def repeated(data: bytes | mmap) -> float:
    """The share of the nodes' bytes that equal texts take beside one of each, by pieces from all over the nodes."""
    reader = Reader(data, (), ())
    scanner = reader.scanner
    if not scanner.enter() or scanner.key() != b"snapshot":
        return 0.0
    header = reader.described()
    layout, kinds = node_layout(header.meta)
    if scanner.key() != b"nodes":
        return 0.0
    texts: list[tuple[int, int]] = []
    looked = 0
    for rows in _pieces(data, scanner.position, header.node_count, fields=layout[0]):
        some = Rows(b"[" + rows + b"]", 0, layout, kinds)
        kind, name, _, size, _ = some.nodes(rows.count(b"\n") + 1)
        looked += sum(size)
        texts += (
            (text, own) for each, text, own in zip(kind, name, size, strict=True) if each & _KIND == _STRING and own
        )
    return repeated_share(texts, looked)


def _pieces(data: bytes | mmap, start: int, count: int, *, fields: int) -> Iterator[bytes]:
    """Rows from all over the nodes: V8 writes one a line, so a piece can begin at any line."""
    first = data[start : start + _PIECE].split(b"\n")
    # Numbers grow on the way; where they do not, the last pieces are of another section, whose lines are shorter.
    length = min(round(1.2 * count * sum(map(len, first)) / len(first)), len(data) - start)
    step = max(length // _PIECES, 1)
    for at in range(start, start + length, step):
        rows = data[at : at + min(step, _PIECE)].partition(b"\n")[2].rpartition(b"\n")[0].strip(b",\r\n ")
        if rows[: rows.find(b"\n") + 1].strip(b",\r\n ").count(b",") == fields - 1:
            yield rows


def duplicates(data: bytes | mmap, graph: ObjectGraph, held: Column, *, rows: int, objects: int) -> Duplicates:
    """The texts that several held strings have, each with one size: two sizes of a text are two rows."""
    snapshot = sections(data, without=(b"edges", b"locations"))
    texts = Text(data, snapshot.strings)
    content, found = kernel.equal_texts(
        snapshot.kind, snapshot.name, graph.size, held, max(len(snapshot.strings) - 1, 0)
    )
    copies, numbers = found[::4], found[3::4]
    wasted = array("q", ((n - 1) * size for n, size in zip(copies, found[2::4], strict=True)))
    best, members = most_wasted(content, copies, numbers, wasted, rows=rows, objects=objects)
    shown = [texts[found[4 * at + 1]] for at in best]
    lengths = [len(text.encode("utf-16-le", "surrogatepass")) // 2 for text in shown]
    return Duplicates(
        rows=[
            Duplicate(copies[at], length, wasted[at], those, is_certain=length < _CUT)
            for at, length, those in zip(best, lengths, members, strict=True)
        ],
        contents=len(copies),
        copies=sum(copies),
        wasted=sum(wasted),
        text=lambda row, most: shown[row][:most],
    )
