# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The records of an HPROF file: names, classes, stacks, and where the records of a heap begin and end.

A length may be missing, wrapped beyond 4 GiB or wrong, and then the bytes behind it say where a record ends.
"""

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .growing import Column
from .hprof_cursor import Cursor

COMPILED = cython.compiled


@cython.final
@cython.cclass
class _Columns:
    """What is kept of the records around the heap."""

    string: Column
    string_start: Column
    string_length: Column
    loaded: Column
    frame: Column
    trace: Column
    trace_frame: Column
    mark: cython.Py_ssize_t

    def __init__(self) -> None:
        self.string = Column()
        self.string_start = Column()
        self.string_length = Column()
        self.loaded = Column()
        self.frame = Column()
        self.trace = Column()
        self.trace_frame = Column()
        self.mark = -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def keep(self, cursor: Cursor, tag: cython.int, at: cython.Py_ssize_t, length: cython.longlong) -> cython.int:
        """Keep a record whose `length` bytes at `at` are all there."""
        n: cython.Py_ssize_t = cursor.n
        i: cython.Py_ssize_t
        if tag == 0x01 and length >= n:
            self.string.push(cython.cast(cython.longlong, cursor.ident(at)))
            self.string_start.push(at + n)
            self.string_length.push(length - n)
        elif tag == 0x02 and length >= 8 + 2 * n:
            self.loaded.push(cursor.u4(at))
            self.loaded.push(cython.cast(cython.longlong, cursor.ident(at + 4)))
            self.loaded.push(cython.cast(cython.longlong, cursor.ident(at + 8 + n)))
        elif tag == 0x04 and length >= 4 * n + 8:
            for i in range(4):
                self.frame.push(cython.cast(cython.longlong, cursor.ident(at + i * n)))
            self.frame.push(cursor.u4(at + 4 * n))
            self.frame.push(cython.cast(cython.int, cursor.u4(at + 4 * n + 4)))
        elif tag == 0x05 and length >= 12 and cursor.u4(at + 8) * n <= length - 12:
            self.trace.push(cursor.u4(at))
            self.trace.push(cursor.u4(at + 4))
            self.trace.push(self.trace_frame.size)
            self.trace.push(cursor.u4(at + 8))
            for i in range(cursor.u4(at + 8)):
                self.trace_frame.push(cython.cast(cython.longlong, cursor.ident(at + 12 + i * n)))
        elif tag == 0xDE:
            self.mark = at
        return 0


def records(cursor: Cursor, at: cython.Py_ssize_t):
    """The records around the heap from byte `at` on, as `'q'` columns by name.

    `string`, `string_start`, `string_length`; `loaded` 3 a class (serial, id, name), `frame` 6 (id, method, signature,
    source, class serial, line), `trace` 4 (serial, thread, first and number of its frames in `trace_frame`), `heap` 3
    (start, end, number of the dump); `complete` are the numbers of the dumps that ended as they should, `lost` bytes
    that make no sense, and `absent` those that the last record claims and the file lacks (or the record that should end
    a dump), `mark` where the record that redaction leaves begins, or -1.
    """
    kept: _Columns = _Columns()
    heap: Column = Column()
    complete: Column = Column()
    tag: cython.int
    length: cython.longlong
    left: cython.Py_ssize_t
    skipped: cython.Py_ssize_t
    dump: cython.longlong = 0
    lost: cython.Py_ssize_t = 0
    absent: cython.longlong = 0
    is_open: cython.bint = False
    ends: cython.bint = False
    with cython.nogil:
        while cursor.limit - at >= 9:
            tag = cursor.d[at]
            length = cursor.u4(at + 5)
            at += 9
            left = cursor.limit - at
            if tag == 0x0C or tag == 0x1C:
                if tag == 0x0C and is_open:
                    dump += 1
                cursor.at = at
                heap.push(at)
                heap.push(heap_end(cursor, tag, length))
                heap.push(dump)
                is_open = True
                ends = tag == 0x1C
                if tag == 0x0C and length and length <= left:
                    complete.push(dump)
                at = cursor.at
                if at == cursor.limit and length > left:
                    absent = length - left
                continue
            skipped = gap_at(cursor, at - 9)
            if skipped:
                lost += skipped
                at += skipped - 9
                if at == cursor.limit and length > left:
                    absent = length - left
            else:
                if tag == 0x2C and is_open:
                    complete.push(dump)
                    dump += 1
                    is_open = False
                kept.keep(cursor, tag, at, length)
                at += cython.cast(cython.Py_ssize_t, length)
    if is_open and ends and absent == 0:
        absent = 9
    return {
        "string": kept.string.take(),
        "string_start": kept.string_start.take(),
        "string_length": kept.string_length.take(),
        "loaded": kept.loaded.take(),
        "frame": kept.frame.take(),
        "trace": kept.trace.take(),
        "trace_frame": kept.trace_frame.take(),
        "heap": heap.take(),
        "complete": complete.take(),
        "lost": lost + cursor.limit - at,
        "absent": absent,
        "mark": kept.mark,
    }


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def heap_end(cursor: Cursor, tag: cython.int, length: cython.longlong) -> cython.Py_ssize_t:
    """Where the heap records end that begin at the cursor, whatever their length claims; the cursor is there then."""
    start: cython.Py_ssize_t = cursor.at
    left: cython.Py_ssize_t = cursor.limit - start
    wrap: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, 1) << 32
    is_done: cython.bint = False
    if tag == 0x0C and left > length and (left - length) % wrap == 0:
        # Longer than 4 GiB: the length has lost its upper bits.
        cursor.at = cursor.limit
        return cursor.limit
    if length == 0 and is_record(cursor, start, True):
        return start
    if length and length <= left and is_record(cursor, start + length, tag == 0x0C and left > wrap):
        cursor.at = start + length
        return cursor.at
    # Cut, never patched by a writer that crashed, or wrapped with more behind it: as far as there are sub-records.
    while cursor.step(cursor.limit):
        pass
    if cursor.at < start + length and length <= left and not is_record(cursor, cursor.at, True):
        cursor.at = start + length
        is_done = True
    if (cursor.is_cut and not is_done) or not is_record(cursor, cursor.at, True):
        # What cannot be read is counted when the objects are.
        cursor.at = cursor.limit
    return cursor.at


def gap(cursor: Cursor, at: cython.Py_ssize_t):
    """Bytes from `at` to the next record that `records` would read, 0 if it is there."""
    return gap_at(cursor, at)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def gap_at(cursor: Cursor, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    left: cython.Py_ssize_t = cursor.limit - at - 9
    length: cython.longlong = cursor.u4(at + 5)
    if length <= left and is_record(cursor, at + 9 + cython.cast(cython.Py_ssize_t, length), False):
        return 0
    # Nothing comes behind it, so this is not a record, or its length is wrong.
    return next_record(cursor, at + 1) - at


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def next_record(cursor: Cursor, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The next byte at which four records follow one another, or the end of the file: chance does not do that."""
    pos: cython.Py_ssize_t
    more: cython.int
    limit: cython.Py_ssize_t = cursor.limit
    while at < limit:
        pos = at
        more = 4
        while more > 0 and pos < limit and is_record(cursor, pos, True):
            pos = limit if limit - pos < 9 else pos + 9 + cython.cast(cython.Py_ssize_t, cursor.u4(pos + 5))
            more -= 1
        if more == 0 or (more < 4 and pos == limit):
            return at
        at += 1
    return at


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def is_record(cursor: Cursor, at: cython.Py_ssize_t, strictly: cython.bint) -> cython.int:
    """Whether a record, or nothing more, may begin at `at`; `strictly` a known one with another behind it."""
    left: cython.Py_ssize_t = cursor.limit - at
    known: cython.int = is_known(cursor, at)
    length: cython.longlong
    if left < 9 or (known and (left == 9 or not strictly)):
        return known
    length = cursor.u4(at + 5)
    if length > left - 9 or (strictly and not known):
        return 0
    return is_known(cursor, at + 9 + cython.cast(cython.Py_ssize_t, length))


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def is_known(cursor: Cursor, at: cython.Py_ssize_t) -> cython.int:
    """Whether a record with a tag that the format has may begin at `at`, or the file ends there."""
    tag: cython.int
    if at >= cursor.limit:
        return at == cursor.limit
    tag = cursor.d[at]
    return (tag >= 1 and tag <= 7) or (tag >= 0x0A and tag <= 0x0E) or tag == 0x1C or tag == 0x2C or tag == 0xDE
