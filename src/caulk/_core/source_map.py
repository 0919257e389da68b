# cython: boundscheck=True, wraparound=False, cdivision=True
"""The mappings of a source map: a line of base-64 numbers, as columns.

Format: https://tc39.es/ecma426/#sec-mappings. `;` ends a generated line, `,` a segment; a segment is 1, 4 or 5 numbers,
each the difference to the one before it; a number's digits come lowest first, five bits each and a sixth for more.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#: Real ones have some millions; 20 bytes of memory go to each.
MOST_SEGMENTS = 1 << 24


def segments(data: bytes):
    """Columns (`'i'`): where each generated line begins, then by segment generated column, source, line, column, name.

    All count from 0; -1 where a segment has no source or no name. Raises `ValueError` with the byte where it is not a
    source map's mappings.
    """
    if not data:
        return array("i", [0, 0]), array("i"), array("i"), array("i"), array("i"), array("i")
    text: cython.const[cython.uchar][::1] = data
    size: cython.Py_ssize_t = len(data)
    lines: cython.Py_ssize_t = data.count(b";") + 1
    most: cython.Py_ssize_t = data.count(b",") + lines
    if most > MOST_SEGMENTS:
        raise ValueError(f"more than {MOST_SEGMENTS:,} segments")
    begins = array("i", [0]) * (lines + 1)
    columns = [array("i", [0]) * most for _ in range(5)]
    b: cython.int[::1] = begins
    column: cython.int[::1] = columns[0]
    source: cython.int[::1] = columns[1]
    line: cython.int[::1] = columns[2]
    within: cython.int[::1] = columns[3]
    name: cython.int[::1] = columns[4]
    digits = array("i", [-1]) * 256
    for place, letter in enumerate(DIGITS):
        digits[ord(letter)] = place
    digit: cython.int[::1] = digits
    fields = array("q", [0]) * 5
    f: cython.longlong[::1] = fields
    at: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t = 0
    bad: cython.Py_ssize_t = -1
    count: cython.int = 0
    shift: cython.int = 0
    value: cython.longlong = 0
    d: cython.int
    current: cython.Py_ssize_t = 0
    with cython.nogil:
        while at <= size:
            if at == size or text[at] == 44 or text[at] == 59:
                if shift != 0 or count == 2 or count == 3:
                    bad = at
                    break
                if count != 0:
                    column[row] = cython.cast(cython.int, f[0])
                    source[row] = cython.cast(cython.int, f[1]) if count > 1 else -1
                    line[row] = cython.cast(cython.int, f[2])
                    within[row] = cython.cast(cython.int, f[3])
                    name[row] = cython.cast(cython.int, f[4]) if count > 4 else -1
                    row += 1
                count = 0
                if at == size or text[at] == 59:
                    current += 1
                    b[current] = cython.cast(cython.int, row)
                    f[0] = 0
                at += 1
                continue
            d = digit[text[at]]
            if d < 0 or count > 4 or shift > 30:
                bad = at
                break
            value |= cython.cast(cython.longlong, d & 31) << shift
            shift += 5
            if d & 32 == 0:
                f[count] += -(value >> 1) if value & 1 else value >> 1
                if f[count] < 0 or f[count] > 0x7FFFFFFE:
                    bad = at
                    break
                count += 1
                value = 0
                shift = 0
            at += 1
    del column, source, line, within, name
    if bad >= 0:
        raise ValueError(f"no number at byte {bad:,} of its mappings")
    for each in columns:
        del each[row:]
    return begins, columns[0], columns[1], columns[2], columns[3], columns[4]
