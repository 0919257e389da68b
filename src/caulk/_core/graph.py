# cython: boundscheck=True, wraparound=False, cdivision=True
"""Object graphs: dominators, retained sizes, and what is reached and how.

References come as in `ObjectGraph`: `first`, `target`, `label`. A reference counts if its label word is below `below`:
the strength stands in the top bits, so one comparison is the whole edge rule. Everything is linear in the references
but the dominators, which are O(m log n) on any graph; nothing recurses, however long a list a heap holds.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import filled, shortened, zeros

COMPILED = cython.compiled


@cython.boundscheck(False)
def check(first, target, label):
    """Raise ValueError unless the references are those of a graph: what follows reads unchecked."""
    f: cython.const[cython.uint][::1] = first
    t: cython.const[cython.int][::1] = target
    objects: cython.Py_ssize_t = len(first) - 1
    references: cython.Py_ssize_t = len(target)
    last: cython.uint = cython.cast(cython.uint, objects)
    i: cython.Py_ssize_t
    wrong: cython.Py_ssize_t = 0
    if objects < 1 or objects > 0x7FFFFFFE or f[0] != 0 or f[objects] != references or len(label) != references:
        raise ValueError("the columns of a graph do not fit each other")
    with cython.nogil:
        for i in range(objects):
            wrong += f[i] > f[i + 1]
        for i in range(references):
            # Below 0 is far above as an unsigned number.
            wrong += cython.cast(cython.uint, t[i]) >= last
    if wrong:
        raise ValueError(f"{wrong:,} references of a graph lead nowhere")


def dominators(first, target, label, below):
    """The nearest dominator of each object (`'i'`; -1: none) and the reached objects in preorder of that tree (`'i'`).

    Lengauer and Tarjan's algorithm, the simple form with path compression, on what is left without the objects whose
    dominator is plain: those in trees that nothing refers into or out of. Besides the graph 20 bytes an object.
    """
    check(first, target, label)
    objects = len(first) - 1
    # Numbers of objects in order of discovery. The nearest dominators take the place of the search's positions.
    order, parent, idom, degree = (zeros(typecode, objects) for typecode in "iiiI")
    number = filled(-1, objects)
    reached = search(first, target, label, below, number, order, parent, idom, degree)
    core, others = reduce(order, parent, degree, number, idom, reached)
    order, parent, degree = (shortened(values, core) for values in (order, parent, degree))
    referrer = zeros("i", others)
    gather(first, target, label, below, number, parent, degree, referrer)
    del number
    link(parent, degree, referrer, order, idom)
    del order, parent, degree, referrer
    return idom, preorder(idom)


@cython.boundscheck(False)
def search(first, target, label, below, number, order, parent, position, degree):
    """Depth-first search from the roots; the number of objects reached.

    Fills `number` (by object), and by number `order`, `parent` and `degree`: twice the references from elsewhere than
    the parent, and 1 more where one leads elsewhere than to a child. The chain of parents is the stack.
    """
    f: cython.const[cython.uint][::1] = first
    t: cython.const[cython.int][::1] = target
    w: cython.const[cython.uint][::1] = label
    limit: cython.uint = below
    n: cython.int[::1] = number
    o: cython.int[::1] = order
    p: cython.int[::1] = parent
    at: cython.int[::1] = position
    d: cython.uint[::1] = degree
    found: cython.int = 1
    now: cython.int = 0
    k: cython.int
    to: cython.int
    start: cython.Py_ssize_t = f[0]
    edge: cython.Py_ssize_t = f[0]
    end: cython.Py_ssize_t = f[1]
    n[0] = 0
    with cython.nogil:
        while True:
            if edge == end:
                if now == 0:
                    break
                now = p[now]
                start = f[o[now]]
                edge = start + at[now]
                end = f[o[now] + 1]
                continue
            if w[edge] < limit:
                to = t[edge]
                k = n[to]
                if k < 0:
                    n[to] = found
                    o[found] = to
                    p[found] = now
                    if f[to] < f[to + 1]:
                        at[now] = cython.cast(cython.int, edge + 1 - start)
                        now = found
                        start = f[to]
                        edge = start
                        end = f[to + 1]
                        found += 1
                        continue
                    found += 1
                elif k > 0 and k != now and p[k] != now:
                    d[k] += 2
                    d[now] |= 1
            edge += 1
    return found


@cython.boundscheck(False)
def reduce(order, parent, degree, number, idom, reached):
    """Leave out trees that only their parent refers to and that refer to nothing else: there the parent dominates.

    What remains is numbered anew in the same order: `order`, `parent` and `degree` (now where the referrers of each
    begin) shrink in place, `number` is -1 for what was left out. Returns how many remain, and their other referrers.
    """
    o: cython.int[::1] = order
    p: cython.int[::1] = parent
    d: cython.uint[::1] = degree
    n: cython.int[::1] = number
    m: cython.int[::1] = idom
    count: cython.Py_ssize_t = reached
    i: cython.Py_ssize_t
    left: cython.int = 0
    others: cython.uint = 0
    own: cython.uint
    with cython.nogil:
        for i in range(len(m)):
            m[i] = -1
        for i in range(count - 1, 0, -1):
            m[o[i]] = o[p[i]]
            if d[i] != 0:
                d[p[i]] |= 1
        d[0] |= 1
        for i in range(count):
            if d[i] != 0:
                own = d[i] >> 1
                o[left] = o[i]
                p[left] = 0 if i == 0 else n[m[o[i]]]
                d[left] = others
                n[o[i]] = left
                others += own
                left += 1
            else:
                n[o[i]] = -1
    return left, others


@cython.boundscheck(False)
def gather(first, target, label, below, number, parent, end, referrer):
    """Fill in the referrers besides the parent; `end` held where those of each object begin, then where they end."""
    f: cython.const[cython.uint][::1] = first
    t: cython.const[cython.int][::1] = target
    w: cython.const[cython.uint][::1] = label
    limit: cython.uint = below
    n: cython.const[cython.int][::1] = number
    p: cython.const[cython.int][::1] = parent
    e: cython.uint[::1] = end
    r: cython.int[::1] = referrer
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    own: cython.int
    k: cython.int
    with cython.nogil:
        for i in range(len(n)):
            own = n[i]
            if own < 0:
                continue
            for j in range(f[i], f[i + 1]):
                if w[j] < limit:
                    k = n[t[j]]
                    if k > 0 and k != own and p[k] != own:
                        r[e[k]] = own
                        e[k] += 1


@cython.boundscheck(False)
@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def least(
    v: cython.int, now: cython.int, above: cython.int[::1], best: cython.uint[::1], semi: cython.int[::1]
) -> cython.int:
    """The object of the least semidominator on the way from `v` up to what is not linked yet (numbers up to `now`).

    Compresses the way: up with the pointers turned round, down with everything hung below its top.
    """
    under: cython.int = v
    x: cython.int = above[v]
    up: cython.int
    root: cython.int
    if x > now:
        up = above[x]
        above[v] = -1
        while up > now:
            above[x] = under
            under = x
            x = up
            up = above[x]
        root = up
        # x is the top of the way: its root stands already above it.
        while under >= 0:
            up = above[under]
            if semi[best[x]] < semi[best[under]]:
                best[under] = best[x]
            above[under] = root
            x = under
            under = up
    return cython.cast(cython.int, best[v])


@cython.boundscheck(False)
def link(parent, end, referrer, order, idom):
    """Dominators of the reduced graph, written to `idom` by object.

    Linked is what has a higher number than the object at hand, so columns can be shared: `above` starts as `parent`,
    `semi` holds the head of an object's bucket before its semidominator, `dom` the next in a bucket before the
    dominator, `best` the end of an object's referrers before the object itself.
    """
    above: cython.int[::1] = parent
    best: cython.uint[::1] = end
    r: cython.const[cython.int][::1] = referrer
    o: cython.const[cython.int][::1] = order
    m: cython.int[::1] = idom
    count: cython.int = len(parent)
    semi: cython.int[::1] = zeros("i", count)
    dom: cython.int[::1] = zeros("i", count)
    now: cython.int
    v: cython.int
    u: cython.int
    following: cython.int
    s: cython.int
    j: cython.Py_ssize_t
    with cython.nogil:
        for now in range(count - 1, 0, -1):
            v = semi[now]
            while v != 0:
                following = dom[v]
                u = least(v, now, above, best, semi)
                dom[v] = u if semi[u] < now else now
                v = following
            s = above[now]
            for j in range(best[now - 1], best[now]):
                v = r[j]
                if v > now:
                    v = semi[least(v, now, above, best, semi)]
                if v < s:
                    s = v
            best[now] = now
            if s == above[now]:
                dom[now] = s
            else:
                dom[now] = semi[s]
                semi[s] = now
            semi[now] = s
        v = semi[0]
        while v != 0:
            following = dom[v]
            dom[v] = 0
            v = following
        for now in range(1, count):
            if dom[now] != semi[now] and now != 0:
                dom[now] = dom[dom[now]]
            m[o[now]] = o[dom[now]]


@cython.boundscheck(False)
def preorder(idom):
    """What the roots dominate, each object before what it dominates, those of one dominator by number (`'i'`)."""
    m: cython.const[cython.int][::1] = idom
    objects: cython.Py_ssize_t = len(idom)
    child: cython.int[::1] = zeros("i", objects)
    following: cython.int[::1] = zeros("i", objects)
    order = zeros("i", objects)
    o: cython.int[::1] = order
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    now: cython.int = 0
    with cython.nogil:
        for i in range(objects - 1, 0, -1):
            if m[i] >= 0:
                following[i] = child[m[i]]
                child[m[i]] = cython.cast(cython.int, i)
        while True:
            o[count] = now
            count += 1
            if child[now] != 0:
                now = child[now]
                continue
            while now != 0 and following[now] == 0:
                now = m[now]
            if now == 0:
                break
            now = following[now]
    return shortened(order, count)


def widened(size):
    """A `'q'` column of sizes."""
    s: cython.const[cython.uint][::1] = size
    wide = zeros("q", len(size))
    out: cython.longlong[::1] = wide
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(s)):
            out[i] = s[i]
    return wide


def retain(idom, order, sizes):
    """Add to the size of each object (`'q'`, in place) those of everything that it dominates: one backward pass."""
    m: cython.const[cython.int][::1] = idom
    o: cython.const[cython.int][::1] = order
    s: cython.longlong[::1] = sizes
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(o) - 1, 0, -1):
            s[m[o[i]]] += s[o[i]]


def by_group(idom, order, retained, size, group, groups):
    """Objects, their own bytes and the bytes that they retain, by group (each `'q'`); a group below 0 is none.

    `order` is preorder: an object's retained bytes count unless an object of its group is open above it. The roots
    themselves are left out.
    """
    m: cython.const[cython.int][::1] = idom
    o: cython.const[cython.int][::1] = order
    r: cython.const[cython.longlong][::1] = retained
    s: cython.const[cython.uint][::1] = size
    g: cython.const[cython.int][::1] = group
    counts, own, kept, opened = (array("q", [0]) * groups for _ in range(4))
    c: cython.longlong[::1] = counts
    a: cython.longlong[::1] = own
    b: cython.longlong[::1] = kept
    above: cython.longlong[::1] = opened
    i: cython.Py_ssize_t
    x: cython.int
    k: cython.int
    last: cython.int = 0
    with cython.nogil:
        for i in range(1, len(o)):
            x = o[i]
            while last != m[x]:
                k = g[last]
                if k >= 0:
                    above[k] -= 1
                last = m[last]
            k = g[x]
            if k >= 0:
                c[k] += 1
                a[k] += s[x]
                if above[k] == 0:
                    b[k] += r[x]
                above[k] += 1
            last = x
    return counts, own, kept


def nearest(first, target, label, below):
    """Breadth-first search from the roots: each object's parent (`'i'`; -1: none) and the reference used (`'I'`)."""
    f: cython.const[cython.uint][::1] = first
    t: cython.const[cython.int][::1] = target
    w: cython.const[cython.uint][::1] = label
    limit: cython.uint = below
    objects = len(first) - 1
    parents, edges = filled(-1, objects), zeros("I", objects)
    p: cython.int[::1] = parents
    e: cython.uint[::1] = edges
    waiting: cython.int[::1] = zeros("i", objects)
    now: cython.int
    to: cython.int
    j: cython.Py_ssize_t
    at: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = 1
    with cython.nogil:
        while at < end:
            now = waiting[at]
            at += 1
            for j in range(f[now], f[now + 1]):
                if w[j] < limit:
                    to = t[j]
                    if p[to] < 0 and to != 0:
                        p[to] = now
                        e[to] = cython.cast(cython.uint, j)
                        waiting[end] = to
                        end += 1
    return parents, edges


