# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""What is known of the classes of an HPROF dump while its instances are read: types, and where references lie."""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .growing import Column

COMPILED = cython.compiled

_FACTOR = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
#: Classes that are not in the dump and yet are told apart: a damaged dump invents as many as it has objects.
_MOST_MISSING = cython.declare(cython.Py_ssize_t, 65536)


@cython.final
@cython.cclass
class ClassTable:
    """Classes by row, in the order of `mark`'s `classes`; those that are missing get rows behind them.

    `types` are their types; `first` (one more than classes) delimits their references in `offset` (bytes into an
    instance) and `label`; `holds` (a number, or 0) is what their instances refer to beside their fields. `referent` (a
    place in `offset`, or -1) is held firmly once the reference at byte `follower` is set. `primitives` are the types of
    the primitive arrays by their element's code, `first_missing` the first type of the classes that are not there,
    `words` the labels of an element and of `holds`.
    """

    def __init__(
        self,
        id_size: cython.int,
        ids,
        types,
        first,
        offset,
        label,
        holds,
        referent,
        follower,
        primitives,
        first_missing: cython.int,
        words,
    ) -> None:
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        bits: cython.int = 6
        c: cython.longlong[::1] = ids
        self.class_type = types
        self.ref_first = first
        self.ref_offset = offset
        self.ref_label = label
        self.class_holds = holds
        self.class_referent = referent
        self.class_follower = follower
        self.primitive_type = primitives
        self.first_missing = first_missing
        self.element_label, self.holds_label = words
        self.known = len(types)
        self.classes = self.known
        self.missing = Column()
        self.class_needs = array("q", bytes(8 * self.known))
        while (1 << bits) < 4 * self.known:
            bits += 1
        self.reserve(bits)
        with cython.nogil:
            for i in range(self.known - 1, -1, -1):
                # From behind, so that of two dumps of one class the first is found.
                self.put(cython.cast(cython.ulonglong, c[i]), cython.cast(cython.int, i))
                for j in range(self.ref_first[i], self.ref_first[i + 1]):
                    self.class_needs[i] = max(self.class_needs[i], self.ref_offset[j] + id_size)

    def missed(self):
        """The ids of the classes that were asked for and are not in the dump (`'q'`), in the order of their types."""
        return self.missing.take()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def row(self, id: cython.ulonglong) -> cython.int:
        """The row of a class; one that is not in the dump gets the next."""
        at: cython.Py_ssize_t
        if id == self.last_class and id:
            return self.last_row
        at = self.place(id)
        if self.class_key[at] == 0:
            if id == 0 or self.classes - self.known == _MOST_MISSING:
                return cython.cast(cython.int, self.known)
            self.missing.push(cython.cast(cython.longlong, id))
            self.put(id, cython.cast(cython.int, self.classes))
            self.classes += 1
            if 2 * self.classes > self.mask:
                with cython.gil:
                    self.more()
            return cython.cast(cython.int, self.classes - 1)
        self.last_class = id
        self.last_row = self.class_row[at]
        return self.last_row

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def type_of(self, row: cython.int) -> cython.int:
        if row < self.known:
            return self.class_type[row]
        return cython.cast(cython.int, self.first_missing + row - self.known)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def put(self, id: cython.ulonglong, row: cython.int) -> cython.int:
        at: cython.Py_ssize_t = self.place(id)
        self.class_key[at] = id
        self.class_row[at] = row
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def place(self, id: cython.ulonglong) -> cython.Py_ssize_t:
        """Where a class is in the hash table, or can be."""
        at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, cython.cast(cython.ulonglong, id * _FACTOR) >> self.down)
        while self.class_key[at] != 0 and self.class_key[at] != id:
            at = (at + 1) & self.mask
        return at

    @cython.cfunc
    def reserve(self, bits: cython.int) -> object:
        count: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, 1) << bits
        self.class_key = array("Q", bytes(8 * count))
        self.class_row = array("i", bytes(4 * count))
        self.mask = count - 1
        self.down = 64 - bits
        self.last_class = 0
        self.last_row = 0
        return None

    @cython.cfunc
    def more(self) -> object:
        old_key: cython.ulonglong[::1] = self.class_key
        old_row: cython.int[::1] = self.class_row
        i: cython.Py_ssize_t
        self.reserve(65 - self.down)
        with cython.nogil:
            for i in range(len(old_key)):
                if old_key[i]:
                    self.put(old_key[i], old_row[i])
        return None
