# cython: boundscheck=True, wraparound=False, cdivision=True
"""What the strings of a V8 heap snapshot are where they name something: a program's names, data, words of V8's own.

A name is the number of a string. Each string is looked at once, at its first bytes, and what it is takes a byte.
"""

from array import array
from itertools import accumulate

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

# What a string may be. `heap_shapes`, `heap_labels` and `snapshot_redaction` have those that they look for.
NAME = cython.declare(cython.int, 1)
DATA = cython.declare(cython.int, 2)
DIGITS = cython.declare(cython.int, 3)
COUNTED = cython.declare(cython.int, 4)
PAIR = cython.declare(cython.int, 5)
PROPERTIES = cython.declare(cython.int, 6)
CONSTRUCTOR = cython.declare(cython.int, 7)
PROTO = cython.declare(cython.int, 8)
TABLE_OF = cython.declare(cython.int, 9)
SCOPE = cython.declare(cython.int, 10)
SHARED = cython.declare(cython.int, 11)
SCRIPT = cython.declare(cython.int, 12)
CONTEXT = cython.declare(cython.int, 13)
SYMBOLIC = cython.declare(cython.int, 14)
SYSTEM = cython.declare(cython.int, 15)
POOL = cython.declare(cython.int, 16)
PLAIN = cython.declare(cython.int, 17)
MAP = cython.declare(cython.int, 18)
_WORDS = (
    (b"properties", PROPERTIES),
    (b"constructor", CONSTRUCTOR),
    (b"__proto__", PROTO),
    (b"table", TABLE_OF),
    (b"scope_info", SCOPE),
    (b"shared", SHARED),
    (b"script", SCRIPT),
    (b"script_or_debug_info", SCRIPT),
    (b"(constant pool)", POOL),
    (b"Object", PLAIN),
    (b"map", MAP),
)
_LONGEST_WORD = cython.declare(cython.Py_ssize_t, 20)
# A name that somebody wrote into a program is a short identifier. What is longer, or has many digits, was computed.
_LONGEST = cython.declare(cython.int, 64)
_DIGITS = cython.declare(cython.int, 4)