def mark(marks, numbers, value):
    """Put a value (a byte) in the place of each of the `numbers` (`'i'`)."""
    m: cython.uchar[::1] = marks
    v: cython.const[cython.int][::1] = numbers
    x: cython.uchar = value
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(v)):
            m[v[i]] = x


def reach(first, target, label, below, barred):
    """Mark with 1 what the roots reach without going through what is marked with 2, in `barred` (bytes), in place."""
    f: cython.const[cython.uint][::1] = first
    t: cython.const[cython.int][::1] = target
    w: cython.const[cython.uint][::1] = label
    limit: cython.uint = below
    m: cython.uchar[::1] = barred
    objects: cython.Py_ssize_t = len(first) - 1
    if len(m) != objects:
        raise ValueError("a mark for each object is needed")
    stack: cython.int[::1] = zeros("i", objects)
    depth: cython.Py_ssize_t = 0
    now: cython.int
    j: cython.Py_ssize_t
    with cython.nogil:
        if m[0] == 0:
            m[0] = 1
            depth = 1
        while depth > 0:
            depth -= 1
            now = stack[depth]
            for j in range(f[now], f[now + 1]):
                if w[j] < limit and m[t[j]] == 0:
                    m[t[j]] = 1
                    stack[depth] = t[j]
                    depth += 1


