"""Dumps of a shape that breaks what recurses, or what makes a Python object for each thing: long, wide, many names.

`SHAPES[format][shape](count)` is a dump; a million of anything is written in a second or two.
"""

import json
import struct
from collections.abc import Callable, Iterable, Mapping

import cgraphs
import pyheaps
import snapshots
from cgraphs import CGraph
from hprofs import BYTE, OBJECT, Hprof

NODE, NODES, HOLDER, AT = 0x100, 0x200, 0x300, 0x10000
_PYTHON_TYPE, _PYTHON_LIST, _PYTHON_STR = 0x10, 0x20, 0x30


def hprof_chain(count: int) -> bytes:
    """A linked list in a static field."""
    dump = Hprof().loaded(com__example__Node=NODE)
    next_ = range(AT + 16, AT + 16 * count, 16)
    body = dump.instance(0, NODE, (OBJECT, 0))
    head, middle = body[:1], body[9:-8]
    ids = [id.to_bytes(8, "big") for id in (AT, *next_)]
    nodes = b"".join(b"".join((head, id, middle, to)) for id, to in zip(ids, (*ids[1:], bytes(8)), strict=True))
    class_ = dump.klass(NODE, fields=[("next", OBJECT)], statics=[("HEAD", OBJECT, AT)])
    return dump.heap(class_, dump.root(0x05, NODE), nodes).end().data


def hprof_array(count: int) -> bytes:
    """An array of objects in a static field."""
    dump = Hprof().loaded(com__example__Node=NODE).loaded_as("[Lcom/example/Node;", NODES)
    body = dump.instance(0, NODE)
    ids = [id.to_bytes(8, "big") for id in range(AT, AT + 16 * count, 16)]
    class_ = dump.klass(NODE, statics=[("ALL", OBJECT, HOLDER)])
    array = dump.objects(HOLDER, NODES)
    array = array[:13] + struct.pack(">I", count) + array[17:] + b"".join(ids)
    nodes = b"".join(b"".join((body[:1], id, body[9:])) for id in ids)
    return dump.heap(class_, dump.klass(NODES), dump.root(0x05, NODE), array, nodes).end().data


def hprof_roots(count: int) -> bytes:
    """Objects that nothing but a root holds, each."""
    dump = Hprof().loaded(com__example__Node=NODE)
    body = dump.instance(0, NODE)
    ids = [id.to_bytes(8, "big") for id in range(AT, AT + 16 * count, 16)]
    nodes = b"".join(b"".join((body[:1], id, body[9:], b"\x01", id, id)) for id in ids)
    return dump.heap(dump.klass(NODE), nodes).end().data


def hprof_names(count: int) -> bytes:
    """Classes of different names, a static field of its own in each, and an instance."""
    dump = Hprof()
    record, load = struct.Struct(">BIIQ"), struct.Struct(">BIIIQIQ")
    class_ = dump.klass(0, statics=[("x", OBJECT, 0)])
    instance = dump.instance(0, NODE)
    names, parts = [dump.data], []
    for i in range(count):
        id, name = AT + 16 * i, 0x7000000 + i
        text = b"p%d" % i
        names += [record.pack(1, 0, 8 + len(text), name), text, load.pack(2, 0, 24, i, id, 0, name)]
        object_ = 0x70000000 + 16 * i
        parts += [class_[:1], struct.pack(">Q", id), class_[9:67], struct.pack(">HQBQH", 1, name, 2, object_, 0)]
        parts += [instance[:1], struct.pack(">Q", object_), instance[9:13], struct.pack(">QI", id, 0)]
        parts += [b"\x05", struct.pack(">Q", id)]
    dump.data = b"".join(names)
    return dump.heap(*parts).end().data


def hprof_fields(count: int) -> bytes:
    """A class with fields, and an instance that has a value in each."""
    dump = Hprof().loaded(com__example__Node=NODE)
    name = dump.name("f")
    class_ = dump.klass(NODE, statics=[("ALL", OBJECT, AT)])[:-2] + struct.pack(">H", count) + (name + b"\2") * count
    node = dump.instance(AT, NODE)[:-4] + struct.pack(">I", 8 * count) + struct.pack(">Q", HOLDER) * count
    return dump.heap(class_, dump.root(0x05, NODE), node, dump.primitives(HOLDER, BYTE, 1)).end().data


def _snapshot(nodes: Iterable[str], edges: Iterable[str], strings: Iterable[str]) -> bytes:
    """A snapshot of rows `type,name,id,size,edges` and `type,name or index,target`."""
    frame = json.loads(snapshots.snapshot("root = synthetic ''", fields=snapshots.FIELDS[:5]))
    nodes, edges = list(nodes), list(edges)
    header = json.dumps(frame["snapshot"] | {"node_count": len(nodes), "edge_count": len(edges)})
    text = ",".join(f'"{text}"' for text in strings)
    return (
        f'{{"snapshot":{header},"nodes":[{",".join(nodes)}],"edges":[{",".join(edges)}],"locations":[],'
        f'"strings":[{text}]}}'
    ).encode()


_OBJECT, _CLOSURE, _ROOT = (snapshots.NODE_TYPES.index(name) for name in ("object", "closure", "synthetic"))
_ELEMENT, _PROPERTY, _CONTEXT = (snapshots.EDGE_TYPES.index(name) for name in ("element", "property", "context"))


def v8_chain(count: int) -> bytes:
    """A linked list."""
    nodes = [f"{_ROOT},0,1,0,1", *(f"{_OBJECT},1,{2 * i + 3},16,1" for i in range(count - 1))]
    return _snapshot(
        [*nodes, f"{_OBJECT},1,{2 * count + 1},16,0"],
        (f"{_PROPERTY},2,{5 * i + 5}" for i in range(count)),
        ["", "Node", "next"],
    )


