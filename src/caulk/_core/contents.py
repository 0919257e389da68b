# cython: boundscheck=True, wraparound=False, cdivision=True
"""Objects by what they contain: equal texts of a snapshot, room in tables, and a few members of each group."""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

#: So many steps are there at most from a collection to its table.
_HOPS = cython.declare(cython.int, 3)
#: What is used of a table, less than one part of so many, to be called nearly empty.
_PARTS = cython.declare(cython.int, 4)
#: A node's kind that is a string with its text as its name.
STRING = cython.declare(cython.int, 2)


def equal_texts(kinds, names, sizes, idom, texts):
    """Which held strings of a snapshot are equal: of one text (a name's number below `texts`) and one size, not 0.

    Returns the number of each one's content, from 1 (`'i'` by object; 0: no string, or not held), and four numbers for
    each content that there is more than once: how often, text, size, number of the content.
    """
    k: cython.const[cython.uchar][:] = kinds
    n: cython.const[cython.uint][:] = names
    z: cython.const[cython.uint][:] = sizes
    d: cython.const[cython.int][:] = idom
    content = array("i", bytes(4 * len(k)))
    c: cython.int[:] = content
    i: cython.Py_ssize_t
    strings: cython.Py_ssize_t = 0
    groups: cython.int = 0
    group: cython.int
    name: cython.uint
    limit: cython.uint = texts
    with cython.nogil:
        for i in range(len(k)):
            strings += k[i] & 31 == STRING
    # The contents of one text form a list: few texts have strings of several sizes.
    head: cython.int[:] = array("i", bytes(4 * (texts + 1)))
    follows: cython.int[:] = array("i", bytes(4 * (strings + 1)))
    sample: cython.int[:] = array("i", bytes(4 * (strings + 1)))
    count: cython.int[:] = array("i", bytes(4 * (strings + 1)))
    duplicates: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(len(k)):
            if k[i] & 31 != STRING or d[i] < 0 or n[i] >= limit or z[i] == 0:
                continue
            name = n[i]
            group = head[name]
            while group != 0 and z[sample[group]] != z[i]:
                group = follows[group]
            if group == 0:
                groups += 1
                group = groups
                follows[group] = head[name]
                head[name] = group
                sample[group] = cython.cast(cython.int, i)
            count[group] += 1
            duplicates += count[group] == 2
            c[i] = group
    rows = array("q", bytes(32 * duplicates))
    r: cython.longlong[:] = rows
    i = 0
    with cython.nogil:
        for group in range(1, groups + 1):
            if count[group] > 1:
                r[i] = count[group]
                r[i + 1] = n[sample[group]]
                r[i + 2] = z[sample[group]]
                r[i + 3] = group
                i += 4
    return content, rows


def spread(group, row_of, counts, most):
    """Some members of each row, evenly spread over its `counts` members: at most `most` (`'i'`, one part a row).

    `group` (`'i'`) is each object's group, `row_of` (`'i'`) the row of a group or -1; groups
    beyond its end have none.
    """
    g: cython.const[cython.int][:] = group
    to: cython.const[cython.int][:] = row_of
    n: cython.const[cython.longlong][:] = counts
    limit: cython.Py_ssize_t = most
    rows: cython.Py_ssize_t = len(n)
    members = array("i", bytes(4 * rows * most))
    m: cython.int[:] = members
    met: cython.longlong[:] = array("q", bytes(8 * rows))
    filled = array("q", bytes(8 * rows))
    f: cython.longlong[:] = filled
    i: cython.Py_ssize_t
    row: cython.int
    step: cython.longlong
    with cython.nogil:
        for i in range(len(g)):
            row = to[g[i]] if 0 <= g[i] < len(to) else -1
            if row < 0:
                continue
            step = (n[row] + limit - 1) // limit
            if step < 1:
                step = 1
            if met[row] % step == 0 and f[row] < limit:
                m[row * limit + f[row]] = cython.cast(cython.int, i)
                f[row] += 1
            met[row] += 1
    return [members[row * most : row * most + filled[row]] for row in range(rows)]


