# cython: boundscheck=True, wraparound=False, cdivision=True
"""The traces of a tracemalloc snapshot, summed by stack, from the values that its pickle built (`pickles`).

A snapshot is Snapshot{traces: _Traces{_traces: [(domain, size, frames, length before the limit), ...]},
traceback_limit}; frames are (file, line), the most recent call first, and traces of one stack share their tuple.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Column:
    """A growing `'q'` column that C code can push to."""

    array: object
    v: cython.longlong[:]
    size: cython.Py_ssize_t
    capacity: cython.Py_ssize_t

    def __init__(self) -> None:
        self.array = array("q", bytes(8 * 64))
        self.v = self.array
        self.size = 0
        self.capacity = 64

    def take(self):
        """The column at its real length."""
        self.v = array("q", b"\0" * 8)
        column = self.array
        del column[self.size :]
        return column

    @cython.cfunc
    def grow(self) -> object:
        # A buffer that is looked at cannot be resized: let go, double, look again. What lies beyond `size` is not read.
        self.v = array("q", b"\0" * 8)
        self.array *= 2
        self.capacity *= 2
        self.v = self.array
        return None

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def push(self, value: cython.longlong) -> cython.int:
        if self.size == self.capacity:
            with cython.gil:
                self.grow()
        self.v[self.size] = value
        self.size += 1
        return 0


@cython.final
@cython.cclass
class Pairs:
    """Distinct pairs of numbers, numbered as they come."""

    a: Column
    b: Column
    slots: cython.int[:]
    """Open hash table: number plus one, 0 where free; at most half full."""

    def __init__(self) -> None:
        self.a = Column()
        self.b = Column()
        self.slots = array("i", bytes(4 * 128))

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def slot(self, a: cython.longlong, b: cython.longlong) -> cython.Py_ssize_t:
        """Where the pair stands, or the free slot where it belongs."""
        mask: cython.ulonglong = len(self.slots) - 1
        factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
        key: cython.ulonglong = cython.cast(cython.ulonglong, cython.cast(cython.ulonglong, a) * factor)
        key = cython.cast(cython.ulonglong, (key ^ (key >> 29) ^ cython.cast(cython.ulonglong, b)) * factor)
        at: cython.ulonglong = (key ^ (key >> 32)) & mask
        number: cython.Py_ssize_t = self.slots[at]
        while number != 0 and (self.a.v[number - 1] != a or self.b.v[number - 1] != b):
            at = (at + 1) & mask
            number = self.slots[at]
        return cython.cast(cython.Py_ssize_t, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def number(self, a: cython.longlong, b: cython.longlong) -> cython.Py_ssize_t:
        at: cython.Py_ssize_t = self.slot(a, b)
        i: cython.Py_ssize_t
        if self.slots[at] != 0:
            return self.slots[at] - 1
        self.a.push(a)
        self.b.push(b)
        self.slots[at] = cython.cast(cython.int, self.a.size)
        if 2 * self.a.size > len(self.slots):
            with cython.gil:
                self.slots = array("i", bytes(8 * len(self.slots)))
            for i in range(self.a.size):
                self.slots[self.slot(self.a.v[i], self.b.v[i])] = cython.cast(cython.int, i + 1)
        return self.a.size - 1


@cython.final
@cython.cclass
class Walker:
    """The values of a pickle, and the sums of the traces that were found in them."""

    data: cython.const[cython.uchar][:]
    stack: cython.longlong[:]
    items: cython.longlong[:]
    sequence: cython.longlong[:]
    instance: cython.longlong[:]
    string_start: cython.longlong[:]
    string_length: cython.longlong[:]
    traces: cython.Py_ssize_t
    shortened: cython.Py_ssize_t
    """How many traces were read, and how many of them had more callers than were recorded."""
    row: Pairs
    """Stack and domain of each row of the answer."""
    row_bytes: Column
    row_blocks: Column
    stack_start: Column
    stack_frame: Column
    frame: Pairs
    """File (a string's number) and line."""

    def __init__(self, data, values) -> None:
        self.data = data
        self.stack = values["stack"]
        self.items = values["items"]
        self.sequence = values["sequence"]
        self.instance = values["instance"]
        self.string_start = values["string_start"]
        self.string_length = values["string_length"]
        self.traces = 0
        self.shortened = 0
        self.row = Pairs()
        self.row_bytes = Column()
        self.row_blocks = Column()
        self.stack_start = Column()
        self.stack_frame = Column()
        self.frame = Pairs()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def spells(self, at: cython.longlong, length: cython.longlong, word: cython.const[cython.uchar][:]) -> cython.int:
        """Whether the bytes there are the word."""
        i: cython.Py_ssize_t
        if length != len(word):
            return 0
        for i in range(len(word)):
            if self.data[at + i] != word[i]:
                return 0
        return 1

    @cython.cfunc
    @cython.exceptval(-2)
    def member(self, target: cython.longlong, key: cython.const[cython.uchar][:]) -> cython.longlong:
        """What an object's state or a dictionary has under a key; -1 for nothing. The last of equal keys wins."""
        found: cython.longlong = -1
        chunk: cython.longlong
        name: cython.longlong
        i: cython.longlong
        if target >= 0 and (target & 7) == 6:
            target = self.instance[(target >> 3) * 2 + 1]
        if target < 0 or (target & 7) != 4:
            return -1
        chunk = self.sequence[(target >> 3) * 2]
        while chunk >= 0:
            for i in range(chunk + 2, chunk + 2 + self.items[chunk + 1], 2):
                name = self.items[i]
                if (name & 7) != 1:
                    continue
                name >>= 3
                if self.spells(self.string_start[name], self.string_length[name], key):
                    found = self.items[i + 1]
            chunk = self.items[chunk]
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def stack_of(self, frames: cython.longlong) -> cython.longlong:
        """The number of a tuple of frames, outermost caller first; -1 if it is not one.

        A tuple that was read keeps its number in place of its length: each of the traces that share it costs O(1).
        """
        place: cython.Py_ssize_t = frames >> 3
        count: cython.longlong = self.items[place]
        begin: cython.Py_ssize_t = self.stack_frame.size
        i: cython.Py_ssize_t
        pair: cython.longlong
        if count < 0:
            return -1 - count
        for i in range(place + count, place, -1):
            pair = self.items[i]
            if (pair & 7) != 2 or self.items[pair >> 3] != 2:
                self.stack_frame.size = begin
                return -1
            pair >>= 3
            if (self.items[pair + 1] & 7) != 1 or (self.items[pair + 2] & 7) != 0:
                self.stack_frame.size = begin
                return -1
            self.stack_frame.push(self.frame.number(self.items[pair + 1] >> 3, self.items[pair + 2] >> 3))
        self.items[place] = -1 - self.stack_start.size
        self.stack_start.push(begin)
        return self.stack_start.size - 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def trace(self, handle: cython.longlong) -> cython.int:
        """Add a trace: (domain, size, frames), from Python 3.9 on with the length before the limit; 0 if it is none."""
        place: cython.Py_ssize_t = handle >> 3
        if (handle & 7) != 2:
            return 0
        count: cython.longlong = self.items[place]
        if count != 3 and count != 4:
            return 0
        domain: cython.longlong = self.items[place + 1]
        size: cython.longlong = self.items[place + 2]
        frames: cython.longlong = self.items[place + 3]
        length: cython.longlong = 0
        if count == 4:
            length = self.items[place + 4]
        if (domain & 7) != 0 or (size & 7) != 0 or size < 0 or (frames & 7) != 2 or (length & 7) != 0:
            return 0
        stack: cython.longlong = self.stack_of(frames)
        if stack < 0:
            return 0
        if (length >> 3) > self.depth(stack):
            self.shortened += 1
        self.traces += 1
        row: cython.Py_ssize_t = self.row.number(stack, domain >> 3)
        if row == self.row_bytes.size:
            self.row_bytes.push(0)
            self.row_blocks.push(0)
        self.row_bytes.v[row] = cython.cast(cython.longlong, self.row_bytes.v[row] + (size >> 3))
        self.row_blocks.v[row] += 1
        return 1

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def depth(self, stack: cython.longlong) -> cython.longlong:
        """How many frames a stack has."""
        end: cython.longlong = self.stack_frame.size
        if stack + 1 < self.stack_start.size:
            end = self.stack_start.v[stack + 1]
        return end - self.stack_start.v[stack]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def all_traces(self, handle: cython.longlong) -> cython.int:
        """Add the traces of a list or tuple, up to the first value that is none (0)."""
        chunk: cython.longlong
        i: cython.longlong
        if (handle & 7) == 2:
            for i in range((handle >> 3) + 1, (handle >> 3) + 1 + self.items[handle >> 3]):
                if self.trace(self.items[i]) == 0:
                    return 0
            return 1
        chunk = self.sequence[(handle >> 3) * 2]
        while chunk >= 0:
            for i in range(chunk + 2, chunk + 2 + self.items[chunk + 1]):
                if self.trace(self.items[i]) == 0:
                    return 0
            chunk = self.items[chunk]
        return 1

    @cython.cfunc
    def collect(self) -> object:
        """Add the traces of the snapshot that the pickle ended with, and return its traceback limit."""
        top: cython.longlong = self.stack[len(self.stack) - 1]
        ok: cython.int
        if (top & 7) != 6 or self.instance[(top >> 3) * 2] != 0:
            raise ValueError("the pickle is not of a tracemalloc snapshot")
        handle: cython.longlong = self.member(self.member(top, b"traces"), b"_traces")
        if handle < 0 or ((handle & 7) != 2 and (handle & 7) != 3):
            raise ValueError("the snapshot has no list of traces")
        with cython.nogil:
            ok = self.all_traces(handle)
        if ok == 0:
            raise ValueError(f"trace {self.traces:,} is not (domain, size, frames)")
        limit: cython.longlong = self.member(top, b"traceback_limit")
        return limit >> 3 if limit >= 0 and (limit & 7) == 0 else 0

    @cython.cfunc
    def salvage(self) -> object:
        """Add the traces that a pickle has built before it was cut short."""
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        handle: cython.longlong
        # The list, or what holds it already, is among the first values; those above it wait to be appended.
        for i in range(min(len(self.stack), 16)):
            handle = self.stack[i]
            if (handle & 7) == 3:
                with cython.nogil:
                    if self.all_traces(handle) == 1:
                        j = i + 1
                        while j < len(self.stack) and self.trace(self.stack[j]) == 1:
                            j += 1
                return None
            if (handle & 7) == 4 or (handle & 7) == 6:
                for found in (self.member(handle, b"_traces"), self.member(self.member(handle, b"traces"), b"_traces")):
                    if found >= 0 and (found & 7) in (2, 3):
                        self.all_traces(found)
                        return None
        return None


def read(data, values):
    """The traces among `values` (of `pickles.read(data)`), as columns by name; ValueError if they are no snapshot.

    Traces of one stack and domain are one row: `row_stack`, `row_domain`, `row_bytes`, `row_blocks`. `stack_start` (one
    more than stacks) delimits the distinct stacks in `stack_frame`, outermost caller first; `frame_file` (a string's
    number) and `frame_line` describe a frame. `scalar` is: the traceback limit (0 if unknown), how many traces, and how
    many of those had more callers than the limit. A pickle that was cut short gives the traces before the cut.
    Linear in `values`, whose `items` it changes.
    """
    w: Walker = Walker(data, values)
    limit = 0
    if values["scalar"][1]:
        limit = w.collect()
    else:
        w.salvage()
    w.stack_start.push(w.stack_frame.size)
    return {
        "row_stack": w.row.a.take(),
        "row_domain": w.row.b.take(),
        "row_bytes": w.row_bytes.take(),
        "row_blocks": w.row_blocks.take(),
        "stack_start": w.stack_start.take(),
        "stack_frame": w.stack_frame.take(),
        "frame_file": w.frame.a.take(),
        "frame_line": w.frame.b.take(),
        "scalar": array("q", [limit, w.traces, w.shortened]),
    }
