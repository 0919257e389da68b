# cython: boundscheck=True, wraparound=False, cdivision=True
"""The columns of a CPython graph: objects numbered by their address, references resolved, entries from C found.

Layout: docs/cpython-graph.md. Blocks come in one by one; whatever a block says is held against the tables before it.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

NONE = 0xFFFFFFFF


@cython.final
@cython.cclass
class Builder:
    """An object graph in the making: first every object gets its number, then the references are laid out."""

    capacity: cython.Py_ssize_t
    count: cython.Py_ssize_t
    used: cython.Py_ssize_t
    at: cython.Py_ssize_t
    going_on: cython.bint
    dropped: cython.longlong
    types: cython.longlong
    sites: cython.longlong
    mask: cython.ulonglong
    _address: object
    _slots: object
    _type: object
    _size: object
    _site: object
    _first: object
    _target: object
    _label: object
    address: cython.ulonglong[:]
    slots: cython.int[:]
    type: cython.int[:]
    size: cython.uint[:]
    site: cython.int[:]
    first: cython.uint[:]
    target: cython.int[:]
    label: cython.uint[:]

    def __init__(self, objects, references, types, sites) -> None:
        """Room for `objects` and `references`, both upper bounds.

        `types` is how many there are, and `sites`, 0 where nobody knows where objects were allocated.
        """
        slots: cython.Py_ssize_t = 64
        self.capacity = objects + 1
        while 2 * slots < 3 * self.capacity:
            slots *= 2
        self._address = array("Q", bytes(8)) * self.capacity
        self._slots = array("i", bytes(4)) * slots
        self._type = array("i", bytes(4)) * self.capacity
        self._size = array("I", bytes(4)) * self.capacity
        self._site = array("i", [-1]) * (self.capacity if sites else 1)
        self._first = array("I", bytes(4)) * (self.capacity + 1)
        self._target = array("i", bytes(4)) * max(references, 1)
        self._label = array("I", bytes(4)) * max(references, 1)
        self.address, self.slots, self.type, self.size = self._address, self._slots, self._type, self._size
        self.site, self.first, self.target, self.label = self._site, self._first, self._target, self._label
        self.mask = slots - 1
        self.types = types
        self.sites = sites
        self.count = 1
        self.used = 0
        self.at = 0
        self.going_on = False
        self.dropped = 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def slot(self, address: cython.ulonglong) -> cython.ulonglong:
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        mixed: cython.ulonglong = cython.cast(cython.ulonglong, (address >> 3) * factor)
        return (mixed >> 24) & self.mask

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def find(self, address: cython.ulonglong) -> cython.int:
        """The number of the object at an address, -1 where there is none."""
        at: cython.ulonglong = self.slot(address)
        number: cython.int = self.slots[at]
        while number != 0:
            if self.address[number] == address:
                return number
            at = (at + 1) & self.mask
            number = self.slots[at]
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def add(
        self, address: cython.ulonglong, type: cython.longlong, size: cython.uint, site: cython.longlong
    ) -> cython.int:
        """The new object's number, -1 where the address has one already."""
        at: cython.ulonglong = self.slot(address)
        number: cython.int = self.slots[at]
        while number != 0:
            if self.address[number] == address:
                return -1
            at = (at + 1) & self.mask
            number = self.slots[at]
        number = cython.cast(cython.int, self.count)
        self.slots[at] = number
        self.address[number] = address
        # Types are numbered from 1; what has none that is known is of the last.
        self.type[number] = cython.cast(cython.int, type + 1 if type < self.types else self.types + 1)
        self.size[number] = size
        if len(self.site) > 1:
            self.site[number] = cython.cast(cython.int, site) if site < self.sites else -1
        self.count += 1
        return number

    def objects(self, addresses, rows, sites, names):
        """Number the objects of a block; returns pairs (object, string) for those with a name, in their order.

        `rows` has four numbers an object: type, size, shape, references; `names` pairs of row and string.
        """
        a: cython.const[cython.ulonglong][:] = addresses
        r: cython.const[cython.uint][:] = rows
        s: cython.const[cython.uint][:] = sites
        n: cython.const[cython.uint][:] = names
        named = array("i", bytes(4 * len(n)))
        out: cython.int[:] = named
        found: cython.Py_ssize_t = 0
        name: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        number: cython.int
        has_sites: cython.bint = len(s) == len(a)
        none: cython.uint = NONE
        with cython.nogil:
            for i in range(len(a)):
                if r[4 * i] == none:
                    continue
                number = self.add(a[i], r[4 * i], r[4 * i + 1], s[i] if has_sites else none)
                while name + 1 < len(n) and n[name] < i:
                    name += 2
                if name + 1 < len(n) and n[name] == i and number > 0:
                    out[found] = number
                    out[found + 1] = cython.cast(cython.int, n[name + 1] & 0x7FFFFFFF)
                    found += 2
        del out
        del named[found:]
        return named

    def leaves(self, addresses, rows, sites):
        """Number objects that refer to nothing; `rows` has two numbers each: type, size."""
        a: cython.const[cython.ulonglong][:] = addresses
        r: cython.const[cython.uint][:] = rows
        s: cython.const[cython.uint][:] = sites
        i: cython.Py_ssize_t
        has_sites: cython.bint = len(s) == len(a)
        none: cython.uint = NONE
        with cython.nogil:
            for i in range(len(a)):
                self.add(a[i], r[2 * i], r[2 * i + 1], s[i] if has_sites else none)

    def numbers(self, addresses):
        """The objects at addresses (`'i'`), -1 where there is none."""
        a: cython.const[cython.ulonglong][:] = addresses
        found = array("i", bytes(4 * len(a)))
        out: cython.int[:] = found
        i: cython.Py_ssize_t
        with cython.nogil:
            for i in range(len(a)):
                out[i] = self.find(a[i])
        return found

    def roots(self, addresses, labels):
        """What the roots refer to; comes before all other references."""
        a: cython.const[cython.ulonglong][:] = addresses
        l: cython.const[cython.uint][:] = labels
        i: cython.Py_ssize_t
        number: cython.int
        with cython.nogil:
            for i in range(len(a)):
                number = self.find(a[i])
                if number < 0:
                    self.dropped += 1
                else:
                    self.target[self.used] = number
                    self.label[self.used] = l[i]
                    self.used += 1
            self.first[1] = cython.cast(cython.uint, self.used)

    def references(self, addresses, rows, targets, shape_start, shape_word):
        """Lay out the references of a block; returns how many could not be taken because its rows claim too many.

        Shape `k` is `shape_word[shape_start[k]:shape_start[k + 1]]`: the labels of all further references and of the
        second half of them (`NONE` where there is no such half), then those of the first ones.
        """
        a: cython.const[cython.ulonglong][:] = addresses
        r: cython.const[cython.uint][:] = rows
        t: cython.const[cython.ulonglong][:] = targets
        b: cython.int[:] = shape_start
        w: cython.uint[:] = shape_word
        shapes: cython.Py_ssize_t = len(shape_start) - 1
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        at: cython.Py_ssize_t = 0
        number: cython.int
        shape: cython.Py_ssize_t
        start: cython.Py_ssize_t
        fixed: cython.Py_ssize_t
        half: cython.Py_ssize_t
        references: cython.longlong
        word: cython.uint
        none: cython.uint = NONE
        with cython.nogil:
            for i in range(len(a)):
                references = r[4 * i + 3]
                if references > len(t) - at:
                    self.going_on = False
                    break
                if r[4 * i] != none:
                    self.going_on = self.find(a[i]) == self.at + 1
                    if self.going_on:
                        self.at += 1
                        self.first[self.at] = cython.cast(cython.uint, self.used)
                elif self.going_on and self.address[self.at] != a[i]:
                    self.going_on = False
                if self.going_on:
                    shape = r[4 * i + 2]
                    # Shape 0 is of references without a name.
                    shape = shape if shape < shapes else 0
                    start = b[shape]
                    fixed = b[shape + 1] - start - 2
                    half = references
                    if w[start + 1] != none:
                        half = fixed + cython.cast(cython.Py_ssize_t, references - fixed) // 2
                    for j in range(references):
                        number = self.find(t[at + j])
                        if number < 0:
                            self.dropped += 1
                            continue
                        if j < fixed:
                            word = w[start + 2 + j]
                        else:
                            word = w[start] if j < half else w[start + 1]
                        self.target[self.used] = number
                        self.label[self.used] = word
                        self.used += 1
                at += references
        return len(t) - at

    def labelled(self, addresses, counts, targets, labels):
        """Lay out references that have a label each; `counts` has how many belong to each of `addresses`."""
        a: cython.const[cython.ulonglong][:] = addresses
        n: cython.const[cython.uint][:] = counts
        t: cython.const[cython.ulonglong][:] = targets
        l: cython.const[cython.uint][:] = labels
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        at: cython.Py_ssize_t = 0
        number: cython.int
        with cython.nogil:
            for i in range(len(a)):
                if self.find(a[i]) == self.at + 1:
                    self.at += 1
                    self.first[self.at] = cython.cast(cython.uint, self.used)
                    for j in range(at, at + n[i]):
                        number = self.find(t[j])
                        if number < 0:
                            self.dropped += 1
                        else:
                            self.target[self.used] = number
                            self.label[self.used] = l[j]
                            self.used += 1
                at += n[i]

    def take(self):
        """Columns `type, size, site, first, target, label`, and how many references led nowhere."""
        i: cython.Py_ssize_t
        for i in range(self.at + 1, self.count + 1):
            self.first[i] = cython.cast(cython.uint, self.used)
        columns = [self._type, self._size, self._site, self._first, self._target, self._label]
        count = self.count
        # A buffer that is looked at cannot be cut.
        self.address, self.slots = array("Q", [0]), array("i", [0])
        self.type = self.target = self.site = array("i", [0])
        self.size = self.first = self.label = array("I", [0])
        self._address = self._slots = self._type = self._size = self._site = None
        self._first = self._target = self._label = None
        has_sites = len(columns[2]) > 1
        for column, length in zip(
            columns, (count, count, count if has_sites else 0, count + 1, self.used, self.used), strict=True
        ):
            del column[length:]
        return (*columns, self.dropped)


