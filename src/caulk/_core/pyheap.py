# cython: boundscheck=True, wraparound=False, cdivision=True
"""The objects of a PyHeap file: one pass finds where each record's parts lie, a second names the references.

Layout: https://github.com/ivanyu/pyheap, `dumper_inferior.py`; big endian. An object's attributes are all that can be
looked up on it, those of its class included: what its class answers alike is the class's.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Reader:
    """A cursor over the records, and the names of attributes by number."""

    data: cython.const[cython.uchar][:]
    pos: cython.Py_ssize_t
    end: cython.Py_ssize_t
    frequent: cython.longlong
    slots: cython.int[:]
    start: cython.longlong[:]
    length: cython.longlong[:]
    names: cython.Py_ssize_t
    keys: cython.ulonglong[:]
    held: cython.Py_ssize_t

    def __init__(self, data, frequent) -> None:
        self.data = data
        self.pos = 0
        self.end = len(data)
        self.frequent = frequent
        self.slots = array("i", bytes(4 * 128))
        self.start, self.length = array("q", bytes(8 * 64)), array("q", bytes(8 * 64))
        self.names = 0
        self.keys = array("Q", bytes(8 * 128))
        self.held = 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def has(self, count: cython.longlong) -> cython.bint:
        return count <= self.end - self.pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def number(self, size: cython.int) -> cython.ulonglong:
        """The next number of `size` bytes, which the caller knows to be there."""
        value: cython.ulonglong = 0
        i: cython.int
        for i in range(size):
            value = (value << 8) | self.data[self.pos + i]
        self.pos += size
        return value

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def name(self) -> cython.longlong:
        """The number of the attribute name at the cursor; -1 where it has none that is known."""
        word: cython.longlong
        if not self.has(2):
            return -1
        word = cython.cast(cython.longlong, self.number(2))
        if word >= 0x8000:
            word = 0x10000 - word - 1
            return word if word < self.frequent else -1
        if not self.has(word):
            return -1
        self.pos += word
        return self.frequent + self.intern(self.pos - word, word)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def intern(self, start: cython.Py_ssize_t, length: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The number of a text, the same for equal bytes."""
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        mixed: cython.ulonglong = cython.cast(cython.ulonglong, length)
        i: cython.Py_ssize_t
        known: cython.int
        at: cython.Py_ssize_t
        mask: cython.Py_ssize_t = len(self.slots) - 1
        for i in range(length):
            mixed = cython.cast(cython.ulonglong, (mixed ^ self.data[start + i]) * factor)
            mixed = mixed ^ (mixed >> 31)
        at = cython.cast(cython.Py_ssize_t, mixed >> 2) & mask
        while self.slots[at] != 0:
            known = self.slots[at] - 1
            if self.length[known] == length:
                i = 0
                while i < length and self.data[self.start[known] + i] == self.data[start + i]:
                    i += 1
                if i == length:
                    return known
            at = (at + 1) & mask
        if self.names == len(self.start):
            with cython.gil:
                self.grow()
            return self.intern(start, length)
        self.slots[at] = cython.cast(cython.int, self.names + 1)
        self.start[self.names] = start
        self.length[self.names] = length
        self.names += 1
        return self.names - 1

    @cython.cfunc
    def grow(self) -> object:
        starts, lengths = array("q", self.start), array("q", self.length)
        count = len(starts)
        self.start, self.length = starts + array("q", bytes(8 * count)), lengths + array("q", bytes(8 * count))
        self.slots = array("i", bytes(4 * 4 * count))
        self.names = 0
        for i in range(count):
            self.intern(starts[i], lengths[i])
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def key(self, owner: cython.ulonglong, name: cython.longlong, value: cython.ulonglong) -> cython.ulonglong:
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        mixed: cython.ulonglong = cython.cast(cython.ulonglong, (owner ^ (value << 1)) * factor)
        mixed = cython.cast(cython.ulonglong, (mixed ^ (mixed >> 29) ^ cython.cast(cython.ulonglong, name)) * factor)
        return (mixed ^ (mixed >> 32)) | 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def place(self, key: cython.ulonglong) -> cython.Py_ssize_t:
        """Where a key stands among those of classes, or the free slot where it belongs."""
        mask: cython.Py_ssize_t = len(self.keys) - 1
        at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, key >> 2) & mask
        while self.keys[at] != 0 and self.keys[at] != key:
            at = (at + 1) & mask
        return at

    def remember(self, attributes, owners):
        """Keep what classes answer: the records whose attributes lie at `attributes` are those of `owners`."""
        a: cython.longlong[:] = attributes
        o: cython.ulonglong[:] = owners
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        at: cython.Py_ssize_t
        count: cython.Py_ssize_t
        name: cython.longlong
        key: cython.ulonglong
        for i in range(len(a)):
            if a[i] < 0:
                continue
            self.pos = a[i]
            count = self.number(4)
            for j in range(count):
                name = self.name()
                key = self.key(o[i], name, self.number(8))
                at = self.place(key)
                if self.keys[at] == 0:
                    self.keys[at] = key
                    self.held += 1
                    if 2 * self.held > len(self.keys):
                        self.rehash()

    @cython.cfunc
    def rehash(self) -> object:
        old = array("Q", self.keys)
        self.keys = array("Q", bytes(8 * 2 * len(old)))
        for key in old:
            if key:
                self.keys[self.place(key)] = key
        return None

    def texts(self):
        """(start, length) of the names that were met, after the frequent ones."""
        return self.start[: self.names], self.length[: self.names]


