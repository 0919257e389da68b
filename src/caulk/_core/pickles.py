# cython: boundscheck=True, wraparound=False, cdivision=True
"""The values that a pickled tracemalloc snapshot builds, by a stack machine that can only hold data.

Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py. A pickle is a program: here it may build
numbers, strings, tuples, lists, dictionaries and objects of a snapshot's two classes, as `Snapshot.dump` makes it do in
protocols 2 to 5. Whatever else it asks for is refused by name, and nothing is ever imported or called.

A value is one 64-bit handle: what it points at, times 8, plus a tag. 0 a number (the number itself), 1 a string, 2 a
tuple (place in `items`: its length, then handles), 3 a list, 4 a dictionary, 5 a class, 6 an object, 7 anything else.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

#: Bytes of the argument that follows each opcode of plain data; 255 marks the opcodes that are refused.
_WIDTHS = bytearray(b"\xff" * 256)
for _width, _ops in (
    (0, b"()t\x85\x86\x87]ae}suN\x88\x89\x94c\x93\x81b."),
    (1, b"\x80K\x8a\x8chq"),
    (2, b"M"),
    (4, b"JXjr"),
    (8, b"\x95\x8d"),
):
    for _op in bytearray(_ops):
        _WIDTHS[_op] = _width

#: What the refused opcodes are called that run code or reach outside the file.
_DANGEROUS = {
    0x52: "REDUCE",
    0x69: "INST",
    0x6F: "OBJ",
    0x92: "NEWOBJ_EX",
    0x50: "PERSID",
    0x51: "BINPERSID",
    0x82: "EXT1",
    0x83: "EXT2",
    0x84: "EXT4",
}


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
class Machine:
    """The stack machine and what it has built; every column is at most linear in the bytes that were read."""

    data: cython.const[cython.uchar][:]
    widths: cython.const[cython.uchar][:]
    pos: cython.Py_ssize_t
    at: cython.Py_ssize_t
    """Where the opcode at work begins."""
    stack: Column
    marks: Column
    """Heights of the stack: what lies below the last cannot be taken."""
    memo: Column
    memoized: cython.Py_ssize_t
    items: Column
    sequence: Column
    """First and last chunk of each list and dictionary; a chunk in `items` is: next chunk, count, handles."""
    instance: Column
    """Class and state of each object."""
    string_start: Column
    string_length: Column

    def __init__(self, data) -> None:
        self.data = data
        self.widths = _WIDTHS
        self.pos = 0
        self.at = 0
        self.stack = Column()
        self.marks = Column()
        self.memo = Column()
        self.memoized = 0
        self.items = Column()
        self.sequence = Column()
        self.instance = Column()
        self.string_start = Column()
        self.string_length = Column()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def fail(self, what: cython.int) -> cython.int:
        with cython.gil:
            raise ValueError(
                (
                    "an opcode takes from an empty stack",
                    "an opcode needs a mark, and there is none",
                    "a number is larger than any that a snapshot holds",
                    "a memo is asked for that was never made",
                    "a memo has a number that the bytes before it cannot have reached",
                    "an opcode finds another kind of value than it works on",
                    "the pickle has a protocol that is not 2 to 5",
                )[what]
                + f", at byte {self.at:,}"
            )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def refuse(self, op: cython.int) -> cython.int:
        with cython.gil:
            name = _DANGEROUS.get(op)
            if name:
                raise ValueError(f"asks to run code (opcode {name}), at byte {self.at:,}")
            raise ValueError(f"has opcode 0x{op:02x}, which no snapshot needs, at byte {self.at:,}")

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def need(self, count: cython.Py_ssize_t) -> cython.int:
        """Check that so many values lie on the stack above the last mark."""
        fence: cython.Py_ssize_t = 0
        if self.marks.size > 0:
            fence = self.marks.v[self.marks.size - 1]
        if self.stack.size - fence < count:
            return self.fail(0)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def marked(self) -> cython.Py_ssize_t:
        """Take the last mark, and say how many values lie above it."""
        if self.marks.size == 0:
            return self.fail(1)
        self.marks.size -= 1
        return self.stack.size - self.marks.v[self.marks.size]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def move(self, count: cython.Py_ssize_t) -> cython.int:
        """Move the uppermost values from the stack to `items`."""
        i: cython.Py_ssize_t
        self.items.push(count)
        for i in range(self.stack.size - count, self.stack.size):
            self.items.push(self.stack.v[i])
        self.stack.size -= count
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def make_tuple(self, count: cython.Py_ssize_t) -> cython.int:
        place: cython.longlong = self.items.size
        self.need(count)
        self.move(count)
        return self.stack.push(place << 3 | 2)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def make_sequence(self, tag: cython.int) -> cython.int:
        number: cython.longlong = self.sequence.size >> 1
        self.sequence.push(-1)
        self.sequence.push(-1)
        return self.stack.push(number << 3 | tag)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def extend(self, count: cython.Py_ssize_t, tag: cython.int) -> cython.int:
        """Move values from the stack to the list or dictionary below them."""
        self.need(count + 1)
        target: cython.longlong = self.stack.v[self.stack.size - count - 1]
        if (target & 7) != tag or (tag == 4 and (count & 1) != 0):
            return self.fail(5)
        if count == 0:
            return 0
        row: cython.Py_ssize_t = (target >> 3) << 1
        chunk: cython.longlong = self.items.size
        if self.sequence.v[row] < 0:
            self.sequence.v[row] = chunk
        else:
            self.items.v[self.sequence.v[row + 1]] = chunk
        self.sequence.v[row + 1] = chunk
        self.items.push(-1)
        return self.move(count)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def put(self, number: cython.longlong) -> cython.int:
        self.need(1)
        # Each memo costs its writer a byte: a number beyond the position is no pickler's, and would take its memory.
        if number > self.pos:
            return self.fail(4)
        while self.memo.size <= number:
            self.memo.push(-1)
        if self.memo.v[number] == -1:
            self.memoized += 1
        self.memo.v[number] = self.stack.v[self.stack.size - 1]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def get(self, number: cython.longlong) -> cython.int:
        if number >= self.memo.size or self.memo.v[number] == -1:
            return self.fail(3)
        return self.stack.push(self.memo.v[number])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def integer(self, width: cython.longlong) -> cython.int:
        """Push a signed little-endian number of `width` bytes."""
        value: cython.ulonglong = 0
        i: cython.int
        if width > 8:
            return self.fail(2)
        for i in range(cython.cast(cython.int, width)):
            value |= cython.cast(cython.ulonglong, self.data[self.pos + i]) << (8 * i)
        self.pos += width
        unused: cython.int = cython.cast(cython.int, 64 - 8 * width)
        if unused == 64:
            return self.stack.push(0)
        number: cython.longlong = cython.cast(cython.longlong, cython.cast(cython.ulonglong, value << unused)) >> unused
        if (number >> 60) != 0 and (number >> 60) != -1:
            return self.fail(2)
        return self.stack.push(number * 8)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def string(self, length: cython.longlong) -> cython.int:
        number: cython.longlong = self.string_start.size
        self.string_start.push(self.pos)
        self.string_length.push(length)
        self.pos += length
        return self.stack.push(number << 3 | 1)

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
    @cython.exceptval(-1)
    def find_class(
        self,
        module: cython.longlong,
        module_length: cython.longlong,
        name: cython.longlong,
        name_length: cython.longlong,
    ) -> cython.int:
        """Push `tracemalloc.Snapshot` (class 0) or `tracemalloc._Traces` (class 1)."""
        if self.spells(module, module_length, b"tracemalloc"):
            if self.spells(name, name_length, b"Snapshot"):
                return self.stack.push(5)
            if self.spells(name, name_length, b"_Traces"):
                return self.stack.push(1 << 3 | 5)
        asked = ".".join(
            bytes(self.data[start : start + min(length, 80)]).decode("utf-8", "replace")
            for start, length in ((module, module_length), (name, name_length))
        )
        shown = "".join(c if c.isprintable() else "\ufffd" for c in asked)
        raise ValueError(f"asks to import {shown}, at byte {self.at:,}")

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def global_by_lines(self) -> cython.int:
        """GLOBAL: module and name on a line each; 0 if the second line does not end."""
        middle: cython.Py_ssize_t = self.pos
        end: cython.Py_ssize_t
        while middle < len(self.data) and self.data[middle] != 10:
            middle += 1
        end = middle + 1
        while end < len(self.data) and self.data[end] != 10:
            end += 1
        if end >= len(self.data):
            return 0
        with cython.gil:
            self.find_class(self.pos, middle - self.pos, middle + 1, end - middle - 1)
        self.pos = end + 1
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def global_by_stack(self) -> cython.int:
        self.need(2)
        module: cython.longlong = self.stack.v[self.stack.size - 2]
        name: cython.longlong = self.stack.v[self.stack.size - 1]
        if (module & 7) != 1 or (name & 7) != 1:
            return self.fail(5)
        self.stack.size -= 2
        module >>= 3
        name >>= 3
        with cython.gil:
            self.find_class(
                self.string_start.v[module],
                self.string_length.v[module],
                self.string_start.v[name],
                self.string_length.v[name],
            )
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def new_object(self) -> cython.int:
        self.need(2)
        kind: cython.longlong = self.stack.v[self.stack.size - 2]
        arguments: cython.longlong = self.stack.v[self.stack.size - 1]
        if (kind & 7) != 5 or (arguments & 7) != 2 or self.items.v[arguments >> 3] != 0:
            return self.fail(5)
        self.stack.size -= 2
        number: cython.longlong = self.instance.size >> 1
        self.instance.push(kind >> 3)
        self.instance.push(-1)
        return self.stack.push(number << 3 | 6)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def build(self) -> cython.int:
        self.need(2)
        target: cython.longlong = self.stack.v[self.stack.size - 2]
        state: cython.longlong = self.stack.v[self.stack.size - 1]
        if (target & 7) != 6 or (state & 7) != 4:
            return self.fail(5)
        self.stack.size -= 1
        self.instance.v[(target >> 3) * 2 + 1] = state
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def plain_tuple(self) -> cython.int:
        """Read a whole tuple of small numbers and memos, MARK to TUPLE, at once; 0 if it is not that.

        It does what the opcodes would do one by one, in a third of the time: nearly all of a snapshot is such tuples.
        """
        at: cython.Py_ssize_t = self.pos
        end: cython.Py_ssize_t = len(self.data) - 4
        place: cython.longlong = self.items.size
        count: cython.Py_ssize_t = 0
        op: cython.int
        n: cython.longlong
        self.items.push(0)
        # Traces have four values. A tuple that is not plain after eight is read again, so that must be little.
        while count < 8 and at < end:
            op = self.data[at]
            n = self.data[at + 1]
            if op == 0x74:  # TUPLE
                self.items.v[place] = count
                self.pos = at + 1
                self.stack.push(place << 3 | 2)
                return 1
            at += 2
            if op == 0x4D or op == 0x6A:  # BININT2, LONG_BINGET
                n |= cython.cast(cython.longlong, self.data[at]) << 8
                at += 1
            if op == 0x6A:
                n |= cython.cast(cython.longlong, self.data[at]) << 16
                n |= cython.cast(cython.longlong, self.data[at + 1]) << 24
                at += 2
            if op == 0x68 or op == 0x6A:  # BINGET, LONG_BINGET
                if n >= self.memo.size or self.memo.v[n] == -1:
                    break
                self.items.push(self.memo.v[n])
            elif op == 0x4B or op == 0x4D:  # BININT1, BININT2
                self.items.push(n << 3)
            else:
                break
            count += 1
        self.items.size = place
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def run(self) -> cython.int:
        """Run to STOP (1), or to the last whole opcode of a pickle that was cut short (0)."""
        op: cython.int
        width: cython.int
        i: cython.int
        argument: cython.ulonglong
        n: cython.longlong
        end: cython.Py_ssize_t = len(self.data)
        while True:
            self.at = self.pos
            if self.pos >= end:
                return 0
            op = self.data[self.pos]
            width = self.widths[op]
            if width == 255:
                return self.refuse(op)
            if end - self.pos - 1 < width:
                return 0
            self.pos += 1
            argument = 0
            for i in range(width):
                argument |= cython.cast(cython.ulonglong, self.data[self.pos + i]) << (8 * i)
            n = cython.cast(cython.longlong, argument)
            if op == 0x4B or op == 0x4D:  # BININT1, BININT2
                self.stack.push(n << 3)
            elif op == 0x94:  # MEMOIZE
                self.put(self.memoized)
            elif op == 0x68 or op == 0x6A:  # BINGET, LONG_BINGET
                self.get(n)
            elif op == 0x28:  # MARK
                if self.plain_tuple() == 1:
                    continue
                self.marks.push(self.stack.size)
            elif op == 0x74:  # TUPLE
                self.make_tuple(self.marked())
            elif op == 0x29:  # EMPTY_TUPLE
                self.make_tuple(0)
            elif op == 0x85 or op == 0x86 or op == 0x87:  # TUPLE1 to TUPLE3
                self.make_tuple(op - 0x84)
            elif op == 0x71 or op == 0x72:  # BINPUT, LONG_BINPUT
                self.put(n)
            elif op == 0x4A:  # BININT
                self.integer(4)
                continue
            elif op == 0x58 or op == 0x8C or op == 0x8D or op == 0x8A:  # BINUNICODE in three widths, LONG1
                if n < 0 or n > end - self.pos - width:
                    self.pos = self.at
                    return 0
                self.pos += width
                if op == 0x8A:
                    self.integer(n)
                else:
                    self.string(n)
                continue
            elif op == 0x5D:  # EMPTY_LIST
                self.make_sequence(3)
            elif op == 0x61:  # APPEND
                self.extend(1, 3)
            elif op == 0x65:  # APPENDS
                self.extend(self.marked(), 3)
            elif op == 0x7D:  # EMPTY_DICT
                self.make_sequence(4)
            elif op == 0x73:  # SETITEM
                self.extend(2, 4)
            elif op == 0x75:  # SETITEMS
                self.extend(self.marked(), 4)
            elif op == 0x4E or op == 0x88 or op == 0x89:  # NONE, NEWTRUE, NEWFALSE
                self.stack.push(7)
            elif op == 0x63:  # GLOBAL
                if self.global_by_lines() == 0:
                    self.pos = self.at
                    return 0
            elif op == 0x93:  # STACK_GLOBAL
                self.global_by_stack()
            elif op == 0x81:  # NEWOBJ
                self.new_object()
            elif op == 0x62:  # BUILD
                self.build()
            elif op == 0x80:  # PROTO
                if n < 2 or n > 5:
                    return self.fail(6)
            elif op == 0x2E:  # STOP
                self.need(1)
                return 1
            self.pos += width


def read(data):
    """What a pickle builds, as columns by name; raises ValueError with the byte at which it is not plain data.

    `stack` holds the handles that remain: one after STOP, else what was at work when the data was cut short. Behind the
    handles lie `items` (tuples: length, handles; chunks: next or -1, length, handles), `sequence` (first and last chunk
    of each list and dictionary, keys and values in turn), `instance` (class, 0 for Snapshot and 1 for _Traces, and
    state of each object), and `string_start`, `string_length` in `data`. `scalar` is how many bytes were read, and
    whether STOP was reached. Memory and time are linear in `data`.
    """
    m: Machine = Machine(data)
    stopped: cython.int
    with cython.nogil:
        stopped = m.run()
    return {
        "stack": m.stack.take(),
        "items": m.items.take(),
        "sequence": m.sequence.take(),
        "instance": m.instance.take(),
        "string_start": m.string_start.take(),
        "string_length": m.string_length.take(),
        "scalar": array("q", [m.pos, stopped]),
    }