def narrow(first, kind, size, arrays):
    """Whether some object of a type marked in `arrays` (bytes) has more references than would fit with 8 bytes each."""
    f: cython.const[cython.uint][:] = first
    t: cython.const[cython.int][:] = kind
    z: cython.const[cython.uint][:] = size
    a: cython.const[cython.uchar][:] = arrays
    i: cython.Py_ssize_t
    found: cython.bint = False
    with cython.nogil:
        for i in range(len(t)):
            if a[t[i]] and cython.cast(cython.longlong, f[i + 1] - f[i]) * 8 > z[i]:
                found = True
                break
    return bool(found)


def fill(first, target, label, kind, size, idom, *, row_of, stores, counted, rows):
    """How full the held collections are.

    `row_of` (`'i'`, by type) is what a type's collections are built like, a place in `rows`, or -1. Five numbers
    (`'q'`) a row: bytes of a table beside its slots, bytes of a slot (0: unknown), the fewest slots that can be too
    many, the bytes up to which a table that refers to nothing is empty, and whether a collection is its own table.
    `stores` (a byte a label) lead from other collections to theirs, `counted` from a table to what is in it.

    Returns by type (`'q'`) how many there are, how many are empty, how many nearly, the bytes that these waste; and by
    object (`'i'`) the type of each that wastes, from 1.
    """
    f: cython.const[cython.uint][:] = first
    to: cython.const[cython.int][:] = target
    w: cython.const[cython.uint][:] = label
    t: cython.const[cython.int][:] = kind
    z: cython.const[cython.uint][:] = size
    d: cython.const[cython.int][:] = idom
    r: cython.const[cython.int][:] = row_of
    store: cython.const[cython.uchar][:] = stores
    count: cython.const[cython.uchar][:] = counted
    how: cython.const[cython.longlong][:] = rows
    columns = [array("q", bytes(8 * len(r))) for _ in range(4)]
    number: cython.longlong[:] = columns[0]
    empty: cython.longlong[:] = columns[1]
    nearly: cython.longlong[:] = columns[2]
    wasted: cython.longlong[:] = columns[3]
    wasting = array("i", bytes(4 * len(t)))
    g: cython.int[:] = wasting
    u: cython.Py_ssize_t
    j: cython.Py_ssize_t
    at: cython.int
    before: cython.int
    next_: cython.int
    row: cython.int
    hop: cython.int
    own: cython.longlong
    used: cython.longlong
    slots: cython.longlong
    with cython.nogil:
        for u in range(len(t)):
            if r[t[u]] >= 0 and d[u] >= 0:
                # A set that is made of a map is one collection, not two.
                for j in range(f[u], f[u + 1]):
                    if store[w[j] & 0x3FFFFFFF] and r[t[to[j]]] >= 0 and d[to[j]] == u:
                        g[to[j]] = -1
        for u in range(1, len(t)):
            row = 5 * r[t[u]]
            if row < 0 or d[u] < 0:
                continue
            if g[u] < 0:
                g[u] = 0
                continue
            at = cython.cast(cython.int, u)
            own = z[u]
            for hop in range(_HOPS):
                next_ = -1
                for j in range(f[at], f[at + 1]):
                    if store[w[j] & 0x3FFFFFFF]:
                        next_ = to[j]
                        break
                if next_ < 0:
                    break
                before = at
                at = next_
                if d[at] == before:
                    own += z[at]
            used = 0
            if at != u or how[row + 4]:
                for j in range(f[at], f[at + 1]):
                    used += count[w[j] & 0x3FFFFFFF]
            number[t[u]] += 1
            if used == 0 and (at == u or z[at] <= how[row + 3]):
                empty[t[u]] += 1
                wasted[t[u]] += own
                g[u] = t[u] + 1
            elif used > 0 and how[row + 1] > 0 and d[at] >= 0:
                slots = (z[at] - how[row]) // how[row + 1]
                if slots >= how[row + 2] and used * _PARTS < slots:
                    nearly[t[u]] += 1
                    wasted[t[u]] += (slots - used) * how[row + 1]
                    g[u] = t[u] + 1
    return (*columns, wasting)
