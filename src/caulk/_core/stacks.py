# cython: boundscheck=True, wraparound=False, cdivision=True
"""Stacks as a prefix tree: build it from samples, merge trees into one, fold, and total.

A node is a column entry with `parent[i] < i`; the root is node 0. Children are found through a hash of (parent, frame),
so every operation is linear in the nodes it reads. Building is the same work as merging: walk, and look the child up.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


@cython.cclass
class Trie:
    """A growing prefix tree. `parent` and `frame` give its columns, as long as it is not grown further."""

    _parent: object
    _frame: object
    _slots: object
    p: cython.int[:]
    f: cython.int[:]
    s: cython.int[:]
    size: cython.Py_ssize_t
    capacity: cython.Py_ssize_t
    mask: cython.ulonglong

    def __init__(self) -> None:
        self.size = 0
        self.capacity = 0
        self.reserve(64)
        self.p[0] = -1
        self.f[0] = -1
        self.size = 1

    def __len__(self) -> int:
        return self.size

    @property
    def parent(self):
        """`'i'` column: the parent of each node."""
        return self._parent[: self.size]

    @property
    def frame(self):
        """`'i'` column: the frame of each node."""
        return self._frame[: self.size]

    @cython.ccall
    def reserve(self, more: cython.Py_ssize_t) -> object:
        """Make room for `more` nodes; hash slots stay at most half full."""
        i: cython.Py_ssize_t
        need: cython.Py_ssize_t = self.size + more
        if need <= self.capacity:
            return None
        capacity: cython.Py_ssize_t = max(need, 2 * self.capacity)
        parent = array("i", bytes(4 * capacity))
        frame = array("i", bytes(4 * capacity))
        if self.size:
            parent[: self.size] = self._parent[: self.size]
            frame[: self.size] = self._frame[: self.size]
        slots_len: cython.Py_ssize_t = 64
        while slots_len < 2 * capacity:
            slots_len *= 2
        self._slots = array("i", bytes(4 * slots_len))
        self._parent, self._frame = parent, frame
        self.p, self.f, self.s = parent, frame, self._slots
        self.mask = slots_len - 1
        self.capacity = capacity
        with cython.nogil:
            for i in range(1, self.size):
                self.place(cython.cast(cython.int, i))
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def slot(self, parent: cython.int, frame: cython.int) -> cython.ulonglong:
        key: cython.ulonglong = cython.cast(cython.ulonglong, parent)
        key = cython.cast(cython.ulonglong, (key << 32) ^ cython.cast(cython.ulonglong, frame))
        # Fibonacci hashing; the 62-bit factor is put together because a literal over 32 bits would be a Python object.
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        key = cython.cast(cython.ulonglong, (key ^ (key >> 29)) * factor)
        return (key ^ (key >> 32)) & self.mask

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def place(self, node: cython.int) -> cython.int:
        at: cython.ulonglong = self.slot(self.p[node], self.f[node])
        while self.s[at] != 0:
            at = (at + 1) & self.mask
        self.s[at] = node
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def child(self, parent: cython.int, frame: cython.int) -> cython.int:
        """The child of `parent` for `frame`, made if it is new; the caller has reserved room."""
        at: cython.ulonglong = self.slot(parent, frame)
        node: cython.int = self.s[at]
        while node != 0:
            if self.p[node] == parent and self.f[node] == frame:
                return node
            at = (at + 1) & self.mask
            node = self.s[at]
        node = cython.cast(cython.int, self.size)
        self.p[node] = parent
        self.f[node] = frame
        self.s[at] = node
        self.size += 1
        return node

    def insert(self, starts, frames):
        """Add stacks and return the node of each (`'i'`).

        `starts` (`'q'`, one more than stacks) delimits each stack in `frames` (`'i'`), outermost caller first.
        """
        b: cython.longlong[:] = starts
        f: cython.int[:] = frames
        count: cython.Py_ssize_t = len(starts) - 1
        nodes = array("i", bytes(4 * max(count, 0)))
        out: cython.int[:] = nodes
        i: cython.Py_ssize_t = 0
        j: cython.Py_ssize_t
        node: cython.int
        while i < count:
            # Room for the worst case of the next stacks is taken under the GIL, a batch at a time.
            last: cython.Py_ssize_t = i
            room: cython.Py_ssize_t = max(self.capacity - self.size, b[i + 1] - b[i])
            while last < count and b[last + 1] - b[i] <= room:
                if b[last + 1] < b[last]:
                    raise ValueError("stacks overlap")
                last += 1
            self.reserve(room)
            with cython.nogil:
                while i < last:
                    node = 0
                    for j in range(b[i], b[i + 1]):
                        node = self.child(node, f[j])
                    out[i] = node
                    i += 1
        return nodes

    def graft(self, parent, frame, relabel):
        """Merge another tree into this one and return the node that each of its nodes became (`'i'`).

        `relabel[f]` is this tree's number of the other's frame `f`; -1 leaves the frame out, so that its node becomes
        its parent's: folding by function, hiding frames and the union of two profiles are this one walk.
        """
        p: cython.int[:] = parent
        f: cython.int[:] = frame
        new: cython.int[:] = relabel
        count: cython.Py_ssize_t = len(parent)
        became = array("i", bytes(4 * count))
        out: cython.int[:] = became
        i: cython.Py_ssize_t
        label: cython.int
        self.reserve(count)
        with cython.nogil:
            for i in range(1, count):
                if p[i] >= i:
                    with cython.gil:
                        raise ValueError("a node stands before its parent")
                label = new[f[i]]
                out[i] = out[p[i]] if label < 0 else self.child(out[p[i]], label)
        return became


def totals(parent, values):
    """Values of each node with everything below it (`'q'`): one backward pass."""
    p: cython.int[:] = parent
    total = array("q", values)
    t: cython.longlong[:] = total
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(p) - 1, 0, -1):
            t[p[i]] = cython.cast(cython.longlong, t[p[i]] + t[i])
    return total


def scatter(index, values, length):
    """Sums of `values` (`'q'`) by `index` (`'i'`), `length` of them (`'q'`)."""
    x: cython.int[:] = index
    v: cython.longlong[:] = values
    sums = array("q", bytes(8 * length))
    s: cython.longlong[:] = sums
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(v)):
            s[x[i]] = cython.cast(cython.longlong, s[x[i]] + v[i])
    return sums


def inherit(parent, frame, marked):
    """Which nodes have a marked frame on their stack, themselves included (bytes of 0 and 1)."""
    p: cython.int[:] = parent
    f: cython.int[:] = frame
    m: cython.const[cython.uchar][:] = marked
    found = bytearray(len(parent))
    out: cython.uchar[:] = found
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(p)):
            out[i] = 1 if m[f[i]] or out[p[i]] else 0
    return found


def nearest(parent, frame, marked):
    """For each node the nearest on its stack, itself included, whose frame is marked (`'i'`; 0 where none is)."""
    p: cython.int[:] = parent
    f: cython.int[:] = frame
    m: cython.const[cython.uchar][:] = marked
    found = array("i", bytes(4 * len(parent)))
    out: cython.int[:] = found
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(p)):
            out[i] = cython.cast(cython.int, i) if m[f[i]] else out[p[i]]
    return found


def cut_below(parent, frame, marked):
    """Which nodes are cut by pprof's `drop_frames` (bytes of 0 and 1).

    The first marked frame below an unmarked one goes, with everything that it called: a stack is never cut whole.
    """
    p: cython.int[:] = parent
    f: cython.int[:] = frame
    m: cython.const[cython.uchar][:] = marked
    cut = bytearray(len(parent))
    out: cython.uchar[:] = cut
    unmarked_above = bytearray(len(parent))
    user: cython.uchar[:] = unmarked_above
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(p)):
            user[i] = 1 if user[p[i]] or not m[f[i]] else 0
            out[i] = 1 if out[p[i]] or (user[p[i]] and m[f[i]]) else 0
    return cut


def collapse(parent, cut):
    """The node that stands for each node (`'i'`) when those marked in `cut` become their parents."""
    p: cython.int[:] = parent
    c: cython.const[cython.uchar][:] = cut
    stands = array("i", bytes(4 * len(parent)))
    out: cython.int[:] = stands
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(p)):
            out[i] = out[p[i]] if c[i] else cython.cast(cython.int, i)
    return stands


def take(column, index):
    """`column[i]` for each `i` of `index` (all `'i'`)."""
    c: cython.int[:] = column
    x: cython.int[:] = index
    taken = array("i", bytes(4 * len(index)))
    out: cython.int[:] = taken
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(x)):
            out[i] = c[x[i]]
    return taken


def rows_by_group(starts, frames, group, groups, values):
    """As `by_group`, for stacks that are written out: `starts` and `frames` as in `Trie.insert`, a value for each."""
    b: cython.longlong[:] = starts
    f: cython.int[:] = frames
    g: cython.int[:] = group
    v: cython.longlong[:] = values
    flat = array("q", bytes(8 * groups))
    cumulative = array("q", bytes(8 * groups))
    # The stack, counted from 1, in which each group was met last: recursion counts once.
    met = array("q", bytes(8 * groups))
    a: cython.longlong[:] = flat
    c: cython.longlong[:] = cumulative
    m: cython.longlong[:] = met
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.int
    with cython.nogil:
        for i in range(len(b) - 1):
            for j in range(b[i], b[i + 1]):
                k = g[f[j]]
                if m[k] != i + 1:
                    m[k] = i + 1
                    c[k] = cython.cast(cython.longlong, c[k] + v[i])
            if b[i + 1] > b[i]:
                k = g[f[b[i + 1] - 1]]
                a[k] = cython.cast(cython.longlong, a[k] + v[i])
    return flat, cumulative


def preorder(parent):
    """Nodes so that each is followed by what it called (`'i'`), siblings in their own order."""
    p: cython.int[:] = parent
    count: cython.Py_ssize_t = len(parent)
    first = array("i", bytes(4 * count))
    following = array("i", bytes(4 * count))
    order = array("i", bytes(4 * count))
    a: cython.int[:] = first
    b: cython.int[:] = following
    out: cython.int[:] = order
    i: cython.Py_ssize_t
    node: cython.int = 0
    with cython.nogil:
        for i in range(count - 1, 0, -1):
            b[i] = a[p[i]]
            a[p[i]] = cython.cast(cython.int, i)
        for i in range(count):
            out[i] = node
            if a[node] != 0:
                node = a[node]
            else:
                while node > 0 and b[node] == 0:
                    node = p[node]
                node = b[node] if node > 0 else 0
    return order


def by_group(parent, frame, group, groups, values):
    """Flat and cumulative sums by group of frames, as a pair of `'q'` columns of length `groups`.

    `group` has one number a frame. A value counts once for each group on its stack, however often the group recurs.
    """
    p: cython.int[:] = parent
    f: cython.int[:] = frame
    g: cython.int[:] = group
    v: cython.longlong[:] = values
    flat = array("q", bytes(8 * groups))
    cumulative = array("q", bytes(8 * groups))
    a: cython.longlong[:] = flat
    c: cython.longlong[:] = cumulative
    t: cython.longlong[:] = totals(parent, values)
    order: cython.int[:] = preorder(parent)
    # The open node of each group on the current path, and what it hid: recursion is seen without climbing.
    opened = array("i", bytes(4 * groups))
    path = array("i", bytes(4 * len(parent)))
    o: cython.int[:] = opened
    stack: cython.int[:] = path
    i: cython.Py_ssize_t
    top: cython.Py_ssize_t = 0
    node: cython.int
    k: cython.int
    with cython.nogil:
        for i in range(1, len(p)):
            node = order[i]
            while top > 0 and stack[top - 1] != p[node]:
                top -= 1
                o[g[f[stack[top]]]] -= 1
            k = g[f[node]]
            a[k] = cython.cast(cython.longlong, a[k] + v[node])
            if o[k] == 0:
                c[k] = cython.cast(cython.longlong, c[k] + t[node])
            o[k] += 1
            stack[top] = node
            top += 1
    return flat, cumulative
