# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The sub-records of an HPROF heap, one at a time, from its bytes.

Format: https://hg.openjdk.org/jdk6/jdk6/jdk/raw-file/tip/src/share/demo/jvmti/hprof/manual.html and HotSpot's
heapDumper.cpp; Android's sub-records: art/runtime/hprof/hprof.cc. What each field of a cursor means stands in
`hprof_cursor.pxd`.
"""

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Cursor:
    """A place among the bytes of a dump, and what the sub-record before it says."""

    def __init__(self, data, id_size: cython.int) -> None:
        self.d = data
        self.limit = len(data)
        self.n = id_size
        self.at = 0
        self.is_object = False
        self.is_cut = False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self, end: cython.Py_ssize_t) -> cython.int:
        """Read the sub-record at `at` and go behind it; 0, and stay, where it is not there whole, or not known."""
        at: cython.Py_ssize_t = self.at
        n: cython.Py_ssize_t = self.n
        tag: cython.int
        self.is_cut = False
        if end <= at:
            return 0
        if end - at < 1 + n:
            return cut(self)
        tag = self.d[at]
        self.tag = tag
        self.head = at
        self.id = id_at(self, at + 1)
        self.is_object = True
        if tag == 0x21:
            self.body = at + 9 + 2 * n
            if self.body > end:
                return cut(self)
            self.other = id_at(self, at + 5 + n)
            self.length = four(self, at + 5 + 2 * n)
            return behind(self, cython.cast(cython.Py_ssize_t, self.length), end)
        if tag == 0x22 or tag == 0x23 or tag == 0xC3:
            return self.array(tag, end)
        self.is_object = False
        if tag == 0x20:
            return self.class_dump(end)
        return self.root(tag, end)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def array(self, tag: cython.int, end: cython.Py_ssize_t) -> cython.int:
        at: cython.Py_ssize_t = self.at
        n: cython.Py_ssize_t = self.n
        width: cython.Py_ssize_t
        self.body = at + 9 + 2 * n if tag == 0x22 else at + 10 + n
        if self.body > end:
            return cut(self)
        self.length = four(self, at + 5 + n)
        if tag == 0x22:
            self.other = id_at(self, at + 9 + n)
            return behind(self, cython.cast(cython.Py_ssize_t, self.length) * n, end)
        self.other = self.d[at + 9 + n]
        width = bytes_of(self, self.other)
        if width == 0 or self.other == 2:
            return 0
        # Android leaves the elements out where an array is of no interest to it.
        return behind(self, 0 if tag == 0xC3 else cython.cast(cython.Py_ssize_t, self.length) * width, end)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def root(self, tag: cython.int, end: cython.Py_ssize_t) -> cython.int:
        """Go behind a root, or what Android says of the part of the heap that follows."""
        more: cython.Py_ssize_t
        self.body = self.at + 1 + self.n
        self.other = 0
        self.length = -1
        if tag == 0x01:
            return behind(self, self.n, end)
        if tag == 0xFE:
            # The kind of heap, and the id of its name: four bytes and an id.
            return behind(self, 4, end)
        if tag == 0x02 or tag == 0x03 or tag == 0x08 or tag == 0x8E:
            more = 8
        elif tag == 0x04 or tag == 0x06:
            more = 4
        elif tag == 0x05 or tag == 0x07 or tag == 0xFF or (tag >= 0x89 and tag <= 0x8D) or tag == 0x90:
            more = 0
        else:
            return 0
        if end - self.body < more:
            return cut(self)
        if more:
            self.other = cython.cast(cython.ulonglong, four(self, self.body))
        if more == 8:
            # The frame; -1 is none.
            self.length = cython.cast(cython.int, four(self, self.body + 4))
        return behind(self, more, end)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def class_dump(self, end: cython.Py_ssize_t) -> cython.int:
        """Go behind the class dump at `at`; `body` is where its statics begin, behind the constant pool."""
        n: cython.Py_ssize_t = self.n
        at: cython.Py_ssize_t = self.values(self.at + 1 + 7 * n + 8, end, 2)
        count: cython.Py_ssize_t
        if at <= 0:
            return 0
        self.body = at
        at = self.values(at, end, n)
        if at <= 0:
            return 0
        if end - at < 2:
            return cut(self)
        count = two(self, at)
        at += 2
        if (end - at) // (n + 1) < count:
            return cut(self)
        self.at = at + count * (n + 1)
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def values(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t, before: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where the counted values at `at` end, each behind `before` bytes and its type; 0 if that cannot be said."""
        count: cython.Py_ssize_t
        width: cython.Py_ssize_t
        if end - at < 2:
            return cut(self)
        count = two(self, at)
        at += 2
        while count > 0:
            if end - at < before + 1:
                return cut(self)
            width = bytes_of(self, self.d[at + before])
            if width == 0:
                return 0
            at += before + 1 + width
            count -= 1
        return at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def u4(self, at: cython.Py_ssize_t) -> cython.longlong:
        """Four bytes that the caller has found to be there."""
        return four(self, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def u2(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Two bytes that the caller has found to be there."""
        return two(self, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def ident(self, at: cython.Py_ssize_t) -> cython.ulonglong:
        """An id that the caller has found to be there."""
        return id_at(self, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def width(self, kind: cython.ulonglong) -> cython.Py_ssize_t:
        """Bytes of a value of a field type, 0 if there is no such type."""
        return bytes_of(self, kind)


# Calls of methods are never inlined in C where other kernels can call them too, so these stand outside the class.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def four(cursor: Cursor, at: cython.Py_ssize_t) -> cython.longlong:
    """Four bytes that the caller has found to be there."""
    return (
        (cython.cast(cython.longlong, cursor.d[at]) << 24)
        | (cython.cast(cython.longlong, cursor.d[at + 1]) << 16)
        | (cython.cast(cython.longlong, cursor.d[at + 2]) << 8)
        | cython.cast(cython.longlong, cursor.d[at + 3])
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def two(cursor: Cursor, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    return (cython.cast(cython.Py_ssize_t, cursor.d[at]) << 8) | cursor.d[at + 1]


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def id_at(cursor: Cursor, at: cython.Py_ssize_t) -> cython.ulonglong:
    """An id that the caller has found to be there."""
    if cursor.n == 4:
        return cython.cast(cython.ulonglong, four(cursor, at))
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


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def bytes_of(cursor: Cursor, kind: cython.ulonglong) -> cython.Py_ssize_t:
    """Bytes of a value of a field type, 0 if there is no such type."""
    if kind == 2:
        return cursor.n
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
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def cut(cursor: Cursor) -> cython.int:
    """What is there of a sub-record is not all of it."""
    cursor.is_cut = True
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def behind(cursor: Cursor, more: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Go behind the `more` bytes of a body."""
    if end - cursor.body < more:
        return cut(cursor)
    cursor.at = cursor.body + more
    return 1
