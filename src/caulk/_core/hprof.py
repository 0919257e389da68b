# cython: boundscheck=True, wraparound=False, cdivision=True
"""The objects of an HPROF dump, straight from its bytes: records, numbers for addresses, and the edges between them.

Format: https://hg.openjdk.org/jdk6/jdk6/jdk/raw-file/tip/src/share/demo/jvmti/hprof/manual.html and HotSpot's
heapDumper.cpp; Android's sub-records: art/runtime/hprof/hprof.cc. Nothing is kept per object while the file is read
but a bit: an object's number is the rank of its address, found through a bitmap of the pages that hold objects, so the
file is read three times (mark, count, fill), each at the speed of memory.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

# What `step` found: nothing, a sub-record, one that is cut, one that it does not know.
_END = cython.declare(cython.int, 0)
_READ = cython.declare(cython.int, 1)
_CUT = cython.declare(cython.int, 2)
_UNKNOWN = cython.declare(cython.int, 3)


@cython.final
@cython.cclass
class Column:
    """A growing `'q'` column that C code can push to."""

    array: object
    v: cython.longlong[::1]
    size: cython.Py_ssize_t
    capacity: cython.Py_ssize_t

    def __init__(self) -> None:
        self.array = array("q", bytes(8 * 64))
        self.v = self.array
        self.size = 0
        self.capacity = 64

    def take(self):
        """The column at its real length."""
        self.v = array("q", b"\0" * 8)
        column = self.array
        del column[self.size :]
        return column

    @cython.cfunc
    def grow(self) -> object:
        # A buffer that is looked at cannot be resized: let go, extend, look again.
        self.v = array("q", b"\0" * 8)
        self.array *= 2
        self.capacity *= 2
        self.v = self.array
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def push(self, value: cython.longlong) -> cython.int:
        if self.size == self.capacity:
            with cython.gil:
                self.grow()
        self.v[self.size] = value
        self.size += 1
        return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def ones(word: cython.uint) -> cython.int:
    """How many bits are set."""
    word = cython.cast(cython.uint, word - ((word >> 1) & 0x55555555))
    word = (word & 0x33333333) + ((word >> 2) & 0x33333333)
    word = (word + (word >> 4)) & 0x0F0F0F0F
    return cython.cast(cython.int, cython.cast(cython.uint, word * 0x01010101) >> 24)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def hashed(key: cython.ulonglong) -> cython.ulonglong:
    # The 62-bit factor is put together because a literal over 32 bits would be a Python object.
    factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
    mixed: cython.ulonglong = cython.cast(cython.ulonglong, key * factor)
    return mixed ^ (mixed >> 32)


@cython.final
@cython.cclass
class Addresses:
    """A set of addresses that gives each its rank.

    A page holds 512 units of `1 << shift` bytes as sixteen pairs of words: 32 bits, and the rank before them. Sixteen
    pages are a bucket of a hash table, so that neighbours are found without hashing again.
    """

    shift: cython.int
    bits_array: object
    keys_array: object
    slots_array: object
    bits: cython.uint[::1]
    """The pages, 32 words each; page 0 is not used."""
    keys: cython.ulonglong[::1]
    """What each bucket stands for, plus one; 0 is free."""
    slots: cython.int[::1]
    """Sixteen pages a bucket; 0 where no object is."""
    mask: cython.ulonglong
    buckets: cython.Py_ssize_t
    pages: cython.Py_ssize_t
    capacity: cython.Py_ssize_t
    last_key: cython.ulonglong
    last: cython.Py_ssize_t
    together: cython.ulonglong
    """All addresses or-ed: its lowest bit is the alignment of objects."""
    size: cython.Py_ssize_t

    def __init__(self, shift: cython.int) -> None:
        self.shift = shift
        self.capacity = 64
        self.bits_array = array("I", bytes(4 * 32 * 64))
        self.bits = self.bits_array
        self.pages = 1
        self.buckets = 0
        self.keys_array = array("Q", bytes(8 * 64))
        self.slots_array = array("i", bytes(4 * 64 * 16))
        self.keys = self.keys_array
        self.slots = self.slots_array
        self.mask = 63
        self.last_key = 0
        self.last = 0
        self.together = 0
        self.size = 0

    def __len__(self) -> int:
        return self.size

    @property
    def alignment(self):
        """The power of two that all addresses are multiples of."""
        return self.together & -self.together if self.together else 1 << self.shift

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-2)
    def bucket(self, key: cython.ulonglong) -> cython.Py_ssize_t:
        """The bucket of `key`, -1 if there is none."""
        at: cython.ulonglong
        if key == self.last_key:
            return self.last
        at = hashed(key) & self.mask
        while self.keys[at] != key:
            if self.keys[at] == 0:
                return -1
            at = (at + 1) & self.mask
        self.last_key = key
        self.last = at
        return cython.cast(cython.Py_ssize_t, at)

    @cython.cfunc
    def more_buckets(self) -> object:
        old_keys: cython.ulonglong[::1] = self.keys_array
        old_slots: cython.int[::1] = self.slots_array
        capacity: cython.Py_ssize_t = 2 * len(self.keys_array)
        i: cython.Py_ssize_t
        j: cython.int
        at: cython.ulonglong
        self.keys_array = array("Q", bytes(8 * capacity))
        self.slots_array = array("i", bytes(4 * 16 * capacity))
        self.keys = self.keys_array
        self.slots = self.slots_array
        self.mask = capacity - 1
        self.last_key = 0
        with cython.nogil:
            for i in range(len(old_keys)):
                if old_keys[i]:
                    at = hashed(old_keys[i]) & self.mask
                    while self.keys[at] != 0:
                        at = (at + 1) & self.mask
                    self.keys[at] = old_keys[i]
                    for j in range(16):
                        self.slots[at * 16 + j] = old_slots[i * 16 + j]
        return None

    @cython.cfunc
    def more_pages(self) -> object:
        self.bits = array("I", b"\0" * 4)
        # A quarter more: doubling would copy the whole, and hold it twice.
        extra: cython.Py_ssize_t = 64 + self.capacity // 4
        self.bits_array.frombytes(bytes(4 * 32 * extra))
        self.capacity += extra
        self.bits = self.bits_array
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def add(self, address: cython.ulonglong) -> cython.int:
        """Put an address in; 0 if it is not a multiple of the unit."""
        unit: cython.ulonglong = address >> self.shift
        key: cython.ulonglong = (unit >> 13) + 1
        at: cython.Py_ssize_t
        free: cython.ulonglong
        slot: cython.Py_ssize_t
        if (unit << self.shift) != address:
            return 0
        at = self.bucket(key)
        if at < 0:
            if 2 * self.buckets > cython.cast(cython.Py_ssize_t, self.mask):
                with cython.gil:
                    self.more_buckets()
            free = hashed(key) & self.mask
            while self.keys[free] != 0:
                free = (free + 1) & self.mask
            self.keys[free] = key
            self.buckets += 1
            at = cython.cast(cython.Py_ssize_t, free)
        slot = at * 16 + cython.cast(cython.Py_ssize_t, (unit >> 9) & 15)
        if self.slots[slot] == 0:
            if self.pages == self.capacity:
                with cython.gil:
                    self.more_pages()
            self.slots[slot] = cython.cast(cython.int, self.pages)
            self.pages += 1
        at = self.slots[slot] * cython.cast(cython.Py_ssize_t, 32) + cython.cast(
            cython.Py_ssize_t, ((unit >> 5) & 15) * 2
        )
        self.bits[at] |= cython.cast(cython.uint, 1) << (unit & 31)
        self.together |= address
        return 1

    def rank(self):
        """Number all addresses, from 1 in their order; how many there are."""
        order = array("q", [slot for _, slot in sorted((key, i) for i, key in enumerate(self.keys_array) if key)])
        o: cython.longlong[::1] = order
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        page: cython.Py_ssize_t
        word: cython.Py_ssize_t
        before: cython.Py_ssize_t = 1
        # What was reserved and not used goes back.
        self.bits = array("I", b"\0" * 4)
        del self.bits_array[32 * self.pages :]
        self.bits = self.bits_array
        self.capacity = self.pages
        with cython.nogil:
            for i in range(len(o)):
                for j in range(16):
                    page = self.slots[o[i] * 16 + j]
                    if page:
                        for word in range(page * 32, page * 32 + 32, 2):
                            self.bits[word + 1] = cython.cast(cython.uint, before)
                            before += ones(self.bits[word])
        self.size = before - 1
        return self.size

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def number(self, address: cython.ulonglong) -> cython.int:
        """The number of an address, 0 if it is not in the set."""
        unit: cython.ulonglong = address >> self.shift
        at: cython.Py_ssize_t = self.bucket((unit >> 13) + 1)
        bit: cython.uint
        if at < 0 or (unit << self.shift) != address:
            return 0
        at = self.slots[at * 16 + cython.cast(cython.Py_ssize_t, (unit >> 9) & 15)]
        at = at * 32 + cython.cast(cython.Py_ssize_t, ((unit >> 5) & 15) * 2)
        bit = cython.cast(cython.uint, 1) << (unit & 31)
        if not self.bits[at] & bit:
            return 0
        return cython.cast(cython.int, self.bits[at + 1] + ones(self.bits[at] & (bit - 1)))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def distance(self, address: cython.ulonglong) -> cython.longlong:
        """Bytes to the next address, 0 if there is none within sixteen pages."""
        unit: cython.ulonglong = address >> self.shift
        at: cython.Py_ssize_t = self.bucket((unit >> 13) + 1)
        word: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, (unit >> 5) & 255)
        rest: cython.uint
        page: cython.Py_ssize_t
        found: cython.ulonglong
        if at < 0:
            return 0
        page = self.slots[at * 16 + (word >> 4)]
        # Bits above the unit's own; shifting twice because a shift by 32 is not defined.
        rest = self.bits[page * 32 + (word & 15) * 2] >> (unit & 31) >> 1
        if rest:
            return (1 + ones((rest & (~rest + 1)) - 1)) << self.shift
        while word < 255:
            word += 1
            page = self.slots[at * 16 + (word >> 4)]
            if page == 0:
                word |= 15
                continue
            rest = self.bits[page * 32 + (word & 15) * 2]
            if rest:
                found = (unit >> 13 << 13) + cython.cast(cython.ulonglong, word * 32 + ones((rest & (~rest + 1)) - 1))
                return cython.cast(cython.longlong, (found - unit) << self.shift)
        return 0

    def numbers(self, addresses):
        """The number of each address (`'i'` of `'q'`), 0 for those that are no objects."""
        a: cython.longlong[::1] = addresses
        found = array("i", bytes(4 * len(addresses)))
        out: cython.int[::1] = found
        i: cython.Py_ssize_t
        with cython.nogil:
            for i in range(len(a)):
                out[i] = self.number(cython.cast(cython.ulonglong, a[i]))
        return found


@cython.final
@cython.cclass
class Reader:
    """A cursor over the bytes of a dump, that reads one sub-record of a heap at a time."""

    d: cython.const[cython.uchar][::1]
    limit: cython.Py_ssize_t
    n: cython.Py_ssize_t
    """Bytes of an id."""
    at: cython.Py_ssize_t
    tag: cython.int
    id: cython.ulonglong
    other: cython.ulonglong
    """The class of an instance or array, the type of a primitive array, the thread of a root."""
    length: cython.longlong
    """Bytes of an instance, elements of an array, the frame of a root."""
    head: cython.Py_ssize_t
    """Where the sub-record begins, and `body` what it holds."""
    body: cython.Py_ssize_t
    lost: cython.Py_ssize_t
    """Bytes of the heap that the last reading could not make sense of."""
    addresses: Addresses
    class_type: cython.int[::1]
    ref_first: cython.int[::1]
    ref_offset: cython.int[::1]
    ref_label: cython.uint[::1]
    class_holds: cython.int[::1]
    class_referent: cython.int[::1]
    class_follower: cython.int[::1]
    class_needs: cython.longlong[::1]
    primitive_type: cython.int[::1]
    first_missing: cython.int
    element_label: cython.uint
    holds_label: cython.uint
    known: cython.Py_ssize_t
    classes: cython.Py_ssize_t
    missing: Column
    class_key: cython.ulonglong[::1]
    class_row: cython.int[::1]
    class_mask: cython.ulonglong
    last_class: cython.ulonglong
    last_row: cython.int

    def __init__(self, data, id_size: cython.int) -> None:
        self.d = data
        self.limit = len(data)
        self.n = id_size
        self.at = 0
        self.lost = 0

    @property
    def unread(self):
        """Bytes of the heap that the last reading could not make sense of."""
        return self.lost

    @property
    def objects(self):
        """The addresses of the objects, after `mark`."""
        return self.addresses

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def u4(self, at: cython.Py_ssize_t) -> cython.longlong:
        """Four bytes that the caller has found to be there."""
        return (
            (cython.cast(cython.longlong, self.d[at]) << 24)
            | (cython.cast(cython.longlong, self.d[at + 1]) << 16)
            | (cython.cast(cython.longlong, self.d[at + 2]) << 8)
            | cython.cast(cython.longlong, self.d[at + 3])
        )

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def u2(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        return (cython.cast(cython.Py_ssize_t, self.d[at]) << 8) | self.d[at + 1]

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def ident(self, at: cython.Py_ssize_t) -> cython.ulonglong:
        """An id that the caller has found to be there."""
        if self.n == 4:
            return cython.cast(cython.ulonglong, self.u4(at))
        return (
            (cython.cast(cython.ulonglong, self.d[at]) << 56)
            | (cython.cast(cython.ulonglong, self.d[at + 1]) << 48)
            | (cython.cast(cython.ulonglong, self.d[at + 2]) << 40)
            | (cython.cast(cython.ulonglong, self.d[at + 3]) << 32)
            | (cython.cast(cython.ulonglong, self.d[at + 4]) << 24)
            | (cython.cast(cython.ulonglong, self.d[at + 5]) << 16)
            | (cython.cast(cython.ulonglong, self.d[at + 6]) << 8)
            | cython.cast(cython.ulonglong, self.d[at + 7])
        )

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def width(self, kind: cython.ulonglong) -> cython.Py_ssize_t:
        """Bytes of a value of a field type, 0 if there is no such type."""
        if kind == 2:
            return self.n
        if kind == 4 or kind == 8:
            return 1
        if kind == 5 or kind == 9:
            return 2
        if kind == 6 or kind == 10:
            return 4
        if kind == 7 or kind == 11:
            return 8
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self, end: cython.Py_ssize_t) -> cython.int:
        """Read the sub-record at `at` and go behind it; stay where it is not there whole, or not known."""
        at: cython.Py_ssize_t = self.at
        n: cython.Py_ssize_t = self.n
        left: cython.Py_ssize_t = end - at
        more: cython.Py_ssize_t
        if left <= 0:
            return _END
        tag: cython.int = self.d[at]
        if left < 1 + n:
            return _CUT
        self.tag = tag
        self.head = at
        self.id = self.ident(at + 1)
        if tag == 0x21:
            self.body = at + 9 + 2 * n
            if self.body > end:
                return _CUT
            self.other = self.ident(at + 5 + n)
            self.length = self.u4(at + 5 + 2 * n)
            more = cython.cast(cython.Py_ssize_t, self.length)
        elif tag == 0x22:
            self.body = at + 9 + 2 * n
            if self.body > end:
                return _CUT
            self.length = self.u4(at + 5 + n)
            self.other = self.ident(at + 9 + n)
            more = cython.cast(cython.Py_ssize_t, self.length) * n
        elif tag == 0x23 or tag == 0xC3:
            self.body = at + 10 + n
            if self.body > end:
                return _CUT
            self.length = self.u4(at + 5 + n)
            self.other = self.d[at + 9 + n]
            more = self.width(self.other)
            if more == 0 or self.other == 2:
                return _UNKNOWN
            more = 0 if tag == 0xC3 else cython.cast(cython.Py_ssize_t, self.length) * more
        elif tag == 0x20:
            return self.class_dump(end)
        else:
            self.body = at + 1 + n
            self.other = 0
            self.length = -1
            if tag == 0x01:
                more = n
            elif tag == 0x02 or tag == 0x03 or tag == 0x08 or tag == 0x8E:
                more = 8
            elif tag == 0x04 or tag == 0x06:
                more = 4
            elif tag == 0x05 or tag == 0x07 or tag == 0xFF or (tag >= 0x89 and tag <= 0x8D) or tag == 0x90:
                more = 0
            elif tag == 0xFE:
                more = 4
            else:
                return _UNKNOWN
            if end - self.body < more:
                return _CUT
            if more >= 4 and tag != 0x01 and tag != 0xFE:
                self.other = cython.cast(cython.ulonglong, self.u4(self.body))
                if more == 8:
                    # The frame; -1 is none.
                    self.length = cython.cast(cython.int, self.u4(self.body + 4))
        if end - self.body < more:
            return _CUT
        self.at = self.body + more
        return _READ

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def class_dump(self, end: cython.Py_ssize_t) -> cython.int:
        """Go behind the class dump at `at`; `body` is where its statics begin, behind the constant pool."""
        n: cython.Py_ssize_t = self.n
        pos: cython.Py_ssize_t = self.at + 1 + 7 * n + 8
        count: cython.Py_ssize_t
        width: cython.Py_ssize_t
        if end - pos < 2:
            return _CUT
        count = self.u2(pos)
        pos += 2
        while count > 0:
            if end - pos < 3:
                return _CUT
            width = self.width(self.d[pos + 2])
            if width == 0:
                return _UNKNOWN
            pos += 3 + width
            count -= 1
        self.body = pos
        if end - pos < 2:
            return _CUT
        count = self.u2(pos)
        pos += 2
        while count > 0:
            if end - pos < n + 1:
                return _CUT
            width = self.width(self.d[pos + n])
            if width == 0:
                return _UNKNOWN
            pos += n + 1 + width
            count -= 1
        if end - pos < 2:
            return _CUT
        count = self.u2(pos)
        pos += 2
        if (end - pos) // (n + 1) < count:
            return _CUT
        self.at = pos + count * (n + 1)
        return _READ

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def is_known(self, at: cython.Py_ssize_t) -> cython.int:
        """Whether a record with a tag that the format has may begin at `at`, or the file ends there."""
        if at >= self.limit:
            return at == self.limit
        tag: cython.int = self.d[at]
        return (tag >= 1 and tag <= 7) or (tag >= 0x0A and tag <= 0x0E) or tag == 0x1C or tag == 0x2C or tag == 0xDE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def is_record(self, at: cython.Py_ssize_t, strictly: cython.bint) -> cython.int:
        """Whether a record, or nothing more, may begin at `at`; `strictly` a known one with another behind it."""
        left: cython.Py_ssize_t = self.limit - at
        if left <= 9 or (not strictly and self.is_known(at)):
            return self.is_known(at)
        length: cython.longlong = self.u4(at + 5)
        if length > left - 9:
            return 0
        if strictly and not self.is_known(at):
            return 0
        return self.is_known(at + 9 + cython.cast(cython.Py_ssize_t, length))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def heap_end(self, tag: cython.int, length: cython.longlong) -> cython.Py_ssize_t:
        """Where the heap records end that begin at `at`, whatever their length claims; `at` is then the end."""
        start: cython.Py_ssize_t = self.at
        left: cython.Py_ssize_t = self.limit - start
        wrap: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, 1) << 32
        if tag == 0x0C and left > length and (left - length) % wrap == 0:
            # Longer than 4 GiB: the length has lost its upper bits.
            self.at = self.limit
            return self.limit
        if length == 0 and self.is_record(start, True):
            return start
        if length and length <= left and self.is_record(start + length, tag == 0x0C and left > wrap):
            self.at = start + length
            return self.at
        # Cut, never patched by a writer that crashed, or wrapped with more behind it: as far as there are sub-records.
        status: cython.int = _READ
        while status == _READ:
            status = self.step(self.limit)
        if self.at < start + length and length <= left and not self.is_record(self.at, True):
            self.at = start + length
            status = _END
        if status == _CUT or not self.is_record(self.at, True):
            # What cannot be read is counted when the objects are.
            self.at = self.limit
        return self.at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def next_record(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The next byte at which four records follow one another, or the end of the file: chance does not do that."""
        pos: cython.Py_ssize_t
        more: cython.int
        while at < self.limit:
            pos = at
            more = 4
            while more > 0 and pos < self.limit and self.is_record(pos, True):
                pos = self.limit if self.limit - pos < 9 else pos + 9 + cython.cast(cython.Py_ssize_t, self.u4(pos + 5))
                more -= 1
            if more == 0 or (more < 4 and pos == self.limit):
                return at
            at += 1
        return at

    def records(self, at: cython.Py_ssize_t):
        """The records around the heap from byte `at` on, as `'q'` columns by name.

        `string`, `string_start`, `string_length`; `loaded` 3 a class (serial, id, name), `frame` 6 (id, method,
        signature, source, class serial, line), `trace` 4 (serial, thread, first and number of its frames in
        `trace_frame`), `heap` 3 (start, end, number of the dump); `complete` are the numbers of the dumps that ended as
        they should, `lost` bytes that make no sense, and `absent` those that the last record claims and the file lacks
        (or the record that should end a dump), `mark` where the record that redaction leaves begins, or -1.
        """
        string: Column = Column()
        string_start: Column = Column()
        string_length: Column = Column()
        loaded: Column = Column()
        frame: Column = Column()
        trace: Column = Column()
        trace_frame: Column = Column()
        heap: Column = Column()
        complete: Column = Column()
        n: cython.Py_ssize_t = self.n
        tag: cython.int
        length: cython.longlong
        i: cython.Py_ssize_t
        count: cython.longlong
        dump: cython.longlong = 0
        lost: cython.Py_ssize_t = 0
        absent: cython.longlong = 0
        is_open: cython.bint = False
        ends: cython.bint = False
        mark: cython.Py_ssize_t = -1
        start: cython.Py_ssize_t
        with cython.nogil:
            while self.limit - at >= 9:
                tag = self.d[at]
                length = self.u4(at + 5)
                at += 9
                if tag == 0x0C or tag == 0x1C:
                    if tag == 0x0C and is_open:
                        dump += 1
                    self.at = at
                    heap.push(at)
                    heap.push(self.heap_end(tag, length))
                    heap.push(dump)
                    is_open = True
                    ends = tag == 0x1C
                    if tag == 0x0C and length and length <= self.limit - at:
                        complete.push(dump)
                    if self.at == self.limit and length > self.limit - at:
                        absent = length - (self.limit - at)
                    at = self.at
                    continue
                if length > self.limit - at or not self.is_record(at + cython.cast(cython.Py_ssize_t, length), False):
                    # Nothing comes behind it, so this is not a record, or its length is wrong.
                    start = at - 9
                    at = self.next_record(at - 8)
                    lost += at - start
                    if at == self.limit and length > self.limit - start - 9:
                        absent = length - (self.limit - start - 9)
                    continue
                if tag == 0x2C and is_open:
                    complete.push(dump)
                    dump += 1
                    is_open = False
                if tag == 0x01 and length >= n:
                    string.push(cython.cast(cython.longlong, self.ident(at)))
                    string_start.push(at + n)
                    string_length.push(length - n)
                elif tag == 0xDE:
                    mark = at
                elif tag == 0x02 and length >= 8 + 2 * n:
                    loaded.push(self.u4(at))
                    loaded.push(cython.cast(cython.longlong, self.ident(at + 4)))
                    loaded.push(cython.cast(cython.longlong, self.ident(at + 8 + n)))
                elif tag == 0x04 and length >= 4 * n + 8:
                    for i in range(4):
                        frame.push(cython.cast(cython.longlong, self.ident(at + i * n)))
                    frame.push(self.u4(at + 4 * n))
                    frame.push(cython.cast(cython.int, self.u4(at + 4 * n + 4)))
                elif tag == 0x05 and length >= 12:
                    count = self.u4(at + 8)
                    if count * n <= length - 12:
                        trace.push(self.u4(at))
                        trace.push(self.u4(at + 4))
                        trace.push(trace_frame.size)
                        trace.push(count)
                        for i in range(count):
                            trace_frame.push(cython.cast(cython.longlong, self.ident(at + 12 + i * n)))
                at += cython.cast(cython.Py_ssize_t, length)
        lost += self.limit - at
        if is_open and ends and absent == 0:
            absent = 9
        return {
            "string": string.take(),
            "string_start": string_start.take(),
            "string_length": string_length.take(),
            "loaded": loaded.take(),
            "frame": frame.take(),
            "trace": trace.take(),
            "trace_frame": trace_frame.take(),
            "heap": heap.take(),
            "complete": complete.take(),
            "lost": lost,
            "absent": absent,
            "mark": mark,
        }

    def mark(self, heap, shift: cython.int):
        """First reading: the addresses of all objects, and the roots and classes; None if the unit is too large.

        `heap` (`'q'`) are starts and ends. `root` has 4 numbers a root (tag, id, thread, frame), `classes` 10 a class
        (id, super, loader, signers, domain, bytes of an instance, first static and field, their numbers), `static` 3
        (name, type, value) and `field` 2 (name, type); `is_android` if there were records that only Android writes.
        """
        h: cython.longlong[::1] = heap
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        status: cython.int
        fits: cython.bint = True
        is_android: cython.bint = False
        root: Column = Column()
        classes: Column = Column()
        static: Column = Column()
        field: Column = Column()
        addresses: Addresses = Addresses(shift)
        self.addresses = addresses
        self.lost = 0
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while fits:
                    status = self.step(end)
                    if status != _READ:
                        # Behind a sub-record that is not known nothing can be found again.
                        self.lost += end - self.at
                        break
                    if self.tag == 0xFE:
                        is_android = True
                    elif self.id == 0:
                        continue
                    elif (self.tag >= 0x20 and self.tag <= 0x23) or self.tag == 0xC3:
                        fits = addresses.add(self.id)
                        if self.tag == 0x20:
                            self.keep_class(classes, static, field)
                    elif self.tag != 0x90:
                        root.push(self.tag)
                        root.push(cython.cast(cython.longlong, self.id))
                        root.push(cython.cast(cython.longlong, self.other))
                        root.push(self.length)
        if not fits:
            return None
        return {
            "root": root.take(),
            "classes": classes.take(),
            "static": static.take(),
            "field": field.take(),
            "is_android": bool(is_android),
        }

    def sample(self, start: cython.Py_ssize_t, end: cython.Py_ssize_t, most: cython.Py_ssize_t):
        """Objects, references (about) and their bytes in the first `most` bytes of heap records.

        Which fields of an instance are references is not known here: half of its bytes are taken for them. Of an array
        that goes on behind, the part counts.
        """
        j: cython.Py_ssize_t
        last: cython.Py_ssize_t = min(end, start + most)
        objects: cython.longlong = 0
        references: cython.longlong = 0
        held: cython.longlong = 0
        self.at = start
        with cython.nogil:
            while self.at < last and self.step(end) == _READ:
                if self.tag != 0x21 and self.tag != 0x22 and self.tag != 0x23 and self.tag != 0xC3:
                    continue
                objects += self.at <= last
                held += min(self.at, last) - self.head
                if self.tag == 0x21:
                    references += (self.length + self.n) // (2 * self.n)
                elif self.tag == 0x22:
                    for j in range(min(self.length, (last - self.body) // self.n)):
                        if self.ident(self.body + j * self.n) != 0:
                            references += 1
        return objects, references, held

    def glance(self, heap):
        """First reading for who only weighs types: the classes, as `mark` gives them.

        Of all objects only classes and their loaders are in `objects` then, but its alignment is that of all.
        """
        h: cython.longlong[::1] = heap
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        status: cython.int
        is_android: cython.bint = False
        together: cython.ulonglong = 0
        count: cython.longlong = 0
        classes: Column = Column()
        static: Column = Column()
        field: Column = Column()
        addresses: Addresses = Addresses(0)
        self.addresses = addresses
        self.lost = 0
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while True:
                    status = self.step(end)
                    if status != _READ:
                        self.lost += end - self.at
                        break
                    if self.tag == 0xFE:
                        is_android = True
                    elif self.id != 0 and ((self.tag >= 0x20 and self.tag <= 0x23) or self.tag == 0xC3):
                        together |= self.id
                        count += 1
                        if self.tag == 0x20:
                            addresses.add(self.id)
                            if self.ident(self.head + 5 + 2 * self.n):
                                addresses.add(self.ident(self.head + 5 + 2 * self.n))
                            self.keep_class(classes, static, field)
        addresses.together = together
        return {
            "root": array("q"),
            "classes": classes.take(),
            "static": static.take(),
            "field": field.take(),
            "is_android": bool(is_android),
        }, count

    def survey(self, heap, type):
        """Second reading for who only weighs types: what `count` tells of sizes, and `type` of the loaders.

        An object's distance is that to the next in the file, which JVMs write in the order of addresses.
        """
        h: cython.longlong[::1] = heap
        t: cython.int[::1] = type
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        number: cython.int
        row: cython.int = -1
        kind: cython.Py_ssize_t = 0
        length: cython.longlong = 0
        id: cython.ulonglong = 0
        distance: cython.longlong
        least = array("q", bytes(8 * self.known))
        agreed = array("i", bytes(4 * self.known))
        seen = array("i", bytes(4 * self.known))
        sampled = array("i", bytes(4 * 256))
        l: cython.longlong[::1] = least
        g: cython.int[::1] = agreed
        s: cython.int[::1] = seen
        a: cython.int[::1] = sampled
        arrays: Column = Column()
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while self.step(end) == _READ:
                    if self.id == 0 or (
                        self.tag != 0x21 and self.tag != 0x22 and self.tag != 0x23 and self.tag != 0xC3
                    ):
                        continue
                    # What came before it ends here at the latest.
                    distance = cython.cast(cython.longlong, self.id - id) if self.id > id else 0
                    if distance >> 19:
                        distance = 0
                    if row >= 0 and s[row] < 512:
                        s[row] += 1
                        if distance and (l[row] == 0 or distance < l[row]):
                            l[row] = distance
                            g[row] = 0
                        if distance == l[row]:
                            g[row] += 1
                    elif kind and a[kind] < 2048:
                        a[kind] += 1
                        arrays.push(kind)
                        arrays.push(length)
                        arrays.push(distance)
                    id = self.id
                    length = self.length
                    row = -1
                    kind = 0
                    if self.tag == 0x21:
                        row = self.row(self.other)
                        number = self.addresses.number(self.id)
                        if number and t[number] == -1:
                            t[number] = self.type_of(row)
                        if row >= self.known:
                            row = -1
                    elif self.tag == 0x22:
                        self.row(self.other)
                        kind = 2
                    else:
                        kind = cython.cast(cython.Py_ssize_t, self.other)
        return {"missing": self.missing.take(), "least": least, "agreed": agreed, "arrays": arrays.take()}

    def weigh(self, heap, shallow, bases, widths, alignment: cython.longlong, count, held):
        """Third reading for who only weighs types: objects and bytes by type into `count` and `held` (`'q'`).

        `shallow`, `bases`, `widths` and `alignment` are as in `fill`. An object that was dumped twice counts twice.
        """
        h: cython.longlong[::1] = heap
        c: cython.uint[::1] = shallow
        b: cython.longlong[::1] = bases
        u: cython.longlong[::1] = widths
        n: cython.longlong[::1] = count
        z: cython.longlong[::1] = held
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        row: cython.int
        of: cython.int
        bytes_: cython.longlong
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while self.step(end) == _READ:
                    if self.id == 0:
                        continue
                    if self.tag == 0x21:
                        row = self.row(self.other)
                        of = self.type_of(row)
                        if row < self.known:
                            bytes_ = c[row]
                        else:
                            bytes_ = (b[0] + self.length + alignment - 1) // alignment * alignment
                    elif self.tag == 0x22:
                        of = self.type_of(self.row(self.other))
                        bytes_ = (b[2] + self.length * u[2] + alignment - 1) // alignment * alignment
                    elif self.tag == 0x23 or self.tag == 0xC3:
                        of = self.primitive_type[self.other]
                        bytes_ = b[self.other] + self.length * u[self.other]
                        bytes_ = (bytes_ + alignment - 1) // alignment * alignment
                    else:
                        continue
                    n[of] += 1
                    z[of] += bytes_

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def keep_class(self, classes: Column, static: Column, field: Column) -> cython.int:
        """Append the class dump that `step` has just gone behind."""
        n: cython.Py_ssize_t = self.n
        count: cython.Py_ssize_t
        width: cython.Py_ssize_t
        i: cython.Py_ssize_t
        value: cython.ulonglong
        pos: cython.Py_ssize_t = self.body
        head: cython.Py_ssize_t = self.head
        classes.push(cython.cast(cython.longlong, self.id))
        for i in range(4):
            classes.push(cython.cast(cython.longlong, self.ident(head + 5 + n + i * n)))
        classes.push(self.u4(head + 5 + 7 * n))
        classes.push(static.size // 3)
        classes.push(field.size // 2)
        count = self.u2(pos)
        classes.push(count)
        pos += 2
        for i in range(count):
            static.push(cython.cast(cython.longlong, self.ident(pos)))
            static.push(self.d[pos + n])
            width = self.width(self.d[pos + n])
            value = self.ident(pos + n + 1) if self.d[pos + n] == 2 else 0
            static.push(cython.cast(cython.longlong, value))
            pos += n + 1 + width
        count = self.u2(pos)
        classes.push(count)
        pos += 2
        for i in range(count):
            field.push(cython.cast(cython.longlong, self.ident(pos)))
            field.push(self.d[pos + n])
            pos += n + 1
        return 0

    def describe(self, classes, types, first, offset, label, holds, referent, follower, primitives, missing, words):
        """Say what the second and third reading need to know of each class, by its row in `mark`'s `class`.

        `types` its type; `first` (one more than classes) delimits its references in `offset` (bytes into an instance)
        and `label`; `holds` (a number, or 0) is what its instances refer to beside their fields. `referent` (a place
        in `offset`, or -1) is held firmly once the reference at byte `follower` is set. `primitives` are the types of
        the primitive arrays by their element's code, `missing` the first type of the classes that are not there,
        `words` the labels of an element and of `holds`.
        """
        self.class_type = types
        self.ref_first = first
        self.ref_offset = offset
        self.ref_label = label
        self.class_holds = holds
        self.class_referent = referent
        self.class_follower = follower
        self.primitive_type = primitives
        self.first_missing = missing
        self.element_label, self.holds_label = words
        self.known = len(types)
        self.classes = self.known
        self.missing = Column()
        needs = array("q", bytes(8 * self.known))
        self.class_needs = needs
        ids: cython.longlong[::1] = classes
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        size: cython.Py_ssize_t = 64
        while size < 4 * self.known:
            size *= 2
        self.reserve_classes(size)
        with cython.nogil:
            for i in range(self.known - 1, -1, -1):
                # From behind, so that of two dumps of one class the first is found.
                self.put_class(cython.cast(cython.ulonglong, ids[i]), cython.cast(cython.int, i))
                for j in range(self.ref_first[i], self.ref_first[i + 1]):
                    self.class_needs[i] = max(self.class_needs[i], self.ref_offset[j] + self.n)

    @cython.cfunc
    def reserve_classes(self, size: cython.Py_ssize_t) -> object:
        self.class_key = array("Q", bytes(8 * size))
        self.class_row = array("i", bytes(4 * size))
        self.class_mask = size - 1
        self.last_class = 0
        return None

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def put_class(self, id: cython.ulonglong, row: cython.int) -> cython.int:
        at: cython.ulonglong = hashed(id) & self.class_mask
        while self.class_key[at] != 0 and self.class_key[at] != id:
            at = (at + 1) & self.class_mask
        self.class_key[at] = id
        self.class_row[at] = row
        return 0

    @cython.cfunc
    def more_classes(self) -> object:
        old_key: cython.ulonglong[::1] = self.class_key
        old_row: cython.int[::1] = self.class_row
        i: cython.Py_ssize_t
        self.reserve_classes(2 * len(old_key))
        with cython.nogil:
            for i in range(len(old_key)):
                if old_key[i]:
                    self.put_class(old_key[i], old_row[i])
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def row(self, id: cython.ulonglong) -> cython.int:
        """The row of a class; one that is not in the dump gets the next."""
        at: cython.ulonglong
        if id == self.last_class and id:
            return self.last_row
        at = hashed(id) & self.class_mask
        while self.class_key[at] != id and self.class_key[at] != 0:
            at = (at + 1) & self.class_mask
        if self.class_key[at] == 0:
            if id == 0 or self.classes - self.known == 65536:
                # All further ones are one class: a damaged dump invents as many as it has objects.
                return cython.cast(cython.int, self.known)
            self.missing.push(cython.cast(cython.longlong, id))
            self.class_key[at] = id
            self.class_row[at] = cython.cast(cython.int, self.classes)
            self.classes += 1
            if 2 * self.classes > cython.cast(cython.Py_ssize_t, self.class_mask):
                with cython.gil:
                    self.more_classes()
            return cython.cast(cython.int, self.classes - 1)
        self.last_class = id
        self.last_row = self.class_row[at]
        return self.last_row

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def type_of(self, row: cython.int) -> cython.int:
        if row < self.known:
            return self.class_type[row]
        return cython.cast(cython.int, self.first_missing + row - self.known)

    def count(self, heap, type, first):
        """Second reading: the type of each object into `type` (`'i'`, -1 where none is known yet), references counted.

        `first[i + 1]` (`'I'`) grows by the references of object i. Gives `missing`, the ids of classes that are not in
        the dump; `least` and `agreed`, the distance from an instance of each class to the next object, and in how many
        of `_SAMPLES` it was that; `arrays`, 3 numbers an array (element type, length, distance to the next object).
        """
        h: cython.longlong[::1] = heap
        t: cython.int[::1] = type
        f: cython.uint[::1] = first
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        end: cython.Py_ssize_t
        number: cython.int
        row: cython.int
        found: cython.uint
        distance: cython.longlong
        least = array("q", bytes(8 * self.known))
        agreed = array("i", bytes(4 * self.known))
        seen = array("i", bytes(4 * self.known))
        sampled = array("i", bytes(4 * 256))
        l: cython.longlong[::1] = least
        g: cython.int[::1] = agreed
        s: cython.int[::1] = seen
        a: cython.int[::1] = sampled
        arrays: Column = Column()
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while self.step(end) == _READ:
                    if self.tag != 0x21 and self.tag != 0x22 and self.tag != 0x23 and self.tag != 0xC3:
                        continue
                    number = self.addresses.number(self.id)
                    if number == 0 or t[number] != -1:
                        continue
                    if self.tag == 0x21:
                        row = self.row(self.other)
                        t[number] = self.type_of(row)
                        if row >= self.known:
                            continue
                        found = 0
                        if self.class_needs[row] <= self.length:
                            for j in range(self.ref_first[row], self.ref_first[row + 1]):
                                if self.ident(self.body + self.ref_offset[j]) != 0:
                                    found += 1
                        if self.class_holds[row]:
                            found += 1
                        f[number + 1] += found
                        if s[row] < 512:
                            s[row] += 1
                            distance = self.addresses.distance(self.id)
                            if distance and (l[row] == 0 or distance < l[row]):
                                l[row] = distance
                                g[row] = 0
                            if distance == l[row]:
                                g[row] += 1
                        continue
                    if self.tag == 0x22:
                        row = self.row(self.other)
                        t[number] = self.type_of(row)
                        found = 0
                        for j in range(self.length):
                            if self.ident(self.body + j * self.n) != 0:
                                found += 1
                        if row < self.known and self.class_holds[row]:
                            found += 1
                        f[number + 1] += found
                        self.other = 2
                    else:
                        t[number] = self.primitive_type[self.other]
                    if a[self.other] < 2048:
                        a[self.other] += 1
                        arrays.push(cython.cast(cython.longlong, self.other))
                        arrays.push(self.length)
                        arrays.push(self.addresses.distance(self.id))
        return {"missing": self.missing.take(), "least": least, "agreed": agreed, "arrays": arrays.take()}

    def fill(self, heap, size, first, target, label, shallow, bases, widths, alignment: cython.longlong, large):
        """Third reading: references and sizes. `first[i + 1]` is the start of object i before and its end after.

        `shallow` (`'I'`) are bytes of an instance by class, an array is `bases[type] + length * widths[type]` rounded
        up to `alignment`; an instance of a class that is not there is `bases[0]` and the bytes that it has. Objects of
        4 GiB and more go to `large`, number and size. A reference to what is not in the dump is left with target -1:
        how many there were is returned.
        """
        h: cython.longlong[::1] = heap
        z: cython.uint[::1] = size
        f: cython.uint[::1] = first
        o: cython.int[::1] = target
        w: cython.uint[::1] = label
        c: cython.uint[::1] = shallow
        b: cython.longlong[::1] = bases
        u: cython.longlong[::1] = widths
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        end: cython.Py_ssize_t
        number: cython.int
        row: cython.int
        to: cython.int
        at: cython.Py_ssize_t
        address: cython.ulonglong
        bytes_: cython.longlong
        word: cython.uint
        unresolved: cython.longlong = 0
        outsize: Column = Column()
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while self.step(end) == _READ:
                    if self.tag != 0x21 and self.tag != 0x22 and self.tag != 0x23 and self.tag != 0xC3:
                        continue
                    number = self.addresses.number(self.id)
                    if number == 0 or z[number] != 0:
                        continue
                    at = f[number + 1]
                    row = 0
                    if self.tag == 0x21:
                        row = self.row(self.other)
                        if row >= self.known:
                            bytes_ = (b[0] + self.length + alignment - 1) // alignment * alignment
                        else:
                            bytes_ = c[row]
                            if self.class_needs[row] <= self.length:
                                for j in range(self.ref_first[row], self.ref_first[row + 1]):
                                    address = self.ident(self.body + self.ref_offset[j])
                                    if address != 0:
                                        word = self.ref_label[j]
                                        if j == self.class_referent[row] and self.ident(
                                            self.body + self.class_follower[row]
                                        ):
                                            word &= 0x3FFFFFFF
                                        to = self.addresses.number(address)
                                        if to == 0:
                                            to = -1
                                            unresolved += 1
                                        o[at] = to
                                        w[at] = word
                                        at += 1
                    elif self.tag == 0x22:
                        row = self.row(self.other)
                        bytes_ = (b[2] + self.length * u[2] + alignment - 1) // alignment * alignment
                        for j in range(self.length):
                            address = self.ident(self.body + j * self.n)
                            if address != 0:
                                to = self.addresses.number(address)
                                if to == 0:
                                    to = -1
                                    unresolved += 1
                                o[at] = to
                                w[at] = self.element_label
                                at += 1
                    else:
                        row = self.known
                        bytes_ = b[self.other] + self.length * u[self.other]
                        bytes_ = (bytes_ + alignment - 1) // alignment * alignment
                    if row < self.known and self.class_holds[row]:
                        o[at] = self.class_holds[row]
                        w[at] = self.holds_label
                        at += 1
                    f[number + 1] = cython.cast(cython.uint, at)
                    if bytes_ >> 32:
                        outsize.push(number)
                        outsize.push(bytes_)
                        bytes_ = cython.cast(cython.uint, -1)
                    z[number] = cython.cast(cython.uint, bytes_)
        pairs = outsize.take()
        for i in range(0, len(pairs), 2):
            large[pairs[i]] = pairs[i + 1]
        return unresolved

    def places(self, heap, wanted):
        """Where the objects that are marked in `wanted` (a byte each) stand: number, byte of the record, and so on."""
        h: cython.longlong[::1] = heap
        w: cython.const[cython.uchar][::1] = wanted
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        number: cython.int
        found: Column = Column()
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while self.step(end) == _READ:
                    if (self.tag >= 0x20 and self.tag <= 0x23) or self.tag == 0xC3:
                        number = self.addresses.number(self.id)
                        if w[number]:
                            found.push(number)
                            found.push(self.head)
        return found.take()

    def same(self, heap, content):
        """Which primitive arrays marked in `content` (`'i'` by object, -1: look at it) are equal, by a hash of 64 bits.

        Puts the number of its content, from 1, in the place of each mark. Returns four numbers for each content that
        there is more than once: how often, elements, the first array with it, and its number.
        """
        h: cython.longlong[::1] = heap
        c: cython.int[::1] = content
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        number: cython.int
        width: cython.Py_ssize_t
        at: cython.ulonglong
        digest: cython.ulonglong
        size: cython.Py_ssize_t = 1024
        keys: cython.ulonglong[::1] = array("Q", bytes(8 * size))
        groups: cython.int[::1] = array("i", bytes(4 * size))
        mask: cython.ulonglong = size - 1
        group: cython.Py_ssize_t
        count: Column = Column()
        length: Column = Column()
        first: Column = Column()
        found: Column = Column()
        with cython.nogil:
            for i in range(0, len(h) - 1, 2):
                self.at = cython.cast(cython.Py_ssize_t, h[i])
                end = cython.cast(cython.Py_ssize_t, h[i + 1])
                while self.step(end) == _READ:
                    if self.tag != 0x23:
                        continue
                    number = self.addresses.number(self.id)
                    # Of an object that was dumped twice the first counts.
                    if c[number] >= 0:
                        continue
                    width = self.width(self.other)
                    digest = self.digest(self.body, cython.cast(cython.Py_ssize_t, self.length) * width, self.other)
                    at = (digest >> 1) & mask
                    while keys[at] != 0 and keys[at] != digest:
                        at = (at + 1) & mask
                    if keys[at] == digest:
                        count.v[groups[at]] += 1
                        c[number] = groups[at] + 1
                        continue
                    keys[at] = digest
                    groups[at] = cython.cast(cython.int, count.size)
                    count.push(1)
                    length.push(self.length)
                    first.push(number)
                    c[number] = cython.cast(cython.int, count.size)
                    if 2 * count.size > size:
                        with cython.gil:
                            keys, groups = rehashed(keys, groups)
                            size = len(keys)
                            mask = size - 1
            for group in range(count.size):
                if count.v[group] > 1:
                    found.push(count.v[group])
                    found.push(length.v[group])
                    found.push(first.v[group])
                    found.push(group + 1)
        return found.take()

    def texts(self, start: cython.Py_ssize_t, end: cython.Py_ssize_t, most: cython.Py_ssize_t):
        """Hash and bytes of the record of each array that may be a text, in the first `most` bytes of heap records.

        And how many bytes those records have. Arrays of bytes and characters may be texts unless they begin with zeros,
        as buffers do.
        """
        last: cython.Py_ssize_t = min(end, start + most)
        width: cython.Py_ssize_t
        found: Column = Column()
        self.at = start
        with cython.nogil:
            while self.at < last and self.step(end) == _READ:
                if self.tag != 0x23 or (self.other != 5 and self.other != 8) or self.at > last:
                    continue
                width = cython.cast(cython.Py_ssize_t, self.length) * self.width(self.other)
                if width < 2 or self.u2(self.body) != 0:
                    found.push(cython.cast(cython.longlong, self.digest(self.body, width, self.other)))
                    found.push(self.at - self.head)
        return found.take(), min(self.at, last) - start

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def digest(self, at: cython.Py_ssize_t, size: cython.Py_ssize_t, seed: cython.ulonglong) -> cython.ulonglong:
        """A hash, never 0, of bytes that the caller has found to be there."""
        end: cython.Py_ssize_t = at + size
        mixed: cython.ulonglong = hashed((cython.cast(cython.ulonglong, size) << 8) | seed)
        high: cython.ulonglong
        while at + 8 <= end:
            high = cython.cast(cython.ulonglong, self.u4(at))
            mixed = hashed(mixed ^ (high << 32) ^ cython.cast(cython.ulonglong, self.u4(at + 4)))
            at += 8
        while at < end:
            mixed = hashed(mixed ^ self.d[at] ^ 0x5BD1E995)
            at += 1
        return mixed | 1


@cython.cfunc
def rehashed(keys: cython.ulonglong[::1], groups: cython.int[::1]) -> object:
    """The same table with twice the room."""
    size: cython.Py_ssize_t = 2 * len(keys)
    more_keys = array("Q", bytes(8 * size))
    more_groups = array("i", bytes(4 * size))
    k: cython.ulonglong[::1] = more_keys
    g: cython.int[::1] = more_groups
    mask: cython.ulonglong = size - 1
    at: cython.ulonglong
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(keys)):
            if keys[i]:
                at = (keys[i] >> 1) & mask
                while k[at] != 0:
                    at = (at + 1) & mask
                k[at] = keys[i]
                g[at] = groups[i]
    return more_keys, more_groups


def targets_of(type, first, target, wanted, idom):
    """Marks (`'i'`, -1) on what objects of the types in `wanted` (a byte a type) refer to, if both are in `idom`."""
    t: cython.const[cython.int][:] = type
    f: cython.const[cython.uint][:] = first
    o: cython.const[cython.int][:] = target
    w: cython.const[cython.uchar][:] = wanted
    d: cython.const[cython.int][:] = idom
    marked = array("i", bytes(4 * len(t)))
    m: cython.int[::1] = marked
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(t)):
            if w[t[i]] and d[i] >= 0:
                for j in range(f[i], f[i + 1]):
                    if d[o[j]] >= 0:
                        m[o[j]] = -1
    return marked


def tally(first, sources):
    """Count one more reference of each of `sources` (`'i'`) into `first[source + 1]` (`'I'`)."""
    f: cython.uint[::1] = first
    s: cython.int[::1] = sources
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(s)):
            f[s[i] + 1] += 1


def starts(first):
    """Turn counts at `first[i + 1]` into the start of object i there; how many references there are in all."""
    f: cython.uint[::1] = first
    i: cython.Py_ssize_t
    count: cython.longlong
    sum: cython.longlong = 0
    with cython.nogil:
        f[0] = 0
        for i in range(1, len(f)):
            count = f[i]
            f[i] = cython.cast(cython.uint, sum)
            sum += count
    return sum


def put(first, target, label, sources, targets, labels):
    """Store references of `sources` to `targets` (`'i'`), with `labels` (`'I'`), where `first[source + 1]` stands."""
    f: cython.uint[::1] = first
    o: cython.int[::1] = target
    w: cython.uint[::1] = label
    s: cython.int[::1] = sources
    t: cython.int[::1] = targets
    l: cython.uint[::1] = labels
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(s)):
            o[f[s[i] + 1]] = t[i]
            w[f[s[i] + 1]] = l[i]
            f[s[i] + 1] += 1


def close_gaps(first, target, label):
    """Take references with target -1 out, in place; how many are left."""
    f: cython.uint[::1] = first
    o: cython.int[::1] = target
    w: cython.uint[::1] = label
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    at: cython.Py_ssize_t = 0
    start: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(f)):
            end = f[i]
            for j in range(start, end):
                if o[j] >= 0:
                    o[at] = o[j]
                    w[at] = w[j]
                    at += 1
            start = end
            f[i] = cython.cast(cython.uint, at)
    return at
