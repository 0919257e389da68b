"""Dumps beyond 4 GiB: what lies behind is found, and what is so large has its real size.

They lie in memory that nobody has written to where the much of nothing is, so they take no room and hardly any time.
"""

import mmap
import struct

import pytest
from cgraphs import FIELD, ROOT, CGraph
from hprofs import BYTE, LONG, OBJECT, Hprof
from snapshots import snapshot
from valid import check

from caulk import _core, formats
from caulk.formats.source import Source
from caulk.model.graph import ObjectGraph

GIB = 1 << 30
NODE, NODES, LONGS, ALL = 0x100, 0x110, 0x120, 0x800
COMPILED = pytest.mark.skipif(not _core.COMPILED, reason="without compiled kernels it takes an hour")
#: A number stands for so many bytes of nothing.
Piece = bytes | int


def read(*pieces: Piece) -> ObjectGraph:
    """The graph in what the pieces make, one behind the other."""
    length = sum(piece if isinstance(piece, int) else len(piece) for piece in pieces)
    data = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for piece in pieces:
        if isinstance(piece, int):
            data.seek(piece, 1)
        else:
            data.write(piece)
    graph = formats.snapshot(Source("dump", data, length))
    check(graph)
    return graph


def begun(version: str = "1.0.2") -> Hprof:
    dump = Hprof(version).loaded(com__example__Node=NODE)
    return dump.loaded_as("[Lcom/example/Node;", NODES).loaded_as("[J", LONGS)


def array(dump: Hprof, id: int, kind: int, length: int) -> bytes:
    """The head of an array of primitives."""
    return b"\x23" + dump.id(id) + bytes(4) + struct.pack(">IB", length, kind)


def listed(dump: Hprof, start: int, count: int) -> bytes:
    """A linked list of nodes from an address on."""
    ids = [start + 0x20 * i for i in range(count)]
    return b"".join(dump.instance(id, NODE, (OBJECT, to), (LONG, 1)) for id, to in zip(ids, (*ids[1:], 0), strict=True))


def classes(dump: Hprof, head: int) -> bytes:
    statics = [("ALL", OBJECT, head)]
    node = dump.klass(NODE, fields=[("next", OBJECT), ("at", LONG)], statics=statics)
    return node + dump.klass(NODES) + dump.klass(LONGS) + dump.root(0x05, NODE)


def nodes(graph: ObjectGraph) -> int:
    return sum(graph.type_name(number) == "com.example.Node" for number in range(len(graph)))


def test_a_heap_record_beyond_4_gib_has_lost_the_upper_bits_of_its_length():
    dump = begun("1.0.1")
    most, arrays = (1 << 31) - 1, 3
    body = classes(dump, 0x1000) + listed(dump, 0x1000, 4)
    heads = [array(dump, 1 << 33 | i << 32, BYTE, most) for i in range(arrays)]
    tail = listed(dump, 0x9000, 8)
    length = len(body) + arrays * (len(heads[0]) + most) + len(tail)
    holes: list[Piece] = [piece for head in heads for piece in (head, most)]
    graph = read(dump.data, struct.pack(">BII", 0x0C, 0, length & 0xFFFFFFFF), body, *holes, tail)
    assert nodes(graph) == 12
    assert graph.coverage == 1
    # Where the length leads nowhere the records themselves tell the end.
    assert nodes(read(dump.data, struct.pack(">BII", 0x0C, 0, 77), body, *holes, tail)) == 12


def test_segments_behind_4_gib_are_read_to_the_last():
    dump = begun()
    pieces: list[Piece] = [dump.heap(classes(dump, 0x1000), listed(dump, 0x1000, 2)).data]
    for i in range(1, 6):
        head, more = array(dump, i << 36, LONG, GIB // 8), listed(dump, 0x1000 * (i + 1), 2)
        length = len(head) + GIB + len(more)
        pieces += [struct.pack(">BII", 0x1C, 0, length) + head, GIB, more]
    graph = read(*pieces, struct.pack(">BII", 0x2C, 0, 0))
    assert nodes(graph) == 12
    assert graph.coverage == 1
    assert sum(graph.size) > 5 * GIB


@COMPILED
def test_an_array_of_2_gib_of_references_and_one_of_4_gib_have_their_real_sizes():
    dump = begun()
    length = GIB // 4
    objects = b"\x22" + dump.id(ALL) + bytes(4) + struct.pack(">I", length) + dump.id(NODES)
    longs, count = array(dump, 1 << 36, LONG, 2 * length), 2 * length
    end = dump.id(0x1000)
    graph = read(
        dump.data + struct.pack(">BII", 0x1C, 0, 0) + classes(dump, ALL) + listed(dump, 0x1000, 1) + objects,
        8 * length - len(end),
        # The last element is the only one that is not null.
        end + longs,
        8 * count,
        dump.root(0x01, 1 << 36, 1),
    )
    held = {graph.type_name(each.target): each.target for each in graph.references(0)}
    assert graph.size_of(held["long[]"]) == 8 * count + 16
    assert list(graph.large) == [held["long[]"]]
    (table,) = [number for number in range(len(graph)) if graph.type_name(number) == "com.example.Node[]"]
    assert graph.size_of(table) >= 4 * length
    assert [graph.type_name(each.target) for each in graph.references(table)] == ["com.example.Node"]


@COMPILED
def test_the_sections_of_a_snapshot_may_lie_behind_4_gib():
    whole = snapshot(
        """
        root = synthetic ''
        cache = object 'Cache' 5000000000
        quote = object 'Quote' 32
        root property 'cache' -> cache
        cache property 'last' -> quote
        """
    )
    at = whole.index(b'"nodes"')
    # A text of nothing in a section that nobody needs; the first bytes tell what a file is, and are text.
    begun = whole[:at] + b'"more":["' + b" " * 4096
    graph = read(begun, 4 * GIB + 7, b'"],' + whole[at:])
    assert graph.coverage == 1
    assert [graph.type_name(number) for number in range(3)] == ["(roots)", "Cache", "Quote"]
    assert [str(each.label) for each in graph.references(1)] == [".last"]
    assert graph.size_of(1) == 5_000_000_000


def test_the_blocks_of_a_cpython_graph_may_lie_behind_4_gib():
    begun = CGraph().block(b"INFO", b"python 3.12.3\n").strings("builtins", "list", "module")
    start = begun.data + b"MORE" + struct.pack("<IQ", 0, 5 * GIB)
    end = CGraph().types((0x10, 1 << 25, 0, 1)).labels((FIELD, 0, 1), (ROOT, 0, 2)).shape(0)
    end.objects([0x1000, 0x2000], [0x2000], [0, 0xFFFFFFFF, 0, 1, 0, 64, 0, 0])
    end.pairs(b"ROOT", "Q", (0x1000, 1)).pairs(b"BIGS", "Q", (0x1000, 6 * GIB)).end()
    graph = read(start, 5 * GIB, end.data[16:])
    assert graph.coverage == 1
    assert sorted(graph.size_of(number) for number in range(len(graph))) == [0, 64, 6 * GIB]
