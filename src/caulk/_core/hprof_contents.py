# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""What the objects of an HPROF heap contain: where their records are, and which primitive arrays are equal."""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .growing import Column
from .hprof_addresses import Addresses
from .hprof_cursor import Cursor

COMPILED = cython.compiled

_FACTOR = cython.declare(cython.ulonglong, 0x1E3779B97F4A7C15)


def places(cursor: Cursor, heap, addresses: Addresses, wanted):
    """Where the objects that are marked in `wanted` (a byte each) stand: number, byte of the record, and so on."""
    h: cython.longlong[::1] = heap
    w: cython.const[cython.uchar][::1] = wanted
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    number: cython.int
    found: Column = Column()
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while cursor.step(end):
                if cursor.is_object or cursor.tag == 0x20:
                    number = addresses.number(cursor.id)
                    if w[number]:
                        found.push(number)
                        found.push(cursor.head)
    return found.take()


def same(cursor: Cursor, heap, addresses: Addresses, content):
    """Which primitive arrays marked in `content` (`'i'` by object, -1: look at it) are equal, by a hash of 64 bits.

    Puts the number of its content, from 1, in the place of each mark. Returns four numbers for each content that
    there is more than once: how often, elements, the first array with it, and its number.
    """
    h: cython.longlong[::1] = heap
    c: cython.int[::1] = content
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    number: cython.int
    seen: _Contents = _Contents()
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while cursor.step(end):
                if cursor.tag != 0x23:
                    continue
                number = addresses.number(cursor.id)
                # Of an object that was dumped twice the first counts.
                if c[number] < 0:
                    c[number] = seen.group(cursor, number)
    return seen.repeated()


def texts(cursor: Cursor, start: cython.Py_ssize_t, end: cython.Py_ssize_t, most: cython.Py_ssize_t):
    """Hash and bytes of the record of each array that may be a text, in the first `most` bytes of heap records.

    And how many bytes those records have. Arrays of bytes and characters may be texts unless they begin with zeros, as
    buffers do.
    """
    last: cython.Py_ssize_t = min(end, start + most)
    size: cython.Py_ssize_t
    found: Column = Column()
    cursor.at = start
    with cython.nogil:
        while cursor.at < last and cursor.step(end):
            if cursor.tag != 0x23 or (cursor.other != 5 and cursor.other != 8) or cursor.at > last:
                continue
            size = cursor.at - cursor.body
            if size < 2 or cursor.u2(cursor.body) != 0:
                found.push(cython.cast(cython.longlong, digest(cursor, cursor.body, size, cursor.other)))
                found.push(cursor.at - cursor.head)
    return found.take(), min(cursor.at, last) - start


@cython.final
@cython.cclass
class _Contents:
    """A hash table of contents: how often there is each, its length, and the first array that has it."""

    keys: cython.ulonglong[::1]
    groups: cython.int[::1]
    mask: cython.Py_ssize_t
    count: Column
    length: Column
    first: Column

    def __init__(self) -> None:
        self.count = Column()
        self.length = Column()
        self.first = Column()
        self.reserve(1024)

    def repeated(self):
        """Four numbers for each content that there is more than once, as `same` says."""
        found: Column = Column()
        group: cython.Py_ssize_t
        with cython.nogil:
            for group in range(self.count.size):
                if self.count.v[group] > 1:
                    found.push(self.count.v[group])
                    found.push(self.length.v[group])
                    found.push(self.first.v[group])
                    found.push(group + 1)
        return found.take()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def group(self, cursor: Cursor, number: cython.int) -> cython.int:
        """The number of the content of the primitive array that the cursor is behind."""
        key: cython.ulonglong = digest(cursor, cursor.body, cursor.at - cursor.body, cursor.other)
        at: cython.Py_ssize_t = self.place(key)
        if self.keys[at] == key:
            self.count.v[self.groups[at]] += 1
            return self.groups[at] + 1
        self.keys[at] = key
        self.groups[at] = cython.cast(cython.int, self.count.size)
        self.count.push(1)
        self.length.push(cursor.length)
        self.first.push(number)
        if 2 * self.count.size > self.mask:
            with cython.gil:
                self.more()
        return cython.cast(cython.int, self.count.size)

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def place(self, key: cython.ulonglong) -> cython.Py_ssize_t:
        """Where a key is, or can be."""
        at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, key >> 1) & self.mask
        while self.keys[at] != 0 and self.keys[at] != key:
            at = (at + 1) & self.mask
        return at

    @cython.cfunc
    def reserve(self, size: cython.Py_ssize_t) -> object:
        self.keys = array("Q", bytes(8 * size))
        self.groups = array("i", bytes(4 * size))
        self.mask = size - 1
        return None

    @cython.cfunc
    def more(self) -> object:
        keys: cython.ulonglong[::1] = self.keys
        groups: cython.int[::1] = self.groups
        i: cython.Py_ssize_t
        at: cython.Py_ssize_t
        self.reserve(2 * len(keys))
        with cython.nogil:
            for i in range(len(keys)):
                if keys[i]:
                    at = self.place(keys[i])
                    self.keys[at] = keys[i]
                    self.groups[at] = groups[i]
        return None


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def hashed(key: cython.ulonglong) -> cython.ulonglong:
    mixed: cython.ulonglong = cython.cast(cython.ulonglong, key * _FACTOR)
    return mixed ^ (mixed >> 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def digest(cursor: Cursor, at: cython.Py_ssize_t, size: cython.Py_ssize_t, seed: cython.ulonglong) -> cython.ulonglong:
    """A hash, never 0, of bytes that the caller has found to be there."""
    end: cython.Py_ssize_t = at + size
    mixed: cython.ulonglong = hashed((cython.cast(cython.ulonglong, size) << 8) | seed)
    high: cython.ulonglong
    while at + 8 <= end:
        high = cython.cast(cython.ulonglong, cursor.u4(at))
        mixed = hashed(mixed ^ (high << 32) ^ cython.cast(cython.ulonglong, cursor.u4(at + 4)))
        at += 8
    while at < end:
        mixed = hashed(mixed ^ cursor.d[at] ^ 0x5BD1E995)
        at += 1
    return mixed | 1


def targets_of(type, first, target, wanted, idom):
    """Marks (`'i'`, -1) on what objects of the types in `wanted` (a byte a type) refer to, if both are in `idom`."""
    t: cython.const[cython.int][:] = type
    f: cython.const[cython.uint][:] = first
    o: cython.const[cython.int][:] = target
    w: cython.const[cython.uchar][:] = wanted
    d: cython.const[cython.int][:] = idom
    marked = array("i", bytes(4 * len(t)))
    m: cython.int[::1] = marked
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(t)):
            if w[t[i]] and d[i] >= 0:
                for j in range(f[i], f[i + 1]):
                    if d[o[j]] >= 0:
                        m[o[j]] = -1
    return marked
