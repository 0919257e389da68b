"""A small dump of every format of object graphs, for the tests that hold for all of them."""

from cgraphs import cgraph
from hprofs import BYTE, INT, LONG, OBJECT, Hprof
from pyheaps import pyheap
from snapshots import snapshot

BASE, CLASS, REFERENCE, SOFT, TICKET, TICKETS, LOADER = range(0x100, 0x100 + 7 * 0x80, 0x80)
TABLE, FIRST, NAME, CACHED, OWN_LOADER, THREAD = 0x800, 0x820, 0x900, 0x918, 0x938, 0x950

SNAPSHOT = """
    root = synthetic ''
    gc = synthetic '(GC roots)'
    handles = synthetic '(Handle scope)'
    global = object 'global' 40
    cache = object 'Cache' 24
    map = object 'Map' 16
    table = array '' 64
    quote = object 'Quote' 32
    text = string 'secret' 24
    put = closure 'put' 32
    code = code 'put' 60
    shared = code '(shared function info)' 56
    script = code 'file:///app/cache.js' 80
    scope = object 'system / Context' 32
    weak = object 'WeakRef' 16
    node = native 'Detached <div class="x">' 96 state 1
    root element '1' -> gc
    root shortcut 'global' -> global
    gc element '1' -> handles
    handles element '1' -> cache
    global property 'quotes' -> map
    global property 'put' -> put
    map internal 'table' -> table
    table internal '1' -> text
    table internal '2' -> quote
    table element '3' -> quote
    quote property 'bid' -> text
    quote weak '1' -> node
    put internal 'shared' -> shared
    put internal 'context' -> scope
    put internal 'code' -> code
    shared internal 'script' -> script
    scope context 'kept' -> quote
    weak weak 'target' -> quote
    cache property 'weak' -> weak
    cache property 'node' -> node
"""


def hprof(version: str, *, id_size: int) -> bytes:
    """Tickets in an array in a static field, a class loader, a soft reference, a thread with a local variable."""
    dump = Hprof(version, id_size=id_size).loaded(java__lang__Object=BASE, java__lang__Class=CLASS)
    dump.loaded_as("java/lang/ref/Reference", REFERENCE, 3).loaded_as("java/lang/ref/SoftReference", SOFT, 4)
    dump.loaded_as("com/example/Ticket", TICKET, 5).loaded_as("[Lcom/example/Ticket;", TICKETS, 6)
    dump.loaded_as("com/example/Loader", LOADER, 7)
    dump.frame(0x70, "run", "Ticket.java", serial=5, line=12).trace(1, 1, [0x70])
    step = 24
    parts = [
        dump.klass(BASE),
        dump.klass(CLASS, above=BASE),
        dump.klass(REFERENCE, above=BASE, fields=[("referent", OBJECT), ("next", OBJECT)], size=8),
        dump.klass(SOFT, above=REFERENCE, fields=[("clock", LONG)], size=16),
        dump.klass(
            TICKET,
            above=BASE,
            loader=OWN_LOADER,
            fields=[("id", LONG), ("next", OBJECT)],
            statics=[("OPEN", OBJECT, TABLE), ("LIMIT", INT, 7)],
            size=16,
        ),
        dump.klass(TICKETS, above=BASE, loader=OWN_LOADER),
        dump.klass(LOADER, above=BASE, fields=[("name", OBJECT)], size=8),
        dump.root(0x05, BASE),
        dump.root(0x08, THREAD, 1, 1),
        dump.root(0x03, CACHED, 1, 0),
        dump.root(0x01, OWN_LOADER, 0x77),
        dump.objects(TABLE, TICKETS, *range(FIRST, FIRST + 3 * step, step), 0),
        *(dump.instance(FIRST + i * step, TICKET, (LONG, i), (OBJECT, FIRST + (i + 1) % 9 * step)) for i in range(9)),
        dump.primitives(NAME, BYTE, *b"secret"),
        dump.instance(CACHED, SOFT, (LONG, 5), (OBJECT, FIRST), (OBJECT, 0)),
        dump.instance(OWN_LOADER, LOADER, (OBJECT, NAME)),
        dump.instance(THREAD, BASE),
    ]
    if version == "1.0.1":
        return dump.heap(*parts, tag=0x0C).data
    return dump.heap(*parts[:15]).heap(*parts[15:]).end().data


#: By the name of the format's module; a format may have several samples, so names may end in `/something`.
SAMPLES = {
    "hprof/segments": hprof("1.0.2", id_size=8),
    "hprof/one record": hprof("1.0.1", id_size=4),
    "heap_snapshot": snapshot(SNAPSHOT, lines=[("put", 40)]),
    "cpython_graph": cgraph(),
    "pyheap": pyheap(),
}
