# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""Ranks of addresses that lie far from one another: a sorted list, and a hash of the places in it.

At most 32 bytes an address, wherever it lies: a bitmap takes a page for an object that is alone on it.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .growing import Column

COMPILED = cython.compiled

_FACTOR = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
#: Slots from its hash on where an address may be; what finds none free, as made-up ones do, is searched for instead.
_REACH = cython.declare(cython.Py_ssize_t, 64)
#: A place in the list is a number of 32 bits.
_MOST = cython.declare(cython.Py_ssize_t, 0x7FFFFFFE)


@cython.final
@cython.cclass
class Scattered:
    """A set of addresses that gives each its rank once all are there."""

    def __init__(self) -> None:
        self.found = Column()
        self.size = 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def add(self, address: cython.ulonglong) -> cython.int:
        self.found.push(cython.cast(cython.longlong, address))
        return 1

    def rank(self):
        """Number all addresses, from 1 in their order; how many there are."""
        column = self.found.take()
        if not is_ascending(column):
            column = ordered(column)
            self.size = unite(column)
            del column[self.size :]
        self.size = len(column)
        self.order = column
        if self.size <= _MOST:
            self.index()
        return self.size

    @cython.cfunc
    def index(self) -> object:
        bits: cython.int = 6
        i: cython.Py_ssize_t
        at: cython.Py_ssize_t
        start: cython.Py_ssize_t
        while (cython.cast(cython.Py_ssize_t, 1) << bits) < 2 * self.size:
            bits += 1
        self.down = 64 - bits
        self.slots = array("i", bytes(4 * ((cython.cast(cython.Py_ssize_t, 1) << bits) + _REACH)))
        with cython.nogil:
            for i in range(self.size):
                start = place(cython.cast(cython.ulonglong, self.order[i]), self.down)
                for at in range(start, start + _REACH):
                    if self.slots[at] == 0:
                        self.slots[at] = cython.cast(cython.int, i + 1)
                        break
        return None

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def number(self, address: cython.ulonglong) -> cython.int:
        """The number of an address, 0 if it is not in the set."""
        start: cython.Py_ssize_t = place(address, self.down)
        at: cython.Py_ssize_t
        for at in range(start, start + _REACH):
            if self.slots[at] == 0:
                return 0
            if cython.cast(cython.ulonglong, self.order[self.slots[at] - 1]) == address:
                return self.slots[at]
        return self.search(address)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def search(self, address: cython.ulonglong) -> cython.int:
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.size
        middle: cython.Py_ssize_t
        while low < high:
            middle = (low + high) // 2
            if cython.cast(cython.ulonglong, self.order[middle]) < address:
                low = middle + 1
            else:
                high = middle
        if low < self.size and cython.cast(cython.ulonglong, self.order[low]) == address:
            return cython.cast(cython.int, low + 1)
        return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def place(address: cython.ulonglong, down: cython.int) -> cython.Py_ssize_t:
    """The first slot for an address: the upper bits of a product depend on all of its bits."""
    return cython.cast(cython.Py_ssize_t, cython.cast(cython.ulonglong, address * _FACTOR) >> down)


@cython.cfunc
def is_ascending(addresses: cython.longlong[::1]) -> cython.bint:
    i: cython.Py_ssize_t
    for i in range(1, len(addresses)):
        if cython.cast(cython.ulonglong, addresses[i - 1]) >= cython.cast(cython.ulonglong, addresses[i]):
            return False
    return True


@cython.cfunc
def ordered(column) -> object:
    """The same sorted: by one byte after the other, from the lowest."""
    other = array("q", bytes(8 * len(column)))
    shift: cython.int
    for shift in range(0, 64, 8):
        if by_byte(column, other, shift):
            column, other = other, column
    return column


@cython.cfunc
def by_byte(source: cython.longlong[::1], other: cython.longlong[::1], shift: cython.int) -> cython.bint:
    """Sort into `other` by one byte, what has the same one as it stands; False if it is the same in all."""
    starts: cython.longlong[::1] = array("q", bytes(8 * 257))
    i: cython.Py_ssize_t
    digit: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(source)):
            starts[((source[i] >> shift) & 255) + 1] += 1
    for i in range(1, 257):
        if starts[i] == len(source):
            return False
        starts[i] += starts[i - 1]
    with cython.nogil:
        for i in range(len(source)):
            digit = (source[i] >> shift) & 255
            other[starts[digit]] = source[i]
            starts[digit] += 1
    return True


@cython.cfunc
def unite(ascending: cython.longlong[::1]) -> cython.Py_ssize_t:
    """Move what is there once to the front; how many there are."""
    i: cython.Py_ssize_t
    kept: cython.Py_ssize_t = 0
    for i in range(len(ascending)):
        if kept == 0 or ascending[i] != ascending[kept - 1]:
            ascending[kept] = ascending[i]
            kept += 1
    return kept
