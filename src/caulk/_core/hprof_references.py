# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The second and third reading of an HPROF heap: how many references each object has, and what they lead to."""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .growing import Column
from .hprof_addresses import Addresses
from .hprof_classes import ClassTable
from .hprof_cursor import Cursor
from .hprof_distances import Distances

COMPILED = cython.compiled

_MOST_WAITING = cython.declare(cython.Py_ssize_t, 512)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def ident(cursor: Cursor, at: cython.Py_ssize_t) -> cython.ulonglong:
    """The same as `Cursor.ident`: a call into another kernel for each reference would take a tenth of the time."""
    if cursor.n == 4:
        return cython.cast(cython.ulonglong, cursor.u4(at))
    return (
        (cython.cast(cython.ulonglong, cursor.d[at]) << 56)
        | (cython.cast(cython.ulonglong, cursor.d[at + 1]) << 48)
        | (cython.cast(cython.ulonglong, cursor.d[at + 2]) << 40)
        | (cython.cast(cython.ulonglong, cursor.d[at + 3]) << 32)
        | (cython.cast(cython.ulonglong, cursor.d[at + 4]) << 24)
        | (cython.cast(cython.ulonglong, cursor.d[at + 5]) << 16)
        | (cython.cast(cython.ulonglong, cursor.d[at + 6]) << 8)
        | cython.cast(cython.ulonglong, cursor.d[at + 7])
    )


def count(cursor: Cursor, heap, addresses: Addresses, classes: ClassTable, distances: Distances, type, first):
    """Second reading: the type of each object into `type` (`'i'`, -1 where none is known yet), references counted.

    `first[i + 1]` (`'I'`) grows by the references of object i.
    """
    h: cython.longlong[::1] = heap
    t: cython.int[::1] = type
    f: cython.uint[::1] = first
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    number: cython.int
    row: cython.int
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while cursor.step(end):
                if not cursor.is_object:
                    continue
                number = addresses.number(cursor.id)
                if number == 0 or t[number] != -1:
                    continue
                if cursor.tag == 0x21:
                    row = classes.row(cursor.other)
                    t[number] = classes.type_of(row)
                    if row < classes.known:
                        f[number + 1] += of_instance(cursor, classes, row)
                        if distances.wants(row):
                            distances.instance(row, addresses.distance(cursor.id))
                    continue
                if cursor.tag == 0x22:
                    row = classes.row(cursor.other)
                    t[number] = classes.type_of(row)
                    f[number + 1] += of_array(cursor, classes, row)
                    cursor.other = 2
                else:
                    t[number] = classes.primitive_type[cursor.other]
                if distances.wants_array(cursor.other):
                    distances.array(cursor.other, cursor.length, addresses.distance(cursor.id))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def of_instance(cursor: Cursor, classes: ClassTable, row: cython.int) -> cython.int:
    """How many references an instance of a known class has."""
    found: cython.int = classes.class_holds[row] != 0
    j: cython.Py_ssize_t
    if classes.class_needs[row] <= cursor.length:
        for j in range(classes.ref_first[row], classes.ref_first[row + 1]):
            if ident(cursor, cursor.body + classes.ref_offset[j]) != 0:
                found += 1
    return found


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def of_array(cursor: Cursor, classes: ClassTable, row: cython.int) -> cython.longlong:
    """How many references an array has."""
    found: cython.longlong = row < classes.known and classes.class_holds[row] != 0
    j: cython.Py_ssize_t
    for j in range(cursor.length):
        if ident(cursor, cursor.body + j * cursor.n) != 0:
            found += 1
    return found


