"""Strings of a JVM heap dump that have equal contents: what is compared are the bytes of their arrays."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable

from caulk._core import graph as kernel
from caulk._core.hprof_contents import texts
from caulk._core.hprof_cursor import Cursor
from caulk.formats.contents import most_wasted, repeated_share
from caulk.formats.hprof.contents import STRING, Contents, Text
from caulk.formats.hprof.counting import PIECES, SAMPLED, pieces
from caulk.formats.hprof.records import read_header, read_records
from caulk.model.column import Column
from caulk.model.contents import Duplicate, Duplicates
from caulk.model.graph import STRENGTH_SHIFT, WEAK, ObjectGraph

#: References to an array that are looked at for a string: nearly always it is the only one.
_REFERRERS = 64
#: Bytes of the record of a string, which comes with that of its text: its head, and the fields of JDK 9 and later.
_STRING = 25 + 18


def duplicates(data: bytes, graph: ObjectGraph, held: Column, *, rows: int, objects: int) -> Duplicates:
    """The contents that several strings have an array of their own for; strings that share one share it here too.

    A copy takes its array and a string. Two passes over the dump, after those that number its objects.
    """
    values = Contents(data)
    content, found = values.equal_arrays(graph, held)
    copies, samples, numbers = found[::4], found[2::4], found[3::4]
    strings = _strings(graph, held, samples[:1])
    own = sum(map(graph.size_of, strings.values()))
    wasted = array("q", ((n - 1) * (graph.size_of(each) + own) for n, each in zip(copies, samples, strict=True)))
    best, members = most_wasted(content, copies, numbers, wasted, rows=rows, objects=objects)
    strings = _strings(graph, held, (samples[at] for at in best))
    texts = values.texts((string, each) for each, string in strings.items())
    # In a damaged dump a string may be known by nothing but its array.
    shown = [texts.get(strings.get(samples[at], 0)) or Text(0, 0, "latin-1", found[4 * at + 1]) for at in best]
    return Duplicates(
        rows=[
            Duplicate(copies[at], text.length, wasted[at], those)
            for at, text, those in zip(best, shown, members, strict=True)
        ],
        contents=len(copies),
        copies=sum(copies),
        wasted=sum(wasted),
        text=lambda row, most: values.decoded(shown[row], most),
    )


def repeated(data: bytes) -> float:
    """The share of the dump that equal texts take beside one of each, by pieces from all over it.

    Any array that may be a text is taken for one: who holds it is not known without numbering all objects.
    """
    header = read_header(data[:64])
    cursor = Cursor(data, header.id_size)
    heap = read_records(data, header, cursor).heap
    all_texts: list[tuple[int, int]] = []
    looked = 0
    for piece, times in pieces(heap).items():
        found, size = texts(cursor, heap[2 * piece], heap[2 * piece + 1], times * SAMPLED // PIECES)
        all_texts += zip(found[::2], (each + _STRING for each in found[1::2]), strict=True)
        looked += size
    return repeated_share(all_texts, looked)


def _strings(graph: ObjectGraph, held: Column, arrays: Iterable[int]) -> dict[int, int]:
    """A string that each array is the text of, by array."""
    wanted = bytearray(len(graph))
    for number in arrays:
        wanted[number] = 1
    found: dict[int, int] = {}
    limit = (WEAK + 1) << STRENGTH_SHIFT
    for edge in kernel.references_to(graph.target, graph.label, limit, wanted, _REFERRERS):
        source = bisect_right(graph.first, edge) - 1
        if held[source] >= 0 and graph.type_name(source) == STRING:
            found.setdefault(graph.target[edge], source)
    return found
