# cython: boundscheck=True, wraparound=False, cdivision=True
"""The functions of a V8 heap snapshot: types and names of their own for objects with a place, and names in scopes."""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import filled
from caulk._core.heap_labels import numbered

COMPILED = cython.compiled


def functions(types, located, lines, columns, scripts):
    """Objects with a place: (objects `'i'`, ascending, the function of each `'i'`, and by function three keys).

    The keys are type << 32 | place by function, line << 32 | column by place, and the script's number by place.
    """
    t: cython.int[::1] = types
    o: cython.int[::1] = located
    count: cython.Py_ssize_t = len(o)
    at: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    in_script, places = numbered(joined(lines, columns))
    in_file, inner = numbered(joined(scripts, in_script))
    place_of = filled(-1, len(t))
    objects, keys = array("i", [0]) * count, array("q", [0]) * count
    p: cython.int[::1] = place_of
    n: cython.int[::1] = in_file
    out: cython.int[::1] = objects
    k: cython.longlong[::1] = keys
    # The file may have them in any order, and an object twice.
    with cython.nogil:
        for i in range(count):
            p[o[i]] = n[i]
        for i in range(len(p)):
            if p[i] >= 0:
                out[at] = cython.cast(cython.int, i)
                k[at] = cython.cast(cython.longlong, t[i]) << 32 | p[i]
                at += 1
    del out, k
    del objects[at:]
    del keys[at:]
    numbers, found = numbered(keys)
    return (
        objects,
        numbers,
        found,
        array("q", [places[key & 0x7FFFFFFF] for key in inner]),
        array("i", [key >> 32 for key in inner]),
    )


def joined(high, low):
    """Two columns (`'i'`) as one of keys (`'q'`)."""
    h: cython.int[::1] = high
    l: cython.int[::1] = low
    keys = array("q", [0]) * len(high)
    k: cython.longlong[::1] = keys
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(h)):
            k[i] = cython.cast(cython.longlong, h[i]) << 32 | l[i]
    return keys


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
