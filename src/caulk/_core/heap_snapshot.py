# cython: boundscheck=True, wraparound=False, cdivision=True
"""The text of a V8 heap snapshot: JSON with a few endless arrays of numbers (`heap_rows`), and one of strings.

One pass over the bytes, which may be mapped. Every function stops where the text stops making sense, and leaves what
was whole before it.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Scanner:
    """A cursor over the text of a snapshot.

    `position` is the byte that comes next, `is_cut` whether the text ended inside of something, `is_damaged` whether
    something stood there that cannot be.
    """

    data: cython.const[cython.uchar][::1]
    pos: cython.Py_ssize_t
    end: cython.Py_ssize_t
    state: cython.int
    """0 reading, 1 cut, 2 damaged."""
    closed: cython.int

    def __init__(self, data) -> None:
        self.data = data
        self.pos = 0
        self.end = len(data)
        self.state = 0
        self.closed = 0

    @property
    def position(self):
        """The byte that is read next."""
        return self.pos

    @property
    def is_cut(self):
        """Whether the text ends inside of something."""
        return self.state == 1

    @property
    def is_damaged(self):
        """Whether a byte stands at `position` that cannot stand there."""
        return self.state == 2

    def seek(self, position: cython.Py_ssize_t, state: cython.int = 0):
        """Go on at a byte, which was passed before or is where `heap_rows` stopped in some state."""
        self.pos = min(max(position, 0), self.end)
        self.state = state

    def enter(self):
        """Step into the object that the text is; False if it is none."""
        if self.end >= 3 and self.data[0] == 0xEF and self.data[1] == 0xBB and self.data[2] == 0xBF:
            self.pos = 3
        if self.space() != 123:
            self.state = 1 if self.pos >= self.end else 2
            return False
        self.pos += 1
        return True

    def key(self):
        """The next member's name, its value next; None where the object or the text ends."""
        c: cython.int = self.space()
        start: cython.Py_ssize_t
        if c == 44:
            self.pos += 1
            c = self.space()
        if c == 125:
            self.pos += 1
            return None
        if c != 34:
            self.state = 1 if c < 0 else 2
            return None
        start = self.pos + 1
        self.pos = start
        while self.pos < self.end and self.data[self.pos] != 34 and self.pos - start < 256:
            self.pos += 1
        name = bytes(self.data[start : self.pos])
        if self.pos < self.end and self.data[self.pos] == 34:
            self.pos += 1
        c = self.space()
        if c != 58:
            self.state = 1 if c < 0 else 2
            return None
        self.pos += 1
        self.space()
        return name

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def space(self) -> cython.int:
        """Pass white space; the byte after it, -1 at the end."""
        while self.pos < self.end:
            if self.data[self.pos] > 32:
                return self.data[self.pos]
            self.pos += 1
        return -1

    def skip(self):
        """Pass the value that comes next, whatever it is; False if it does not end."""
        with cython.nogil:
            self.passed()
        return self.state == 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def passed(self) -> cython.int:
        depth: cython.Py_ssize_t = 0
        pos: cython.Py_ssize_t = self.pos
        end: cython.Py_ssize_t = self.end
        c: cython.int
        d: cython.int
        while pos < end:
            c = self.data[pos]
            if c == 34:
                pos += 1
                while pos < end:
                    d = self.data[pos]
                    if d == 34:
                        break
                    pos += 2 if d == 92 else 1
                if pos >= end:
                    break
            elif c == 91 or c == 123:
                depth += 1
            elif c == 93 or c == 125:
                # A number or a word ends before its container does, which is the caller's.
                if depth == 0:
                    self.pos = pos
                    return 0
                depth -= 1
            elif c == 44 and depth == 0:
                self.pos = pos
                return 0
            pos += 1
            if depth == 0 and (c == 34 or c == 93 or c == 125):
                self.pos = pos
                return 0
        self.pos = end
        self.state = 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def opened(self) -> cython.int:
        """Step into an array."""
        self.closed = 0
        if self.space() != 91:
            self.state = 1 if self.pos >= self.end else 2
            return 0
        self.pos += 1
        return 1

    def begin_strings(self):
        """Step into an array whose strings are then read in pieces, by `more_strings`; False if it is none."""
        return bool(self.opened())

    def more_strings(self, starts):
        """Where the next strings begin, as `strings` has it, from the beginning of `starts`; how many, 0 at the end."""
        return 0 if self.closed or self.state else self.string_rows(starts, 0, len(starts) - 1)

    def strings(self, count: cython.Py_ssize_t):
        """Where each string of an array begins (`'q'`), and last where the one after would begin.

        A string's bytes are between its own begin and the last quote before the next begin. Of a text that was cut, the
        strings that are whole.
        """
        # One more, so that the end is seen when all that were expected have been read.
        count = min(max(count, 0), (self.end - self.pos) // 3) + 1
        start = array("q", [0]) * (count + 1)
        done: cython.Py_ssize_t = 0
        if self.opened():
            while True:
                done = self.string_rows(start, done, count)
                if done < count or self.closed or self.state:
                    break
                more: cython.Py_ssize_t = count // 4 + 1024
                start.extend(array("q", [0]) * more)
                count += more
        del start[done + 1 :]
        return start

    @cython.cfunc
    def string_rows(self, starts, at: cython.Py_ssize_t, limit: cython.Py_ssize_t) -> object:
        start: cython.longlong[::1] = starts
        d: cython.const[cython.uchar][::1] = self.data
        pos: cython.Py_ssize_t = self.pos
        end: cython.Py_ssize_t = self.end
        c: cython.int = 0
        with cython.nogil:
            while at < limit:
                while pos < end:
                    c = d[pos]
                    if c != 44 and c != 10 and c != 32 and c != 13 and c != 9:
                        break
                    pos += 1
                if pos >= end:
                    self.state = 1
                    break
                if c != 34:
                    if c == 93:
                        self.closed = 1
                        pos += 1
                    else:
                        self.state = 2
                    break
                pos += 1
                start[at] = pos
                while pos < end:
                    c = d[pos]
                    if c == 34:
                        break
                    pos += 2 if c == 92 else 1
                if pos >= end:
                    pos = end
                    self.state = 1
                    break
                pos += 1
                at += 1
                start[at] = pos + 1
        self.pos = pos
        return at
