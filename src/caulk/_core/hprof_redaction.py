# cython: boundscheck=True, wraparound=False, cdivision=True
"""The skeleton of an HPROF heap: heads, ids and references as they were, and zeros in place of everything else.

What is not known to be structure is not copied, so nothing can be forgotten. Format: see `caulk._core.hprof`.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Skeleton:
    """The classes of one dump, and how far its heap records are copied.

    `classes` (`'q'`, ascending) are ids; `first` (`'i'`, one more) and `offset` (`'i'`) are where the references of
    their instances lie.
    """

    d: cython.const[cython.uchar][::1]
    out: cython.uchar[::1]
    n: cython.Py_ssize_t
    """Bytes of an id."""
    low: cython.Py_ssize_t
    high: cython.Py_ssize_t
    """What part of the file `out` stands for."""
    classes: cython.longlong[::1]
    first: cython.int[::1]
    offset: cython.int[::1]

    def __init__(self, data, id_size: cython.Py_ssize_t, classes, first, offset) -> None:
        self.d = data
        self.n = id_size
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
        next: cython.Py_ssize_t
        self.out = out
        self.low = low
        self.high = min(low + len(out), len(self.d))
        end = min(end, len(self.d))
        with cython.nogil:
            while at < self.high and at < end:
                next = self.sub_record(at, end)
                if next < 0 or next > self.high:
                    break
                at = next
            else:
                next = at
        self.out = bytearray(1)
        return -1 - at if next < 0 else at

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def keep(self, begin: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
        """Copy these bytes of the file, as far as they are in `out`."""
        i: cython.Py_ssize_t
        for i in range(max(begin, self.low), min(end, self.high)):
            self.out[i - self.low] = self.d[i]
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def number(self, at: cython.Py_ssize_t, width: cython.Py_ssize_t) -> cython.longlong:
        value: cython.ulonglong = 0
        i: cython.Py_ssize_t
        for i in range(at, at + width):
            value = (value << 8) | self.d[i]
        return cython.cast(cython.longlong, value)

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def width(self, kind: cython.int) -> cython.Py_ssize_t:
        """Bytes of a value of a field type, 0 if there is no such type."""
        if kind == 2:
            return self.n
        if kind == 4 or kind == 8:
            return 1
        if kind == 5 or kind == 9:
            return 2
        if kind == 6 or kind == 10:
            return 4
        if kind == 7 or kind == 11:
            return 8
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def sub_record(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Copy one sub-record; where the next begins, -1 if this one is not whole or not known."""
        n: cython.Py_ssize_t = self.n
        tag: cython.int = self.d[at]
        body: cython.Py_ssize_t = at + 1 + n
        next: cython.Py_ssize_t
        width: cython.Py_ssize_t
        if tag == 0x20:
            return self.class_dump(at, end)
        if tag == 0x21:
            body = at + 9 + 2 * n
            if body > end:
                return -1
            next = body + cython.cast(cython.Py_ssize_t, self.number(body - 4, 4))
            if next > end:
                return -1
            self.keep(at, body)
            self.references(self.number(at + 5 + n, n), body, next - body)
            return next
        if tag == 0x22:
            body = at + 9 + 2 * n
            if body > end:
                return -1
            next = body + cython.cast(cython.Py_ssize_t, self.number(at + 5 + n, 4)) * n
            if next > end:
                return -1
            self.keep(at, next)
            return next
        if tag == 0x23 or tag == 0xC3:
            body = at + 10 + n
            if body > end:
                return -1
            width = self.width(self.d[body - 1])
            if width == 0 or self.d[body - 1] == 2:
                return -1
            next = body
            if tag == 0x23:
                next += cython.cast(cython.Py_ssize_t, self.number(at + 5 + n, 4)) * width
            if next > end:
                return -1
            self.keep(at, body)
            return next
        if tag == 0x01:
            next = body + n
        elif tag == 0x02 or tag == 0x03 or tag == 0x08 or tag == 0x8E:
            next = body + 8
        elif tag == 0x04 or tag == 0x06:
            next = body + 4
        elif tag == 0x05 or tag == 0x07 or tag == 0xFF or (tag >= 0x89 and tag <= 0x8D) or tag == 0x90:
            next = body
        elif tag == 0xFE:
            # Android: the kind of heap, and the id of its name; not id-sized first.
            next = at + 5 + n
        else:
            return -1
        if next > end:
            return -1
        self.keep(at, next)
        return next

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def class_dump(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Copy a class but for the primitive values of its constants and statics."""
        n: cython.Py_ssize_t = self.n
        pos: cython.Py_ssize_t = at + 1 + 7 * n + 8
        part: cython.int
        count: cython.longlong
        name: cython.Py_ssize_t
        width: cython.Py_ssize_t
        if end - pos < 2:
            return -1
        self.keep(at, pos)
        for part in range(2):
            # Constants have an index of two bytes, statics a name.
            name = n if part else 2
            if end - pos < 2:
                return -1
            count = self.number(pos, 2)
            self.keep(pos, pos + 2)
            pos += 2
            while count > 0:
                if end - pos < name + 1:
                    return -1
                width = self.width(self.d[pos + name])
                if width == 0 or end - pos < name + 1 + width:
                    return -1
                self.keep(pos, pos + name + 1 + (width if self.d[pos + name] == 2 else 0))
                pos += name + 1 + width
                count -= 1
        if end - pos < 2:
            return -1
        count = self.number(pos, 2)
        width = pos + 2 + cython.cast(cython.Py_ssize_t, count) * (n + 1)
        if width > end:
            return -1
        self.keep(pos, width)
        return width

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def references(self, id: cython.longlong, body: cython.Py_ssize_t, length: cython.Py_ssize_t) -> cython.int:
        """Copy the references of an instance, none if it is shorter than its class says."""
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
            if self.offset[i] + self.n > length:
                return 0
        for i in range(self.first[low], self.first[low + 1]):
            at = body + self.offset[i]
            self.keep(at, at + self.n)
        return 0
