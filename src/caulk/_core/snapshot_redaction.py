# cython: boundscheck=True, wraparound=False, cdivision=True
"""A V8 heap snapshot without contents: which of its strings name code, and its rows as text again.

Names are numbers of strings, or one of three behind them: a value, a key that is data, and a string that was cut off.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

# What stands behind the strings, in this order.
VALUE = cython.declare(cython.int, 0)
KEY = cython.declare(cython.int, 1)
ABSENT = cython.declare(cython.int, 2)
# As in `heap_labels`: kinds of nodes, meanings of strings, and labels.
_STRING = cython.declare(cython.int, 2)
_REGEXP = cython.declare(cython.int, 6)
_NUMBER = cython.declare(cython.int, 7)
_NATIVE = cython.declare(cython.int, 8)
_CONS = cython.declare(cython.int, 10)
_BIGINT = cython.declare(cython.int, 13)
_OTHER = cython.declare(cython.int, 16)
_DATA = cython.declare(cython.int, 2)
_PAIR = cython.declare(cython.int, 5)
_KEY_LABEL = cython.declare(cython.uint, 1)
_VARIABLE = cython.declare(cython.int, 1)
#: An edge that leads nowhere: it holds nothing and has no name.
_NOWHERE = cython.declare(cython.uint, 3 << 30 | 2)


def name_nodes(kinds, names, kept):
    """Replace the names of nodes that are contents, in place; mark in `kept` (`'B'`, by string) the others.

    A mark is 1 for a string that is used, with 2 if by a node, and 4 if by one outside the heap: those may say more.
    """
    k: cython.const[cython.uchar][::1] = kinds
    n: cython.uint[::1] = names
    u: cython.uchar[::1] = kept
    known: cython.longlong = len(u)
    kind: cython.int
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(n)):
            kind = k[i] & 31
            if kind == _STRING or kind == _REGEXP or kind == _NUMBER or _CONS <= kind <= _BIGINT or kind == _OTHER:
                n[i] = cython.cast(cython.uint, known + VALUE)
            elif n[i] >= known:
                n[i] = cython.cast(cython.uint, known + ABSENT)
            else:
                u[n[i]] |= 7 if kind == _NATIVE else 3


def name_edges(first, target, what, words, keys, means, kept):
    """Turn what edges were (`what`) into what they are to be called, in place, by their label words; mark `kept`.

    `keys` (`'q'`) are the labels, `means` (`'B'`) what strings are (both of `heap_labels`). Indexes begin anew for each
    node: those of the program are keys. A variable that was named by a string gets its name. Edges to nowhere get the
    target -1.
    """
    f: cython.uint[::1] = first
    t: cython.int[::1] = target
    b: cython.uint[::1] = what
    w: cython.uint[::1] = words
    l: cython.longlong[::1] = keys
    m: cython.const[cython.uchar][::1] = means
    u: cython.uchar[::1] = kept
    known: cython.longlong = len(u)
    kind: cython.uint
    name: cython.longlong
    label: cython.longlong
    index: cython.longlong
    i: cython.Py_ssize_t
    e: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(f) - 1):
            index = 0
            for e in range(f[i], f[i + 1]):
                kind = b[e] >> 29
                name = b[e] & 0x1FFFFFFF
                label = l[w[e] & 0x3FFFFFFF]
                if w[e] == _NOWHERE:
                    t[e] = -1
                if kind == 4 and (label >> 29) == _VARIABLE:
                    kind = 0
                    name = label & 0x1FFFFFFF
                if kind == 1 or kind == 4:
                    b[e] = kind << 29 | cython.cast(cython.uint, index)
                    index += 1
                    continue
                if name >= known:
                    name = known + ABSENT
                elif kind == 2 and ((w[e] & 0x3FFFFFFF) == _KEY_LABEL or (_DATA <= m[name] and m[name] <= _PAIR)):
                    name = known + KEY
                else:
                    u[name] |= 1
                b[e] = kind << 29 | cython.cast(cython.uint, name)


def renumber(kept):
    """The new number (`'I'`) of each string that is marked, in order; those of the three behind them follow."""
    u: cython.const[cython.uchar][::1] = kept
    numbers = array("I", [0]) * (len(kept) + 3)
    n: cython.uint[::1] = numbers
    i: cython.Py_ssize_t
    count: cython.longlong = 0
    with cython.nogil:
        for i in range(len(u)):
            n[i] = cython.cast(cython.uint, count)
            if u[i]:
                count += 1
        for i in range(3):
            n[len(u) + i] = cython.cast(cython.uint, count + i)
    return numbers


@cython.final
@cython.cclass
class Rows:
    """Text that rows of numbers are written into."""

    text: object
    out: cython.uchar[::1]
    at: cython.Py_ssize_t

    def __init__(self, rows: cython.Py_ssize_t, width: cython.Py_ssize_t) -> None:
        # Twenty digits and a comma are the longest.
        self.text = bytearray(21 * rows * width + 1)
        self.out = self.text
        self.at = 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def put(self, value: cython.longlong) -> cython.int:
        rest: cython.longlong = value
        digits: cython.int = 1
        i: cython.int
        while rest > 9:
            rest //= 10
            digits += 1
        for i in range(digits - 1, -1, -1):
            self.out[self.at + i] = cython.cast(cython.uchar, 48 + value % 10)
            value //= 10
        self.out[self.at + digits] = 44
        self.at += digits + 1
        return 0

    def take(self):
        """What was written."""
        self.out = bytearray(1)
        text = self.text
        del text[self.at :]
        return text


def node_rows(start: cython.Py_ssize_t, stop: cython.Py_ssize_t, columns, numbers, large):
    """The rows of nodes from `start` on, each number with a comma behind it.

    `columns` are kind, name, id, size and first; a row is type, name, id, size, number of edges and detachedness.
    """
    k: cython.const[cython.uchar][::1] = columns[0]
    n: cython.uint[::1] = columns[1]
    d: cython.uint[::1] = columns[2]
    z: cython.uint[::1] = columns[3]
    f: cython.uint[::1] = columns[4]
    new: cython.uint[::1] = numbers
    rows: Rows = Rows(stop - start, 6)
    size: cython.longlong
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(start, stop):
            size = z[i]
            if z[i] == cython.cast(cython.uint, -1):
                with cython.gil:
                    size = large.get(i, size)
            rows.put(k[i] & 31)
            rows.put(new[n[i]])
            rows.put(d[i])
            rows.put(size)
            rows.put(f[i + 1] - f[i])
            rows.put(k[i] >> 6)
    return rows.take()


def edge_rows(start: cython.Py_ssize_t, stop: cython.Py_ssize_t, what, target, numbers, nodes: cython.longlong):
    """The rows of edges from `start` on (type, name or index, node), of a snapshot with so many nodes."""
    b: cython.uint[::1] = what
    t: cython.int[::1] = target
    new: cython.uint[::1] = numbers
    rows: Rows = Rows(stop - start, 3)
    kind: cython.uint
    name: cython.uint
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(start, stop):
            kind = b[i] >> 29
            name = b[i] & 0x1FFFFFFF
            rows.put(kind)
            rows.put(name if kind == 1 or kind == 4 else new[name])
            rows.put(6 * (nodes if t[i] < 0 else t[i]))
    return rows.take()
