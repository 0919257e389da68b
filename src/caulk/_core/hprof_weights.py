# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The second and third reading of an HPROF heap for who only weighs its types: nothing is kept of an object."""

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .hprof_addresses import Addresses
from .hprof_classes import ClassTable
from .hprof_cursor import Cursor
from .hprof_distances import Distances

COMPILED = cython.compiled


def survey(cursor: Cursor, heap, addresses: Addresses, classes: ClassTable, distances: Distances, type):
    """Second reading: `distances` of objects, and into `type` (`'i'`, -1 where none is known yet) that of each loader.

    An object's distance is that to the next in the file, which JVMs write in the order of addresses.
    """
    h: cython.longlong[::1] = heap
    t: cython.int[::1] = type
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    number: cython.int
    row: cython.int = -1
    kind: cython.ulonglong = 0
    length: cython.longlong = 0
    id: cython.ulonglong = 0
    distance: cython.longlong
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while cursor.step(end):
                if cursor.id == 0 or not cursor.is_object:
                    continue
                # What came before it ends here at the latest.
                distance = cython.cast(cython.longlong, cursor.id - id) if cursor.id > id else 0
                if distance >> 19:
                    distance = 0
                if row >= 0 and distances.wants(row):
                    distances.instance(row, distance)
                elif kind and distances.wants_array(kind):
                    distances.array(kind, length, distance)
                id = cursor.id
                length = cursor.length
                row = -1
                kind = 0
                if cursor.tag == 0x21:
                    row = classes.row(cursor.other)
                    number = addresses.number(cursor.id)
                    if number and t[number] == -1:
                        t[number] = classes.type_of(row)
                    if row >= classes.known:
                        row = -1
                elif cursor.tag == 0x22:
                    classes.row(cursor.other)
                    kind = 2
                else:
                    kind = cursor.other


def weigh(cursor: Cursor, heap, classes: ClassTable, shallow, bases, widths, alignment: cython.longlong, count, held):
    """Third reading: objects and bytes by type into `count` and `held` (`'q'`).

    `shallow`, `bases`, `widths` and `alignment` are as in `hprof_references.fill`. An object that was dumped twice
    counts twice.
    """
    h: cython.longlong[::1] = heap
    c: cython.uint[::1] = shallow
    b: cython.longlong[::1] = bases
    u: cython.longlong[::1] = widths
    n: cython.longlong[::1] = count
    z: cython.longlong[::1] = held
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    row: cython.int
    of: cython.int
    bytes_: cython.longlong
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while cursor.step(end):
                if cursor.id == 0 or not cursor.is_object:
                    continue
                row = cython.cast(cython.int, classes.known)
                if cursor.tag == 0x21:
                    row = classes.row(cursor.other)
                    of = classes.type_of(row)
                    bytes_ = b[0] + cursor.length
                elif cursor.tag == 0x22:
                    of = classes.type_of(classes.row(cursor.other))
                    bytes_ = b[2] + cursor.length * u[2]
                else:
                    of = classes.primitive_type[cursor.other]
                    bytes_ = b[cursor.other] + cursor.length * u[cursor.other]
                if row < classes.known:
                    bytes_ = c[row]
                else:
                    bytes_ = (bytes_ + alignment - 1) // alignment * alignment
                n[of] += 1
                z[of] += bytes_
