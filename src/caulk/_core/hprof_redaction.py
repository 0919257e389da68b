# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The skeleton of an HPROF heap: heads, ids and references as they were, and zeros in place of everything else.

What is not known to be structure is not copied, so nothing can be forgotten.
"""

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .hprof_cursor import Cursor

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Skeleton:
    """The classes of one dump, and how far its heap records are copied.

    `classes` (`'q'`, ascending) are ids; `first` (`'i'`, one more) and `offset` (`'i'`) are where the references of
    their instances lie.
    """

    cursor: Cursor
    out: cython.uchar[::1]
    low: cython.Py_ssize_t
    high: cython.Py_ssize_t
    """What part of the file `out` stands for."""
    classes: cython.longlong[::1]
    first: cython.int[::1]
    offset: cython.int[::1]

    def __init__(self, cursor: Cursor, classes, first, offset) -> None:
        self.cursor = cursor
        self.classes = classes
        self.first = first
        self.offset = offset
        self.out = bytearray(1)
        self.low = 0
        self.high = 0

    def copy(self, out, low: cython.Py_ssize_t, at: cython.Py_ssize_t, end: cython.Py_ssize_t):
        """Copy structure into `out`, zeros that stand for the file from byte `low` on.

        Sub-records begin at `at` and end at `end`. Returns where the first one begins that is not in `out` whole; the
        same minus one and negative (`~at`) if nothing can be made out from there on.
        """
        cursor: Cursor = self.cursor
        is_known: cython.bint = True
        self.out = out
        self.low = low
        self.high = min(low + len(out), cursor.limit)
        end = min(end, cursor.limit)
        cursor.at = at
        with cython.nogil:
            while at < self.high and at < end:
                is_known = cursor.step(end) != 0
                if is_known:
                    self.sub_record(cursor)
                if not is_known or cursor.at > self.high:
                    break
                at = cursor.at
        self.out = bytearray(1)
        return at if is_known else -1 - at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def sub_record(self, cursor: Cursor) -> cython.int:
        """Copy the sub-record that the cursor is behind."""
        if cursor.tag == 0x20:
            self.class_dump(cursor)
        elif cursor.tag == 0x21:
            self.keep(cursor.head, cursor.body)
            self.references(cursor)
        elif cursor.tag == 0x23 or cursor.tag == 0xC3:
            self.keep(cursor.head, cursor.body)
        else:
            self.keep(cursor.head, cursor.at)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def class_dump(self, cursor: Cursor) -> cython.int:
        """Copy a class but for the primitive values of its constants and statics."""
        n: cython.Py_ssize_t = cursor.n
        pos: cython.Py_ssize_t = cursor.head + 1 + 7 * n + 8
        part: cython.int
        count: cython.Py_ssize_t
        name: cython.Py_ssize_t
        kind: cython.uchar
        self.keep(cursor.head, pos)
        for part in range(2):
            # Constants have an index of two bytes, statics a name.
            name = n if part else 2
            count = cursor.u2(pos)
            self.keep(pos, pos + 2)
            pos += 2
            while count > 0:
                kind = cursor.d[pos + name]
                self.keep(pos, pos + name + 1 + (n if kind == 2 else 0))
                pos += name + 1 + cursor.width(kind)
                count -= 1
        self.keep(pos, cursor.at)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def references(self, cursor: Cursor) -> cython.int:
        """Copy the references of an instance, none if it is shorter than its class says."""
        id: cython.longlong = cython.cast(cython.longlong, cursor.other)
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = len(self.classes)
        middle: cython.Py_ssize_t
        i: cython.Py_ssize_t
        at: cython.Py_ssize_t
        while low < high:
            middle = (low + high) // 2
            if self.classes[middle] < id:
                low = middle + 1
            else:
                high = middle
        if low == len(self.classes) or self.classes[low] != id:
            return 0
        for i in range(self.first[low], self.first[low + 1]):
            if self.offset[i] + cursor.n > cursor.length:
                return 0
        for i in range(self.first[low], self.first[low + 1]):
            at = cursor.body + self.offset[i]
            self.keep(at, at + cursor.n)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def keep(self, begin: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
        """Copy these bytes of the file, as far as they are in `out`."""
        i: cython.Py_ssize_t
        for i in range(max(begin, self.low), min(end, self.high)):
            self.out[i - self.low] = self.cursor.d[i]
        return 0
