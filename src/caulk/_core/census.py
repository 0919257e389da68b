# cython: boundscheck=True, wraparound=False, cdivision=True
"""Objects counted by what they are, piece by piece, without a column that has one entry an object."""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Tally:
    """How many objects there are of each (kind, name), and their bytes: three columns that grow with the pairs."""

    key_array: object
    count_array: object
    held_array: object
    keys: cython.longlong[::1]
    """The kind, and above its 8 bits the name; a hash table, in which -1 is free."""
    counts: cython.longlong[::1]
    held: cython.longlong[::1]
    size: cython.Py_ssize_t
    mask: cython.longlong

    def __init__(self) -> None:
        self.reserve(1024)

    @cython.cfunc
    def reserve(self, room: cython.Py_ssize_t) -> object:
        self.key_array = array("q", [-1]) * room
        self.count_array = array("q", [0]) * room
        self.held_array = array("q", [0]) * room
        self.keys = self.key_array
        self.counts = self.count_array
        self.held = self.held_array
        self.mask = room - 1
        self.size = 0
        return None

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def put(self, key: cython.longlong, count: cython.longlong, held: cython.longlong) -> cython.int:
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        mixed: cython.ulonglong = cython.cast(cython.ulonglong, cython.cast(cython.ulonglong, key) * factor)
        at: cython.longlong = cython.cast(cython.longlong, mixed >> 32) & self.mask
        while self.keys[at] != key and self.keys[at] != -1:
            at = (at + 1) & self.mask
        if self.keys[at] == -1:
            self.keys[at] = key
            self.size += 1
        self.counts[at] += count
        self.held[at] += held
        return 0

    @cython.cfunc
    def grow(self) -> object:
        keys: cython.longlong[::1] = self.key_array
        counts: cython.longlong[::1] = self.count_array
        held: cython.longlong[::1] = self.held_array
        i: cython.Py_ssize_t
        self.reserve(2 * len(keys))
        with cython.nogil:
            for i in range(len(keys)):
                if keys[i] != -1:
                    self.put(keys[i], counts[i], held[i])
        return None

    def add(self, kind, name, size, rows: cython.Py_ssize_t, named):
        """Count the first `rows` of a piece: kinds (`'B'`), names and sizes (`'I'`).

        `named` (256 bytes) says of which kinds the name counts; the others are one each.
        """
        k: cython.const[cython.uchar][::1] = kind
        n: cython.const[cython.uint][::1] = name
        z: cython.const[cython.uint][::1] = size
        w: cython.const[cython.uchar][::1] = named
        i: cython.Py_ssize_t
        key: cython.longlong
        with cython.nogil:
            for i in range(rows):
                if 2 * self.size > self.mask:
                    with cython.gil:
                        self.grow()
                key = k[i]
                if w[k[i]]:
                    key |= cython.cast(cython.longlong, n[i]) << 8
                self.put(key, 1, z[i])

    def rows(self):
        """(kind, name, objects, bytes) of each pair, by kind and name."""
        found = []
        for key, count, held in zip(self.key_array, self.count_array, self.held_array, strict=True):
            if key != -1:
                found.append((key & 0xFF, key >> 8, count, held))
        return sorted(found)