@cython.final
@cython.cclass
class Words:
    """The strings that begin in `data` where `strings` (`'q'`, one more than there are) says."""

    data: cython.const[cython.uchar][::1]
    start: cython.longlong[::1]
    known: cython.longlong
    """How many strings there are."""
    prefix: cython.const[cython.uchar][::1]
    context: cython.const[cython.uchar][::1]
    pair: cython.const[cython.uchar][::1]
    words: cython.const[cython.uchar][::1]
    ends: cython.int[::1]
    meant: cython.int[::1]
    """V8's own words in a row, where each ends, and what it is."""

    def __init__(self, data, strings) -> None:
        self.data = data
        self.start = strings
        self.known = len(strings) - 1
        self.pair = b" pair in WeakMap (table @"
        self.prefix = b"system / "
        self.context = b"system / Context"
        self.words = b"".join(word for word, _ in _WORDS)
        self.ends = array("i", accumulate(len(word) for word, _ in _WORDS))
        self.meant = array("i", (meaning for _, meaning in _WORDS))

    def meanings(self):
        """What each string is where it names something (`'B'`)."""
        means = array("B", [0]) * self.known
        out: cython.uchar[::1] = means
        d: cython.const[cython.uchar][::1] = self.data
        i: cython.longlong
        at: cython.longlong
        end: cython.longlong = len(d)
        with cython.nogil:
            for i in range(self.known):
                at = self.start[i]
                while at < end and 48 <= d[at] <= 57:
                    at += 1
                # Most strings are indexes.
                if self.start[i] < at < end and d[at] == 34:
                    out[i] = cython.cast(cython.uchar, DIGITS)
                else:
                    out[i] = cython.cast(cython.uchar, self.look(self.start[i], self.length(i)))
        return means

    def tables(self, means):
        """The ephemerons' names (`'I'`, ascending), and the low half of the id of each one's table (`'I'`)."""
        m: cython.const[cython.uchar][::1] = means
        i: cython.longlong
        count: cython.Py_ssize_t = 0
        for i in range(self.known):
            count += m[i] == PAIR
        names, tables = array("I", [0]) * count, array("I", [0]) * count
        n: cython.uint[::1] = names
        t: cython.uint[::1] = tables
        count = 0
        with cython.nogil:
            for i in range(self.known):
                if m[i] == PAIR:
                    n[count] = cython.cast(cython.uint, i)
                    t[count] = cython.cast(cython.uint, self.table(self.start[i], self.length(i)))
                    count += 1
        return names, tables

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def length(self, name: cython.longlong) -> cython.longlong:
        """The bytes of a string; it ends at the last quote before the next one begins."""
        begin: cython.longlong = self.start[name]
        at: cython.longlong = min(self.start[name + 1] - 2, len(self.data) - 1)
        while at > begin and self.data[at] != 34:
            at -= 1
        return max(at - begin, 0)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def look(self, begin: cython.longlong, length: cython.longlong) -> cython.int:
        d: cython.const[cython.uchar][::1] = self.data
        at: cython.longlong = 0
        c: cython.int
        if length == 0:
            return DATA
        c = d[begin]
        while at < length and 48 <= d[begin + at] <= 57:
            at += 1
        if at == length:
            return DIGITS
        if at > 0:
            # "12 / (name)" is V8's way to name a reference that has but a number.
            if at + 3 > length or d[begin + at] != 32 or d[begin + at + 1] != 47 or d[begin + at + 2] != 32:
                return DATA
            return PAIR if self.table(begin, length) >= 0 else COUNTED
        if c == 60 and length > 7 and d[begin + 1] == 115 and (d[begin + 7] == 32 or d[begin + 7] == 62):
            return SYMBOLIC
        at = self.special(begin, length)
        if at:
            return cython.cast(cython.int, at)
        if c == 40:
            return SYSTEM
        if length > 9 and self.matches(begin, self.prefix):
            # V8 adds " / scope @12" to the context of a scope.
            if length >= 16 and self.matches(begin, self.context) and (length == 16 or d[begin + 16] == 32):
                return CONTEXT
            return SYSTEM
        return NAME if length <= _LONGEST and self.is_identifier(begin, length) else DATA

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def is_identifier(self, begin: cython.longlong, length: cython.longlong) -> cython.int:
        """Whether a string looks like what somebody wrote into a program, an accessor's name ("get x") too."""
        d: cython.const[cython.uchar][::1] = self.data
        at: cython.longlong = 0
        c: cython.int = d[begin]
        digits: cython.int = 0
        if length > 4 and (c == 103 or c == 115) and d[begin + 1] == 101 and d[begin + 2] == 116 and d[begin + 3] == 32:
            at = 4
        while at < length:
            c = d[begin + at]
            if 48 <= c <= 57:
                digits += 1
            elif not (97 <= c <= 122 or 65 <= c <= 90 or c == 95 or c == 36 or c == 35 or c >= 128):
                # Letters beyond ASCII may be written as \uXXXX.
                if c != 92 or at + 5 >= length or d[begin + at + 1] != 117:
                    return 0
                at += 5
            at += 1
        return digits <= _DIGITS

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def special(self, begin: cython.longlong, length: cython.longlong) -> cython.int:
        """Which of V8's words a string is, 0 if it is none."""
        # Few strings begin like one of them, and are as short.
        c: cython.int = self.data[begin]
        word: cython.Py_ssize_t
        at: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        if length > _LONGEST_WORD or not (95 <= c <= 116 or c == 40 or c == 79):
            return 0
        for word in range(len(self.ends)):
            if self.ends[word] - at == length:
                for i in range(length):
                    if self.data[begin + i] != self.words[at + i]:
                        break
                else:
                    return self.meant[word]
            at = self.ends[word]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def matches(self, begin: cython.longlong, text: cython.const[cython.uchar][::1]) -> cython.int:
        i: cython.Py_ssize_t
        for i in range(len(text)):
            if self.data[begin + i] != text[i]:
                return 0
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def table(self, begin: cython.longlong, length: cython.longlong) -> cython.longlong:
        """The id of the table in the name of an ephemeron's edge, -1 if it is none."""
        at: cython.longlong = length - len(self.pair)
        found: cython.longlong = 0
        # The id and its bracket end the name: the words before are looked for from the end.
        while at >= 0 and length - at <= len(self.pair) + 24:
            if self.data[begin + at] == 32 and self.matches(begin + at, self.pair):
                at += len(self.pair)
                while at < length and 48 <= self.data[begin + at] <= 57 and found >> 56 == 0:
                    found = found * 10 + self.data[begin + at] - 48
                    at += 1
                return found
            at -= 1
        return -1
