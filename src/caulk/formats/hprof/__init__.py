"""JVM heap dumps (`.hprof`): every object, its class, its size and what it refers to.

Written by HotSpot (`jcmd GC.heap_dump`, `-XX:+HeapDumpOnOutOfMemoryError`), Android and others; a JDK's block gzip is
plain gzip by the time it comes here. Versions 1.0.1 to 1.0.3. Values (strings, numbers, thread names) are not read.
"""

from caulk._core.hprof_cursor import Cursor
from caulk.formats.hprof import counting
from caulk.formats.hprof.heap import read_heap
from caulk.formats.hprof.records import MAGIC, Dump, read_header, read_records, with_originals
from caulk.model.census import Census, Extent
from caulk.model.graph import ObjectGraph
from caulk.model.original import Originals

NAME = "hprof"
RUNTIME = "jvm"
_HEAD = 64


def sniff(head: bytes) -> bool:
    """Whether the file begins as HPROF does."""
    return head.startswith(MAGIC)


def read(data: bytes, *, compact_headers: bool | None = None, originals: Originals | None = None) -> ObjectGraph:
    """The heap in `data`, which may be a mapped file: it is read three times and never copied.

    `compact_headers` says whether the JVM ran with `-XX:+UseCompactObjectHeaders`, where that is known; otherwise the
    distances between objects say it. `originals` knows what the source calls obfuscated classes. Raises
    `MalformedDump` where there is nothing to read.
    """
    dump, cursor = _opened(data, originals)
    return read_heap(dump, cursor, len(data), compact_headers=compact_headers, name=NAME, runtime=RUNTIME)


def extent(data: bytes) -> Extent:
    """How large the heap in `data` is, about: a sample of it is read."""
    return counting.extent(*_opened(data, None), len(data))


def census(data: bytes, *, compact_headers: bool | None = None, originals: Originals | None = None) -> Census:
    """The types of all objects in `data`, whoever holds them, in memory that does not grow with their number."""
    dump, cursor = _opened(data, originals)
    return counting.count(dump, cursor, len(data), compact_headers=compact_headers, name=NAME, runtime=RUNTIME)


def _opened(data: bytes, originals: Originals | None) -> tuple[Dump, Cursor]:
    header = read_header(data[:_HEAD])
    cursor = Cursor(data, header.id_size)
    dump = read_records(data, header, cursor)
    return (with_originals(dump, originals) if originals else dump), cursor
