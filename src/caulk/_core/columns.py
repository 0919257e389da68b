# cython: boundscheck=True, wraparound=False, cdivision=True
"""Memory for columns: large ones lie in large pages of their own, and go back to the system when they are let go.

A column of a heap is read in no order. With small pages the way to the page takes longer than what is read there, and
each page of a new column costs a fault: a third of the time of an analysis, on a machine where memory is the host's.
"""

import mmap
from array import array
from contextlib import suppress

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

#: From so many bytes on a column has pages of its own.
_LARGE = 1 << 20
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_ANONYMOUS") else {}


def zeros(typecode, length):
    """A column of zeros; a large one costs memory only where it is written."""
    size = array(typecode).itemsize * length
    if size < _LARGE:
        return array(typecode, bytes(size))
    pages = mmap.mmap(-1, size, **_PRIVATE)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # A kernel that was built without large pages refuses.
        with suppress(OSError):
            pages.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(pages).cast(typecode)


def filled(value, length):
    """An `'i'` column of one value."""
    column = zeros("i", length)
    v: cython.int[::1] = column
    x: cython.int = value
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(v)):
            v[i] = x
    return column


def shortened(values, length):
    """The first `length` entries of a column of `zeros`; the memory of the others is given back."""
    pages = getattr(values, "obj", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        begin = -(-length * values.itemsize // mmap.PAGESIZE) * mmap.PAGESIZE
        if begin < len(pages):
            pages.madvise(mmap.MADV_DONTNEED, begin)
    return values[:length]
