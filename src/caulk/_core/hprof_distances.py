# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""How far the next object is behind each: by this the way is found in which a JVM has laid its objects out.

A sample of each class and of each type of array is enough.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .growing import Column

COMPILED = cython.compiled

_INSTANCES = cython.declare(cython.int, 512)
_ARRAYS = cython.declare(cython.int, 2048)


@cython.final
@cython.cclass
class Distances:
    """Distances of so many classes, in bytes; 0 stands for one that is not known."""

    def __init__(self, classes: cython.Py_ssize_t) -> None:
        least, agreed = array("q", bytes(8 * classes)), array("i", bytes(4 * classes))
        self.columns = least, agreed
        self.least = least
        self.agreed = agreed
        self.seen = array("i", bytes(4 * classes))
        self.sampled = array("i", bytes(4 * 256))
        self.arrays = Column()

    def taken(self):
        """The columns by name.

        `least` and `agreed` are the distance from an instance of each class to the next object, and in how many it was
        that; `arrays` has 3 numbers an array (element type, length, distance).
        """
        least, agreed = self.columns
        return {"least": least, "agreed": agreed, "arrays": self.arrays.take()}

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def wants(self, row: cython.int) -> cython.bint:
        """Whether another instance of the class would tell anything."""
        return self.seen[row] < _INSTANCES

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def wants_array(self, kind: cython.ulonglong) -> cython.bint:
        return self.sampled[kind] < _ARRAYS

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def instance(self, row: cython.int, distance: cython.longlong) -> cython.int:
        self.seen[row] += 1
        if distance and (self.least[row] == 0 or distance < self.least[row]):
            self.least[row] = distance
            self.agreed[row] = 0
        if distance == self.least[row]:
            self.agreed[row] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def array(self, kind: cython.ulonglong, length: cython.longlong, distance: cython.longlong) -> cython.int:
        self.sampled[kind] += 1
        self.arrays.push(cython.cast(cython.longlong, kind))
        self.arrays.push(length)
        self.arrays.push(distance)
        return 0
