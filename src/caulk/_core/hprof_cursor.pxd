cimport cython


@cython.final
cdef class Cursor:
    cdef const unsigned char[::1] d
    cdef Py_ssize_t limit
    # Bytes of an id.
    cdef Py_ssize_t n
    cdef Py_ssize_t at
    # Of the sub-record behind which `at` is: its tag, where it begins, and where what it holds begins.
    cdef int tag
    cdef Py_ssize_t head
    cdef Py_ssize_t body
    cdef unsigned long long id
    # The class of an instance or array, the type of a primitive array, the thread of a root.
    cdef unsigned long long other
    # Bytes of an instance, elements of an array, the frame of a root.
    cdef long long length
    # Whether it is an instance or an array.
    cdef bint is_object
    # Whether the sub-record at `at`, where reading has stopped, is not there whole.
    cdef bint is_cut

    cdef long long u4(self, Py_ssize_t at) noexcept nogil
    cdef Py_ssize_t u2(self, Py_ssize_t at) noexcept nogil
    cdef unsigned long long ident(self, Py_ssize_t at) noexcept nogil
    cdef Py_ssize_t width(self, unsigned long long kind) noexcept nogil
    cdef int step(self, Py_ssize_t end) except? -1 nogil
    cdef int array(self, int tag, Py_ssize_t end) except? -1 nogil
    cdef int root(self, int tag, Py_ssize_t end) except? -1 nogil
    cdef int class_dump(self, Py_ssize_t end) except? -1 nogil
    cdef Py_ssize_t values(self, Py_ssize_t at, Py_ssize_t end, Py_ssize_t before) except? -1 nogil
