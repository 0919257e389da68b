# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""What stands around the objects of some types: who holds them, and what they keep alive, as pairs of type and label.

Everything adds up: what the objects retain together is their own bytes and what is below them, and it is also the sum
over who holds them. An object among others of its kind, as in a list, is held by these and adds nothing.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import zeros

COMPILED = cython.compiled


def hung(idom, order, type, marked):
    """By object (`'i'`) the object right below the nearest of the marked types that dominates it; 0 where none does.

    `marked` has a byte a type; `order` has every dominator before what it dominates.
    """
    m: cython.const[cython.int][::1] = idom
    o: cython.const[cython.int][::1] = order
    y: cython.const[cython.int][::1] = type
    w: cython.const[cython.uchar][::1] = marked
    through = zeros("i", len(idom))
    v: cython.int[::1] = through
    i: cython.Py_ssize_t
    x: cython.int
    with cython.nogil:
        for i in range(1, len(o)):
            x = o[i]
            v[x] = x if w[y[m[x]]] != 0 and m[x] != 0 else v[m[x]]
    return through


def around(idom, order, through, retained, *, parent, edge, label, mask, type, marked, types, labels):
    """Who holds and what is held, each as pairs (`'i'`, two numbers a row: type, label) with bytes (`'q'`).

    `through` is of `hung`, `parent` and `edge` of the tree of shortest paths. Holders stand on these; of what is kept
    the label is number `labels` where the dominator has no such reference. A row may occur again, also with bytes below
    zero: rows of equal pairs are to be added up. Raises ValueError where columns do not fit each other.
    """
    m: cython.const[cython.int][::1] = idom
    o: cython.const[cython.int][::1] = order
    v: cython.const[cython.int][::1] = through
    r: cython.const[cython.longlong][::1] = retained
    p: cython.const[cython.int][::1] = parent
    e: cython.const[cython.uint][::1] = edge
    b: cython.const[cython.uint][::1] = label
    y: cython.const[cython.int][::1] = type
    w: cython.const[cython.uchar][::1] = marked
    low: cython.uint = mask
    unnamed: cython.int = labels
    count: cython.Py_ssize_t = len(idom)
    if len(through) != count or len(retained) != count or len(parent) != count or len(edge) != count:
        raise ValueError("the columns of a graph do not fit each other")
    if len(type) != count or len(marked) != types or len(order) > count:
        raise ValueError("the columns of a graph do not fit each other")
    i: cython.Py_ssize_t
    x: cython.int
    above: cython.Py_ssize_t = 0
    below: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(1, len(o)):
            x = o[i]
            if w[y[x]] != 0:
                above += v[x] == 0
                below += v[x] != 0 and v[x] != x
            else:
                below += v[x] == x
    holders, holding = array("i", bytes(8 * above)), array("q", bytes(8 * above))
    kept, keeping = array("i", bytes(8 * below)), array("q", bytes(8 * below))
    h: cython.int[::1] = holders
    s: cython.longlong[::1] = holding
    k: cython.int[::1] = kept
    t: cython.longlong[::1] = keeping
    above = below = 0
    with cython.nogil:
        for i in range(1, len(o)):
            x = o[i]
            if w[y[x]] != 0:
                if v[x] == 0:
                    h[2 * above] = y[p[x]]
                    h[2 * above + 1] = cython.cast(cython.int, b[e[x]] & low)
                    s[above] = r[x]
                    above += 1
                    continue
                if v[x] == x:
                    continue
            elif v[x] != x:
                continue
            # What is kept; or, of an object of the same types further below, what is not kept by way of `v[x]` alone.
            k[2 * below] = y[v[x]]
            k[2 * below + 1] = cython.cast(cython.int, b[e[v[x]]] & low) if p[v[x]] == m[v[x]] else unnamed
            t[below] = r[x] if v[x] == x else -r[x]
            below += 1
    return holders, holding, kept, keeping
