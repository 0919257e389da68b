# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The number of each object of an HPROF dump: the rank of its address.

Objects lie close to one another in most heaps, and then nothing is kept of one but a bit in a page. Where pages turn
out to hold hardly an object each, as with made-up ids, addresses are kept in a list instead.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .hprof_scattered import Scattered

COMPILED = cython.compiled

_FACTOR = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
#: Bytes an object that pages may take: a list takes as many, at most.
_WORTH = cython.declare(cython.longlong, 32)
#: Bytes of a bucket, and of a page.
_BUCKET = cython.declare(cython.longlong, 72)
_PAGE = cython.declare(cython.longlong, 128)


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


@cython.final
@cython.cclass
class Addresses:
    """A set of addresses that gives each its rank.

    A page holds 512 units of `1 << shift` bytes as sixteen pairs of words: 32 bits, and the rank before them. Sixteen
    pages are a bucket of a hash table, so that neighbours are found without hashing again. Pages with too few objects
    for their size are given up once they take more than `room` bytes.
    """

    def __init__(self, shift: cython.int, room: cython.longlong = 8 << 20) -> None:
        self.shift = shift
        self.room = room
        self.bits_array = array("I", bytes(4 * 32 * 64))
        self.bits = self.bits_array
        self.pages = 1
        self.buckets = 0
        self.together = 0
        self.size = 0
        self.scattered = None
        self.reserve(6)

    def __len__(self) -> int:
        return self.size

    @property
    def alignment(self):
        """The power of two that all addresses are multiples of."""
        return self.together & -self.together if self.together else 1 << self.shift

    @property
    def is_scattered(self):
        """Whether the addresses were too far from one another for pages."""
        return self.scattered is not None

    def extend(self, addresses):
        """Put addresses (`'q'`) in, as far as all before were multiples of the unit; whether all were."""
        a: cython.longlong[::1] = addresses
        i: cython.Py_ssize_t
        fits: cython.bint = True
        with cython.nogil:
            for i in range(len(a)):
                fits = self.add(cython.cast(cython.ulonglong, a[i]))
                if not fits:
                    break
        return bool(fits)

    def rank(self):
        """Number all addresses, from 1 in their order; how many there are."""
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        page: cython.Py_ssize_t
        word: cython.Py_ssize_t
        before: cython.Py_ssize_t = 1
        if self.scattered is not None:
            self.size = self.scattered.rank()
            return self.size
        order = array("q", [slot for _, slot in sorted((key, i) for i, key in enumerate(self.keys_array) if key)])
        o: cython.longlong[::1] = order
        # What was reserved and not used goes back.
        self.bits = array("I", b"\0" * 4)
        del self.bits_array[32 * self.pages :]
        self.bits = self.bits_array
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

    def numbers(self, addresses):
        """The number of each address (`'i'` of `'q'`), 0 for those that are no objects."""
        a: cython.longlong[::1] = addresses
        found = array("i", bytes(4 * len(addresses)))
        out: cython.int[::1] = found
        i: cython.Py_ssize_t
        with cython.nogil:
            for i in range(len(a)):
                out[i] = number_in(self, cython.cast(cython.ulonglong, a[i]))
        return found

    @cython.cfunc
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(-1)
    def add(self, address: cython.ulonglong) -> cython.int:
        """Put an address in; 0 if it is not a multiple of the unit."""
        unit: cython.ulonglong = address >> self.shift
        at: cython.Py_ssize_t
        self.together |= address
        if self.scattered is not None:
            return self.scattered.add(address)
        if (unit << self.shift) != address:
            return 0
        at = slot(self, unit)
        if at < 0 or self.slots[at] == 0:
            with cython.gil:
                self.more(unit)
            if self.scattered is not None:
                return self.scattered.add(address)
            at = slot(self, unit)
        at = self.slots[at] * cython.cast(cython.Py_ssize_t, 32) + cython.cast(
            cython.Py_ssize_t, ((unit >> 5) & 15) * 2
        )
        self.bits[at] |= cython.cast(cython.uint, 1) << (unit & 31)
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def number(self, address: cython.ulonglong) -> cython.int:
        """The number of an address, 0 if it is not in the set."""
        return number_in(self, address)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def resolve(
        self,
        addresses: cython.ulonglong[::1],
        places: cython.longlong[::1],
        count: cython.Py_ssize_t,
        target: cython.int[::1],
    ) -> cython.longlong:
        """Put the numbers of `count` addresses at their `places` in `target`; how many of them have none."""
        i: cython.Py_ssize_t
        number: cython.int
        lost: cython.longlong = 0
        for i in range(count):
            number = number_in(self, addresses[i])
            if number:
                target[places[i]] = number
            else:
                lost += 1
        return lost

    @cython.cfunc
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(-1)
    def distance(self, address: cython.ulonglong) -> cython.longlong:
        """Bytes to the next address, 0 if there is none within sixteen pages."""
        unit: cython.ulonglong = address >> self.shift
        at: cython.Py_ssize_t
        word: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, (unit >> 5) & 255)
        rest: cython.uint
        page: cython.Py_ssize_t
        found: cython.ulonglong
        if self.scattered is not None:
            return self.scattered_distance(address)
        at = bucket(self, (unit >> 13) + 1)
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

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def scattered_distance(self, address: cython.ulonglong) -> cython.longlong:
        """The same for a list: as far as sixteen pages would go."""
        number: cython.Py_ssize_t = self.scattered.number(address)
        next: cython.ulonglong
        if number == 0 or number == self.size:
            return 0
        next = cython.cast(cython.ulonglong, self.scattered.order[number])
        if (next >> self.shift >> 13) != (address >> self.shift >> 13):
            return 0
        return cython.cast(cython.longlong, next - address)

    @cython.cfunc
    def more(self, unit: cython.ulonglong) -> object:
        """Make a page for `unit`, or give up pages."""
        at: cython.Py_ssize_t
        if 2 * self.buckets > self.mask or 32 * self.pages == len(self.bits_array):
            if self.is_wasteful():
                return self.scatter()
            if 2 * self.buckets > self.mask:
                self.more_buckets()
            if 32 * self.pages == len(self.bits_array):
                self.more_pages()
        at = place(self, (unit >> 13) + 1)
        if self.keys[at] == 0:
            self.keys[at] = (unit >> 13) + 1
            self.buckets += 1
        self.slots[at * 16 + cython.cast(cython.Py_ssize_t, (unit >> 9) & 15)] = cython.cast(cython.int, self.pages)
        self.pages += 1
        return None

    @cython.cfunc
    def more_buckets(self) -> object:
        old_keys: cython.ulonglong[::1] = self.keys_array
        old_slots: cython.int[::1] = self.slots_array
        i: cython.Py_ssize_t
        j: cython.int
        at: cython.Py_ssize_t
        self.reserve(65 - self.down)
        with cython.nogil:
            for i in range(len(old_keys)):
                if old_keys[i]:
                    at = place(self, old_keys[i])
                    self.keys[at] = old_keys[i]
                    for j in range(16):
                        self.slots[at * 16 + j] = old_slots[i * 16 + j]
        return None

    @cython.cfunc
    def reserve(self, bits: cython.int) -> object:
        """Room for so many buckets, all free."""
        count: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, 1) << bits
        self.keys_array = array("Q", bytes(8 * count))
        self.slots_array = array("i", bytes(4 * 16 * count))
        self.keys = self.keys_array
        self.slots = self.slots_array
        self.mask = count - 1
        self.down = 64 - bits
        self.last_key = 0
        self.last = 0
        return None

    @cython.cfunc
    def more_pages(self) -> object:
        self.bits = array("I", b"\0" * 4)
        # A quarter more: doubling would copy the whole, and hold it twice.
        self.bits_array.frombytes(bytes(_PAGE * (64 + len(self.bits_array) // 128)))
        self.bits = self.bits_array
        return None

    @cython.cfunc
    def is_wasteful(self) -> object:
        """Whether the pages take more than they may for the objects on them."""
        held: cython.longlong = _PAGE * self.pages + _BUCKET * len(self.keys_array)
        objects: cython.longlong = 0
        i: cython.Py_ssize_t
        if held <= self.room:
            return False
        with cython.nogil:
            for i in range(32, 32 * self.pages, 2):
                objects += ones(self.bits[i])
        return held > _WORTH * objects

    @cython.cfunc
    def scatter(self) -> object:
        """Keep the addresses in a list from now on."""
        scattered: Scattered = Scattered()
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        word: cython.uint
        first: cython.ulonglong
        with cython.nogil:
            for i in range(16 * len(self.keys)):
                if self.slots[i]:
                    first = ((self.keys[i >> 4] - 1) << 4 | cython.cast(cython.ulonglong, i & 15)) << 9
                    for j in range(16):
                        word = self.bits[self.slots[i] * 32 + 2 * j]
                        while word:
                            scattered.add(
                                (first + cython.cast(cython.ulonglong, 32 * j + ones((word & (~word + 1)) - 1)))
                                << self.shift
                            )
                            word &= word - 1
        self.bits = self.bits_array = array("I", bytes(4))
        self.reserve(0)
        self.scattered = scattered
        return None


# Calls of methods are never inlined in C where other kernels can call them too, so these stand outside the class. What
# they look up with stems from the class itself, not from input: bounds need no check.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(-1)
def number_in(to: Addresses, address: cython.ulonglong) -> cython.int:
    """The same as `Addresses.number`."""
    unit: cython.ulonglong = address >> to.shift
    at: cython.Py_ssize_t
    bit: cython.uint
    if to.scattered is not None:
        return to.scattered.number(address)
    at = slot(to, unit)
    if at < 0 or (unit << to.shift) != address:
        return 0
    at = to.slots[at] * cython.cast(cython.Py_ssize_t, 32) + cython.cast(cython.Py_ssize_t, ((unit >> 5) & 15) * 2)
    bit = cython.cast(cython.uint, 1) << (unit & 31)
    if not to.bits[at] & bit:
        return 0
    return cython.cast(cython.int, to.bits[at + 1] + ones(to.bits[at] & (bit - 1)))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def slot(to: Addresses, unit: cython.ulonglong) -> cython.Py_ssize_t:
    """The slot for the page of `unit`, -1 if there is no bucket for it."""
    at: cython.Py_ssize_t = bucket(to, (unit >> 13) + 1)
    if at < 0:
        return -1
    return at * 16 + cython.cast(cython.Py_ssize_t, (unit >> 9) & 15)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def bucket(to: Addresses, key: cython.ulonglong) -> cython.Py_ssize_t:
    """The bucket of `key`, -1 if there is none."""
    at: cython.Py_ssize_t
    if key == to.last_key:
        return to.last
    at = place(to, key)
    if to.keys[at] == 0:
        return -1
    to.last_key = key
    to.last = at
    return at


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def place(to: Addresses, key: cython.ulonglong) -> cython.Py_ssize_t:
    """Where the bucket of `key` is, or can be."""
    at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, cython.cast(cython.ulonglong, key * _FACTOR) >> to.down)
    while to.keys[at] != key and to.keys[at] != 0:
        at = (at + 1) & to.mask
    return at
