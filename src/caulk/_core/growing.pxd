cimport cython


@cython.final
cdef class Column:
    cdef object array
    cdef long long[::1] v
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity

    cdef object grow(self)
    cdef int push(self, long long value) except? -1 nogil
