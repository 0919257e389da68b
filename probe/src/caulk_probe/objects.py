"""How many objects of a few types are reachable: a walk that takes minutes, a few milliseconds at a time.

`gc.get_objects()` is one call that holds the interpreter's lock for as long as there are objects (a tenth of a second
for a million), and knows no `str`. This walk goes from the modules, then from the variables of running frames, by
`gc.get_referents`, and marks what it has seen: a bit for each 16 bytes, an address apart (a heap of 1 GiB takes 8 MiB).
The program runs on meanwhile, so the counts are those of nobody's moment.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import deque
from itertools import islice
from types import FunctionType, MethodType

#: The types that are counted, by the label of each.
TYPES = {"dict": dict, "list": list, "tuple": tuple, "str": str, "function": FunctionType, "method": MethodType}
_PIECE = 250
#: So many objects are looked into between two looks at the clock.
_AT_ONCE = 8
_ROWS = (list, tuple, set, frozenset, deque)
# By address: a class may have a class of its own that hashes and compares it.
_LEAVES = frozenset(map(id, (int, float, complex, bool, bytes, bytearray, type(None), type(...))))
_STR = id(str)
_mro = type.__dict__["__mro__"].__get__


class Walk:
    """One walk; call `step` until it says that it is done, then read `counts`, by type."""

    def __init__(self):
        self.counts = {id(kind): 0 for kind in TYPES.values()}
        self.seen = {}
        self.rows = {}
        self.stack = []
        self.modules = [each for each in list(sys.modules.values()) if each is not None]
        self.is_at_frames = False

    def step(self, seconds):
        """Works for so long, in CPU time; True when nothing is left."""
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            if self.stack:
                self.pop()
            elif self.modules:
                self.visit([self.modules.pop()])
            elif not self.is_at_frames:
                # Only now: what requests alone hold is little, and is let go of in the same step.
                self.is_at_frames = True
                self.visit(_variables())
            else:
                return True
        return False

    def labelled(self):
        """The counts by the names of the types."""
        return {name: self.counts[id(kind)] for name, kind in TYPES.items()}

    def visit(self, found):
        """Counts what was not seen before, and puts what may refer to more on the stack."""
        seen, counts, stack = self.seen, self.counts, self.stack
        for one in found:
            kind = id(type(one))
            if kind in _LEAVES:
                continue
            at = id(one) >> 4
            page = seen.get(at >> 16)
            if page is None:
                page = seen[at >> 16] = bytearray(8192)
            byte, bit = at >> 3 & 8191, 1 << (at & 7)
            if page[byte] & bit:
                continue
            page[byte] |= bit
            if kind in counts:
                counts[kind] += 1
            if kind != _STR:
                stack.append(one)

    def pop(self):
        """The next objects, or the next piece of a large one."""
        small = []
        while self.stack and len(small) < _AT_ONCE:
            one = self.stack.pop()
            kind = type(one)
            if kind is _Pieces:
                one.go_on(self)
                break
            row = self.rows.get(id(kind))
            if row is None:
                # By its real bases: `isinstance` asks `__class__`, which may be anything, and run anything. A type that
                # nobody has used yet has none (Python 3.9).
                row = self.rows[id(kind)] = next(filter(_is_row, _mro(kind) or ()), object)
            if row is not object and row.__len__(one) > _PIECE:
                _Pieces(one, row).go_on(self)
                break
            small.append(one)
        if small:
            self.visit(gc.get_referents(*small))


def _is_row(kind):
    """Whether this very type is one that may be large."""
    return any(kind is each for each in (dict, *_ROWS))


class _Pieces:
    """A large container of the type `row`, piece by piece."""

    __slots__ = ("before", "done", "iterators", "size")

    def __init__(self, one, row):
        self.size, self.done, self.before = row.__len__(one), 0, None
        # Not `items`: so many new tuples would have the collector run, in this step.
        self.iterators = (iter(dict.keys(one)), iter(dict.values(one))) if row is dict else (row.__iter__(one),)

    def go_on(self, walk):
        """Visits the next piece, and waits for its turn below what that piece refers to."""
        if self.before is None:
            self.before = dict(walk.counts)
        try:
            found = [each for iterator in self.iterators for each in islice(iterator, _PIECE)]
        except RuntimeError:  # the program has changed it: the rest is taken to be as what was seen
            rest = max(0, self.size - self.done)
            for kind, before in self.before.items():
                walk.counts[kind] += (walk.counts[kind] - before) * rest // max(1, self.done)
            return
        if found:
            self.done += len(found) // len(self.iterators)
            walk.stack.append(self)
            walk.visit(found)


def _variables():
    """What the frames that run now hold, but for this module's own."""
    found = []
    for frame in list(sys._current_frames().values()):
        while frame is not None:
            if frame.f_globals is not globals():
                found.extend(_locals(frame))
            frame = frame.f_back
    return found


def _locals(frame):
    """The values of a frame's variables, and nothing left behind."""
    if not frame.f_code.co_flags & 1:  # the body of a module or class: its variables are a dict that others hold
        return []
    try:
        seen = frame.f_locals
    except Exception:  # a frame that is just being made
        return []
    found = list(seen.values())
    # Before 3.13 this is a copy that stays with the frame and keeps old values alive; 3 is frame, `seen`, argument.
    if type(seen) is dict and sys.getrefcount(seen) <= 3:
        seen.clear()
    return found
