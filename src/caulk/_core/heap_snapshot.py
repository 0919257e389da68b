# cython: boundscheck=True, wraparound=False, cdivision=True
"""The text of a V8 heap snapshot into columns: its JSON is a few endless arrays of numbers, and one of strings.

One pass over the bytes, which may be mapped; no object for a node, and a number goes straight to the column that it
belongs to. Every function stops where the text stops making sense, and leaves what was whole before it.
"""

from array import array

try:
    import cython
except ImportError:
    from caulk._core import uncompiled as cython

COMPILED = cython.compiled

#: What a row of nodes or edges may have of fields; V8 has had 5 to 7.
MOST_FIELDS = 32
# How many rows are read before they go to their columns: few enough to stay in the nearest cache.
_ROWS = cython.declare(cython.Py_ssize_t, 256)
_SMALL = cython.declare(cython.Py_ssize_t, 9)


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
    most: cython.longlong
    """Numbers stop growing here: no number of a heap is larger, and a damaged file must not overflow."""
    bad: cython.longlong
    top: cython.longlong
    layout: cython.int[::1]
    kinds: cython.const[cython.uchar][::1]
    numbers: cython.longlong[::1]
    """The section that is read: what its rows look like, what its types become, and the rows at hand."""
    large: object
    """The sizes that do not fit 32 bits, by row."""

    def __init__(self, data) -> None:
        self.data = data
        self.pos = 0
        self.end = len(data)
        self.state = 0
        self.closed = 0
        self.most = 100_000_000
        self.most = self.most * self.most
        self.bad = 0
        self.top = 0
        self.large = {}
        self.expect(array("i", [1]), b"")

    @cython.cfunc
    def expect(self, layout, kinds) -> object:
        self.layout = layout
        self.kinds = kinds
        self.numbers = array("q", [0]) * (max(layout[0], 1) * _ROWS)
        return None

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

    def seek(self, position: cython.Py_ssize_t):
        """Go on at a byte that was passed before."""
        self.pos = min(max(position, 0), self.end)
        self.state = 0

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

    def nodes(self, layout, kinds, count: cython.Py_ssize_t, with_trace):
        """The rows of `nodes`: (kind `'B'`, name `'I'`, id `'I'`, size `'I'`, edges `'I'`, trace `'I'`).

        `layout` (`'i'`) is the number of fields in a row, then the places of type, name, id, self_size, edge_count,
        trace_node_id and detachedness, -1 where there is none. `kinds` (256 bytes) translates types; detachedness goes
        into the top two bits of the kind. `id` is the low half of V8's. `count` rows are expected, a promise that the
        remaining bytes bound.
        """
        width: cython.Py_ssize_t = layout[0]
        count = max(min(count, (self.end - self.pos) // (2 * width) + 1), 1)
        kind, name, number, size = array("B", [0]) * count, array("I", [0]) * count, array("I", [0]), array("I", [0])
        number *= count
        size *= count
        # Every number of edges has its place one further on: a sum turns them into where a node's edges begin.
        edges = array("I", [0]) * (count + 1)
        trace = array("I", [0]) * (count if with_trace else 1)
        done: cython.Py_ssize_t = 0
        self.expect(layout, kinds)
        if self.opened():
            while True:
                done = self.node_rows(done, count, (kind, name, number, size, edges, trace))
                if done < count or self.closed or self.state:
                    break
                more: cython.Py_ssize_t = count // 4 + 1024
                for column in (kind, name, number, size, edges, trace)[: 6 if with_trace else 5]:
                    column.extend(array(column.typecode, [0]) * more)
                count += more
        for column in (kind, name, number, size, trace):
            del column[done:]
        del edges[done + 1 :]
        return kind, name, number, size, edges, trace

    def begin_rows(self, layout, kinds):
        """Step into an array whose rows are then read in pieces, by `more_nodes` or `more_strings`; False if none."""
        self.expect(layout, kinds)
        return bool(self.opened())

    def more_nodes(self, columns):
        """The next nodes into `columns` (as `nodes` gives them) from their beginnings; how many, 0 at the end."""
        return 0 if self.closed or self.state else self.node_rows(0, len(columns[0]), columns)

    def more_strings(self, starts):
        """Where the next strings begin, as `strings` has it, from the beginning of `starts`; how many, 0 at the end."""
        return 0 if self.closed or self.state else self.string_rows(starts, 0, len(starts) - 1)

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
        trace: cython.uint[::1] = columns[5]
        width: cython.int = l[0]
        of_type: cython.int = l[1]
        of_name: cython.int = l[2]
        of_id: cython.int = l[3]
        of_size: cython.int = l[4]
        of_edges: cython.int = l[5]
        of_trace: cython.int = l[6] if len(trace) > 1 else -1
        of_detached: cython.int = l[7]
        value: cython.longlong
        row: cython.Py_ssize_t
        base: cython.Py_ssize_t
        rows: cython.Py_ssize_t = 1
        with cython.nogil:
            while at < limit and rows and self.state == 0 and self.closed == 0:
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
                    if of_trace >= 0:
                        trace[at] = narrow(r[base + of_trace])
                    at += 1
        return at

    def edges(self, layout, kinds, count: cython.Py_ssize_t, nodes: cython.longlong, fields: cython.longlong):
        """The rows of `edges`: (target `'i'`, what `'I'`), where `what` is the kind in the top 3 bits over the name.

        `layout` is the number of fields in a row, then the places of type, name_or_index and to_node. `kinds` (256
        bytes) translates types to 0 to 7; of the kinds 1 and 4, which have an index for a name, the index is left out.
        An edge to no node of the `nodes` (whose rows have `fields` numbers) gets the target -1.
        """
        width: cython.Py_ssize_t = layout[0]
        count = max(min(count, (self.end - self.pos) // (2 * width) + 1), 1)
        target, what = array("i", [0]) * count, array("I", [0]) * count
        done: cython.Py_ssize_t = 0
        self.expect(layout, kinds)
        if self.opened():
            while True:
                done = self.edge_rows(done, count, (target, what), nodes, fields)
                if done < count or self.closed or self.state:
                    break
                more: cython.Py_ssize_t = count // 4 + 1024
                target.extend(array("i", [0]) * more)
                what.extend(array("I", [0]) * more)
                count += more
        del target[done:]
        del what[done:]
        return target, what

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
        while at < limit and before < at and self.state == 0 and self.closed == 0:
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
            self.state = 1
            return -1
        if c < 48 or c > 57:
            if c == 93 and may_end:
                self.closed = 1
                self.pos += 1
            else:
                self.state = 2
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
            self.state = 1
            return -1
        return value

    def strings(self, count: cython.Py_ssize_t):
        """Where each string of an array begins (`'q'`), and last where the one after would begin.

        A string's bytes are between its own begin and the last quote before the next begin. Of a text that was cut, the
        strings that are whole.
        """
        count = max(min(count, (self.end - self.pos) // 3 + 1), 1)
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

    def locations(self, layout, kinds, wanted, fields: cython.longlong):
        """Where nodes of the `wanted` kinds are from: columns (`'i'`) node, line, column (from 0) and script.

        They are in the order of the text. `layout` is the number of fields in a row, then the places of object_index,
        line, column and script_id, -1 for the last two where there is none; `kinds` is the kind of every node, and
        `fields` how many numbers a node has.
        """
        is_wanted: cython.uchar[::1] = bytearray(32)
        for kind in wanted:
            is_wanted[kind] = 1
        l: cython.int[::1] = layout
        k: cython.const[cython.uchar][::1] = kinds
        width: cython.int = l[0]
        count: cython.Py_ssize_t = 0
        nodes: cython.longlong = len(k)
        node: cython.longlong
        self.expect(layout, b"")
        r: cython.longlong[::1] = self.numbers
        row: cython.Py_ssize_t
        base: cython.Py_ssize_t
        rows: cython.Py_ssize_t = 1
        for node in range(nodes):
            count += is_wanted[k[node] & 31]
        found = [array("i", [0]) * max(count, 1) for _ in range(4)]
        w: cython.int[::1] = found[0]
        n: cython.int[::1] = found[1]
        c: cython.int[::1] = found[2]
        s: cython.int[::1] = found[3]
        at: cython.Py_ssize_t = 0
        if self.opened():
            with cython.nogil:
                while rows and self.state == 0 and self.closed == 0:
                    rows = self.fill(_ROWS)
                    for row in range(rows):
                        base = row * width
                        node = r[base + l[1]] // fields
                        if node < nodes and is_wanted[k[node] & 31] != 0 and r[base + l[2]] < 0x7FFFFFFF and at < count:
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
    value: cython.uint = cython.cast(cython.uint, d[at]) - 48
    c: cython.uint
    if value > 9:
        return 0
    c = cython.cast(cython.uint, d[at + 1]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 1
    value = value * 10 + c
    c = cython.cast(cython.uint, d[at + 2]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 2
    value = value * 10 + c
    c = cython.cast(cython.uint, d[at + 3]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 3
    value = value * 10 + c
    c = cython.cast(cython.uint, d[at + 4]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 4
    value = value * 10 + c
    c = cython.cast(cython.uint, d[at + 5]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 5
    value = value * 10 + c
    c = cython.cast(cython.uint, d[at + 6]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 6
    value = value * 10 + c
    c = cython.cast(cython.uint, d[at + 7]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 7
    value = value * 10 + c
    c = cython.cast(cython.uint, d[at + 8]) - 48
    if c > 9:
        return cython.cast(cython.longlong, value) << 4 | 8
    value = value * 10 + c
    return 0 if cython.cast(cython.uint, d[at + 9]) - 48 <= 9 else cython.cast(cython.longlong, value) << 4 | 9


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def narrow(value: cython.longlong) -> cython.uint:
    """What fits 32 bits, the largest of them in place of what does not."""
    if value < 0 or value >> 32:
        return cython.cast(cython.uint, -1)
    return cython.cast(cython.uint, value)


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
