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
class Frames:
    """What an object is called: its type's number, or `types` and the number of its own name."""

    type: cython.const[cython.int][::1]
    named: cython.const[cython.int][::1]
    naming: cython.const[cython.int][::1]
    has_name: cython.uchar[::1]
    types: cython.int

    def __init__(self, type, named, naming, types):
        i: cython.Py_ssize_t
        self.type, self.named, self.naming = type, named, naming
        self.types = types
        self.has_name = bytearray(max(types, 1))
        for i in range(len(self.named)):
            self.has_name[self.type[self.named[i]]] = 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def of(self, number: cython.int) -> cython.int:
        kind: cython.int = self.type[number]
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = len(self.named)
        middle: cython.Py_ssize_t
        if not self.has_name[kind]:
            return kind
        while low < high:
            middle = (low + high) >> 1
            if self.named[middle] < number:
                low = middle + 1
            else:
                high = middle
        if low < len(self.named) and self.named[low] == number:
            return self.types + self.naming[low]
        return kind


@cython.final
@cython.cclass
class Merging:
    """A tree that grows by (parent, frame): equal frames under one node are one node.

    A frame below itself is the same node, and where frames take turns (A, B, A, B, then A) the last turn goes on, so
    that a list of a million is a few nodes. From `most` nodes on, what is new goes to the `REST` of its parent.
    """

    _parent: object
    _frame: object
    _own: object
    _objects: object
    p: cython.int[::1]
    f: cython.int[::1]
    b: cython.longlong[::1]
    q: cython.longlong[::1]
    slots: cython.int[::1]
    size: cython.Py_ssize_t
    most: cython.Py_ssize_t
    mask: cython.ulonglong
    folds: cython.bint
    last: cython.int
    last_parent: cython.int
    last_frame: cython.int

    def __init__(self, most, folds):
        self._parent, self._frame = filled(-1, 1), filled(-1, 1)
        self._own, self._objects = zeros("q", 1), zeros("q", 1)
        self.p, self.f, self.slots = self._parent, self._frame, zeros("i", 2)
        self.b, self.q = self._own, self._objects
        self.size = 1
        self.most = most
        self.mask = 1
        self.folds = folds
        self.last = 0
        self.last_parent = -1
        self.last_frame = -1

    @property
    def parent(self):
        return self._parent[: self.size]

    @property
    def frame(self):
        return self._frame[: self.size]

    @property
    def own(self):
        """The bytes of the objects at each node."""
        return self._own[: self.size]

    @property
    def objects(self):
        """How many there are."""
        return self._objects[: self.size]

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def count(self, node: cython.int, size: cython.uint) -> cython.void:
        """An object more at a node."""
        self.b[node] += size
        self.q[node] += 1

    @cython.cfunc
    def grow(self) -> object:
        i: cython.Py_ssize_t
        at: cython.ulonglong
        size, room = self.size, 2 * len(self._parent)
        parent, frame, own, objects = zeros("i", room), zeros("i", room), zeros("q", room), zeros("q", room)
        parent[:size], frame[:size] = self._parent, self._frame
        own[:size], objects[:size] = self._own, self._objects
        self._parent, self._frame, self._own, self._objects = parent, frame, own, objects
        self.p, self.f, self.b, self.q = parent, frame, own, objects
        self.slots = zeros("i", 2 * room)
        self.mask = 2 * room - 1
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
        # Objects that come one after another are mostly alike.
        if parent == self.last_parent and frame == self.last_frame:
            return self.last
        if self.folds and (self.f[parent] == frame or self.f[parent] == REST):
            return parent
        at: cython.ulonglong = self.slot(parent, frame)
        node: cython.int = self.slots[at]
        while node != 0:
            if self.p[node] == parent and self.f[node] == frame:
                self.last_parent = parent
                self.last_frame = frame
                self.last = node
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


def merge_dominated(idom, order, type, named, naming, types, size, most):
    """The dominator tree merged by what objects are called (`Frames`).

    Parents and frames of nodes, the bytes and the number of their objects, and the node of each object (0: none).
    """
    m: cython.const[cython.int][::1] = idom
    o: cython.const[cython.int][::1] = order
    frames: Frames = Frames(type, named, naming, types)
    s: cython.const[cython.uint][::1] = size
    nodes = zeros("i", len(idom))
    n: cython.int[::1] = nodes
    tree: Merging = Merging(most, True)
    i: cython.Py_ssize_t
    x: cython.int
    with cython.nogil:
        for i in range(1, len(o)):
            x = o[i]
            n[x] = tree.child(n[m[x]], frames.of(x))
            tree.count(n[x], s[x])
    return tree.parent, tree.frame, tree.own, tree.objects, nodes


def merge_paths(parent, edge, label, type, named, naming, types, size, most, chosen):
    """The ways from the roots to the `chosen` objects (`'i'`) merged by label and what they are called (`Frames`).

    Parents and frames of nodes, the bytes and the number of the chosen objects there, and the node of each object on
    the ways (0: none). Frames are numbers of pairs, given last as a column of labels and one of names.
    """
    p: cython.const[cython.int][::1] = parent
    e: cython.const[cython.uint][::1] = edge
    w: cython.const[cython.uint][::1] = label
    frames: Frames = Frames(type, named, naming, types)
    s: cython.const[cython.uint][::1] = size
    c: cython.const[cython.int][::1] = chosen
    nodes = zeros("i", len(parent))
    n: cython.int[::1] = nodes
    way: cython.int[::1] = zeros("i", len(parent))
    depth: cython.Py_ssize_t
    tree: Merging = Merging(most, True)
    pairs: Merging = Merging(0x7FFFFFFF, False)
    i: cython.Py_ssize_t
    x: cython.int
    node: cython.int
    mask: cython.uint = 0x3FFFFFFF
    with cython.nogil:
        for i in range(len(c)):
            x = c[i]
            depth = 0
            while x > 0 and n[x] == 0:
                way[depth] = x
                depth += 1
                x = p[x]
            if x < 0 or c[i] == 0:
                continue
            node = n[x]
            while depth > 0:
                depth -= 1
                x = way[depth]
                node = tree.child(node, pairs.child(cython.cast(cython.int, w[e[x]] & mask), frames.of(x)))
                n[x] = node
            tree.count(node, s[c[i]])
    return tree.parent, tree.frame, tree.own, tree.objects, nodes, pairs.parent, pairs.frame


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