def v8_array(count: int) -> bytes:
    """An array of objects."""
    nodes = [f"{_ROOT},0,1,0,1", f"{_OBJECT},1,3,16,{count}"]
    nodes += [f"{_OBJECT},2,{2 * i + 5},16,0" for i in range(count)]
    edges = [f"{_PROPERTY},3,5", *(f"{_ELEMENT},{i},{5 * i + 10}" for i in range(count))]
    return _snapshot(nodes, edges, ["", "Array", "Node", "all"])


def v8_roots(count: int) -> bytes:
    """Objects that nothing but the root holds, each."""
    nodes = [f"{_ROOT},0,1,0,{count}", *(f"{_OBJECT},1,{2 * i + 3},16,0" for i in range(count))]
    return _snapshot(nodes, (f"{_ELEMENT},{i},{5 * i + 5}" for i in range(count)), ["", "Node"])


def v8_names(count: int) -> bytes:
    """Constructors, properties and closures, all of different names, each behind the one before."""
    nodes = [f"{_ROOT},0,1,0,1"]
    nodes += [f"{(_OBJECT, _CLOSURE)[i % 2]},{i + 1},{2 * i + 3},16,{int(i + 1 < count)}" for i in range(count)]
    edges = (f"{(_PROPERTY, _CONTEXT)[i % 2]},{count - i},{5 * i + 5}" for i in range(count))
    return _snapshot(nodes, edges, ["", *(f"n{i}" for i in range(count))])


def _python(*strings: str) -> CGraph:
    """The beginning of a graph with the types `Node`, `list` and `str`, whose shape is a label's number."""
    made = CGraph().block(b"INFO", b"python 3.12.3\n").strings("builtins", "app", "Node", "list", "str", "next")
    made.strings(*strings) if strings else None
    made.types((_PYTHON_TYPE, 0, 1, 2), (_PYTHON_LIST, 1 << 25, 0, 3), (_PYTHON_STR, 1 << 28, 0, 4))
    made.labels((cgraphs.FIELD, 0, 5), (cgraphs.ELEMENT, 0, cgraphs.NONE), (cgraphs.ROOT, 0, 1))
    return made.shape(0).shape(1)


def python_chain(count: int) -> bytes:
    """A linked list that a module holds."""
    addresses = range(AT, AT + 16 * count, 16)
    rows = [0, 48, 0, 1] * count
    rows[-1] = 0
    return _python().objects(addresses, addresses[1:], rows).pairs(b"ROOT", "Q", (AT, 2)).end().data


def python_array(count: int) -> bytes:
    """A list of objects."""
    addresses = range(AT, AT + 16 * count, 16)
    made = _python().objects([HOLDER], addresses, [1, 8 * count & 0xFFFFFFFF, 1, count])
    return made.leaves(addresses, [0, 48] * count).pairs(b"ROOT", "Q", (HOLDER, 2)).end().data


def python_roots(count: int) -> bytes:
    """Objects that nothing but a root holds, each."""
    addresses = range(AT, AT + 16 * count, 16)
    made = _python().leaves(addresses, [0, 48] * count)
    return made.pairs(b"ROOT", "Q", *((address, 2) for address in addresses)).end().data


def python_names(count: int) -> bytes:
    """Types, attributes and modules, all of different names, each behind the one before."""
    first = 6
    made = _python(*(f"n{i}" for i in range(count)))
    made.types(*((0x70000000 + 16 * i, 0, 1, first + i) for i in range(count)))
    made.labels(*((cgraphs.FIELD, 0, first + i) for i in range(count)))
    made.block(b"SHAP", cgraphs.little("I", (n for i in range(count) for n in (0, 3 + i, cgraphs.NONE))))
    addresses = range(AT, AT + 16 * count, 16)
    made.pairs(b"NAME", "I", *((i, first + i) for i in range(count)))
    made.objects(addresses, addresses[1:], [n for i in range(count) for n in (3 + i, 48, 2 + i, int(i + 1 < count))])
    return made.pairs(b"ROOT", "Q", (AT, 2)).end().data


def pyheap_chain(count: int) -> bytes:
    """Lists within lists."""
    record = struct.Struct(">QQIIQH").pack
    rows = [record(AT + 16 * i, pyheaps.LIST, 64, 1, AT + 16 * i + 16, 0) for i in range(count - 1)]
    return pyheaps.file([*rows, pyheaps.record(AT + 16 * count - 16, pyheaps.LIST, [])], local=AT)


def pyheap_array(count: int) -> bytes:
    """A list of lists."""
    record, addresses = struct.Struct(">QQIIH").pack, range(AT, AT + 16 * count, 16)
    rows = [record(address, pyheaps.LIST, 64, 0, 0) for address in addresses]
    return pyheaps.file([pyheaps.record(HOLDER, pyheaps.LIST, list(addresses)), *rows], local=HOLDER)


SHAPES: Mapping[str, Mapping[str, Callable[[int], bytes]]] = {
    "hprof": {"chain": hprof_chain, "array": hprof_array, "roots": hprof_roots, "names": hprof_names},
    "heap_snapshot": {"chain": v8_chain, "array": v8_array, "roots": v8_roots, "names": v8_names},
    "cpython_graph": {
        "chain": python_chain, "array": python_array, "roots": python_roots, "names": python_names,
    },
    "pyheap": {"chain": pyheap_chain, "array": pyheap_array},
}  # fmt: skip
