# cython: boundscheck=True, wraparound=False, cdivision=True
"""What the nodes and edges of a V8 heap snapshot are: their types, what a reference is called, how firmly it holds.

The rules are those of Chrome's DevTools (front_end/entrypoints/heap_snapshot_worker/HeapSnapshot.ts): a weak edge holds
weakly, a shortcut holds nothing unless it comes from the root, and the value of a WeakMap is held by its key, not by
the table. What a string says of them `heap_words` has found out, and what only structure tells `heap_shapes`.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import zeros

COMPILED = cython.compiled

# Kinds of nodes, in V8's order, as far as they matter; the last ones are ours. Bit 5 of a kind is a mark of
# `heap_shapes`, the two above are detachedness.
HIDDEN = cython.declare(cython.int, 0)
ARRAY = cython.declare(cython.int, 1)
OBJECT = cython.declare(cython.int, 3)
CODE = cython.declare(cython.int, 4)
CLOSURE = cython.declare(cython.int, 5)
NATIVE = cython.declare(cython.int, 8)
SYNTHETIC = cython.declare(cython.int, 9)
SHAPE = cython.declare(cython.int, 14)
WASM = cython.declare(cython.int, 15)
DETACHED = cython.declare(cython.int, 17)
CONTEXT = cython.declare(cython.int, 18)
TABLE = cython.declare(cython.int, 19)
MARKED = cython.declare(cython.int, 32)
# What a label's name is: the string of a variable, a field, something of V8's own, or a root.
VARIABLE = cython.declare(cython.int, 1)
FIELD = cython.declare(cython.int, 2)
INTERNAL = cython.declare(cython.int, 3)
ROOT = cython.declare(cython.int, 4)
# Labels without a name of their own.
ELEMENT = cython.declare(cython.int, 0)
KEY = cython.declare(cython.int, 1)
UNNAMED = cython.declare(cython.int, 2)
WEAKLY = cython.declare(cython.int, 3)
EPHEMERAL = cython.declare(cython.int, 4)
# What a string is (`heap_words`).
NAME = cython.declare(cython.int, 1)
DATA = cython.declare(cython.int, 2)
DIGITS = cython.declare(cython.int, 3)
COUNTED = cython.declare(cython.int, 4)
PAIR = cython.declare(cython.int, 5)
PROTO = cython.declare(cython.int, 8)
SHARED = cython.declare(cython.int, 11)
SCRIPT = cython.declare(cython.int, 12)
CONTEXT_ = cython.declare(cython.int, 13)
SYSTEM = cython.declare(cython.int, 15)
POOL = cython.declare(cython.int, 16)
# Most edges are of a few kinds and names: what they become is kept where it is found at once.
_RECENT = cython.declare(cython.uint, 4095)


@cython.final
@cython.cclass
class Interner:
    """Numbers for keys, in the order of their first appearance."""

    key: object
    k: cython.longlong[::1]
    slot: object
    s: cython.int[::1]
    size: cython.Py_ssize_t
    mask: cython.longlong

    def __init__(self) -> None:
        self.size = 0
        self.mask = 1023
        self.key = array("q", [0]) * 512
        self.k = self.key
        self.slot = array("i", [0]) * 1024
        self.s = self.slot

    def keys(self):
        """The keys by number."""
        return self.key[: self.size]

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def number(self, key: cython.longlong) -> cython.int:
        at: cython.longlong = mixed(key) & self.mask
        while self.s[at] != 0:
            if self.k[self.s[at] - 1] == key:
                return self.s[at] - 1
            at = (at + 1) & self.mask
        if 2 * self.size > self.mask:
            with cython.gil:
                self.grow()
            at = mixed(key) & self.mask
            while self.s[at] != 0:
                at = (at + 1) & self.mask
        self.k[self.size] = key
        self.size += 1
        self.s[at] = cython.cast(cython.int, self.size)
        return cython.cast(cython.int, self.size - 1)

    @cython.cfunc
    def grow(self) -> object:
        i: cython.Py_ssize_t
        at: cython.longlong
        self.mask = 2 * self.mask + 1
        self.k = array("q", [0])
        self.key.extend(array("q", [0]) * len(self.key))
        self.k = self.key
        self.slot = array("i", [0]) * (self.mask + 1)
        self.s = self.slot
        for i in range(self.size):
            at = mixed(self.k[i]) & self.mask
            while self.s[at] != 0:
                at = (at + 1) & self.mask
            self.s[at] = cython.cast(cython.int, i + 1)
        return None


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def mixed(key: cython.longlong) -> cython.longlong:
    factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
    hashed: cython.ulonglong = cython.cast(cython.ulonglong, cython.cast(cython.ulonglong, key) * factor)
    return cython.cast(cython.longlong, hashed >> 33)


@cython.final
@cython.cclass
class Meaning:
    """The columns of a snapshot, with what its strings and its structure say.

    `kind` (`'B'`, with the marks of `heap_shapes`), `name` (`'I'`), `number` (`'I'`: V8's ids) and `first` (`'I'`) are
    by node, `target` (`'i'`) and `what` (`'I'`: kind and name) by edge. `means` (`'B'`) is what each string is, fewer
    than there should be where they were cut off; `tables` are the names of ephemerons (`'I'`, ascending) and the ids
    of their tables (`'I'`).
    """

    kind: cython.uchar[::1]
    name: cython.uint[::1]
    number: cython.uint[::1]
    first: cython.uint[::1]
    target: cython.int[::1]
    what: cython.uint[::1]
    means: cython.const[cython.uchar][::1]
    ephemeron: cython.uint[::1]
    table: cython.uint[::1]
    nodes: cython.Py_ssize_t
    known: cython.longlong
    """How many strings there are."""
    budget: cython.longlong
    """How many edges of other nodes may still be looked at: a file that is made to be slow must not be."""

    def __init__(self, columns, means, tables) -> None:
        self.kind, self.name, self.number, self.first, self.target, self.what = columns
        self.means = means
        self.ephemeron, self.table = tables
        self.nodes = len(self.kind)
        self.known = len(means)
        self.budget = 16 * (len(self.target) + len(self.kind)) + 1024

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def says(self, name: cython.uint) -> cython.int:
        """What the string of that number is; a plain name where it was cut off."""
        return self.means[name] if name < self.known else NAME

    def types(self):
        """The type of every node (`'i'`), and what each is: kind, name << 5 and, of a closure, its script << 34."""
        types = zeros("i", self.nodes)
        out: cython.int[::1] = types
        interner: Interner = Interner()
        i: cython.Py_ssize_t
        kind: cython.int
        name: cython.longlong
        script: cython.longlong
        with cython.nogil:
            for i in range(self.nodes):
                kind = self.kind[i] & 31
                name = self.name[i]
                script = 0
                if kind == CLOSURE:
                    script = self.script(i)
                elif kind == NATIVE:
                    if self.kind[i] >> 6 == 2:
                        kind = DETACHED
                elif kind == CODE:
                    # Functions and scripts are as many as the program has: they are objects with a name, not types.
                    if self.says(self.name[i]) != SYSTEM and self.says(self.name[i]) != POOL:
                        name = 0
                elif kind <= ARRAY and self.kind[i] & MARKED:
                    kind = TABLE
                    name = 0
                elif kind == OBJECT:
                    if self.says(self.name[i]) == CONTEXT_:
                        kind = CONTEXT
                        name = 0
                elif kind != HIDDEN and kind != ARRAY and kind != SYNTHETIC and kind != SHAPE and kind != WASM:
                    name = 0
                if name >= 0x1FFFFFFF:
                    name = 0x1FFFFFFF
                out[i] = interner.number(script << 34 | name << 5 | kind)
        return types, interner.keys()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def script(self, closure: cython.Py_ssize_t) -> cython.longlong:
        """The name of the script that a function is from, 0 if it is not said."""
        node: cython.longlong = self.along(closure, SHARED)
        if node >= 0:
            node = self.along(node, SCRIPT)
        if node < 0 or self.kind[node] & 31 != CODE or self.name[node] >= 0x1FFFFFFF:
            return 0
        return self.name[node]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def along(self, node: cython.Py_ssize_t, meaning: cython.int) -> cython.longlong:
        """Where V8's own reference of that meaning leads, -1 where there is none."""
        e: cython.Py_ssize_t
        for e in range(self.first[node], self.first[node + 1]):
            self.budget -= 1
            if self.budget < 0:
                return -1
            if self.what[e] >> 29 == 3 and self.says(self.what[e] & 0x1FFFFFFF) == meaning:
                return self.target[e]
        return -1

    def labels(self):
        """Turn what every edge is into a label word, in place; returns what each label number is: kind << 29 | name.

        Numbers begin with those without a name (ELEMENT to EPHEMERAL); edges to nowhere lead to the roots and hold
        nothing.
        """
        interner: Interner = Interner()
        t: cython.int[::1] = self.target
        w: cython.uint[::1] = self.what
        # What an edge was, and the label word that it became: by its last bits. There is no eighth kind of edges.
        was: cython.uint[::1] = array("I", [0xFFFFFFFF]) * (_RECENT + 1)
        became: cython.uint[::1] = array("I", [0]) * (_RECENT + 1)
        i: cython.Py_ssize_t
        e: cython.Py_ssize_t
        at: cython.uint
        own: cython.uint
        is_usual: cython.int
        for i in range(5):
            interner.number(i)
        with cython.nogil:
            for i in range(self.nodes):
                is_usual = i != 0 and self.kind[i] & 31 != SYNTHETIC and self.kind[i] & MARKED == 0
                for e in range(self.first[i], self.first[i + 1]):
                    own = w[e]
                    at = (own ^ own >> 20) & _RECENT
                    if t[e] < 0:
                        t[e] = 0
                        w[e] = cython.cast(cython.uint, 3) << 30 | UNNAMED
                    elif is_usual and was[at] == own:
                        w[e] = became[at]
                    else:
                        w[e] = self.label(interner, i, t[e], own)
                        if is_usual and w[e] & 0x3FFFFFFF != EPHEMERAL:
                            was[at] = own
                            became[at] = w[e]
        return interner.keys()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(0xFFFFFFFF)
    def label(self, interner: Interner, node: cython.Py_ssize_t, target: cython.int, own: cython.uint) -> cython.uint:
        edge: cython.uint = own >> 29
        name: cython.uint = own & 0x1FFFFFFF
        kind: cython.int = self.kind[node] & 31
        is_marked: cython.int = self.kind[node] & MARKED
        means: cython.int
        if node == 0 or kind == SYNTHETIC:
            return self.root(interner, node, target, edge, name)
        if edge == 0:
            return self.named(interner, VARIABLE, name)
        if edge == 1:
            return ELEMENT
        if edge == 4:
            return KEY if is_marked and kind <= ARRAY else UNNAMED
        means = self.says(name)
        if edge == 2:
            if means == DATA or means == DIGITS or means == COUNTED or means == PAIR or (is_marked and means != PROTO):
                return KEY
            return self.named(interner, FIELD, name)
        if edge == 3:
            if means == DIGITS:
                return KEY if is_marked and kind <= ARRAY else ELEMENT
            if means == PAIR:
                # The table does not hold the value: its key does.
                return EPHEMERAL | cython.cast(cython.uint, 3 if self.table_of(name) == self.number[node] else 0) << 30
            return self.named(interner, INTERNAL, name) if name < self.known else UNNAMED
        if edge == 5:
            return cython.cast(cython.uint, 3) << 30 | self.named(interner, INTERNAL, name)
        if edge == 6:
            if name >= self.known or means == DIGITS or means == PAIR:
                return cython.cast(cython.uint, 2) << 30 | WEAKLY
            return cython.cast(cython.uint, 2) << 30 | self.named(interner, INTERNAL, name)
        return UNNAMED

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def table_of(self, name: cython.uint) -> cython.uint:
        """The id of the table in an ephemeron's name."""
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = len(self.ephemeron)
        middle: cython.Py_ssize_t
        while low < high:
            middle = (low + high) // 2
            if self.ephemeron[middle] < name:
                low = middle + 1
            else:
                high = middle
        return self.table[low]

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(0xFFFFFFFF)
    def named(self, interner: Interner, kind: cython.longlong, name: cython.longlong) -> cython.uint:
        return cython.cast(cython.uint, interner.number(kind << 29 | name))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(0xFFFFFFFF)
    def root(
        self, interner: Interner, node: cython.Py_ssize_t, target: cython.int, edge: cython.uint, name: cython.uint
    ) -> cython.uint:
        """The label of a reference from the root, or from one of the groups that V8 sorts its roots into."""
        strength: cython.uint = 0
        kind: cython.int = self.kind[target] & 31
        if edge == 6:
            strength = cython.cast(cython.uint, 2) << 30
        elif edge == 5 and node != 0:
            strength = cython.cast(cython.uint, 3) << 30
        means: cython.int = self.says(name) if edge != 1 and edge != 4 and name < self.known else DIGITS
        if node != 0 and means != DIGITS and means != PAIR:
            return strength | self.named(interner, INTERNAL, name)
        if kind == SYNTHETIC or (node == 0 and (kind == OBJECT or kind == NATIVE)):
            return strength | self.named(interner, ROOT, self.name[target] & 0x1FFFFFFF)
        return strength | self.named(interner, ROOT, self.name[node] & 0x1FFFFFFF)


def numbered(keys):
    """Numbers (`'i'`) for keys (`'q'`), in the order of their first appearance, and the key that each number has."""
    k: cython.const[cython.longlong][:] = keys
    numbers = array("i", [0]) * len(keys)
    n: cython.int[::1] = numbers
    interner: Interner = Interner()
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(k)):
            n[i] = interner.number(k[i])
    return numbers, interner.keys()


def renumber(column, numbers):
    """Replace every number of a column (`'i'`) by what stands at its place in `numbers` (`'i'`)."""
    c: cython.int[::1] = column
    n: cython.int[::1] = numbers
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(c)):
            if c[i] >= 0:
                c[i] = n[c[i]]


def renumber_labels(column, numbers):
    """Replace every label number in a column of label words (`'I'`) by what stands there in `numbers` (`'i'`)."""
    c: cython.uint[::1] = column
    n: cython.int[::1] = numbers
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(c)):
            c[i] = c[i] >> 30 << 30 | cython.cast(cython.uint, n[c[i] & 0x3FFFFFFF])
