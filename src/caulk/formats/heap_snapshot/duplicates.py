"""Strings of a V8 heap snapshot that have equal contents.

V8 writes equal texts once, so equal texts have equal numbers; but it cuts texts at 1,024 characters, so of those only
what is of one size is taken for equal. Concatenated and sliced strings are left out: their text is elsewhere.
"""

from array import array
from mmap import mmap

from caulk._core import contents as kernel
from caulk.formats.contents import most_wasted
from caulk.formats.heap_snapshot.names import Text
from caulk.formats.heap_snapshot.text import sections
from caulk.model.column import Column
from caulk.model.contents import Duplicate, Duplicates
from caulk.model.graph import ObjectGraph

#: UTF-16 units of a text that V8 writes.
_CUT = 1024


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
