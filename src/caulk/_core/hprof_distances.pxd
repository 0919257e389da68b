from caulk._core.growing cimport Column

cimport cython


@cython.final
cdef class Distances:
    # By class: the least distance to what follows an instance, how often it was that, and how many were looked at.
    cdef long long[::1] least
    cdef int[::1] agreed
    cdef int[::1] seen
    # By element type: how many arrays were looked at. Three numbers for each of them.
    cdef int[::1] sampled
    cdef Column arrays
    cdef object columns

    cdef bint wants(self, int row) except? -1 nogil
    cdef bint wants_array(self, unsigned long long kind) except? -1 nogil
    cdef int instance(self, int row, long long distance) except? -1 nogil
    cdef int array(self, unsigned long long kind, long long length, long long distance) except? -1 nogil
