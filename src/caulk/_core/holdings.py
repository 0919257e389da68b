# cython: boundscheck=True, wraparound=False, cdivision=True
"""The dominator tree merged by path: a node is every object reached over equal references through equal types.

A node knows how many objects it has, their own bytes, and the one that retains most. An object that many others hold
has no holder in a dominator tree; `share` gives its bytes to those that refer to it, in equal parts.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import zeros

COMPILED = cython.compiled

#: From this depth on a path that returns to a reference and type that it already has is a cycle, and folded.
DEEP = cython.declare(cython.int, 24)
#: Deeper than this nothing is told apart any more.
DEEPEST = cython.declare(cython.int, 96)


@cython.cclass
class Holdings:
    """A growing tree. Its columns have one entry a node; node 0 is the roots. `via` is -1 where no reference leads.

    `kinds` says of each reference whether it is one of many (1: an element, a key's value), a field (2) or else (0).
    """

    _columns: object
    p: cython.int[::1]
    v: cython.int[::1]
    i: cython.int[::1]
    d: cython.int[::1]
    a: cython.int[::1]
    c: cython.longlong[::1]
    f: cython.longlong[::1]
    b: cython.longlong[::1]
    r: cython.longlong[::1]
    l: cython.longlong[::1]
    s: cython.int[::1]
    k: cython.const[cython.uchar][::1]
    type_of: cython.const[cython.int][::1]
    named: cython.const[cython.int][::1]
    naming: cython.const[cython.int][::1]
    has_name: cython.uchar[::1]
    types: cython.int
    size: cython.Py_ssize_t
    capacity: cython.Py_ssize_t
    mask: cython.ulonglong
    last_parent: cython.int
    last_via: cython.int
    last_identity: cython.int
    last: cython.int

    def __init__(self, kinds=b"") -> None:
        self.k = kinds
        self.size = 0
        self.capacity = 0
        self.last_parent = -1
        self.last_via = -1
        self.last_identity = -1
        self.last = 0
        self._columns = {}
        self.grow()
        self.p[0] = -1
        self.v[0] = -1
        self.i[0] = -1
        self.size = 1

    def __len__(self) -> int:
        return self.size

    def column(self, name):
        """`parent`, `via`, `identity`, `sample` (`'i'`), `count`, `flat`, `best`, `folded`, `lent` (`'q'`)."""
        return self._columns[name][: self.size]

    @cython.cfunc
    def grow(self) -> object:
        k: cython.Py_ssize_t
        capacity: cython.Py_ssize_t = max(1024, 2 * self.capacity)
        columns = {}
        for name in ("parent", "via", "identity", "depth", "sample", "count", "flat", "best", "folded", "lent"):
            code = "q" if name in ("count", "flat", "best", "folded", "lent") else "i"
            column = array(code, bytes(capacity * (8 if code == "q" else 4)))
            if self.size:
                column[: self.size] = self._columns[name][: self.size]
            columns[name] = column
        self._columns = columns
        self.p, self.v, self.i = columns["parent"], columns["via"], columns["identity"]
        self.d, self.a = columns["depth"], columns["sample"]
        self.c, self.f, self.b = columns["count"], columns["flat"], columns["best"]
        self.r, self.l = columns["folded"], columns["lent"]
        self.s = array("i", bytes(8 * capacity))
        self.mask = 2 * capacity - 1
        self.capacity = capacity
        for k in range(1, self.size):
            self.place(cython.cast(cython.int, k))
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def slot(self, parent: cython.int, via: cython.int, identity: cython.int) -> cython.ulonglong:
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        key: cython.ulonglong = cython.cast(cython.ulonglong, parent) * factor
        key = (key ^ cython.cast(cython.ulonglong, via + 1)) * factor
        key = cython.cast(cython.ulonglong, (key ^ (key >> 29) ^ cython.cast(cython.ulonglong, identity)) * factor)
        return (key ^ (key >> 32)) & self.mask

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def place(self, node: cython.int) -> cython.int:
        at: cython.ulonglong = self.slot(self.p[node], self.v[node], self.i[node])
        while self.s[at] != 0:
            at = (at + 1) & self.mask
        self.s[at] = node
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def child(self, parent: cython.int, via: cython.int, identity: cython.int) -> cython.int:
        """The child of `parent`, made if it is new; a list's next, and what a deep path returns to, is no child."""
        up: cython.int = parent
        # Objects of an array are mostly alike.
        if parent == self.last_parent and via == self.last_via and identity == self.last_identity:
            return self.last
        if self.i[parent] == identity and self.v[parent] == via and parent != 0:
            return parent
        # The entries of a hash table hang on each other in its slots: `[]` and then `.next` are entries alike.
        if self.i[parent] == identity and 0 <= via < len(self.k) and self.k[via] == 2 and self.v[parent] >= 0:
            if self.v[parent] < len(self.k) and self.k[self.v[parent]] == 1:
                return parent
        if self.d[parent] >= DEEP:
            while up > 0:
                if self.i[up] == identity and self.v[up] == via:
                    return up
                up = self.p[up]
            if self.d[parent] >= DEEPEST:
                return parent
        at: cython.ulonglong = self.slot(parent, via, identity)
        node: cython.int = self.s[at]
        while node != 0:
            if self.p[node] == parent and self.v[node] == via and self.i[node] == identity:
                self.last_parent = parent
                self.last_via = via
                self.last_identity = identity
                self.last = node
                return node
            at = (at + 1) & self.mask
            node = self.s[at]
        if self.size == self.capacity:
            with cython.gil:
                self.grow()
            at = self.slot(parent, via, identity)
            while self.s[at] != 0:
                at = (at + 1) & self.mask
        node = cython.cast(cython.int, self.size)
        self.p[node] = parent
        self.v[node] = via
        self.i[node] = identity
        self.d[node] = self.d[parent] + 1
        self.s[at] = node
        self.size += 1
        return node

    @cython.cfunc
    def know(self, kind: object, named: object, naming: object, types: cython.int) -> object:
        """Take in what identities are made of."""
        i: cython.Py_ssize_t
        self.type_of, self.named, self.naming = kind, named, naming
        self.types = types
        self.has_name = bytearray(types)
        for i in range(len(self.named)):
            self.has_name[self.type_of[self.named[i]]] = 1
        return None

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def identity(self, u: cython.int) -> cython.int:
        """An object's type, or behind the types its own name. A column of these would cost as much as the types do."""
        kind: cython.int = self.type_of[u]
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = len(self.named)
        middle: cython.Py_ssize_t
        if not self.has_name[kind]:
            return kind
        while low < high:
            middle = (low + high) >> 1
            if self.named[middle] < u:
                low = middle + 1
            else:
                high = middle
        if low < len(self.named) and self.named[low] == u:
            return self.types + self.naming[low]
        return kind

    def merge(self, idom, order, retained, *, first, target, label, kind, size, named, naming, types, weakest):
        """Put a graph's objects into the tree and return the node of each (`'i'`; 0 for the roots and the unreached).

        An object's identity is its type's number, or `types` + the number of its own name. `weakest` is the last
        strength that counts.
        """
        dom: cython.const[cython.int][::1] = idom
        seq: cython.const[cython.int][::1] = order
        kept: cython.const[cython.longlong][::1] = retained
        start: cython.const[cython.uint][::1] = first
        to: cython.const[cython.int][::1] = target
        word: cython.const[cython.uint][::1] = label
        own: cython.const[cython.uint][::1] = size
        self.know(kind, named, naming, types)
        limit: cython.uint = weakest
        nodes = zeros("i", len(start) - 1)
        out: cython.int[::1] = nodes
        k: cython.Py_ssize_t
        at: cython.Py_ssize_t
        u: cython.int
        t: cython.int
        below: cython.int
        node: cython.int
        with cython.nogil:
            for k in range(len(seq)):
                u = seq[k]
                node = out[u]
                if u != 0 and node == 0:
                    node = self.child(out[dom[u]], -1, self.identity(u))
                    out[u] = node
                    if self.p[node] != out[dom[u]]:
                        self.r[node] += 1
                self.c[node] += 1
                self.f[node] += own[u]
                if kept[u] > self.b[node]:
                    self.b[node] = kept[u]
                    self.a[node] = u
                # In preorder what an object dominates is right behind it; most objects dominate nothing.
                if k + 1 == len(seq) or dom[seq[k + 1]] != u:
                    continue
                for at in range(start[u], start[u + 1]):
                    t = to[at]
                    if dom[t] == u and (word[at] >> 30) <= limit and out[t] == 0 and t != 0:
                        below = self.child(node, cython.cast(cython.int, word[at] & 0x3FFFFFFF), self.identity(t))
                        out[t] = below
                        if self.p[below] != node:
                            self.r[below] += 1
        return nodes

    def share(self, nodes, marked, idom, retained, *, first, target, label, kind, named, naming, types, weakest):
        """Give what the objects of the `marked` nodes retain to those outside that refer to them, in equal parts.

        The parts appear as children of the referrers' nodes. A group most of which only refer to each other (a doubly
        linked list) stays where it is, and so does what 255 or more refer to: it is everybody's. Returns the marked
        nodes that were shared out (bytes of 0 and 1).
        """
        dom: cython.const[cython.int][::1] = idom
        kept: cython.const[cython.longlong][::1] = retained
        start: cython.const[cython.uint][::1] = first
        to: cython.const[cython.int][::1] = target
        word: cython.const[cython.uint][::1] = label
        out: cython.const[cython.int][::1] = nodes
        self.know(kind, named, naming, types)
        limit: cython.uint = weakest
        groups: cython.Py_ssize_t = self.size
        shared = bytearray(marked)
        is_group: cython.uchar[::1] = shared
        group: cython.int[::1] = array("i", bytes(4 * groups))
        held: cython.longlong[::1] = array("q", bytes(8 * groups))
        degree: cython.uchar[::1] = bytearray(len(start) - 1)
        # A byte an object is nearer at hand than its node and what that is.
        in_group: cython.uchar[::1] = bytearray(len(start) - 1)
        referrers: cython.int[::1] = zeros("i", len(start) - 1)
        count: cython.Py_ssize_t = 0
        refers: cython.bint
        k: cython.Py_ssize_t
        u: cython.Py_ssize_t
        at: cython.Py_ssize_t
        t: cython.int
        g: cython.int
        m: cython.int
        node: cython.int
        part: cython.longlong
        with cython.nogil:
            for k in range(1, groups):
                group[k] = cython.cast(cython.int, k) if is_group[k] else group[self.p[k]]
            for u in range(len(start) - 1):
                in_group[u] = is_group[out[u]]
            for u in range(len(start) - 1):
                if u != 0 and dom[u] < 0:
                    continue
                g = group[out[u]]
                refers = False
                for at in range(start[u], start[u + 1]):
                    t = to[at]
                    if not in_group[t]:
                        continue
                    m = out[t]
                    if g == m or (word[at] >> 30) > limit:
                        continue
                    refers = True
                    if degree[t] == 0:
                        held[m] += 1
                    if degree[t] < 255:
                        degree[t] += 1
                if refers:
                    referrers[count] = cython.cast(cython.int, u)
                    count += 1
            for k in range(1, groups):
                if is_group[k] and 2 * held[k] < self.c[k]:
                    is_group[k] = 0
            for k in range(count):
                u = referrers[k]
                g = group[out[u]]
                for at in range(start[u], start[u + 1]):
                    t = to[at]
                    if not in_group[t] or degree[t] == 255:
                        continue
                    m = out[t]
                    if not is_group[m] or g == m or (word[at] >> 30) > limit:
                        continue
                    node = self.child(out[u], cython.cast(cython.int, word[at] & 0x3FFFFFFF), self.identity(t))
                    part = kept[t] // degree[t]
                    self.f[node] += part
                    self.l[node] += part
                    self.f[m] -= part
                    self.c[node] += 1
                    if kept[t] > self.b[node]:
                        self.b[node] = kept[t]
                        self.a[node] = t
        return shared

    def graft(self, parent, via, identity, vias, identities):
        """Merge another tree's nodes into this one and return the node that each became (`'i'`).

        `vias` and `identities` translate the other's numbers into this tree's.
        """
        p: cython.const[cython.int][::1] = parent
        v: cython.const[cython.int][::1] = via
        i: cython.const[cython.int][::1] = identity
        new_via: cython.const[cython.int][::1] = vias
        new_identity: cython.const[cython.int][::1] = identities
        became = array("i", bytes(4 * len(p)))
        out: cython.int[::1] = became
        k: cython.Py_ssize_t
        label: cython.int
        with cython.nogil:
            for k in range(1, len(p)):
                label = new_via[v[k]] if v[k] >= 0 else -1
                out[k] = self.child(out[p[k]], label, new_identity[i[k]])
        return became


def reaching(values, least):
    """The nodes whose value (`'q'`) is at least `least` (`'i'`, ascending)."""
    v: cython.longlong[::1] = values
    floor: cython.longlong = least
    found = array("i", bytes(4 * len(values)))
    out: cython.int[::1] = found
    k: cython.Py_ssize_t
    n: cython.Py_ssize_t = 0
    with cython.nogil:
        for k in range(len(v)):
            if v[k] >= floor:
                out[n] = cython.cast(cython.int, k)
                n += 1
    return found[:n]


def evenly(count, total, best, folded):
    """How many objects a node would have if each were as large as its largest (`'q'`): many only where all are alike.

    The first of a list retains all of it, so a node that is mostly a list is taken as it is.
    """
    n: cython.const[cython.longlong][::1] = count
    t: cython.const[cython.longlong][::1] = total
    b: cython.const[cython.longlong][::1] = best
    again: cython.const[cython.longlong][::1] = folded
    numbers = array("q", bytes(8 * len(n)))
    out: cython.longlong[::1] = numbers
    k: cython.Py_ssize_t
    with cython.nogil:
        for k in range(len(n)):
            out[k] = n[k]
            if b[k] > 0 and 2 * again[k] < n[k] and t[k] // b[k] < n[k]:
                out[k] = t[k] // b[k] if t[k] >= b[k] else 1
    return numbers


def less(after, before):
    """`after[i] - before[i]` (`'q'`)."""
    a: cython.const[cython.longlong][::1] = after
    b: cython.const[cython.longlong][::1] = before
    change = array("q", bytes(8 * len(a)))
    out: cython.longlong[::1] = change
    k: cython.Py_ssize_t
    with cython.nogil:
        for k in range(len(a)):
            out[k] = cython.cast(cython.longlong, a[k] - b[k])
    return change


def members(nodes, node, limit):
    """The first `limit` objects of a node (`'i'`)."""
    of: cython.const[cython.int][::1] = nodes
    wanted: cython.int = node
    most: cython.Py_ssize_t = limit
    found = array("i", bytes(4 * most))
    out: cython.int[::1] = found
    k: cython.Py_ssize_t
    n: cython.Py_ssize_t = 0
    with cython.nogil:
        for k in range(len(of)):
            if of[k] == wanted and n < most:
                out[n] = cython.cast(cython.int, k)
                n += 1
    return found[:n]


def without(nodes, node, first, label, strength):
    """How many objects of a node have no reference of this strength."""
    of: cython.const[cython.int][::1] = nodes
    start: cython.const[cython.uint][::1] = first
    word: cython.const[cython.uint][::1] = label
    wanted: cython.int = node
    level: cython.uint = strength
    k: cython.Py_ssize_t
    at: cython.Py_ssize_t
    number: cython.longlong = 0
    has: cython.int
    with cython.nogil:
        for k in range(len(of)):
            if of[k] != wanted:
                continue
            has = 0
            for at in range(start[k], start[k + 1]):
                if word[at] >> 30 == level:
                    has = 1
                    break
            if not has:
                number += 1
    return number


def tally(nodes, node, values, length):
    """How many objects of a node have each value (`'q'`, `length` of them; a negative value counts nowhere)."""
    of: cython.const[cython.int][::1] = nodes
    value: cython.const[cython.int][::1] = values
    wanted: cython.int = node
    counts = array("q", bytes(8 * length))
    out: cython.longlong[::1] = counts
    k: cython.Py_ssize_t
    with cython.nogil:
        for k in range(len(of)):
            if of[k] == wanted and value[k] >= 0:
                out[value[k]] += 1
    return counts


def contents(first, target, label, kind, start, *, parts, inside, types, weakest):
    """What a container is made of and what it holds, each counted by type (two `'q'` columns of length `types`).

    From object `start`, an object of a type marked in `parts`, or referred to by a label marked in `inside`, belongs to
    the container; every reference from there to anything else holds an element.
    """
    begin: cython.const[cython.uint][::1] = first
    to: cython.const[cython.int][::1] = target
    word: cython.const[cython.uint][::1] = label
    type_of: cython.const[cython.int][::1] = kind
    is_part: cython.const[cython.uchar][::1] = parts
    is_inside: cython.const[cython.uchar][::1] = inside
    limit: cython.uint = weakest
    made = array("q", bytes(8 * types))
    held = array("q", bytes(8 * types))
    m: cython.longlong[::1] = made
    h: cython.longlong[::1] = held
    seen: cython.uchar[::1] = bytearray((len(kind) >> 3) + 1)
    room: cython.Py_ssize_t = 1024
    stack_of = array("i", bytes(4 * room))
    stack: cython.int[::1] = stack_of
    top: cython.Py_ssize_t = 1
    at: cython.Py_ssize_t
    u: cython.int = start
    t: cython.int
    stack[0] = u
    seen[u >> 3] |= 1 << (u & 7)
    with cython.nogil:
        while top > 0:
            top -= 1
            u = stack[top]
            for at in range(begin[u], begin[u + 1]):
                if (word[at] >> 30) > limit:
                    continue
                t = to[at]
                if not (is_part[type_of[t]] or is_inside[word[at] & 0x3FFFFFFF]):
                    h[type_of[t]] += 1
                    continue
                if seen[t >> 3] & (1 << (t & 7)):
                    continue
                seen[t >> 3] |= 1 << (t & 7)
                m[type_of[t]] += 1
                if top == room:
                    with cython.gil:
                        stack_of = stack_of + stack_of
                        room = len(stack_of)
                        stack = stack_of
                stack[top] = t
                top += 1
    return made, held