def lost(size, idom, after):
    """The bytes of what is reached, which has a dominator in `idom` or is the roots, and is not marked 1 in `after`."""
    s: cython.const[cython.uint][::1] = size
    m: cython.const[cython.int][::1] = idom
    a: cython.const[cython.uchar][::1] = after
    total: cython.longlong = 0
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(s)):
            if a[i] != 1 and (m[i] >= 0 or i == 0):
                total += s[i]
    return total


def references_to(target, label, below, wanted, most):
    """References to the objects marked in `wanted` (bytes), in order, at most `most` for each of them (`'I'`)."""
    t: cython.const[cython.int][::1] = target
    w: cython.const[cython.uint][::1] = label
    m: cython.const[cython.uchar][::1] = wanted
    limit: cython.uint = below
    found = array("I")
    counts: dict = {}
    j: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t = len(t)
    while True:
        with cython.nogil:
            while j < count and (w[j] >= limit or m[t[j]] == 0):
                j += 1
        if j == count:
            return found
        seen = counts.get(t[j], 0)
        if seen < most:
            counts[t[j]] = seen + 1
            found.append(j)
        j += 1


def top(values, most):
    """The indexes of the `most` largest of a `'q'` column, the largest first, equals by index (`'i'`)."""
    v: cython.const[cython.longlong][::1] = values
    length: cython.Py_ssize_t = len(values)
    size: cython.Py_ssize_t = min(most, length)
    found = array("i", [0]) * size
    # A heap with the least of the best at its root.
    h: cython.int[::1] = found
    i: cython.Py_ssize_t
    for i in range(size):
        h[i] = i
    if not size:
        return found
    with cython.nogil:
        for i in range(size // 2 - 1, -1, -1):
            sink(v, h, i, size)
        for i in range(size, length):
            # Later ones lose against equals.
            if v[i] > v[h[0]]:
                h[0] = cython.cast(cython.int, i)
                sink(v, h, 0, size)
        for i in range(size - 1, 0, -1):
            h[0], h[i] = h[i], h[0]
            sink(v, h, 0, i)
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def sink(
    v: cython.const[cython.longlong][::1], h: cython.int[::1], at: cython.Py_ssize_t, size: cython.Py_ssize_t
) -> cython.int:
    """Let an index sink below those that are worse than it."""
    x: cython.int = h[at]
    under: cython.Py_ssize_t = 2 * at + 1
    while under < size:
        if under + 1 < size and worse(v, h[under + 1], h[under]):
            under += 1
        if not worse(v, h[under], x):
            break
        h[at] = h[under]
        at = under
        under = 2 * at + 1
    h[at] = x
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def worse(v: cython.const[cython.longlong][::1], a: cython.int, b: cython.int) -> cython.int:
    return 1 if v[a] < v[b] or (v[a] == v[b] and a > b) else 0


def equal(values, wanted):
    """The indexes at which an `'i'` column has the value `wanted` (`'i'`)."""
    v: cython.const[cython.int][::1] = values
    x: cython.int = wanted
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(len(v)):
            count += v[i] == x
    found = array("i", [0]) * count
    f: cython.int[::1] = found
    count = 0
    with cython.nogil:
        for i in range(len(v)):
            if v[i] == x:
                f[count] = cython.cast(cython.int, i)
                count += 1
    return found


def members(group, marked):
    """The objects of the groups marked in `marked` (bytes), ascending (`'i'`)."""
    g: cython.const[cython.int][::1] = group
    m: cython.const[cython.uchar][::1] = marked
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(len(g)):
            count += m[g[i]] != 0
    found = zeros("i", count)
    f: cython.int[::1] = found
    count = 0
    with cython.nogil:
        for i in range(len(g)):
            if m[g[i]] != 0:
                f[count] = cython.cast(cython.int, i)
                count += 1
    return found
