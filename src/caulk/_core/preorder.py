# cython: boundscheck=True, wraparound=False, cdivision=True
"""Some nodes of a tree in the order in which they are drawn, each before what is below it, and what the others have."""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import zeros

COMPILED = cython.compiled


def heaviest_first(parent, by_weight, deepest):
    """Nodes in preorder and the depth of each (both `'i'`), siblings in the order of `by_weight` (`'i'`).

    `by_weight` begins with the root, names no node twice and has each after its parent; what lies deeper than `deepest`
    is left out.
    """
    p: cython.const[cython.int][::1] = parent
    w: cython.const[cython.int][::1] = by_weight
    first, following = zeros("i", len(parent)), zeros("i", len(parent))
    order, depth = array("i", bytes(4 * len(by_weight))), array("i", bytes(4 * len(by_weight)))
    f: cython.int[::1] = first
    n: cython.int[::1] = following
    o: cython.int[::1] = order
    d: cython.int[::1] = depth
    most: cython.int = deepest
    node: cython.int
    below: cython.int
    level: cython.int = 0
    found: cython.Py_ssize_t = 1
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(w) - 1, 0, -1):
            node = w[i]
            n[node] = f[p[node]]
            f[p[node]] = node
        node = 0
        while True:
            below = f[node] if level < most else 0
            if below != 0:
                level += 1
            else:
                while node != 0 and n[node] == 0:
                    node = p[node]
                    level -= 1
                below = n[node]
            if below == 0:
                break
            node = below
            o[found] = node
            d[found] = level
            found += 1
    return order[:found], depth[:found]


def rest(parent, order, own, total):
    """Of each node in `order` (`'i'`) the part of its total that neither it nor a child in `order` has: a `'q'` column.

    `own` and `total` (`'q'`) are by node; what stands here is by place in `order`.
    """
    p: cython.const[cython.int][::1] = parent
    o: cython.const[cython.int][::1] = order
    w: cython.const[cython.longlong][::1] = own
    t: cython.const[cython.longlong][::1] = total
    places, left = zeros("i", len(parent)), array("q", bytes(8 * len(order)))
    at: cython.int[::1] = places
    x: cython.longlong[::1] = left
    i: cython.Py_ssize_t
    above: cython.int
    node: cython.int
    with cython.nogil:
        for i in range(len(o)):
            node = o[i]
            at[node] = cython.cast(cython.int, i)
            x[i] = cython.cast(cython.longlong, t[node] - w[node])
            if i > 0:
                above = at[p[node]]
                x[above] = cython.cast(cython.longlong, x[above] - t[node])
    return left


def with_rest(depth, has_rest):
    """Nodes in preorder as rows, and a further row for each that `has_rest` (a byte a node), behind its subtree.

    `depth` (`'i'`) is by node. By row, both `'i'`: the row of the parent, -1 for the first; and the place of the node,
    or of a further row, a child of its node, that place as `-1 - place`.
    """
    d: cython.const[cython.int][::1] = depth
    h: cython.const[cython.uchar][::1] = has_rest
    rows: cython.Py_ssize_t = len(has_rest) + sum(map(bool, has_rest))
    parent, place = array("i", bytes(4 * rows)), array("i", bytes(4 * rows))
    # The nodes whose subtrees are not at their end yet, outermost first, and the rows these have.
    opened, numbers = zeros("i", len(depth) + 1), zeros("i", len(depth) + 1)
    p: cython.int[::1] = parent
    at: cython.int[::1] = place
    o: cython.int[::1] = opened
    r: cython.int[::1] = numbers
    row: cython.int = 0
    height: cython.Py_ssize_t = 0
    level: cython.Py_ssize_t
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(d) + 1):
            level = d[i] if i < len(d) else 0
            while height > level:
                height -= 1
                if h[o[height]] != 0:
                    p[row] = r[height]
                    at[row] = -1 - o[height]
                    row += 1
            if i == len(d):
                break
            p[row] = r[height - 1] if height > 0 else -1
            at[row] = cython.cast(cython.int, i)
            o[height] = cython.cast(cython.int, i)
            r[height] = row
            height += 1
            row += 1
    return parent, place
