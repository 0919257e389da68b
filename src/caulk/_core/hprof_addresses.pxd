from caulk._core.hprof_scattered cimport Scattered

cimport cython


@cython.final
cdef class Addresses:
    # A unit is `1 << shift` bytes.
    cdef int shift
    # Bytes that pages may take however few objects lie on them.
    cdef long long room
    cdef object bits_array
    cdef object keys_array
    cdef object slots_array
    # The pages, 32 words each; page 0 is not used.
    cdef unsigned int[::1] bits
    # What each bucket stands for, plus one; 0 is free.
    cdef unsigned long long[::1] keys
    # Sixteen pages a bucket; 0 where no object is.
    cdef int[::1] slots
    # A hash is the upper bits of a product: all but so many.
    cdef int down
    cdef Py_ssize_t mask
    cdef Py_ssize_t buckets
    cdef Py_ssize_t pages
    cdef unsigned long long last_key
    cdef Py_ssize_t last
    # All addresses or-ed: its lowest bit is the alignment of objects.
    cdef unsigned long long together
    cdef Py_ssize_t size
    # All addresses instead, once they have turned out to be too far from one another for pages.
    cdef Scattered scattered

    cdef object reserve(self, int bits)
    cdef object more(self, unsigned long long unit)
    cdef object more_buckets(self)
    cdef object more_pages(self)
    cdef object is_wasteful(self)
    cdef object scatter(self)
    cdef int add(self, unsigned long long address) except? -1 nogil
    cdef int number(self, unsigned long long address) except? -1 nogil
    cdef long long resolve(
        self, unsigned long long[::1] addresses, long long[::1] places, Py_ssize_t count, int[::1] target
    ) except? -1 nogil
    cdef long long distance(self, unsigned long long address) except? -1 nogil
    cdef long long scattered_distance(self, unsigned long long address) except? -1 nogil
