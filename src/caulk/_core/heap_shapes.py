# cython: boundscheck=True, wraparound=False, cdivision=True
"""What only the structure of a V8 heap snapshot tells of its nodes: tables, dictionaries, blocks, what is detached.

The answers go into the columns themselves: bit 5 of a node's kind marks a hash table of a map or set, and an object
whose properties are data; the two bits above say for all native nodes whether they are attached or detached; and the
variables of a block are named as those of a function are.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import zeros

COMPILED = cython.compiled

# As in `heap_labels` and `heap_words`: kinds of nodes, and what strings are.
ARRAY = cython.declare(cython.int, 1)
STRING = cython.declare(cython.int, 2)
OBJECT = cython.declare(cython.int, 3)
CODE = cython.declare(cython.int, 4)
CLOSURE = cython.declare(cython.int, 5)
NATIVE = cython.declare(cython.int, 8)
MARKED = cython.declare(cython.int, 32)
NAME = cython.declare(cython.int, 1)
PROPERTIES = cython.declare(cython.int, 6)
CONSTRUCTOR = cython.declare(cython.int, 7)
PROTO = cython.declare(cython.int, 8)
TABLE_OF = cython.declare(cython.int, 9)
SCOPE = cython.declare(cython.int, 10)
SYMBOLIC = cython.declare(cython.int, 14)
POOL = cython.declare(cython.int, 16)
PLAIN = cython.declare(cython.int, 17)
MAP = cython.declare(cython.int, 18)
#: An object with more properties, whose names are not known, has keys.
_MANY = cython.declare(cython.int, 64)
# Nodes that are attached, and that are not, in the two top bits.
_ATTACHED = cython.declare(cython.int, 1)
_DETACHED = cython.declare(cython.int, 2)


@cython.final
@cython.cclass
class Shapes:
    """The columns of a snapshot, as `Meaning` has them.

    `means` (`'B'`) is what each string is; of names beyond them nothing is known.
    """

    kind: cython.uchar[::1]
    name: cython.uint[::1]
    first: cython.uint[::1]
    target: cython.int[::1]
    what: cython.uint[::1]
    means: cython.const[cython.uchar][::1]
    known: cython.longlong
    nodes: cython.Py_ssize_t
    alone: cython.int[::1]
    """The plain object that has a shape (by its node), -1 if several have."""
    written: cython.uchar[::1]
    """Whether code refers to a string."""
    budget: cython.longlong
    """How many edges of other nodes may still be looked at: a file that is made to be slow must not be."""

    def __init__(self, columns, means) -> None:
        self.kind, self.name, _, self.first, self.target, self.what = columns
        self.means = means
        self.known = len(means)
        self.nodes = len(self.kind)
        self.budget = 16 * (len(self.target) + len(self.kind)) + 1024

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def says(self, name: cython.uint) -> cython.int:
        return self.means[name] if name < self.known else NAME

    def mark(self):
        """Write into the columns what the structure tells."""
        i: cython.Py_ssize_t
        states: cython.int = 0
        # Whether the snapshot says which names code uses: old ones do not, and redacted ones do no more.
        is_told: cython.int = 0
        self.alone = zeros("i", self.nodes)
        self.written = bytearray(self.known)
        with cython.nogil:
            for i in range(self.nodes):
                states |= self.kind[i] >> 6
                if self.kind[i] & 31 == OBJECT:
                    if self.is_special(i):
                        self.study(i)
                elif self.kind[i] & 31 == CODE:
                    if self.note_names(i) and self.says(self.name[i]) == POOL:
                        is_told = 1
            if is_told:
                for i in range(self.nodes):
                    if self.alone[i] > 0 and not self.is_record(self.alone[i]):
                        self.kind[self.alone[i]] |= cython.cast(cython.uchar, MARKED)
        self.alone = array("i")
        if states:
            stack = zeros("i", self.nodes)
            # Attached nodes first: what both reach is attached.
            self.spread(_ATTACHED, stack)
            self.spread(_DETACHED, stack)

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def is_special(self, node: cython.Py_ssize_t) -> cython.int:
        """Mark an object's hash table; whether its properties or variables lie elsewhere, or are many."""
        e: cython.Py_ssize_t
        t: cython.int
        means: cython.int
        is_plain: cython.int = self.says(self.name[node]) == PLAIN
        found: cython.int = self.first[node + 1] - self.first[node] > _MANY
        for e in range(self.first[node], self.first[node + 1]):
            if self.what[e] >> 29 == 3:
                means = self.says(self.what[e] & 0x1FFFFFFF)
                if means == PROPERTIES or means == SCOPE:
                    found = 1
                elif means == TABLE_OF:
                    t = self.target[e]
                    if t > 0 and self.kind[t] & 31 <= ARRAY:
                        self.kind[t] |= cython.cast(cython.uchar, MARKED)
                elif means == MAP and is_plain and self.target[e] > 0:
                    t = self.target[e]
                    self.alone[t] = -1 if self.alone[t] else cython.cast(cython.int, node)
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def note_names(self, code: cython.Py_ssize_t) -> cython.int:
        """Note the names that code refers to, among which are those of all properties that it uses; how many."""
        e: cython.Py_ssize_t
        t: cython.int
        noted: cython.int = 0
        for e in range(self.first[code], self.first[code + 1]):
            t = self.target[e]
            if t >= 0 and self.kind[t] & 31 == STRING and self.name[t] < self.known and self.says(self.name[t]) == NAME:
                self.written[self.name[t]] = 1
                noted += 1
        return noted

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def is_record(self, node: cython.int) -> cython.int:
        """Whether code names the properties of an object that shares its shape with no other, or most of them.

        What no function names, and no other object has, was computed: a small dictionary looks like this, and V8 keeps
        it as it keeps a record.
        """
        e: cython.Py_ssize_t
        name: cython.uint
        names: cython.Py_ssize_t = 0
        written: cython.Py_ssize_t = 0
        for e in range(self.first[node], self.first[node + 1]):
            name = self.what[e] & 0x1FFFFFFF
            if self.what[e] >> 29 != 2 or name >= self.known:
                continue
            if self.says(name) == NAME:
                names += 1
                written += self.written[name]
            elif self.says(name) == CONSTRUCTOR and self.kind[self.target[e]] & 31 == CLOSURE:
                return 1
        return 2 * written >= names

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def study(self, node: cython.Py_ssize_t) -> cython.int:
        """Mark an object that is a dictionary, and name the variables of one that is the context of a block.

        V8 keeps the properties of a dictionary in a hash table, which refers to the keys too: two of them are looked
        for among the strings of `properties`. Prototypes are kept that way as well while a program starts; an object
        whose `constructor` is a function is one. And V8 names the variables of a function, not those of a block within
        it; but the scope of a block refers to their names, in order.
        """
        e: cython.Py_ssize_t
        edge: cython.uint
        name: cython.uint
        means: cython.int
        table: cython.int = -1
        scope: cython.int = -1
        one: cython.longlong = -1
        other: cython.longlong = -1
        named: cython.int = 0
        hidden: cython.longlong = 0
        unknown: cython.longlong = 0
        is_prototype: cython.int = 0
        for e in range(self.first[node], self.first[node + 1]):
            edge = self.what[e] >> 29
            name = self.what[e] & 0x1FFFFFFF
            if edge == 0:
                named = 1
            elif edge == 3:
                means = self.says(name)
                if means == PROPERTIES:
                    table = self.target[e]
                elif means == SCOPE:
                    scope = self.target[e]
            elif edge == 4:
                hidden += 1
            elif edge == 2 and self.target[e] >= 0:
                means = self.says(name)
                if means == CONSTRUCTOR and self.kind[self.target[e]] & 31 == CLOSURE:
                    is_prototype = 1
                elif means != PROTO and means != SYMBOLIC:
                    unknown += name >= self.known
                    if one < 0:
                        one = name
                    elif other < 0:
                        other = name
        if table >= 0 and one >= 0 and is_prototype == 0:
            unknown = _MANY + 1 if self.holds(table, one, other if other >= 0 else one) else 0
        # Where the strings were cut off, only the number of properties tells.
        if unknown > _MANY:
            self.kind[node] |= cython.cast(cython.uchar, MARKED)
        if scope >= 0 and hidden > 0 and named == 0:
            self.name_variables(node, self.names(scope, hidden))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def holds(self, table: cython.int, one: cython.longlong, other: cython.longlong) -> cython.int:
        """Whether two names are among the strings that a node refers to."""
        e: cython.Py_ssize_t
        name: cython.longlong
        for e in range(self.first[table], self.first[table + 1]):
            self.budget -= 1
            if self.budget < 0:
                # Who cannot be told is taken for the kind that shows no names.
                return 1
            if self.target[e] < 0 or self.kind[self.target[e]] & 31 != STRING:
                continue
            name = self.name[self.target[e]]
            if name == one:
                one = -1
            if name == other:
                other = -1
            if one < 0 and other < 0:
                return 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def names(self, scope: cython.int, values: cython.longlong) -> cython.longlong:
        """The first edge from a scope to its names, -1 unless there is one for every value."""
        e: cython.Py_ssize_t
        begin: cython.longlong = -1
        found: cython.longlong = 0
        for e in range(self.first[scope], self.first[scope + 1]):
            self.budget -= 1
            if self.budget < 0:
                return -1
            if self.target[e] < 0 or self.kind[self.target[e]] & 31 != STRING:
                continue
            if begin < 0:
                begin = e
            if e != begin + found:
                return -1
            found += 1
        return begin if found == values else -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def name_variables(self, context: cython.Py_ssize_t, names: cython.longlong) -> cython.int:
        """Turn the hidden edges of a context into those of variables, whose names the edges from `names` on lead to."""
        e: cython.Py_ssize_t
        for e in range(self.first[context], self.first[context + 1]):
            if names >= 0 and self.what[e] >> 29 == 4 and self.target[e] >= 0:
                self.what[e] = self.name[self.target[names]] & 0x1FFFFFFF
                names += 1
        return 0

    @cython.cfunc
    def spread(self, state: cython.int, stack) -> object:
        """Carry attachedness or detachedness from native nodes to those below them that have neither."""
        s: cython.int[::1] = stack
        size: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        e: cython.Py_ssize_t
        t: cython.int
        edge: cython.uint
        with cython.nogil:
            for i in range(self.nodes):
                if self.kind[i] >> 6 == state and self.kind[i] & 31 == NATIVE:
                    s[size] = cython.cast(cython.int, i)
                    size += 1
            while size:
                size -= 1
                i = s[size]
                for e in range(self.first[i], self.first[i + 1]):
                    t = self.target[e]
                    edge = self.what[e] >> 29
                    if t < 0 or edge == 4 or edge == 6 or self.kind[t] & 31 != NATIVE or self.kind[t] >> 6:
                        continue
                    self.kind[t] |= cython.cast(cython.uchar, state << 6)
                    s[size] = t
                    size += 1
        return None
