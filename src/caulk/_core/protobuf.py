# cython: boundscheck=True, wraparound=False, cdivision=True
"""The columns of a pprof profile, straight from its protobuf bytes: one pass, no message objects.

Schema: https://github.com/google/pprof/blob/main/proto/profile.proto. Repeated numbers are read packed and unpacked,
unknown fields are skipped, and every length is held against the bytes that remain before it is believed.
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
        # A buffer that is looked at cannot be resized: let go, extend, look again.
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
class Reader:
    """A cursor over bytes: varints, fields, and the columns that they go to."""

    data: cython.const[cython.uchar][:]
    pos: cython.Py_ssize_t
    field: cython.int
    wire: cython.int
    number: cython.longlong
    """The last varint or fixed number, or the length of the field that begins at `pos`."""
    sample_type: Column
    sample_start: Column
    sample_location: Column
    value: Column
    label_start: Column
    label: Column
    mapping: Column
    location: Column
    line: Column
    function: Column
    string_start: Column
    string_length: Column
    comment: Column
    scalar: Column
    seen: Column

    def __init__(self, data) -> None:
        self.data = data
        self.pos = 0
        self.field = 0
        self.wire = 0
        self.number = 0
        self.sample_type = Column()
        self.sample_start = Column()
        self.sample_location = Column()
        self.value = Column()
        self.label_start = Column()
        self.label = Column()
        self.mapping = Column()
        self.location = Column()
        self.line = Column()
        self.function = Column()
        self.string_start = Column()
        self.string_length = Column()
        self.comment = Column()
        self.scalar = Column()
        self.seen = Column()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def fail(self, what: cython.int) -> cython.int:
        with cython.gil:
            raise ValueError(
                (
                    "a number is cut short or longer than 64 bits",
                    "a field is longer than what is left",
                    "a field has a wire type that protobuf does not have",
                    "a field has number 0",
                )[what]
                + f", at byte {self.pos:,}"
            )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def varint(self, end: cython.Py_ssize_t) -> cython.int:
        """Read a varint into `number`, as the signed 64 bits that the schema means by int64."""
        value: cython.ulonglong = 0
        shift: cython.int = 0
        byte: cython.ulonglong
        while True:
            if self.pos >= end or shift > 63:
                return self.fail(0)
            byte = self.data[self.pos]
            self.pos += 1
            value = cython.cast(cython.ulonglong, value | ((byte & 0x7F) << shift))
            if byte < 0x80:
                break
            shift += 7
        self.number = cython.cast(cython.longlong, value)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def next(self, end: cython.Py_ssize_t) -> cython.int:
        """Read a field's head: its number, its wire type, and its value or length."""
        i: cython.int
        self.varint(end)
        self.wire = cython.cast(cython.int, self.number & 7)
        if self.number <= 0 or (self.number >> 3) > 0x1FFFFFFF:
            return self.fail(3)
        self.field = cython.cast(cython.int, self.number >> 3)
        if self.field == 0:
            return self.fail(3)
        if self.wire == 0:
            return self.varint(end)
        if self.wire == 2:
            self.varint(end)
            if self.number < 0 or self.number > end - self.pos:
                return self.fail(1)
            return 0
        if self.wire == 1 or self.wire == 5:
            i = 8 if self.wire == 1 else 4
            if end - self.pos < i:
                return self.fail(1)
            self.pos += i
            self.number = 0
            return 0
        return self.fail(2)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def skip(self) -> cython.int:
        if self.wire == 2:
            self.pos += self.number
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def repeated(self, column: Column) -> cython.int:
        """A repeated number, packed or not."""
        end: cython.Py_ssize_t
        if self.wire == 0:
            column.push(self.number)
            return 0
        if self.wire != 2:
            return 0
        end = self.pos + self.number
        while self.pos < end:
            self.varint(end)
            column.push(self.number)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def message(self, column: Column, width: cython.int) -> cython.int:
        """A message of numbers: field k goes to place k of `width` places (place 0 is the row's own use)."""
        i: cython.int
        end: cython.Py_ssize_t = self.pos + self.number
        row: cython.Py_ssize_t = column.size
        for i in range(width):
            column.push(0)
        while self.pos < end:
            self.next(end)
            if self.wire == 0 and self.field < width:
                column.v[row + self.field] = self.number
            else:
                self.skip()
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def sample(self) -> cython.int:
        end: cython.Py_ssize_t = self.pos + self.number
        self.sample_start.push(self.sample_location.size)
        self.sample_start.push(self.value.size)
        self.label_start.push(self.label.size)
        while self.pos < end:
            self.next(end)
            if self.field == 1:
                self.repeated(self.sample_location)
            elif self.field == 2:
                self.repeated(self.value)
            elif self.field == 3 and self.wire == 2:
                self.message(self.label, 5)
            else:
                self.skip()
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def one_location(self) -> cython.int:
        """A location: (first line, id, mapping, address); its lines are the rows up to the next location's first."""
        end: cython.Py_ssize_t = self.pos + self.number
        row: cython.Py_ssize_t = self.location.size
        i: cython.int
        self.location.push(self.line.size // 3)
        for i in range(3):
            self.location.push(0)
        while self.pos < end:
            self.next(end)
            if self.wire == 0 and 1 <= self.field <= 3:
                self.location.v[row + self.field] = self.number
            elif self.field == 4 and self.wire == 2:
                self.message(self.line, 3)
            else:
                self.skip()
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def profile(self) -> cython.int:
        end: cython.Py_ssize_t = len(self.data)
        while self.pos < end:
            self.next(end)
            if self.field == 6 and self.wire == 2:
                self.string_start.push(self.pos)
                self.string_length.push(self.number)
                self.pos += self.number
            elif self.field == 2 and self.wire == 2:
                self.sample()
            elif self.field == 4 and self.wire == 2:
                self.one_location()
            elif self.field == 5 and self.wire == 2:
                self.message(self.function, 6)
            elif self.field == 1 and self.wire == 2:
                self.message(self.sample_type, 3)
            elif self.field == 3 and self.wire == 2:
                self.message(self.mapping, 11)
            elif self.field == 11 and self.wire == 2:
                self.seen.push(11)
                self.scalar.v[16] = self.pos
                self.scalar.v[17] = self.number
                self.pos += self.number
            elif self.field == 13:
                self.repeated(self.comment)
            elif self.wire == 0 and self.field < 16:
                self.seen.push(self.field)
                self.scalar.v[self.field] = self.number
            else:
                self.skip()
        return 0


def decode(data):
    """Every column of a profile, by name; raises ValueError with the byte at which the data stops making sense.

    Rows are flat: `location` has 4 numbers a row (first line, id, mapping, address), `line` 3 (–, function, line),
    `function` 6 (–, id, name, system name, file, start line), `mapping` 11 (–, id, start, limit, offset, file,
    build id, four flags), `label` 5 (–, key, text, number, unit), `sample_type` 3 (–, type, unit). `sample_start` has 2
    a sample and one pair more: where its locations and its values begin. `scalar[k]` is the profile's field k, and
    `seen` lists which were there, in their order.
    """
    r: Reader = Reader(data)
    i: cython.int
    for i in range(18):
        r.scalar.push(0)
    with cython.nogil:
        r.profile()
    r.sample_start.push(r.sample_location.size)
    r.sample_start.push(r.value.size)
    r.label_start.push(r.label.size)
    r.location.push(r.line.size // 3)
    period_type = r.scalar.v[16], r.scalar.v[17]
    columns = {
        "sample_type": r.sample_type.take(),
        "sample_start": r.sample_start.take(),
        "sample_location": r.sample_location.take(),
        "value": r.value.take(),
        "label_start": r.label_start.take(),
        "label": r.label.take(),
        "mapping": r.mapping.take(),
        "location": r.location.take(),
        "line": r.line.take(),
        "function": r.function.take(),
        "string_start": r.string_start.take(),
        "string_length": r.string_length.take(),
        "comment": r.comment.take(),
        "scalar": r.scalar.take(),
        "seen": r.seen.take(),
    }
    if period_type[1]:
        r.pos = period_type[0]
        r.number = period_type[1]
        kind: Column = Column()
        r.message(kind, 3)
        columns["period_type"] = kind.take()
    return columns


def positions(ids, wanted):
    """Where each of `wanted` stands in `ids` (`'i'`, -1 where it does not): producers number as they like."""
    have: cython.longlong[:] = ids
    want: cython.longlong[:] = wanted
    count: cython.Py_ssize_t = len(ids)
    size: cython.Py_ssize_t = 16
    while size < 2 * count:
        size *= 2
    slots = array("i", bytes(4 * size))
    s: cython.int[:] = slots
    found = array("i", bytes(4 * len(wanted)))
    out: cython.int[:] = found
    mask: cython.ulonglong = size - 1
    at: cython.ulonglong
    i: cython.Py_ssize_t
    with cython.nogil:
        # The last of several equal ids wins, as in a dictionary; 0 means none, so places are kept plus one.
        for i in range(count):
            at = hashed(have[i]) & mask
            while s[at] != 0 and have[s[at] - 1] != have[i]:
                at = (at + 1) & mask
            s[at] = cython.cast(cython.int, i + 1)
        for i in range(len(want)):
            at = hashed(want[i]) & mask
            while s[at] != 0 and have[s[at] - 1] != want[i]:
                at = (at + 1) & mask
            out[i] = s[at] - 1
    return found


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def hashed(key: cython.longlong) -> cython.ulonglong:
    factor: cython.ulonglong = (cython.cast(cython.ulonglong, 0x1E3779B9) << 32) | 0x7F4A7C15
    mixed: cython.ulonglong = cython.cast(cython.ulonglong, cython.cast(cython.ulonglong, key) * factor)
    return mixed ^ (mixed >> 32)


def spread(sample_start, sample_location, location_line, line_frame, limit):
    """The frames of each sample, outermost caller first: (`starts` `'q'`, `frames` `'i'`, samples that fitted).

    `sample_location` holds places of locations, leaf first; -1 is a location that the file does not have, and is left
    out. `location_line` (one more than locations) delimits each location in `line_frame`, innermost inlined call first.
    A small file can ask for endless frames (one location of a million lines, named a million times): the work stops
    before `limit` frames, and says after how many samples.
    """
    b: cython.longlong[:] = sample_start
    l: cython.int[:] = sample_location
    n: cython.longlong[:] = location_line
    f: cython.int[:] = line_frame
    count: cython.Py_ssize_t = len(sample_start) - 1
    most: cython.longlong = limit
    total: cython.longlong = 0
    fitted: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    at: cython.Py_ssize_t = 0
    starts = array("q", bytes(8 * (count + 1)))
    s: cython.longlong[:] = starts
    with cython.nogil:
        for i in range(count):
            s[i] = total
            for j in range(b[i], b[i + 1]):
                if l[j] >= 0:
                    total += n[l[j] + 1] - n[l[j]]
            if total > most:
                break
            fitted += 1
        if fitted == count:
            s[count] = total
    del s
    if fitted < count:
        del starts[fitted + 1 :]
    frames = array("i", bytes(4 * starts[fitted]))
    out: cython.int[:] = frames
    with cython.nogil:
        for i in range(fitted):
            for j in range(b[i + 1] - 1, b[i] - 1, -1):
                if l[j] < 0:
                    continue
                for k in range(n[l[j] + 1] - 1, n[l[j]] - 1, -1):
                    out[at] = f[k]
                    at += 1
    return starts, frames, fitted
