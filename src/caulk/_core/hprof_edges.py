# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The references of a heap as columns: where those of each object begin, and those that no record holds."""

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


def tally(first, sources):
    """Count one more reference of each of `sources` (`'i'`) into `first[source + 1]` (`'I'`)."""
    f: cython.uint[::1] = first
    s: cython.int[::1] = sources
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(s)):
            f[s[i] + 1] += 1


def starts(first):
    """Turn counts at `first[i + 1]` into the start of object i there; how many references there are in all."""
    f: cython.uint[::1] = first
    i: cython.Py_ssize_t
    count: cython.longlong
    sum: cython.longlong = 0
    with cython.nogil:
        f[0] = 0
        for i in range(1, len(f)):
            count = f[i]
            f[i] = cython.cast(cython.uint, sum)
            sum += count
    return sum


def put(first, target, label, sources, targets, labels):
    """Store references of `sources` to `targets` (`'i'`), with `labels` (`'I'`), where `first[source + 1]` stands."""
    f: cython.uint[::1] = first
    o: cython.int[::1] = target
    w: cython.uint[::1] = label
    s: cython.int[::1] = sources
    t: cython.int[::1] = targets
    l: cython.uint[::1] = labels
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(s)):
            o[f[s[i] + 1]] = t[i]
            w[f[s[i] + 1]] = l[i]
            f[s[i] + 1] += 1


def close_gaps(first, target, label):
    """Take references with target -1 out, in place; how many are left."""
    f: cython.uint[::1] = first
    o: cython.int[::1] = target
    w: cython.uint[::1] = label
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    at: cython.Py_ssize_t = 0
    start: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(f)):
            end = f[i]
            for j in range(start, end):
                if o[j] >= 0:
                    o[at] = o[j]
                    w[at] = w[j]
                    at += 1
            start = end
            f[i] = cython.cast(cython.uint, at)
    return at
