"""The types of an HPROF dump with what their objects take, in memory that does not grow with the objects.

The file is read three times, as it is for a graph: once for the classes, once for how the JVM laid objects out, once to
weigh them. An object that was dumped twice, as only a damaged file has it, counts twice.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from itertools import accumulate

from caulk._core import hprof_marks, hprof_weights
from caulk._core.hprof_addresses import Addresses
from caulk._core.hprof_cursor import Cursor
from caulk._core.hprof_distances import Distances
from caulk.formats.hprof.classes import Classes
from caulk.formats.hprof.heap import alignment_of, array_sizes, layout_of, warnings_of
from caulk.formats.hprof.layout import Evidence, class_size, instance_sizes
from caulk.formats.hprof.records import Dump, class_dumps
from caulk.formats.hprof.references import Labels, places
from caulk.model.census import Census, Extent
from caulk.model.column import Ints, ints
from caulk.model.errors import MalformedDump

#: Pieces of the heap that are looked at for its extent, and bytes of them in all.
PIECES, SAMPLED = 64, 8 << 20
#: Bytes an object while a graph is read; a census keeps names and classes, by their share of the file.
_READING = 15
#: The same where most objects lie far from one another, so that their addresses are listed.
_READING_FAR = 40
_NAMES, _SHARE = 8 << 20, 0.002


def extent(dump: Dump, cursor: Cursor, size: int) -> Extent:
    """How large the heap is, by a sample of its records all over the file."""
    heap = dump.heap
    whole = sum(heap[1::2]) - sum(heap[::2])
    objects = references = far = 0.0
    for piece, times in pieces(heap).items():
        found = hprof_marks.sample(cursor, heap[2 * piece], heap[2 * piece + 1], times * SAMPLED // PIECES)
        scale = times / PIECES * whole / max(found[2], 1)
        objects, references, far = objects + found[0] * scale, references + found[1] * scale, far + found[3] * scale
    reading = _READING_FAR if far > objects / 4 else _READING
    return Extent(round(objects), round(references), reading, _NAMES + round(_SHARE * size))


def pieces(heap: Ints) -> Counter[int]:
    """Which of a heap's records to look at, in file order, and how many of the `PIECES` fall to each.

    Evenly by bytes: a record of many bytes is a single large array, often enough.
    """
    ends = list(accumulate(heap[i + 1] - heap[i] for i in range(0, len(heap), 2)))
    if not ends[-1]:
        return Counter()
    return Counter(bisect_right(ends, (2 * k + 1) * ends[-1] // (2 * PIECES)) for k in range(PIECES))


def count(dump: Dump, cursor: Cursor, size: int, *, compact_headers: bool | None, name: str, runtime: str) -> Census:
    """The types of `dump`, which is in a file of `size` bytes."""
    addresses = Addresses(0)
    found, objects = hprof_marks.glance(cursor, dump.heap, addresses)
    if not objects:
        raise MalformedDump("hprof: the dump holds no objects", hint="Was the disk full, or the writer killed?")
    lost = dump.lost + found["lost"]
    known = addresses.rank()
    classes = Classes(class_dumps(found, dump), addresses)
    labels = Labels()
    instance = places(classes.dumps, classes.above, classes.names, labels, dump.header.id_size)
    type_column = array("i", [-1]) * (known + 1)
    type_column[0] = 0
    for number in classes.numbers:
        type_column[number] = classes.class_type
    table, distances = classes.table(dump.header.id_size, instance, (0, 0)), Distances(len(classes.dumps))
    hprof_weights.survey(cursor, dump.heap, addresses, table, distances, type_column)
    seen, missing = distances.taken(), table.missed()
    shapes = classes.shapes()
    evidence = Evidence(seen["least"], seen["agreed"], seen["arrays"])
    layout, is_sure = layout_of(
        dump, found, shapes, evidence, alignment=alignment_of(addresses, objects + 1), compact_headers=compact_headers
    )
    shallow = instance_sizes(shapes, layout, evidence)
    types = classes.all_types(missing, type_column)
    counts, held = ints(len(types)), ints(len(types))
    sizes = array("I", shallow), *array_sizes(layout), layout.alignment
    hprof_weights.weigh(cursor, dump.heap, table, *sizes, counts, held)
    mirror = classes.mirror(shallow, layout)
    for row, number in enumerate(classes.numbers):
        if number:
            counts[classes.class_type] += 1
            held[classes.class_type] += class_size(mirror, classes.static_types(row), layout)
    return Census(
        format=name,
        runtime=runtime,
        types=types,
        count=counts,
        shallow=held,
        taken_at=dump.header.taken_at,
        coverage=(size - lost) / (size + dump.absent),
        warnings=(*dump.warnings, *warnings_of(lost, dump.absent, 0, len(missing), is_sure=is_sure)),
        comments=(f"sizes computed for {layout}", *["its values were removed"] * dump.is_redacted),
    )
