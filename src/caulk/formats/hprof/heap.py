"""The objects of one dump as an `ObjectGraph`: numbers, classes, references, and last their sizes."""

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from caulk._core import hprof_edges, hprof_references
from caulk._core.columns import filled, shortened, zeros
from caulk._core.hprof_addresses import Addresses
from caulk._core.hprof_cursor import Cursor
from caulk._core.hprof_distances import Distances
from caulk._core.hprof_marks import mark
from caulk.formats.hprof.classes import Classes
from caulk.formats.hprof.layout import REFERENCE, Evidence, Layout, Shape, class_size, find_layout, instance_sizes
from caulk.formats.hprof.records import Dump, class_dumps
from caulk.formats.hprof.references import Labels, places
from caulk.formats.hprof.roots import Edges, add_roots
from caulk.model.column import Ints
from caulk.model.errors import MalformedDump
from caulk.model.graph import ROOTS, ObjectGraph

if TYPE_CHECKING:
    from caulk._core.hprof_marks import Marked

#: Objects of 64-bit and of most 32-bit JVMs lie at multiples of 8 bytes; ids that do not are just numbers.
_SHIFT = 3
#: Bytes that pages of addresses may take before it is looked at how many objects are on them, and that by the bytes of
#: the heap's records: in any order of objects, pages that are full in the end do not take so much.
_ROOM, ROOM_SHARE = 8 << 20, 1 / 16
_MOST_OBJECTS = (1 << 31) - 2
_MOST_REFERENCES = (1 << 32) - 1
#: Fewer objects than any JVM has at its start say nothing about alignment.
_FEW = 1000
#: HotSpot leaves out the class objects of its archive (CDS) that no class is loaded for: about a thousand.
_TOLERATED = 3000
_ELEMENT_TYPES = (REFERENCE, 4, 5, 6, 7, 8, 9, 10, 11)


def read_heap(
    dump: Dump, cursor: Cursor, size: int, *, compact_headers: bool | None, name: str, runtime: str
) -> ObjectGraph:
    """Read the objects of `dump`, which is in a file of `size` bytes."""
    addresses, found = number_objects(dump, cursor)
    lost = dump.lost + found["lost"]
    count = len(addresses) + 1
    labels = Labels()
    element, class_ = labels.word("element"), labels.word("internal", "class")
    classes = Classes(class_dumps(found, dump), addresses)
    instance = places(classes.dumps, classes.above, classes.names, labels, dump.header.id_size)
    edges = Edges.none()
    add_roots(edges, found["root"], classes.of_boot, addresses=addresses, dump=dump, labels=labels)
    classes.add_edges(edges, labels)

    type_column = filled(-1, count)
    type_column[ROOTS] = 0
    for number in classes.numbers:
        type_column[number] = classes.class_type
    first = zeros("I", count + 1)
    table, distances = classes.table(dump.header.id_size, instance, (element, class_)), Distances(len(classes.dumps))
    hprof_references.count(cursor, dump.heap, addresses, table, distances, type_column, first)
    seen, missing = distances.taken(), table.missed()
    hprof_edges.tally(first, edges.source)
    references = hprof_edges.starts(first)
    if references > _MOST_REFERENCES:
        raise MalformedDump(f"hprof: {references:,} references", hint=f"At most {_MOST_REFERENCES:,} can be analysed.")

    evidence = Evidence(seen["least"], seen["agreed"], seen["arrays"])
    shapes = classes.shapes()
    layout, is_sure = layout_of(
        dump, found, shapes, evidence, alignment=alignment_of(addresses, count), compact_headers=compact_headers
    )
    shallow = instance_sizes(shapes, layout, evidence)
    size_column = zeros("I", count)
    for row, number in enumerate(classes.numbers):
        if number:
            size_column[number] = class_size(classes.mirror(shallow, layout), classes.static_types(row), layout)
    target, label = zeros("i", references), zeros("I", references)
    large: dict[int, int] = {}
    bases, widths = array_sizes(layout)
    unresolved = hprof_references.fill(
        cursor, dump.heap, addresses, table, size_column, first, target, label, array("I", shallow), bases, widths,
        layout.alignment, large,
    )  # fmt: skip
    hprof_edges.put(first, target, label, edges.source, edges.target, edges.label)
    if unresolved:
        kept = hprof_edges.close_gaps(first, target, label)
        target, label = shortened(target, kept), shortened(label, kept)
    named, naming, strings = classes.own_names()
    return ObjectGraph(
        format=name,
        runtime=runtime,
        types=classes.all_types(missing, type_column),
        type=type_column,
        size=size_column,
        first=first,
        target=target,
        label=label,
        labels=labels.all,
        large=large,
        named=named,
        naming=naming,
        strings=strings,
        taken_at=dump.header.taken_at,
        coverage=(size - lost) / (size + dump.absent),
        warnings=(
            *dump.warnings,
            *warnings_of(lost, dump.absent, unresolved, len(missing), is_sure=is_sure),
        ),
        comments=(
            f"sizes computed for {layout}",
            *[_unresolved(unresolved)] * (0 < unresolved <= _TOLERATED),
            *["its values were removed"] * dump.is_redacted,
        ),
    )


