# cython: boundscheck=True, wraparound=False, cdivision=True
"""Trees of merged objects: equal frames under one node are one node.

The parts come as columns by object: the dominator or the parent on the shortest path, the type, the label of the
reference. Linear in the objects; lists and types that take turns are folded, so a tree is small however long a list is.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import filled, zeros

COMPILED = cython.compiled

#: The frame of what is too small or too much to be a node of its own.
REST = cython.declare(cython.int, -2)
#: Types that take turns below each other are folded up to so many of them (`Node`, `Entry`, `Node`, `Entry` ...).
LONGEST_PERIOD = cython.declare(cython.int, 4)


@cython.final
@cython.cclass
class Merging:
    """A tree that grows by (parent, frame): equal frames under one node are one node.

    A frame below itself is the same node, and where frames take turns (A, B, A, B, then A) the last turn goes on, so
    that a list of a million is a few nodes. From `most` nodes on, what is new goes to the `REST` of its parent.
    """

    _parent: object
    _frame: object
    p: cython.int[::1]
    f: cython.int[::1]
    slots: cython.int[::1]
    size: cython.Py_ssize_t
    most: cython.Py_ssize_t
    mask: cython.ulonglong
    folds: cython.bint

    def __init__(self, most, folds):
        self._parent, self._frame = filled(-1, 1), filled(-1, 1)
        self.p, self.f, self.slots = self._parent, self._frame, zeros("i", 2)
        self.size = 1
        self.most = most
        self.mask = 1
        self.folds = folds

    @property
    def parent(self):
        return self._parent[: self.size]

    @property
    def frame(self):
        return self._frame[: self.size]

    @cython.cfunc
    def grow(self) -> object:
        i: cython.Py_ssize_t
        at: cython.ulonglong
        parent, frame = zeros("i", 2 * len(self._parent)), zeros("i", 2 * len(self._parent))
        parent[: self.size], frame[: self.size] = self._parent, self._frame
        self._parent, self._frame = parent, frame
        self.p, self.f, self.slots = parent, frame, zeros("i", 2 * len(parent))
        self.mask = 2 * len(parent) - 1
        with cython.nogil:
            for i in range(1, self.size):
                at = self.slot(self.p[i], self.f[i])
                while self.slots[at] != 0:
                    at = (at + 1) & self.mask
                self.slots[at] = cython.cast(cython.int, i)
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def slot(self, parent: cython.int, frame: cython.int) -> cython.ulonglong:
        key: cython.ulonglong = cython.cast(cython.ulonglong, parent)
        key = cython.cast(cython.ulonglong, (key << 32) ^ cython.cast(cython.ulonglong, frame))
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        key = cython.cast(cython.ulonglong, (key ^ (key >> 29)) * factor)
        return (key ^ (key >> 32)) & self.mask

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def child(self, parent: cython.int, frame: cython.int) -> cython.int:
        """The node for `frame` under `parent`, made if it is new."""
        if self.folds and (self.f[parent] == frame or self.f[parent] == REST):
            return parent
        at: cython.ulonglong = self.slot(parent, frame)
        node: cython.int = self.slots[at]
        while node != 0:
            if self.p[node] == parent and self.f[node] == frame:
                return node
            at = (at + 1) & self.mask
            node = self.slots[at]
        if self.folds:
            node = self.turn(parent, frame)
            if node != 0:
                return node
        if self.size >= self.most and frame != REST:
            return self.child(parent, REST)
        if self.size == len(self.p):
            with cython.gil:
                self.grow()
            at = self.slot(parent, frame)
            while self.slots[at] != 0:
                at = (at + 1) & self.mask
        node = cython.cast(cython.int, self.size)
        self.p[node] = parent
        self.f[node] = frame
        self.slots[at] = node
        self.size += 1
        return node

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def turn(self, parent: cython.int, frame: cython.int) -> cython.int:
        """The node above, if the frames up to `parent` are twice the same few and `frame` begins them again, else 0."""
        period: cython.int
        i: cython.int
        low: cython.int
        high: cython.int
        last: cython.int
        for period in range(2, LONGEST_PERIOD + 1):
            high = parent
            for i in range(period):
                if high > 0:
                    high = self.p[high]
            low = parent
            last = 0
            i = 0
            while i < period and high > 0 and self.f[low] == self.f[high]:
                last = low
                low = self.p[low]
                high = self.p[high]
                i += 1
            if i == period and self.f[last] == frame:
                return last
        return 0


def merge_dominated(idom, order, frame, most):
    """The dominator tree merged by frame (`'i'`, by object): parents, frames and the node of each object (-1: none)."""
    m: cython.const[cython.int][::1] = idom
    o: cython.const[cython.int][::1] = order
    f: cython.const[cython.int][::1] = frame
    nodes = filled(-1, len(idom))
    n: cython.int[::1] = nodes
    tree: Merging = Merging(most, True)
    i: cython.Py_ssize_t
    n[0] = 0
    with cython.nogil:
        for i in range(1, len(o)):
            n[o[i]] = tree.child(n[m[o[i]]], f[o[i]])
    return tree.parent, tree.frame, nodes


def merge_paths(parent, edge, label, type, most, chosen):
    """The ways from the roots merged by (label, type): parents, frames, the pairs, and the node of each object.

    Frames are numbers of pairs, given as a column of labels and one of types. Only the ways to `chosen` (`'i'`) are
    merged, or all if it is None.
    """
    p: cython.const[cython.int][::1] = parent
    e: cython.const[cython.uint][::1] = edge
    w: cython.const[cython.uint][::1] = label
    t: cython.const[cython.int][::1] = type
    c: cython.const[cython.int][::1] = chosen if chosen is not None else zeros("i", 0)
    everything: cython.bint = chosen is None
    count: cython.Py_ssize_t = len(parent) if everything else len(c)
    nodes = filled(-1, len(parent))
    n: cython.int[::1] = nodes
    way: cython.int[::1] = zeros("i", len(parent))
    depth: cython.Py_ssize_t
    tree: Merging = Merging(most, True)
    pairs: Merging = Merging(0x7FFFFFFF, False)
    i: cython.Py_ssize_t
    x: cython.int
    node: cython.int
    mask: cython.uint = 0x3FFFFFFF
    n[0] = 0
    with cython.nogil:
        for i in range(count):
            x = cython.cast(cython.int, i) if everything else c[i]
            depth = 0
            while x >= 0 and n[x] < 0:
                way[depth] = x
                depth += 1
                x = p[x]
            if x < 0:
                continue
            node = n[x]
            while depth > 0:
                depth -= 1
                x = way[depth]
                node = tree.child(node, pairs.child(cython.cast(cython.int, w[e[x]] & mask), t[x]))
                n[x] = node
    return tree.parent, tree.frame, pairs.parent, pairs.frame, nodes


def sums(nodes, size, length, chosen):
    """Bytes and objects by node (`'q'` each), of all objects or of those `chosen` (`'i'`); node -1 counts nowhere."""
    n: cython.const[cython.int][::1] = nodes
    s: cython.const[cython.uint][::1] = size
    c: cython.const[cython.int][::1] = chosen if chosen is not None else zeros("i", 0)
    everything: cython.bint = chosen is None
    count: cython.Py_ssize_t = len(nodes) if everything else len(c)
    own, objects = zeros("q", length), zeros("q", length)
    b: cython.longlong[::1] = own
    q: cython.longlong[::1] = objects
    i: cython.Py_ssize_t
    x: cython.Py_ssize_t
    with cython.nogil:
        for i in range(count):
            x = i if everything else c[i]
            if x != 0 and n[x] >= 0:
                b[n[x]] += s[x]
                q[n[x]] += 1
    return own, objects


def prune(parent, frame, totals, least_total):
    """Nodes below `least_total` go to the `REST` of their parents: parents, frames and what became of each node."""
    p: cython.const[cython.int][::1] = parent
    f: cython.const[cython.int][::1] = frame
    t: cython.const[cython.longlong][::1] = totals
    limit: cython.longlong = least_total
    count: cython.Py_ssize_t = len(parent)
    parents, frames, became, rests = (array("i", [value]) * count for value in (-1, -1, 0, 0))
    out: cython.int[::1] = became
    a: cython.int[::1] = parents
    b: cython.int[::1] = frames
    rest: cython.int[::1] = rests
    i: cython.Py_ssize_t
    above: cython.int
    size: cython.int = 1
    with cython.nogil:
        for i in range(1, count):
            above = out[p[i]]
            if b[above] == REST:
                out[i] = above
            elif t[i] >= limit and f[i] != REST:
                out[i] = size
                a[size] = above
                b[size] = f[i]
                size += 1
            else:
                if rest[above] == 0:
                    rest[above] = size
                    a[size] = above
                    b[size] = REST
                    size += 1
                out[i] = rest[above]
    return parents[:size], frames[:size], became


def renumber(values, became):
    """Replace each value of an `'i'` column in place by what it became; -1 stays."""
    v: cython.int[::1] = values
    b: cython.const[cython.int][::1] = became
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(v)):
            if v[i] >= 0:
                v[i] = b[v[i]]
