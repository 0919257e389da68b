# cython: boundscheck=True, wraparound=False, cdivision=True
"""Lines through some dozens of values: all slopes between pairs, and least squares by any columns.

Every workload's memory is asked for its line again and again, which is most of what judging it costs.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


def pair_slopes(times, values):
    """The slopes between all pairs, sorted; `'d'` arrays of one length, times increasing."""
    t: cython.double[::1] = times
    v: cython.double[::1] = values
    n: cython.Py_ssize_t = len(times)
    found = array("d", bytes(8 * (n * (n - 1) // 2)))
    out: cython.double[::1] = found
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t = 0
    for i in range(n - 1):
        for j in range(i + 1, n):
            out[k] = (v[j] - v[i]) / (t[j] - t[i])
            k += 1
    return sorted(found)


def least_squares(columns, values):
    """What each column is to be multiplied by, that their sum be nearest to `values`; None if that is not determined.

    `columns` is a `'d'` array of one column after the other, numbers between -1 and 1, each as long as `values`. By the
    normal equations, solved by Gauss and Jordan with pivots.
    """
    c: cython.double[::1] = columns
    v: cython.double[::1] = values
    n: cython.Py_ssize_t = len(values)
    m: cython.Py_ssize_t = len(columns) // n
    width: cython.Py_ssize_t = m + 1
    rows = array("d", bytes(8 * m * width))
    a: cython.double[::1] = rows
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    top: cython.Py_ssize_t
    total: cython.double
    for i in range(m):
        for j in range(i, m):
            total = 0.0
            for k in range(n):
                total += c[i * n + k] * c[j * n + k]
            a[i * width + j] = total
            a[j * width + i] = total
        total = 0.0
        for k in range(n):
            total += c[i * n + k] * v[k]
        a[i * width + m] = total
    for i in range(m):
        top = i
        for k in range(i + 1, m):
            if abs(a[k * width + i]) > abs(a[top * width + i]):
                top = k
        if abs(a[top * width + i]) < 1e-9:
            return None
        if top != i:
            for j in range(width):
                total = a[i * width + j]
                a[i * width + j] = a[top * width + j]
                a[top * width + j] = total
        for k in range(m):
            if k == i:
                continue
            total = a[k * width + i] / a[i * width + i]
            for j in range(i, width):
                a[k * width + j] -= total * a[i * width + j]
    return [rows[i * width + m] / rows[i * width + i] for i in range(m)]