def reach(first, target, label, reached):
    """Mark in `reached` (a byte an object) what strong references lead to from the objects that are marked 1."""
    f: cython.uint[:] = first
    t: cython.int[:] = target
    l: cython.uint[:] = label
    m: cython.uchar[:] = reached
    waiting = array("i", bytes(4)) * len(reached)
    stack: cython.int[:] = waiting
    top: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    node: cython.int
    with cython.nogil:
        for i in range(len(m)):
            if m[i] == 1:
                stack[top] = cython.cast(cython.int, i)
                top += 1
        while top > 0:
            top -= 1
            node = stack[top]
            for i in range(f[node], f[node + 1]):
                if (l[i] >> 30) == 0 and m[t[i]] == 0:
                    m[t[i]] = 1
                    stack[top] = t[i]
                    top += 1


def with_classes(first, target, label, type, class_of, word):
    """The three columns with a reference more from each object to its class, where `class_of[type]` names one."""
    f: cython.uint[:] = first
    t: cython.int[:] = target
    l: cython.uint[:] = label
    y: cython.int[:] = type
    c: cython.int[:] = class_of
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    more: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = 0
    strong: cython.uint = word
    with cython.nogil:
        for i in range(1, len(y)):
            if c[y[i]] > 0:
                more += 1
    if not more:
        return first, target, label
    firsts = array("I", bytes(4)) * len(first)
    targets = array("i", bytes(4)) * (len(target) + more)
    labels = array("I", bytes(4)) * (len(label) + more)
    f2: cython.uint[:] = firsts
    t2: cython.int[:] = targets
    l2: cython.uint[:] = labels
    with cython.nogil:
        for i in range(len(y)):
            f2[i] = cython.cast(cython.uint, at)
            for j in range(f[i], f[i + 1]):
                t2[at] = t[j]
                l2[at] = l[j]
                at += 1
            if i > 0 and c[y[i]] > 0:
                t2[at] = c[y[i]]
                l2[at] = strong
                at += 1
        f2[len(y)] = cython.cast(cython.uint, at)
    return firsts, targets, labels