def number_objects(dump: Dump, cursor: Cursor) -> tuple[Addresses, "Marked"]:
    """Number the objects of `dump` by their addresses; raises `MalformedDump` where there are none, or too many."""
    room = max(_ROOM, round(ROOM_SHARE * (sum(dump.heap[1::2]) - sum(dump.heap[::2]))))
    addresses = Addresses(_SHIFT, room)
    found = mark(cursor, dump.heap, addresses)
    if found is None:
        addresses = Addresses(0, room)
        found = mark(cursor, dump.heap, addresses)
    assert found is not None, "every id is a multiple of one"
    count = addresses.rank()
    if not count:
        raise MalformedDump("hprof: the dump holds no objects", hint="Was the disk full, or the writer killed?")
    if count > _MOST_OBJECTS:
        raise MalformedDump(f"hprof: {count:,} objects", hint=f"At most {_MOST_OBJECTS:,} can be analysed.")
    return addresses, found


def layout_of(
    dump: Dump,
    found: "Marked",
    shapes: Sequence[Shape],
    evidence: Evidence,
    *,
    alignment: int,
    compact_headers: bool | None,
) -> tuple[Layout, bool]:
    """How the JVM of `dump` laid its objects out, and whether their distances confirm it."""
    return find_layout(
        shapes,
        evidence,
        id_size=dump.header.id_size,
        alignment=alignment,
        is_android=bool(found["is_android"]),
        compact_headers=compact_headers,
    )


def alignment_of(addresses: Addresses, count: int) -> int:
    """What the addresses of `count` objects are multiples of."""
    return min(max(addresses.alignment, 8), 256) if count > _FEW else 8


def array_sizes(layout: Layout) -> tuple[Ints, Ints]:
    """Where the elements of an array begin and what one takes, by type code; base 0 is that of an object."""
    bases, widths = array("q", bytes(8 * 12)), array("q", bytes(8 * 12))
    bases[0] = layout.header
    for kind in _ELEMENT_TYPES:
        bases[kind], widths[kind] = layout.base(kind), layout.width(kind)
    return bases, widths


def warnings_of(lost: int, absent: int, unresolved: int, missing: int, *, is_sure: bool) -> list[str]:
    """What is missing, in sentences; counts of bytes, references and classes."""
    warnings = []
    if absent:
        warnings.append(f"the file ends {absent:,} bytes too early: was the program killed while it wrote the dump?")
    if lost:
        warnings.append(f"{lost:,} bytes could not be read: objects and references in them are missing")
    if unresolved > _TOLERATED:
        warnings.append(_unresolved(unresolved))
    if missing:
        warnings.append(f"{missing:,} classes are not in the dump: their instances are shown as unknown-class")
    if not is_sure:
        warnings.append("sizes are estimated: the distances between objects do not tell how they are laid out")
    return warnings


def _unresolved(count: int) -> str:
    return f"{count:,} references lead to objects that the dump does not have"
