from caulk._core.growing cimport Column

cimport cython


@cython.final
cdef class ClassTable:
    # By class: its type; the first of its references in `ref_offset`; the number of what its instances refer to beside
    # their fields, or 0; which of its references is a referent, or -1, and the byte at which stands what waits for it;
    # the bytes that an instance must have.
    cdef int[::1] class_type
    cdef int[::1] ref_first
    cdef int[::1] class_holds
    cdef int[::1] class_referent
    cdef int[::1] class_follower
    cdef long long[::1] class_needs
    # By reference: the byte of an instance at which it is, and its label.
    cdef int[::1] ref_offset
    cdef unsigned int[::1] ref_label
    # The types of primitive arrays by their element's code.
    cdef int[::1] primitive_type
    cdef int first_missing
    cdef unsigned int element_label
    cdef unsigned int holds_label
    # How many classes are in the dump, and how many have a row.
    cdef Py_ssize_t known
    cdef Py_ssize_t classes
    cdef Column missing
    # Rows by id: a hash table; the key 0 is free.
    cdef unsigned long long[::1] class_key
    cdef int[::1] class_row
    cdef int down
    cdef Py_ssize_t mask
    cdef unsigned long long last_class
    cdef int last_row

    cdef int row(self, unsigned long long id) except? -1 nogil
    cdef int type_of(self, int row) except? -1 nogil
    cdef int put(self, unsigned long long id, int row) except? -1 nogil
    cdef Py_ssize_t place(self, unsigned long long id) except? -1 nogil
    cdef object reserve(self, int bits)
    cdef object more(self)
