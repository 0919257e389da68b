# cython: boundscheck=True, wraparound=False, cdivision=True
"""What the nodes and edges of a V8 heap snapshot mean: their types, what a reference is called, how firmly it holds.

The rules are those of Chrome's DevTools (front_end/entrypoints/heap_snapshot_worker/HeapSnapshot.ts): a weak edge holds
weakly, a shortcut holds nothing unless it comes from the root, and the value of a WeakMap is held by its key, not by
the table. What V8 leaves unsaid is told by structure: which objects are dictionaries, and the variables of a block.

A name is the number of a string; the string itself is looked at once, the first time that its kind matters.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

# Kinds of nodes, in V8's order, as far as they matter; the last ones are ours. Bit 5 of a kind marks a hash table, the
# two above detachedness.
HIDDEN = cython.declare(cython.int, 0)
ARRAY = cython.declare(cython.int, 1)
STRING = cython.declare(cython.int, 2)
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


# What a string is when it names something.
UNSEEN = cython.declare(cython.int, 0)
NAME = cython.declare(cython.int, 1)
DATA = cython.declare(cython.int, 2)
DIGITS = cython.declare(cython.int, 3)
COUNTED = cython.declare(cython.int, 4)
PAIR = cython.declare(cython.int, 5)
PROPERTIES = cython.declare(cython.int, 6)
CONSTRUCTOR = cython.declare(cython.int, 7)
PROTO = cython.declare(cython.int, 8)
TABLE_OF = cython.declare(cython.int, 9)
SCOPE = cython.declare(cython.int, 10)
SHARED = cython.declare(cython.int, 11)
SCRIPT = cython.declare(cython.int, 12)
CONTEXT_ = cython.declare(cython.int, 13)
SYMBOLIC = cython.declare(cython.int, 14)
SYSTEM = cython.declare(cython.int, 15)
_WORDS = (
    (b"properties", PROPERTIES),
    (b"constructor", CONSTRUCTOR),
    (b"__proto__", PROTO),
    (b"table", TABLE_OF),
    (b"scope_info", SCOPE),
    (b"shared", SHARED),
    (b"script", SCRIPT),
    (b"script_or_debug_info", SCRIPT),
)
# A name that somebody wrote into a program is a short identifier. What is longer, or has many digits, was computed.
_LONGEST = cython.declare(cython.int, 64)
_DIGITS = cython.declare(cython.int, 4)


@cython.final
@cython.cclass
class Meaning:
    """The columns of a snapshot, and what its strings say of them.

    `strings` (`'q'`) is where each string begins in `data`, one more than there are (empty where they were cut off);
    `kind` (`'B'`), `name` (`'I'`), `number` (`'I'`: V8's ids) and `first` (`'I'`) are by node, `target` (`'i'`) and
    `what` (`'I'`: kind and name) by edge.
    """

    data: cython.const[cython.uchar][::1]
    start: cython.longlong[::1]
    kind: cython.uchar[::1]
    name: cython.uint[::1]
    number: cython.uint[::1]
    first: cython.uint[::1]
    target: cython.int[::1]
    what: cython.uint[::1]
    nodes: cython.Py_ssize_t
    known: cython.longlong
    """How many strings there are."""
    seen: cython.uchar[::1]
    meaning: object
    """The same as an array."""
    word: cython.const[cython.uchar][::1]
    prefix: cython.const[cython.uchar][::1]
    context: cython.const[cython.uchar][::1]
    pair: cython.const[cython.uchar][::1]
    words: object
    is_dictionary: cython.int
    variables: cython.longlong
    """Of the object that was studied last: whether its properties are data, the edge to its next variable's name."""
    budget: cython.longlong
    """How many edges of other nodes may still be looked at: a file that is made to be slow must not be."""

    def __init__(self, data, strings, columns) -> None:
        self.data = data
        self.start = strings
        self.kind, self.name, self.number, self.first, self.target, self.what = columns
        self.nodes = len(self.kind)
        self.known = len(strings) - 1
        self.meaning = array("B", [0]) * max(self.known, 1)
        self.seen = self.meaning
        self.pair = b" pair in WeakMap (table @"
        self.prefix = b"system / "
        self.context = b"system / Context"
        self.words = _WORDS
        self.is_dictionary = 0
        self.variables = -1
        self.budget = 16 * (len(self.target) + len(self.kind)) + 1024

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def says(self, name: cython.uint) -> cython.int:
        """What the string of that number is; a plain name where it was cut off."""
        if name >= self.known:
            return NAME
        if self.seen[name] == UNSEEN:
            self.seen[name] = cython.cast(cython.uchar, self.look(self.start[name], self.length(name)))
        return self.seen[name]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def length(self, name: cython.longlong) -> cython.longlong:
        """The bytes of a string; it ends at the last quote before the next one begins."""
        begin: cython.longlong = self.start[name]
        at: cython.longlong = min(self.start[name + 1] - 2, len(self.data) - 1)
        while at > begin and self.data[at] != 34:
            at -= 1
        return max(at - begin, 0)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def look(self, begin: cython.longlong, length: cython.longlong) -> cython.int:
        d: cython.const[cython.uchar][::1] = self.data
        at: cython.longlong = 0
        c: cython.int
        digits: cython.int = 0
        if length == 0:
            return DATA
        c = d[begin]
        while at < length and 48 <= d[begin + at] <= 57:
            at += 1
        if at == length:
            return DIGITS
        if at > 0:
            # "12 / (name)" is V8's way to name a reference that has but a number.
            if at + 3 > length or d[begin + at] != 32 or d[begin + at + 1] != 47 or d[begin + at + 2] != 32:
                return DATA
            return PAIR if self.table(begin, length) >= 0 else COUNTED
        if c == 40:
            return SYSTEM
        if c == 60 and length > 7 and d[begin + 1] == 115 and (d[begin + 7] == 32 or d[begin + 7] == 62):
            return SYMBOLIC
        at = self.special(begin, length)
        if at:
            return cython.cast(cython.int, at)
        if length > 9 and self.matches(begin, self.prefix):
            # V8 adds " / scope @12" to the context of a scope.
            if length >= 16 and self.matches(begin, self.context) and (length == 16 or d[begin + 16] == 32):
                return CONTEXT_
            return SYSTEM
        if length > _LONGEST:
            return DATA
        at = 0
        # Accessors are "get x" and "set x".
        if length > 4 and (c == 103 or c == 115) and d[begin + 1] == 101 and d[begin + 2] == 116 and d[begin + 3] == 32:
            at = 4
        while at < length:
            c = d[begin + at]
            if 48 <= c <= 57:
                digits += 1
            elif not (97 <= c <= 122 or 65 <= c <= 90 or c == 95 or c == 36 or c == 35 or c >= 128):
                # Letters beyond ASCII may be written as \uXXXX.
                if c != 92 or at + 5 >= length or d[begin + at + 1] != 117:
                    return DATA
                at += 5
            at += 1
        return NAME if digits <= _DIGITS else DATA

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def special(self, begin: cython.longlong, length: cython.longlong) -> cython.int:
        # Few strings begin like one of the words, and each is looked at once.
        c: cython.int = self.data[begin]
        found: cython.int = 0
        if (c != 112 and c != 99 and c != 95 and c != 116 and c != 115) or length > 20:
            return 0
        with cython.gil:
            text = bytes(self.data[begin : begin + length])
            for word, meaning in self.words:
                if word == text:
                    found = meaning
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def matches(self, begin: cython.longlong, text: cython.const[cython.uchar][::1]) -> cython.int:
        i: cython.Py_ssize_t
        for i in range(len(text)):
            if self.data[begin + i] != text[i]:
                return 0
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def table(self, begin: cython.longlong, length: cython.longlong) -> cython.longlong:
        """The id of the table in the name of an ephemeron's edge, -1 if it is none."""
        at: cython.longlong = length - len(self.pair)
        found: cython.longlong = 0
        # The id and its bracket end the name: the words before are looked for from the end.
        while at >= 0 and length - at <= len(self.pair) + 24:
            if self.data[begin + at] == 32 and self.matches(begin + at, self.pair):
                at += len(self.pair)
                while at < length and 48 <= self.data[begin + at] <= 57 and found >> 56 == 0:
                    found = found * 10 + self.data[begin + at] - 48
                    at += 1
                return found
            at -= 1
        return -1

    def meanings(self):
        """What each string is where it names something (`'B'`)."""
        i: cython.longlong
        with cython.nogil:
            for i in range(self.known):
                self.says(cython.cast(cython.uint, i))
        return self.meaning

    def mark(self):
        """Mark the hash tables of maps and sets, and carry detachedness from native nodes to those below them."""
        i: cython.Py_ssize_t
        e: cython.Py_ssize_t
        states: cython.int = 0
        with cython.nogil:
            for i in range(self.nodes):
                if self.kind[i] >> 6:
                    states |= self.kind[i] >> 6
                if self.kind[i] & 31 != OBJECT:
                    continue
                for e in range(self.first[i], self.first[i + 1]):
                    if (
                        self.what[e] >> 29 == 3
                        and self.target[e] > 0
                        and self.says(self.what[e] & 0x1FFFFFFF) == TABLE_OF
                    ):
                        if self.kind[self.target[e]] & 31 <= ARRAY:
                            self.kind[self.target[e]] |= 32
        if states:
            stack = array("i", [0]) * self.nodes
            # Attached nodes first: what both reach is attached.
            self.spread(1, stack)
            self.spread(2, stack)

    @cython.cfunc
    def spread(self, state: cython.int, stack) -> object:
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

    def types(self):
        """The type of every node (`'i'`), and what each is: kind, name << 5 and, of a closure, its script << 34."""
        types = array("i", [0]) * self.nodes
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
                    if self.says(self.name[i]) != SYSTEM:
                        name = 0
                elif self.kind[i] & 32:
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
        i: cython.Py_ssize_t
        e: cython.Py_ssize_t
        name: cython.uint
        edge: cython.uint
        kind: cython.int
        word: cython.uint
        means: cython.int
        is_table: cython.int
        for i in range(5):
            interner.number(i)
        with cython.nogil:
            for i in range(self.nodes):
                kind = self.kind[i] & 31
                is_table = self.kind[i] & 32
                self.is_dictionary = 0
                self.variables = -1
                if kind == OBJECT:
                    self.study(i)
                for e in range(self.first[i], self.first[i + 1]):
                    edge = self.what[e] >> 29
                    name = self.what[e] & 0x1FFFFFFF
                    word = UNNAMED
                    if self.target[e] < 0:
                        self.target[e] = 0
                        word = cython.cast(cython.uint, 3) << 30 | UNNAMED
                    elif i == 0 or kind == SYNTHETIC:
                        word = self.root(interner, i, self.target[e], edge, name)
                    elif edge == 0:
                        word = self.named(interner, VARIABLE, name)
                    elif edge == 1:
                        word = ELEMENT
                    elif edge == 2:
                        means = self.says(name)
                        if means == DATA or means == DIGITS or means == COUNTED or means == PAIR:
                            word = KEY
                        elif self.is_dictionary and means != PROTO:
                            word = KEY
                        else:
                            word = self.named(interner, FIELD, name)
                    elif edge == 3:
                        means = self.says(name)
                        if means == DIGITS:
                            word = KEY if is_table else ELEMENT
                        elif means == PAIR:
                            # The table does not hold the value: its key does.
                            word = EPHEMERAL
                            if (
                                cython.cast(cython.uint, self.table(self.start[name], self.length(name)))
                                == self.number[i]
                            ):
                                word |= cython.cast(cython.uint, 3) << 30
                        elif name < self.known:
                            word = self.named(interner, INTERNAL, name)
                    elif edge == 4:
                        if is_table:
                            word = KEY
                        elif self.variables >= 0:
                            word = self.named(interner, VARIABLE, self.name[self.target[self.variables]] & 0x1FFFFFFF)
                            self.variables += 1
                    elif edge == 5:
                        word = cython.cast(cython.uint, 3) << 30 | self.named(interner, INTERNAL, name)
                    elif edge == 6:
                        if name >= self.known or self.says(name) == DIGITS or self.says(name) == PAIR:
                            word = WEAKLY
                        else:
                            word = self.named(interner, INTERNAL, name)
                        word |= cython.cast(cython.uint, 2) << 30
                    self.what[e] = word
        return interner.keys()

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

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def study(self, node: cython.Py_ssize_t) -> cython.int:
        """Find out whether an object is a dictionary, and the names of its variables if it is the context of a block.

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
        # Where the strings were cut off, only the number of properties tells.
        self.is_dictionary = 1 if unknown > 64 else 0
        if table >= 0 and one >= 0 and is_prototype == 0:
            self.is_dictionary = self.holds(table, one, other if other >= 0 else one)
        self.variables = -1
        if scope >= 0 and hidden > 0 and named == 0:
            self.variables = self.names(scope, hidden)
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


def functions(types, located, lines, columns, scripts):
    """Objects with a place: (objects `'i'`, ascending, the function of each `'i'`, and by function three keys).

    The keys are type << 32 | place by function, line << 32 | column by place, and the script's number by place.
    """
    t: cython.int[::1] = types
    o: cython.int[::1] = located
    l: cython.int[::1] = lines
    c: cython.int[::1] = columns
    s: cython.int[::1] = scripts
    interner: Interner = Interner()
    in_script: Interner = Interner()
    in_file: Interner = Interner()
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t = len(o)
    place_of = array("i", [-1]) * len(t)
    b: cython.int[::1] = place_of
    objects, numbers = array("i", [0]) * count, array("i", [0]) * count
    out: cython.int[::1] = objects
    number: cython.int[::1] = numbers
    # The file may have them in any order, and an object twice.
    with cython.nogil:
        for i in range(count):
            b[o[i]] = in_file.number(
                cython.cast(cython.longlong, s[i]) << 32
                | in_script.number(cython.cast(cython.longlong, l[i]) << 32 | c[i])
            )
        for i in range(len(b)):
            if b[i] >= 0:
                out[at] = cython.cast(cython.int, i)
                number[at] = interner.number(cython.cast(cython.longlong, t[i]) << 32 | b[i])
                at += 1
    del out, number
    del objects[at:]
    del numbers[at:]
    inner = in_script.keys()
    places, of_script = array("q"), array("i")
    for key in in_file.keys():
        places.append(inner[key & 0x7FFFFFFF])
        of_script.append(key >> 32)
    return objects, numbers, interner.keys(), places, of_script


def retype(types, objects, numbers, fresh, names):
    """Give objects the type of their function where it has one of its own (`fresh`, else -1), and number its name.

    `numbers` are those of functions, and then of names; an object without one (-1) goes from both columns.
    """
    t: cython.int[::1] = types
    o: cython.int[::1] = objects
    n: cython.int[::1] = numbers
    f: cython.int[::1] = fresh
    name: cython.int[::1] = names
    i: cython.Py_ssize_t
    kept: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(len(o)):
            if f[n[i]] >= 0:
                t[o[i]] = f[n[i]]
            if name[n[i]] >= 0:
                o[kept] = o[i]
                n[kept] = name[n[i]]
                kept += 1
    del t, o, n, f, name
    del objects[kept:]
    del numbers[kept:]


def those(objects, numbers, wanted):
    """The objects (`'i'`) whose number has its byte set in `wanted`."""
    o: cython.int[::1] = objects
    n: cython.int[::1] = numbers
    w: cython.const[cython.uchar][:] = wanted
    found = array("i", [0]) * len(objects)
    out: cython.int[::1] = found
    kept: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(o)):
            if w[n[i]] != 0:
                out[kept] = o[i]
                kept += 1
    del out
    del found[kept:]
    return found


def mark_scopes(first, target, what, closures, ways, marks, mark: cython.int):
    """Put `mark` (a byte by node) on the scopes of some closures, and on the scopes around these.

    `ways` are the labels of a closure's reference to its scope, and of a scope's to the one around it.
    """
    f: cython.uint[::1] = first
    t: cython.int[::1] = target
    w: cython.uint[::1] = what
    c: cython.int[::1] = closures
    m: cython.uchar[::1] = marks
    inner: cython.uint = ways[0]
    outer: cython.uint = ways[1] & 0x3FFFFFFF
    i: cython.Py_ssize_t
    e: cython.Py_ssize_t
    node: cython.Py_ssize_t
    way: cython.uint
    with cython.nogil:
        for i in range(len(c)):
            node = c[i]
            way = inner
            while node >= 0:
                for e in range(f[node], f[node + 1]):
                    if w[e] & 0x3FFFFFFF == way:
                        node = t[e]
                        break
                else:
                    break
                if m[node] != 0:
                    break
                m[node] = cython.cast(cython.uchar, mark)
                way = outer


def relabel(first, what, marks, mark: cython.int, fresh):
    """Give the references of marked nodes the labels that `fresh` (`'i'`) has in the place of their own."""
    f: cython.uint[::1] = first
    w: cython.uint[::1] = what
    m: cython.const[cython.uchar][:] = marks
    l: cython.int[::1] = fresh
    i: cython.Py_ssize_t
    e: cython.Py_ssize_t
    own: cython.uint
    with cython.nogil:
        for i in range(len(m)):
            if m[i] == mark:
                for e in range(f[i], f[i + 1]):
                    own = w[e] & 0x3FFFFFFF
                    if own < cython.cast(cython.uint, len(l)):
                        w[e] = w[e] - own + cython.cast(cython.uint, l[own])
