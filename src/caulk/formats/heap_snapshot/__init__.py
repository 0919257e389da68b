"""V8 heap snapshots: the JSON that Node.js, Chrome and Hermes write (`.heapsnapshot`).

Nodes and edges are flat arrays of numbers that `snapshot.meta` describes, which is why reading is a reshape, not a
parse. Layout: HeapSnapshotJSONSerializer in V8's src/profiler/heap-snapshot-generator.cc. References mean what they
mean in DevTools (`caulk._core.heap_labels` has the rules), but for two things: an object that only weak references
reach stays unreachable, where DevTools puts it under the root, and what no page owns holds as firmly as a page does.
Ignored: samples, and the allocation stacks of a heap timeline.
"""

import re
from mmap import mmap

from caulk.formats.heap_snapshot import counting
from caulk.formats.heap_snapshot.functions import functions, rename_variables
from caulk.formats.heap_snapshot.meanings import meaning
from caulk.formats.heap_snapshot.names import Names
from caulk.formats.heap_snapshot.text import sections
from caulk.model.census import Census, Extent
from caulk.model.graph import ObjectGraph
from caulk.model.original import Originals

NAME = "heapsnapshot"

__all__ = ["NAME", "duplicate_strings", "read", "sniff", "texts"]


def sniff(head: bytes) -> bool:
    """A JSON object that describes its nodes, or has them."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text[:1] == b"{" and (
        (
            re.search(rb'"snapshot"\s*:\s*\{', text) is not None
            and re.search(rb'"(meta|node_fields|node_count)"\s*:', text) is not None
        )
        or re.match(rb'\{\s*"(nodes|edges|strings)"\s*:\s*\[', text) is not None
    )


def read(data: bytes | mmap, originals: Originals | None = None) -> ObjectGraph:
    """The graph in a snapshot's bytes; one that was cut short gives what came before the cut.

    Object numbers are the places of nodes in the file. Time and memory are linear in the file, 20 bytes a node and 8 an
    edge at the end, 9 more bytes a node on the way. With `originals` functions, classes and variables of bundles have
    the names of their source.
    """
    snapshot = sections(data, located=("closure", "object") if originals else ("closure",))
    _, meant = meaning(data, snapshot)
    names = Names(data, snapshot.strings)
    types, type_keys = meant.types()
    found = functions(snapshot, types, type_keys, names, originals)
    label_keys = meant.labels()
    type_table, labels = names.types(types, type_keys, found.types), names.labels(snapshot.what, label_keys)
    rename_variables(found, snapshot, labels)
    return ObjectGraph(
        format=NAME,
        runtime=names.runtime(type_table),
        types=type_table,
        type=types,
        size=snapshot.size,
        first=snapshot.first,
        target=snapshot.target,
        label=snapshot.what,
        labels=labels,
        large=snapshot.large,
        named=found.named,
        naming=found.naming,
        strings=found.texts,
        coverage=snapshot.coverage,
        warnings=snapshot.warnings,
        comments=("its values were removed",) * snapshot.is_redacted,
        memory=snapshot.memory,
    )


def extent(data: bytes | mmap) -> Extent:
    """How large the heap in a snapshot is, as its description has it."""
    return counting.extent(data)


def census(data: bytes | mmap, originals: Originals | None = None) -> Census:
    """The types of all nodes of a snapshot, in memory that does not grow with their number.

    Names of the source are given to functions by where they are, and that a census does not look at.
    """
    return counting.count(data, name=NAME)