def insert_roots(first, more):
    """Make room in `first` for `more` references of the roots behind those that they have."""
    f: cython.uint[:] = first
    n: cython.uint = more
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(f)):
            f[i] += n


def entries(first, target, label, reached):
    """The fewest objects from which all that is not marked in `reached` is reached (`'i'`, ascending); marks it 2.

    They are what is referred to by nothing that is seen: of each cycle without a holder one object. A depth-first walk
    gives the order in which objects are left; backwards, each that is still unmarked begins a part that nothing else
    leads to.
    """
    f: cython.uint[:] = first
    t: cython.int[:] = target
    l: cython.uint[:] = label
    m: cython.uchar[:] = reached
    count: cython.Py_ssize_t = len(reached)
    left: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    for i in range(count):
        left += m[i] == 0
    finished = array("i", bytes(4)) * max(left, 1)
    waiting = array("i", bytes(4)) * max(left, 1)
    cursors = array("I", bytes(4)) * max(left, 1)
    done: cython.int[:] = finished
    stack: cython.int[:] = waiting
    cursor: cython.uint[:] = cursors
    out: cython.Py_ssize_t = 0
    top: cython.Py_ssize_t
    start: cython.Py_ssize_t
    found: cython.Py_ssize_t = 0
    node: cython.int
    with cython.nogil:
        for start in range(count):
            if m[start] != 0:
                continue
            m[start] = 3
            stack[0] = cython.cast(cython.int, start)
            cursor[0] = f[start]
            top = 1
            while top > 0:
                node = stack[top - 1]
                if cursor[top - 1] < f[node + 1]:
                    i = cursor[top - 1]
                    cursor[top - 1] += 1
                    if (l[i] >> 30) == 0 and m[t[i]] == 0:
                        m[t[i]] = 3
                        stack[top] = t[i]
                        cursor[top] = f[t[i]]
                        top += 1
                else:
                    top -= 1
                    done[out] = node
                    out += 1
        for start in range(out - 1, -1, -1):
            node = done[start]
            if m[node] != 3:
                continue
            # The finishing order behind `start` is used up: its room holds the answer.
            m[node] = 2
            stack[0] = node
            top = 1
            while top > 0:
                top -= 1
                node = stack[top]
                for i in range(f[node], f[node + 1]):
                    if (l[i] >> 30) == 0 and m[t[i]] == 3:
                        m[t[i]] = 2
                        stack[top] = t[i]
                        top += 1
            cursor[found] = cython.cast(cython.uint, done[start])
            found += 1
    return array("i", sorted(cursors[:found]))
