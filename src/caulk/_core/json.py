# cython: boundscheck=True, wraparound=False, cdivision=True
r"""JSON as a tape of tokens: one pass, no recursion, and no object for what nobody asks about.

Grammar: RFC 8259, with UTF-8 left unchecked. A token is a number into three columns: `kind`, `start` (its first byte;
of a string, the first inside the quotes) and `value`. Depth costs a stack entry each, so a document may be as deep as
it is long; one that was cut short gives the tokens before the cut.

| kind | token | value |
| --- | --- | --- |
| `{` `[` | container | the token that closes it, or the number of all tokens if none does |
| `}` `]` | its end | the token that opened it |
| `"` | string, a member's name too | its length in bytes |
| `\` | string with escapes | its length in bytes |
| `i` | integer that fits 60 bits | the integer |
| `d` | any other number | the length of its text |
| `t` `f` `n` | true, false, null | 0 |
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
class Tape:
    """The tokens of a document. `position` is how many bytes were read, `is_cut` whether the document goes on.

    Raises `ValueError` with the byte at which the data is not JSON.
    """

    data: cython.const[cython.uchar][:]
    pos: cython.Py_ssize_t
    cut: cython.int
    k: Column
    s: Column
    v: Column
    opened: Column
    """The containers that are open, by token."""
    true: cython.const[cython.uchar][:]
    false: cython.const[cython.uchar][:]
    null: cython.const[cython.uchar][:]

    def __init__(self, data) -> None:
        self.data = data
        self.pos = 0
        self.cut = 0
        self.k = Column()
        self.s = Column()
        self.v = Column()
        self.opened = Column()
        self.true = b"true"
        self.false = b"false"
        self.null = b"null"
        i: cython.Py_ssize_t
        with cython.nogil:
            self.document()
            for i in range(self.opened.size):
                self.v.v[self.opened.v[i]] = self.k.size

    def __len__(self) -> int:
        return self.k.size

    @property
    def position(self):
        """How many bytes make whole tokens."""
        return self.pos

    @property
    def is_cut(self):
        """Whether the data ends before the document does."""
        return self.cut == 1

    def kind(self, token: cython.Py_ssize_t):
        """The token's kind, a character; empty beyond the last token."""
        return chr(self.k.v[token]) if 0 <= token < self.k.size else ""

    def start(self, token: cython.Py_ssize_t):
        """The token's first byte."""
        self.check(token)
        return self.s.v[token]

    def value(self, token: cython.Py_ssize_t):
        """The token's value, which `kind` gives its meaning."""
        self.check(token)
        return self.v.v[token]

    @cython.cfunc
    @cython.exceptval(-1)
    def check(self, token: cython.Py_ssize_t) -> cython.int:
        if token < 0 or token >= self.k.size:
            raise IndexError(f"token {token} of {self.k.size}")
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def after(self, token: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The token behind a whole value."""
        if self.k.v[token] == 0x7B or self.k.v[token] == 0x5B:
            return self.v.v[token] + 1
        return token + 1

    def next(self, token: cython.Py_ssize_t):
        """The element behind `token` in its array, -1 if it is the last; of an array itself, see `first`."""
        self.check(token)
        token = self.after(token)
        return token if token < self.k.size and self.k.v[token] != 0x5D else -1

    def first(self, token: cython.Py_ssize_t):
        """The first element of an array; -1 if it is empty, or is no array."""
        if token < 0 or token + 1 >= self.k.size or self.k.v[token] != 0x5B or self.k.v[token + 1] == 0x5D:
            return -1
        return token + 1

    def get(self, token: cython.Py_ssize_t, name: cython.const[cython.uchar][:]):
        """The value of the member `name` of an object, the first of that name; -1 if there is none, or no object."""
        at: cython.Py_ssize_t = token + 1
        i: cython.Py_ssize_t
        length: cython.Py_ssize_t = len(name)
        if token < 0 or token >= self.k.size or self.k.v[token] != 0x7B:
            return -1
        # A document that was cut short can end with a name.
        while at + 1 < self.k.size and self.k.v[at] != 0x7D:
            if self.k.v[at] == 0x22 and self.v.v[at] == length:
                i = 0
                while i < length and self.data[self.s.v[at] + i] == name[i]:
                    i += 1
                if i == length:
                    return at + 1
            at = self.after(at + 1)
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def fail(self, what: cython.int) -> cython.int:
        with cython.gil:
            raise ValueError(
                (
                    "a value is expected",
                    "a member's name is expected",
                    "a colon is expected",
                    "a comma or the end of the list or object is expected",
                    "something follows the document",
                    "a string holds a control character",
                    "a string holds an escape that JSON does not have",
                    "a number is not as JSON writes it",
                )[what]
                + f", at byte {self.pos:,}"
            )

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def token(self, kind: cython.int, start: cython.longlong, value: cython.longlong) -> cython.int:
        self.k.push(kind)
        self.s.push(start)
        return self.v.push(value)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def string(self) -> cython.int:
        """Read the string at `pos`; 0 if it does not end."""
        at: cython.Py_ssize_t = self.pos + 1
        end: cython.Py_ssize_t = len(self.data)
        kind: cython.int = 0x22
        byte: cython.int
        i: cython.int
        while at < end:
            byte = self.data[at]
            if byte == 0x22:
                self.token(kind, self.pos + 1, at - self.pos - 1)
                self.pos = at + 1
                return 1
            if byte < 0x20:
                self.pos = at
                return self.fail(5)
            at += 1
            if byte == 0x5C:
                kind = 0x5C
                if at >= end:
                    return 0
                byte = self.data[at]
                at += 1
                if byte == 0x75:  # u and four hexadecimal digits
                    for i in range(4):
                        if at >= end:
                            return 0
                        byte = self.data[at] | 0x20
                        if not (0x30 <= self.data[at] <= 0x39 or 0x61 <= byte <= 0x66):
                            self.pos = at
                            return self.fail(6)
                        at += 1
                elif not (
                    byte == 0x22
                    or byte == 0x5C
                    or byte == 0x2F
                    or byte == 0x62
                    or byte == 0x66
                    or byte == 0x6E
                    or byte == 0x72
                    or byte == 0x74
                ):
                    self.pos = at - 1
                    return self.fail(6)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def digits(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where the digits at `at` end."""
        while at < len(self.data) and 0x30 <= self.data[at] <= 0x39:
            at += 1
        return at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def number(self) -> cython.int:
        """Read the number at `pos`; 0 if it runs into the end inside a container, where more digits may be missing."""
        end: cython.Py_ssize_t = len(self.data)
        first: cython.Py_ssize_t = self.pos
        at: cython.Py_ssize_t
        last: cython.Py_ssize_t
        i: cython.Py_ssize_t
        value: cython.longlong = 0
        is_whole: cython.int = 1
        if self.data[first] == 0x2D:
            first += 1
        at = last = self.digits(first)
        if (at == first and at < end) or (at > first + 1 and self.data[first] == 0x30):
            return self.fail(7)
        if at < end and self.data[at] == 0x2E:
            is_whole = 0
            first = at + 1
            at = last = self.digits(first)
            if at == first and at < end:
                return self.fail(7)
        if at < end and (self.data[at] | 0x20) == 0x65:
            is_whole = 0
            first = at + 1
            if first < end and (self.data[first] == 0x2B or self.data[first] == 0x2D):
                first += 1
            at = last = self.digits(first)
            if at == first and at < end:
                return self.fail(7)
        if at == end and (self.opened.size > 0 or last == first):
            return 0
        if is_whole == 0 or at - self.pos > 18:
            self.token(0x64, self.pos, at - self.pos)
        else:
            for i in range(first, at):
                value = value * 10 + (self.data[i] - 0x30)
            self.token(0x69, self.pos, -value if first > self.pos else value)
        self.pos = at
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def literal(self, word: cython.const[cython.uchar][:]) -> cython.int:
        """Read true, false or null; 0 if it is cut short."""
        i: cython.Py_ssize_t = 0
        while i < len(word):
            if self.pos + i >= len(self.data):
                return 0
            if self.data[self.pos + i] != word[i]:
                return self.fail(0)
            i += 1
        self.token(word[0], self.pos, 0)
        self.pos += i
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def close(self, kind: cython.int) -> cython.int:
        """Close the innermost container; 0 if it is of the other kind."""
        opener: cython.Py_ssize_t
        if self.opened.size == 0:
            return 0
        opener = self.opened.v[self.opened.size - 1]
        # In ASCII each closing bracket stands two after its opening one.
        if self.k.v[opener] != kind - 2:
            return 0
        self.v.v[opener] = self.k.size
        self.token(kind, self.pos, opener)
        self.opened.size -= 1
        self.pos += 1
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def scalar(self, byte: cython.int) -> cython.int:
        """Read a value that is no container; 0 if it is cut short."""
        if byte == 0x22:
            return self.string()
        if byte == 0x2D or 0x30 <= byte <= 0x39:
            return self.number()
        if byte == 0x74:
            return self.literal(self.true)
        if byte == 0x66:
            return self.literal(self.false)
        if byte == 0x6E:
            return self.literal(self.null)
        return self.fail(0)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def document(self) -> cython.int:
        """Read all tokens, up to the end or the cut."""
        end: cython.Py_ssize_t = len(self.data)
        byte: cython.int
        # What may come: 0 a value, 1 a value or ], 2 a name or }, 3 a name, 4 a colon, 5 a comma or a close, 6 nothing.
        state: cython.int = 0
        if end >= 3 and self.data[0] == 0xEF and self.data[1] == 0xBB and self.data[2] == 0xBF:
            self.pos = 3
        while True:
            while self.pos < end and (
                self.data[self.pos] == 0x20
                or self.data[self.pos] == 0x0A
                or self.data[self.pos] == 0x0D
                or self.data[self.pos] == 0x09
            ):
                self.pos += 1
            if self.pos >= end:
                self.cut = 0 if state == 6 else 1
                return 0
            byte = self.data[self.pos]
            if state == 6:
                return self.fail(4)
            if state == 5 and byte == 0x2C:
                self.pos += 1
                state = 3 if self.k.v[self.opened.v[self.opened.size - 1]] == 0x7B else 0
                continue
            if ((state == 5 or state == 2) and byte == 0x7D) or ((state == 5 or state == 1) and byte == 0x5D):
                if self.close(byte) == 0:
                    return self.fail(3)
            elif state == 5:
                return self.fail(3)
            elif state == 4:
                if byte != 0x3A:
                    return self.fail(2)
                self.pos += 1
                state = 0
                continue
            elif state == 2 or state == 3:
                if byte != 0x22:
                    return self.fail(1)
                if self.string() == 0:
                    self.cut = 1
                    return 0
                state = 4
                continue
            elif byte == 0x7B or byte == 0x5B:
                self.opened.push(self.k.size)
                self.token(byte, self.pos, 0)
                self.pos += 1
                state = 2 if byte == 0x7B else 1
                continue
            elif self.scalar(byte) == 0:
                self.cut = 1
                return 0
            state = 5 if self.opened.size > 0 else 6


def tape(data):
    """The tokens of a JSON document in UTF-8. Linear in `data`, in memory and time, whatever the depth."""
    return Tape(data)
