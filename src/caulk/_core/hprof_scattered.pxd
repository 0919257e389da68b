from caulk._core.growing cimport Column

cimport cython


@cython.final
cdef class Scattered:
    cdef Column found
    # The addresses in their order, each once.
    cdef long long[::1] order
    # Places in `order` plus one, by hash; 0 is free.
    cdef int[::1] slots
    # A hash is the upper bits of a product: all but so many.
    cdef int down
    cdef Py_ssize_t size

    cdef int add(self, unsigned long long address) except? -1 nogil
    cdef int number(self, unsigned long long address) except? -1 nogil
    cdef int search(self, unsigned long long address) except? -1 nogil
    cdef object index(self)
