# cython: boundscheck=True, wraparound=False, cdivision=True, initializedcheck=False
"""The first reading of an HPROF heap: which objects there are, its roots and its classes."""

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from .growing import Column
from .hprof_addresses import Addresses
from .hprof_cursor import Cursor

COMPILED = cython.compiled


@cython.final
@cython.cclass
class _Classes:
    """Class dumps as columns."""

    classes: Column
    static: Column
    field: Column

    def __init__(self) -> None:
        self.classes = Column()
        self.static = Column()
        self.field = Column()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def keep(self, cursor: Cursor) -> cython.int:
        """Append the class dump that `step` has just gone behind."""
        n: cython.Py_ssize_t = cursor.n
        count: cython.Py_ssize_t
        kind: cython.ulonglong
        i: cython.Py_ssize_t
        pos: cython.Py_ssize_t = cursor.body
        self.classes.push(cython.cast(cython.longlong, cursor.id))
        for i in range(4):
            self.classes.push(cython.cast(cython.longlong, cursor.ident(cursor.head + 5 + n + i * n)))
        self.classes.push(cursor.u4(cursor.head + 5 + 7 * n))
        self.classes.push(self.static.size // 3)
        self.classes.push(self.field.size // 2)
        count = cursor.u2(pos)
        self.classes.push(count)
        pos += 2
        for i in range(count):
            kind = cursor.d[pos + n]
            self.static.push(cython.cast(cython.longlong, cursor.ident(pos)))
            self.static.push(cython.cast(cython.longlong, kind))
            self.static.push(cython.cast(cython.longlong, cursor.ident(pos + n + 1)) if kind == 2 else 0)
            pos += n + 1 + cursor.width(kind)
        count = cursor.u2(pos)
        self.classes.push(count)
        pos += 2
        for i in range(count):
            self.field.push(cython.cast(cython.longlong, cursor.ident(pos)))
            self.field.push(cursor.d[pos + n])
            pos += n + 1
        return 0

    @cython.cfunc
    def taken(self, root: Column, is_android: cython.bint, lost: cython.Py_ssize_t) -> object:
        return {
            "root": root.take(),
            "classes": self.classes.take(),
            "static": self.static.take(),
            "field": self.field.take(),
            "is_android": bool(is_android),
            "lost": lost,
        }


def mark(cursor: Cursor, heap, addresses: Addresses):
    """The addresses of all objects into `addresses`, and the roots and classes; None if the unit is too large.

    `heap` (`'q'`) are starts and ends. `root` has 4 numbers a root (tag, id, thread, frame), `classes` 10 a class (id,
    super, loader, signers, domain, bytes of an instance, first static and field, their numbers), `static` 3 (name,
    type, value) and `field` 2 (name, type); `is_android` if there were records that only Android writes, `lost` are
    bytes that nothing could be made of.
    """
    h: cython.longlong[::1] = heap
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    lost: cython.Py_ssize_t = 0
    fits: cython.bint = True
    is_android: cython.bint = False
    root: Column = Column()
    classes: _Classes = _Classes()
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while fits and cursor.step(end):
                if cursor.tag == 0xFE:
                    is_android = True
                elif cursor.id == 0:
                    continue
                elif cursor.is_object:
                    fits = addresses.add(cursor.id)
                elif cursor.tag == 0x20:
                    fits = addresses.add(cursor.id)
                    classes.keep(cursor)
                elif cursor.tag != 0x90:
                    # Android lists what nothing holds, too.
                    root.push(cursor.tag)
                    root.push(cython.cast(cython.longlong, cursor.id))
                    root.push(cython.cast(cython.longlong, cursor.other))
                    root.push(cursor.length)
            # Behind a sub-record that is not known nothing can be found again.
            lost += end - cursor.at
    return classes.taken(root, is_android, lost) if fits else None


def glance(cursor: Cursor, heap, addresses: Addresses):
    """The same for who only weighs types: classes and their loaders alone go into `addresses`.

    Gives what `mark` does, without roots, and the number of objects. The alignment of `addresses` is that of all.
    """
    h: cython.longlong[::1] = heap
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    at: cython.Py_ssize_t
    lost: cython.Py_ssize_t = 0
    is_android: cython.bint = False
    together: cython.ulonglong = 0
    count: cython.longlong = 0
    classes: _Classes = _Classes()
    with cython.nogil:
        for i in range(0, len(h) - 1, 2):
            cursor.at = cython.cast(cython.Py_ssize_t, h[i])
            end = cython.cast(cython.Py_ssize_t, h[i + 1])
            while cursor.step(end):
                if cursor.tag == 0xFE:
                    is_android = True
                elif cursor.id != 0 and (cursor.is_object or cursor.tag == 0x20):
                    together |= cursor.id
                    count += 1
                    if cursor.tag == 0x20:
                        at = cursor.head + 5 + 2 * cursor.n
                        addresses.add(cursor.id)
                        if cursor.ident(at):
                            addresses.add(cursor.ident(at))
                        classes.keep(cursor)
            lost += end - cursor.at
    addresses.together = together
    return classes.taken(Column(), is_android, lost), count


def sample(cursor: Cursor, start: cython.Py_ssize_t, end: cython.Py_ssize_t, most: cython.Py_ssize_t):
    """Objects, references (about), their bytes, and objects far from the one before, in `most` bytes of heap records.

    Which fields of an instance are references is not known here: half of its bytes are taken for them. Of an array
    that goes on behind, the part counts.
    """
    j: cython.Py_ssize_t
    last: cython.Py_ssize_t = min(end, start + most)
    objects: cython.longlong = 0
    references: cython.longlong = 0
    held: cython.longlong = 0
    far: cython.longlong = 0
    id: cython.ulonglong = 0
    cursor.at = start
    with cython.nogil:
        while cursor.at < last and cursor.step(end):
            if not cursor.is_object:
                continue
            objects += cursor.at <= last
            held += min(cursor.at, last) - cursor.head
            # Another page of 4 KiB.
            far += (cursor.id >> 12) != (id >> 12)
            id = cursor.id
            if cursor.tag == 0x21:
                references += (cursor.length + cursor.n) // (2 * cursor.n)
            elif cursor.tag == 0x22:
                for j in range(min(cursor.length, (last - cursor.body) // cursor.n)):
                    if cursor.ident(cursor.body + j * cursor.n) != 0:
                        references += 1
    return objects, references, held, far