def scan(reader, position, count, common, with_text):
    """Where the parts of `count` records lie: (columns, position behind the last whole one).

    Columns: `address` and `type` (`'Q'`), `size` (`'I'`), and `'q'` positions of the references' count, of the
    attributes' (-1 where the type is in `common`, sorted addresses, and has none), of the text (-1 without).
    """
    r: Reader = reader
    known: cython.ulonglong[:] = common
    total: cython.longlong = count
    has_text: cython.bint = with_text
    r.pos = position
    # A record has at least 24 bytes.
    total = min(total, (r.end - r.pos) // 24)
    address, type_ = array("Q", bytes(8)) * total, array("Q", bytes(8)) * total
    size, reference = array("I", bytes(4)) * total, array("q", bytes(8)) * total
    attribute, text = array("q", bytes(8)) * total, array("q", bytes(8)) * total
    a: cython.ulonglong[:] = address
    t: cython.ulonglong[:] = type_
    s: cython.uint[:] = size
    f: cython.longlong[:] = reference
    b: cython.longlong[:] = attribute
    x: cython.longlong[:] = text
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    done: cython.Py_ssize_t = 0
    whole: cython.Py_ssize_t = r.pos
    number: cython.longlong
    is_common: cython.bint
    with cython.nogil:
        for i in range(total):
            if not r.has(24):
                break
            a[i] = r.number(8)
            t[i] = r.number(8)
            s[i] = cython.cast(cython.uint, r.number(4))
            f[i] = r.pos
            number = cython.cast(cython.longlong, r.number(4))
            if not r.has(8 * number):
                break
            r.pos += 8 * number
            is_common = False
            for j in range(len(known)):
                if known[j] == t[i]:
                    is_common = True
                    break
            b[i] = -1
            if not is_common:
                if not r.has(4):
                    break
                b[i] = r.pos
                number = cython.cast(cython.longlong, r.number(4))
                if not r.has(10 * number):
                    break
                for j in range(number):
                    if not r.has(2):
                        break
                    if r.data[r.pos] < 0x80:
                        r.pos += r.data[r.pos] * 256 + r.data[r.pos + 1]
                    r.pos += 10
                if r.pos > r.end:
                    break
            x[i] = -1
            if has_text:
                if not r.has(2):
                    break
                x[i] = r.pos
                number = cython.cast(cython.longlong, r.number(2))
                if not r.has(number):
                    break
                r.pos += number
            whole = r.pos
            done += 1
    columns = (address, type_, size, reference, attribute, text)
    del a, t, s, f, b, x
    for column in columns:
        del column[done:]
    return columns, whole


def references(reader, parts, tail, is_own, named):
    """What each object refers to: (`count` `'I'` an object, `target` `'Q'` addresses, `label` `'I'`).

    `parts` are the columns `type`, `reference` and `attribute` of `scan`; `tail` (`'I'`, a number an object) is the
    label of references without a name; attributes are labelled `named + number of the name`, where
    `is_own[number]` (bytes) does not rule the name out.
    """
    r: Reader = reader
    t: cython.ulonglong[:] = parts[0]
    f: cython.longlong[:] = parts[1]
    b: cython.longlong[:] = parts[2]
    w: cython.uint[:] = tail
    own: cython.const[cython.uchar][:] = is_own
    base: cython.longlong = named
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    number: cython.Py_ssize_t
    name: cython.longlong
    value: cython.ulonglong
    room: cython.Py_ssize_t = 0
    for i in range(len(f)):
        r.pos = f[i]
        room += r.number(4)
        if b[i] >= 0:
            r.pos = b[i]
            room += r.number(4)
    count = array("I", bytes(4)) * len(f)
    target, label = array("Q", bytes(8)) * room, array("I", bytes(4)) * room
    n: cython.uint[:] = count
    o: cython.ulonglong[:] = target
    l: cython.uint[:] = label
    at: cython.Py_ssize_t = 0
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(f)):
            first = at
            if b[i] >= 0:
                r.pos = b[i]
                number = cython.cast(cython.Py_ssize_t, r.number(4))
                for j in range(number):
                    name = r.name()
                    value = r.number(8)
                    if name < 0 or (name < len(own) and own[name] == 0):
                        continue
                    if r.keys[r.place(r.key(t[i], name, value))] == 0:
                        o[at] = value
                        l[at] = cython.cast(cython.uint, base + name)
                        at += 1
            last = at
            r.pos = f[i]
            number = cython.cast(cython.Py_ssize_t, r.number(4))
            for j in range(number):
                value = r.number(8)
                k = first
                # What has a name needs no second line; of very many attributes only the first are compared.
                while k < last and k < first + 64 and o[k] != value:
                    k += 1
                if k < last and k < first + 64:
                    continue
                o[at] = value
                l[at] = w[i]
                at += 1
            n[i] = cython.cast(cython.uint, at - first)
    del o, l
    del target[at:]
    del label[at:]
    return count, target, label