@cython.final
@cython.cclass
class _References:
    """The columns that references go to, and where the next one goes.

    Addresses wait until they are many: one call resolves them all, and the processor waits for several at once.
    """

    target: cython.int[::1]
    label: cython.uint[::1]
    addresses: Addresses
    at: cython.Py_ssize_t
    unresolved: cython.longlong
    waiting: cython.ulonglong[::1]
    places: cython.longlong[::1]
    count: cython.Py_ssize_t

    def __init__(self, addresses: Addresses, target, label) -> None:
        self.addresses = addresses
        self.target = target
        self.label = label
        self.at = 0
        self.unresolved = 0
        self.waiting = array("Q", bytes(8 * _MOST_WAITING))
        self.places = array("q", bytes(8 * _MOST_WAITING))
        self.count = 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def put(self, to: cython.int, word: cython.uint) -> cython.int:
        """A reference to a known object."""
        self.target[self.at] = to
        self.label[self.at] = word
        self.at += 1
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def refer(self, address: cython.ulonglong, word: cython.uint) -> cython.int:
        """A reference to an address, if it is one."""
        if address != 0:
            self.waiting[self.count] = address
            self.places[self.count] = self.at
            self.count += 1
            self.put(-1, word)
            if self.count == _MOST_WAITING:
                self.resolve()
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def resolve(self) -> cython.int:
        self.unresolved += self.addresses.resolve(self.waiting, self.places, self.count, self.target)
        self.count = 0
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def instance(self, cursor: Cursor, classes: ClassTable, row: cython.int) -> cython.int:
        """The references in the fields of an instance."""
        j: cython.Py_ssize_t
        word: cython.uint
        if classes.class_needs[row] <= cursor.length:
            for j in range(classes.ref_first[row], classes.ref_first[row + 1]):
                word = classes.ref_label[j]
                if j == classes.class_referent[row] and ident(cursor, cursor.body + classes.class_follower[row]):
                    word &= 0x3FFFFFFF
                self.refer(ident(cursor, cursor.body + classes.ref_offset[j]), word)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def array(self, cursor: Cursor, word: cython.uint) -> cython.int:
        """The references in the elements of an array."""
        j: cython.Py_ssize_t
        for j in range(cursor.length):
            self.refer(ident(cursor, cursor.body + j * cursor.n), word)
        return 0


def fill(
    cursor: Cursor,
    heap,
    addresses: Addresses,
    classes: ClassTable,
    size,
    first,
    target,
    label,
    shallow,
    bases,
    widths,
    alignment: cython.longlong,
    large,
):
    """Third reading: references and sizes. `first[i + 1]` is the start of object i before and its end after.

    `shallow` (`'I'`) are bytes of an instance by class, an array is `bases[type] + length * widths[type]` rounded up to
    `alignment`; an instance of a class that is not there is `bases[0]` and the bytes that it has. Objects of 4 GiB and
    more go to `large`, number and size. A reference to what is not in the dump is left with target -1: how many there
    were is returned.
    """
    h: cython.longlong[::1] = heap
    z: cython.uint[::1] = size
    f: cython.uint[::1] = first
    c: cython.uint[::1] = shallow
    b: cython.longlong[::1] = bases
    u: cython.longlong[::1] = widths
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    number: cython.int
    row: cython.int
    bytes_: cython.longlong
    references: _References = _References(addresses, target, label)
    outsize: Column = Column()
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while cursor.step(end):
                if not cursor.is_object:
                    continue
                number = addresses.number(cursor.id)
                if number == 0 or z[number] != 0:
                    continue
                references.at = f[number + 1]
                row = cython.cast(cython.int, classes.known)
                if cursor.tag == 0x21:
                    row = classes.row(cursor.other)
                    bytes_ = b[0] + cursor.length
                    if row < classes.known:
                        references.instance(cursor, classes, row)
                elif cursor.tag == 0x22:
                    row = classes.row(cursor.other)
                    bytes_ = b[2] + cursor.length * u[2]
                    references.array(cursor, classes.element_label)
                else:
                    bytes_ = b[cursor.other] + cursor.length * u[cursor.other]
                if row < classes.known and classes.class_holds[row]:
                    references.put(classes.class_holds[row], classes.holds_label)
                f[number + 1] = cython.cast(cython.uint, references.at)
                if cursor.tag == 0x21 and row < classes.known:
                    bytes_ = c[row]
                else:
                    bytes_ = (bytes_ + alignment - 1) // alignment * alignment
                if bytes_ >> 32:
                    outsize.push(number)
                    outsize.push(bytes_)
                    bytes_ = 0xFFFFFFFF
                z[number] = cython.cast(cython.uint, bytes_)
        references.resolve()
    pairs = outsize.take()
    for i in range(0, len(pairs), 2):
        large[pairs[i]] = pairs[i + 1]
    return references.unresolved
