# cython: boundscheck=True, wraparound=False, cdivision=True
"""The nodes, edges and locations of a V8 heap snapshot into columns: endless arrays of numbers, so many to a row.

One pass over the bytes, which may be mapped; no object for a node, and a number goes straight to the column that it
belongs to. Every function stops where the text stops making sense, and leaves what was whole before it.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

from caulk._core.columns import shortened, zeros

COMPILED = cython.compiled

#: What a row may have of fields; V8 has had 3 to 7.
MOST_FIELDS = 32
# How many rows are read before they go to their columns: few enough to stay in the nearest cache.
_ROWS = cython.declare(cython.Py_ssize_t, 256)
# A number of so many digits fits 30 bits, whatever they are.
_SMALL = cython.declare(cython.Py_ssize_t, 9)


@cython.final
@cython.cclass
class Rows:
    """One array in the text of a snapshot, whose first byte is at `position`.

    `layout` (`'i'`) is the number of fields in a row, then the place of each that is wanted, -1 where there is none.
    `kinds` (256 bytes) translates types. `state` is 0 while all is well, 1 where the text ended inside of the array and
    2 where something stands at `position` that cannot.
    """

    data: cython.const[cython.uchar][::1]
    pos: cython.Py_ssize_t
    end: cython.Py_ssize_t
    problem: cython.int
    closed: cython.int
    most: cython.longlong
    """Numbers stop growing here: no number of a heap is larger, and a damaged file must not overflow."""
    bad: cython.longlong
    top: cython.longlong
    layout: cython.int[::1]
    kinds: cython.const[cython.uchar][::1]
    numbers: cython.longlong[::1]
    """The rows at hand."""
    large: object

    def __init__(self, data, position: cython.Py_ssize_t, layout, kinds) -> None:
        self.data = data
        self.pos = position
        self.end = len(data)
        self.problem = 0
        self.closed = 0
        self.most = 100_000_000
        self.most = self.most * self.most
        self.bad = 0
        self.top = 0
        self.large = {}
        self.layout = layout
        self.kinds = kinds
        self.numbers = array("q", [0]) * (max(layout[0], 1) * _ROWS)
        self.open()

    @cython.cfunc
    def open(self) -> object:
        while self.pos < self.end and self.data[self.pos] <= 32:
            self.pos += 1
        if self.pos >= self.end:
            self.problem = 1
        elif self.data[self.pos] != 91:
            self.problem = 2
        else:
            self.pos += 1
        return None

    @cython.cfunc
    @cython.exceptval(-1)
    def expected(self, count: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Room for so many rows, as far as the bytes bound the promise, and for finding that no more follow."""
        return min(max(count, 0), (self.end - self.pos) // (2 * self.layout[0])) + 1

    @property
    def position(self):
        """The byte that is read next."""
        return self.pos

    @property
    def state(self):
        """0 while all is well, 1 where the text is cut short, 2 where it is damaged."""
        return self.problem

    @property
    def large_sizes(self):
        """Sizes of 4 GiB and more, by row."""
        return self.large

    @property
    def dangling(self):
        """How many edges lead to no node."""
        return self.bad

    @property
    def names(self):
        """One more than the largest number of a string that was seen."""
        return self.top

    def nodes(self, count: cython.Py_ssize_t):
        """The rows of `nodes`: (kind `'B'`, name `'I'`, id `'I'`, size `'I'`, edges `'I'`).

        The fields are type, name, id, self_size, edge_count and detachedness, which goes into the top two bits of the
        kind. `id` is the low half of V8's; the numbers of edges have their place one further on. `count` rows are
        expected, a promise that the remaining bytes bound.
        """
        count = self.expected(count)
        # Every number of edges has its place one further on: a sum turns them into where a node's edges begin.
        columns = (zeros("B", count), *(zeros("I", count) for _ in range(3)), zeros("I", count + 1))
        done: cython.Py_ssize_t = 0
        while True:
            done = self.node_rows(done, count, columns)
            if done < count or self.closed or self.problem:
                break
            count += count // 4 + 1024
            columns = (*(lengthened(column, count) for column in columns[:4]), lengthened(columns[4], count + 1))
        return (*(shortened(column, done) for column in columns[:4]), shortened(columns[4], done + 1))

    def more_nodes(self, columns):
        """The next nodes into `columns` (as `nodes` gives them) from their beginnings; how many, 0 at the end."""
        return 0 if self.closed or self.problem else self.node_rows(0, len(columns[0]), columns)

    @cython.cfunc
    def node_rows(self, at: cython.Py_ssize_t, limit: cython.Py_ssize_t, columns) -> object:
        l: cython.int[::1] = self.layout
        k: cython.const[cython.uchar][::1] = self.kinds
        r: cython.longlong[::1] = self.numbers
        kind: cython.uchar[::1] = columns[0]
        name: cython.uint[::1] = columns[1]
        number: cython.uint[::1] = columns[2]
        size: cython.uint[::1] = columns[3]
        edges: cython.uint[::1] = columns[4]
        width: cython.int = l[0]
        of_type: cython.int = l[1]
        of_name: cython.int = l[2]
        of_id: cython.int = l[3]
        of_size: cython.int = l[4]
        of_edges: cython.int = l[5]
        of_detached: cython.int = l[6]
        value: cython.longlong
        row: cython.Py_ssize_t
        base: cython.Py_ssize_t
        rows: cython.Py_ssize_t = 1
        with cython.nogil:
            while at < limit and rows and self.problem == 0 and self.closed == 0:
                rows = self.fill(limit - at)
                for row in range(rows):
                    base = row * width
                    value = r[base + of_type]
                    kind[at] = k[value] if value < 256 else k[255]
                    if of_detached >= 0:
                        value = r[base + of_detached]
                        if value == 1 or value == 2:
                            kind[at] |= cython.cast(cython.uchar, value << 6)
                    value = r[base + of_name]
                    name[at] = narrow(value)
                    if value >= self.top:
                        self.top = value + 1
                    if of_id >= 0:
                        number[at] = cython.cast(cython.uint, r[base + of_id])
                    value = r[base + of_size]
                    size[at] = narrow(value)
                    if size[at] == narrow(-1):
                        with cython.gil:
                            self.large[at] = value
                    edges[at + 1] = narrow(r[base + of_edges])
                    at += 1
        return at

    def edges(self, count: cython.Py_ssize_t, nodes: cython.longlong, fields: cython.longlong):
        """The rows of `edges`: (target `'i'`, what `'I'`), where `what` is the kind in the top 3 bits over the name.

        The fields are type, name_or_index and to_node; types are translated to 0 to 7. Of the kinds 1 and 4, which have
        an index for a name, the index is left out. An edge to no node of the `nodes` (whose rows have `fields` numbers)
        gets the target -1.
        """
        count = self.expected(count)
        columns = zeros("i", count), zeros("I", count)
        done: cython.Py_ssize_t = 0
        while True:
            done = self.edge_rows(done, count, columns, nodes, fields)
            if done < count or self.closed or self.problem:
                break
            count += count // 4 + 1024
            columns = lengthened(columns[0], count), lengthened(columns[1], count)
        return shortened(columns[0], done), shortened(columns[1], done)

    @cython.cfunc
    def edge_rows(
        self,
        at: cython.Py_ssize_t,
        limit: cython.Py_ssize_t,
        columns,
        nodes: cython.longlong,
        fields: cython.longlong,
    ) -> object:
        l: cython.int[::1] = self.layout
        is_usual: cython.bint = l[0] == 3 and l[1] == 0 and l[2] == 1 and l[3] == 2 and 2 <= fields <= MOST_FIELDS
        before: cython.Py_ssize_t = -1
        while at < limit and before < at and self.problem == 0 and self.closed == 0:
            if is_usual:
                at = self.usual_edges(at, limit, columns, nodes, fields)
            before = at
            at = self.other_edges(at, limit, columns, nodes, fields)
        return at

    @cython.cfunc
    @cython.boundscheck(False)
    def usual_edges(
        self,
        at: cython.Py_ssize_t,
        limit: cython.Py_ssize_t,
        columns,
        nodes: cython.longlong,
        fields: cython.longlong,
    ) -> object:
        """Read edges as V8 writes them, up to the first that is written in some other way.

        Such a row is a digit, a comma, a name, a comma and a node, of at most nine digits, and ends before `safe` does;
        `at` is below `limit`, the columns' length. So nothing need be checked twice: this loop is what reading costs,
        and each field has branches of its own because the processor foresees those.
        """
        d: cython.const[cython.uchar][::1] = self.data
        k: cython.const[cython.uchar][::1] = self.kinds
        target: cython.int[::1] = columns[0]
        what: cython.uint[::1] = columns[1]
        safe: cython.Py_ssize_t = self.end - 2 * (_SMALL + 2)
        pos: cython.Py_ssize_t = self.pos
        top: cython.longlong = self.top
        # A number below 2**30 is divided by what is at most 32 by a product and a shift, exactly.
        one: cython.ulonglong = 1
        factor: cython.ulonglong = (one << 35) // cython.cast(cython.ulonglong, fields) + 1
        stop: cython.Py_ssize_t
        name: cython.longlong
        value: cython.longlong
        node: cython.longlong
        kind: cython.uint
        c: cython.int
        limit = min(limit, len(target), len(what))
        with cython.nogil:
            while at < limit:
                while pos < safe:
                    c = d[pos]
                    if c > 44 or (c != 44 and c != 10 and c != 32 and c != 13 and c != 9):
                        break
                    pos += 1
                if pos >= safe or d[pos + 1] != 44 or d[pos] < 48 or d[pos] > 57:
                    break
                kind = k[d[pos] - 48]
                pos += 2
                stop = pos + _SMALL
                name = 0
                c = d[pos] - 48
                while 0 <= c <= 9 and pos < stop:
                    name = name * 10 + c
                    pos += 1
                    c = d[pos] - 48
                if d[pos] != 44 or pos + _SMALL == stop:
                    break
                pos += 1
                stop = pos + _SMALL
                value = 0
                c = d[pos] - 48
                while 0 <= c <= 9 and pos < stop:
                    value = value * 10 + c
                    pos += 1
                    c = d[pos] - 48
                if pos == stop or pos + _SMALL == stop:
                    break
                if kind == 1 or kind == 4 or name > 0x1FFFFFFF:
                    name = 0
                elif name >= top:
                    top = name + 1
                what[at] = kind << 29 | cython.cast(cython.uint, name)
                node = cython.cast(cython.longlong, cython.cast(cython.ulonglong, value) * factor >> 35)
                if node >= nodes or node * fields != value:
                    self.bad += 1
                    node = -1
                target[at] = cython.cast(cython.int, node)
                at += 1
                self.pos = pos
        self.top = top
        return at

    @cython.cfunc
    def other_edges(
        self,
        at: cython.Py_ssize_t,
        limit: cython.Py_ssize_t,
        columns,
        nodes: cython.longlong,
        fields: cython.longlong,
    ) -> object:
        """Read the next edges in whatever way they are written."""
        l: cython.int[::1] = self.layout
        k: cython.const[cython.uchar][::1] = self.kinds
        r: cython.longlong[::1] = self.numbers
        target: cython.int[::1] = columns[0]
        what: cython.uint[::1] = columns[1]
        width: cython.int = l[0]
        of_type: cython.int = l[1]
        of_name: cython.int = l[2]
        of_node: cython.int = l[3]
        kind: cython.uint
        value: cython.longlong
        node: cython.longlong
        row: cython.Py_ssize_t
        base: cython.Py_ssize_t
        with cython.nogil:
            for row in range(self.fill(limit - at)):
                base = row * width
                value = r[base + of_type]
                kind = k[value] if value < 256 else k[255]
                value = r[base + of_name]
                if kind == 1 or kind == 4 or value > 0x1FFFFFFF:
                    value = 0
                elif value >= self.top:
                    self.top = value + 1
                what[at] = kind << 29 | cython.cast(cython.uint, value)
                node = r[base + of_node] // fields
                if node >= nodes or node * fields != r[base + of_node]:
                    self.bad += 1
                    node = -1
                target[at] = cython.cast(cython.int, node)
                at += 1
        return at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def fill(self, rows: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Read the next rows of an array into `numbers`, at most as many as fit there; how many were whole."""
        width: cython.Py_ssize_t = self.layout[0]
        room: cython.Py_ssize_t = min(len(self.numbers), rows * width)
        at: cython.Py_ssize_t = 0
        row: cython.Py_ssize_t
        while at < room:
            at = self.plain(at, room)
            for row in range(at, min(at + width, room)):
                self.numbers[row] = self.value(row == at)
                if self.numbers[row] < 0:
                    return at // width
                at += 1
        return at // width

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    @cython.boundscheck(False)
    def plain(self, at: cython.Py_ssize_t, room: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Read rows that are written as V8 does: of numbers of up to nine digits with only commas between them.

        Such a row ends before `safe` does, and `at` counts up to `room`, so nothing need be checked twice: this loop is
        what reading costs.
        """
        d: cython.const[cython.uchar][::1] = self.data
        r: cython.longlong[::1] = self.numbers
        width: cython.Py_ssize_t = self.layout[0]
        safe: cython.Py_ssize_t = self.end - (_SMALL + 1) * width
        pos: cython.Py_ssize_t = self.pos
        begin: cython.Py_ssize_t
        field: cython.Py_ssize_t = width
        read: cython.longlong
        c: cython.int
        while at < room and field == width:
            while pos < safe:
                c = d[pos]
                if c > 44 or (c != 44 and c != 10 and c != 32 and c != 13 and c != 9):
                    break
                pos += 1
            if pos >= safe:
                break
            begin = pos
            field = 0
            # A row begins with a type, which seldom has two digits: a branch of its own is a branch foreseen.
            if d[pos + 1] == 44 and 48 <= d[pos] <= 57 and width > 1:
                r[at] = d[pos] - 48
                field = 1
                pos += 2
            while field < width:
                read = small(d, pos)
                if read == 0:
                    break
                pos += read & 15
                r[at + field] = read >> 4
                field += 1
                if d[pos] != 44:
                    break
                pos += 1
            if field == width:
                at += width
            else:
                pos = begin
        self.pos = pos
        return at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def value(self, may_end: cython.bint) -> cython.longlong:
        """The next number of an array, after any white space; -1 where the array ends or the text does not go on."""
        pos: cython.Py_ssize_t = self.pos
        end: cython.Py_ssize_t = self.end
        c: cython.int = 0
        value: cython.longlong
        while pos < end:
            c = self.data[pos]
            if c != 44 and c != 10 and c != 32 and c != 13 and c != 9:
                break
            pos += 1
        self.pos = pos
        if pos >= end:
            self.problem = 1
            return -1
        if c < 48 or c > 57:
            if c == 93 and may_end:
                self.closed = 1
                self.pos += 1
            else:
                self.problem = 2
            return -1
        value = 0
        while pos < end:
            c = self.data[pos] - 48
            if c < 0 or c > 9:
                break
            if value < self.most:
                value = value * 10 + c
            pos += 1
        self.pos = pos
        # The last number of a text that was cut may be cut too.
        if pos >= end:
            self.problem = 1
            return -1
        return value

    def locations(self, nodes, fields: cython.longlong):
        """Where nodes of those `kinds` are from that are not 0: columns (`'i'`) node, line, column (from 0) and script.

        They are in the order of the text. The fields are object_index, line, column and script_id, of which the last
        two may be missing; `nodes` is the kind of every node, and `fields` how many numbers a node has.
        """
        l: cython.int[::1] = self.layout
        k: cython.const[cython.uchar][::1] = nodes
        is_wanted: cython.const[cython.uchar][::1] = self.kinds
        width: cython.int = l[0]
        count: cython.Py_ssize_t = 0
        node: cython.longlong
        r: cython.longlong[::1] = self.numbers
        row: cython.Py_ssize_t
        base: cython.Py_ssize_t
        rows: cython.Py_ssize_t = 1
        for node in range(len(k)):
            count += is_wanted[k[node] & 31]
        found = [array("i", [0]) * max(count, 1) for _ in range(4)]
        w: cython.int[::1] = found[0]
        n: cython.int[::1] = found[1]
        c: cython.int[::1] = found[2]
        s: cython.int[::1] = found[3]
        at: cython.Py_ssize_t = 0
        with cython.nogil:
            while rows and self.problem == 0 and self.closed == 0:
                rows = self.fill(_ROWS)
                for row in range(rows):
                    base = row * width
                    node = r[base + l[1]] // fields
                    if node < len(k) and is_wanted[k[node] & 31] != 0 and r[base + l[2]] < 0x7FFFFFFF and at < count:
                        w[at] = cython.cast(cython.int, node)
                        n[at] = cython.cast(cython.int, r[base + l[2]])
                        c[at] = cython.cast(cython.int, narrow(r[base + l[3]]) & 0x7FFFFFFF) if l[3] >= 0 else 0
                        s[at] = cython.cast(cython.int, narrow(r[base + l[4]]) & 0x7FFFFFFF) if l[4] >= 0 else 0
                        at += 1
        del w, n, c, s
        for each in found:
            del each[at:]
        return found[0], found[1], found[2], found[3]


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
@cython.boundscheck(False)
def small(d: cython.const[cython.uchar][::1], at: cython.Py_ssize_t) -> cython.longlong:
    """The number at a byte, times 16, plus how many digits it has; 0 if it has none, or more than nine."""
    value: cython.longlong = d[at] - 48
    c: cython.int
    if not 0 <= value <= 9:
        return 0
    c = d[at + 1] - 48
    if not 0 <= c <= 9:
        return value << 4 | 1
    value = value * 10 + c
    c = d[at + 2] - 48
    if not 0 <= c <= 9:
        return value << 4 | 2
    value = value * 10 + c
    c = d[at + 3] - 48
    if not 0 <= c <= 9:
        return value << 4 | 3
    value = value * 10 + c
    c = d[at + 4] - 48
    if not 0 <= c <= 9:
        return value << 4 | 4
    value = value * 10 + c
    c = d[at + 5] - 48
    if not 0 <= c <= 9:
        return value << 4 | 5
    value = value * 10 + c
    c = d[at + 6] - 48
    if not 0 <= c <= 9:
        return value << 4 | 6
    value = value * 10 + c
    c = d[at + 7] - 48
    if not 0 <= c <= 9:
        return value << 4 | 7
    value = value * 10 + c
    c = d[at + 8] - 48
    if not 0 <= c <= 9:
        return value << 4 | 8
    value = value * 10 + c
    return 0 if 48 <= d[at + 9] <= 57 else value << 4 | 9


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def narrow(value: cython.longlong) -> cython.uint:
    """What fits 32 bits, the largest of them in place of what does not."""
    if value < 0 or value >> 32:
        return cython.cast(cython.uint, -1)
    return cython.cast(cython.uint, value)


def lengthened(column, length):
    """A copy of a column with zeros behind."""
    longer = zeros(memoryview(column).format, length)
    memoryview(longer)[: len(column)] = memoryview(column)
    return longer


def begin(edges, total: cython.longlong):
    """Turn numbers of edges, one place further on, into where each node's edges begin; the edges that nodes claim.

    No node's edges go beyond `total`, the edges that there are.
    """
    e: cython.uint[::1] = edges
    claimed: cython.longlong = 0
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(1, len(e)):
            claimed += e[i]
            e[i] = cython.cast(cython.uint, claimed if claimed < total else total)
    return claimed
