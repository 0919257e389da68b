"""The sections of a snapshot's text, as columns: in any order, of any layout, and cut anywhere."""

from array import array
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from mmap import mmap

import msgspec

from caulk._core.heap_rows import MOST_FIELDS, Rows, begin
from caulk._core.heap_snapshot import Scanner
from caulk.model.column import Column, Ints
from caulk.model.decoding import decoded
from caulk.model.errors import MalformedDump

#: V8's words for kinds of nodes and edges; their places here are the kernels' numbers.
NODES = (
    "hidden", "array", "string", "object", "code", "closure", "regexp", "number", "native", "synthetic",
    "concatenated string", "sliced string", "symbol", "bigint", "object shape", "wasm object",
)  # fmt: skip
EDGES = ("context", "element", "property", "internal", "hidden", "shortcut", "weak")
_EDGE = ("type", "name_or_index", "to_node")
_OTHER_NODE, _OTHER_EDGE = 16, 4
#: The description is a kilobyte or two.
_MOST_META = 1 << 20
_MOST = (1 << 31) - 2


class Meta(msgspec.Struct):
    """What the numbers of a row mean."""

    node_fields: list[str]
    node_types: list[list[str] | str]
    edge_fields: list[str]
    edge_types: list[list[str] | str]
    location_fields: list[str] = []


class Header(msgspec.Struct):
    """The section `snapshot`."""

    meta: Meta
    node_count: int = 0
    edge_count: int = 0
    root_index: int = 0
    extra_native_bytes: int = 0
    redacted: bool = False


@dataclass
class Snapshot:
    """The columns of a snapshot, as far as it goes: by node, by edge (`target`, `what`), by string (`strings`)."""

    kind: Column = field(default_factory=lambda: array("B"))
    name: Column = field(default_factory=lambda: array("I"))
    number: Column = field(default_factory=lambda: array("I"))
    size: Column = field(default_factory=lambda: array("I"))
    first: Column = field(default_factory=lambda: array("I", [0]))
    target: Column = field(default_factory=lambda: array("i"))
    what: Column = field(default_factory=lambda: array("I"))
    strings: Ints = field(default_factory=lambda: array("q", [0]))
    located: Ints = field(default_factory=lambda: array("i"))
    line: Ints = field(default_factory=lambda: array("i"))
    column: Ints = field(default_factory=lambda: array("i"))
    script: Ints = field(default_factory=lambda: array("i"))
    memory: dict[str, int] = field(default_factory=dict)
    large: dict[int, int] = field(default_factory=dict)
    claimed: tuple[int, int] = (0, 0)
    """How many nodes and edges there should be."""
    is_redacted: bool = False
    coverage: float = 1.0
    warnings: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """What `Meaning` looks at."""
        return self.kind, self.name, self.number, self.first, self.target, self.what


def sections(data: bytes | mmap, *, without: Container[bytes] = (), located: Sequence[str] = ("closure",)) -> Snapshot:
    """The sections of a snapshot; raises `MalformedDump` where there is not even a node.

    `without` are sections that are passed over, for who has no need of them; `located` are the kinds of nodes whose
    locations are wanted.
    """
    return Reader(data, without, located).snapshot()


class Reader:
    """One file, on its way to columns: a method a section, each called once what it needs has been read."""

    def __init__(self, data: bytes | mmap, without: Container[bytes], located: Sequence[str]) -> None:
        self.data, self.located = data, located
        self.without = without
        self.scanner = Scanner(data)
        self.header: Header | None = None
        self.got = Snapshot()
        self.done: set[bytes] = set()
        self.names = self.dangling = 0
        # What a section needs to have been read before it, and who reads it.
        self.readers: dict[bytes, tuple[tuple[bytes, ...], Callable[[Header], None]]] = {
            b"nodes": ((b"snapshot",), self.nodes),
            b"edges": ((b"snapshot", b"nodes"), self.edges),
            b"locations": ((b"snapshot", b"nodes"), self.locations),
            b"strings": ((b"snapshot",), self.strings),
        }

    def snapshot(self) -> Snapshot:
        """Read the whole text; raises `MalformedDump` where there is not even a node."""
        scanner = self.scanner
        if not scanner.enter():
            raise _nothing("it does not begin like one")
        passed: dict[bytes, int] = {}
        while not self.stopped and (key := scanner.key()) is not None:
            passed.setdefault(key, scanner.position)
            if not self.read(key):
                scanner.skip()
        cut, damaged, position = scanner.is_cut, scanner.is_damaged, scanner.position
        for key in (b"nodes", b"edges", b"locations", b"strings"):
            if key in passed and key not in self.done:
                scanner.seek(passed[key])
                self.read(key)
        if self.header is None:
            raise _nothing("its description, `snapshot.meta`, is missing")
        if not self.got.kind:
            raise _nothing("it has no nodes")
        self.finish(self.header, cut=cut, damaged=damaged, position=position)
        return self.got

    @property
    def stopped(self) -> bool:
        """Whether the text stopped making sense."""
        return self.scanner.is_cut or self.scanner.is_damaged

    def read(self, key: bytes) -> bool:
        """Read the section that comes next, if it is one that is wanted and can be read now."""
        if key in self.done or key in self.without:
            return False
        if key == b"snapshot":
            self.header = self.described()
        elif key in self.readers and self.done.issuperset(self.readers[key][0]) and self.header is not None:
            self.readers[key][1](self.header)
        else:
            return False
        self.done.add(key)
        return True

    def described(self) -> Header:
        """The section `snapshot`, which comes next."""
        start = self.scanner.position
        if not self.scanner.skip() or self.scanner.position - start > _MOST_META:
            raise _nothing("its description, `snapshot.meta`, is cut short")
        try:
            header = decoded(self.data[start : self.scanner.position], Header)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _nothing(f"its description, `snapshot.meta`, cannot be read ({error})") from None
        header.node_count = min(max(header.node_count, 0), _MOST)
        header.edge_count = min(max(header.edge_count, 0), _MOST)
        return header

    def nodes(self, header: Header) -> None:
        """The section `nodes`."""
        got = self.got
        layout, kinds = node_layout(header.meta)
        rows = self.rows(layout, kinds)
        got.kind, got.name, got.number, got.size, got.first = rows.nodes(header.node_count)
        got.large = rows.large_sizes
        self.passed(rows)

    def edges(self, header: Header) -> None:
        """The section `edges`."""
        meta, got = header.meta, self.got
        layout = _layout(meta.edge_fields, _EDGE, needed=_EDGE)
        kinds = _codes(_words(meta.edge_types, layout[1]), EDGES, _OTHER_EDGE)
        rows = self.rows(layout, kinds)
        got.target, got.what = rows.edges(header.edge_count, len(got.kind), len(meta.node_fields))
        self.dangling = rows.dangling
        self.passed(rows)

    def locations(self, header: Header) -> None:
        """The section `locations`."""
        meta, got = header.meta, self.got
        if {"object_index", "line"} <= set(meta.location_fields):
            places = ("object_index", "line", "column", "script_id")
            layout = _layout(meta.location_fields, places, needed=("object_index", "line"))
            kinds = bytes(kind in self.located for kind in NODES).ljust(256, b"\0")
            rows = self.rows(layout, kinds)
            got.located, got.line, got.column, got.script = rows.locations(got.kind, len(meta.node_fields))
            self.passed(rows)
        else:
            self.scanner.skip()

    def strings(self, _: Header) -> None:
        """The section `strings`."""
        self.got.strings = self.scanner.strings(self.names)

    def rows(self, layout: Ints, kinds: bytes) -> Rows:
        """The array that comes next."""
        return Rows(self.data, self.scanner.position, layout, kinds)

    def passed(self, rows: Rows) -> None:
        """Go on where an array ended."""
        self.names = max(self.names, rows.names)
        self.scanner.seek(rows.position, rows.state)

    def finish(self, header: Header, *, cut: bool, damaged: bool, position: int) -> None:
        """Bring the columns together, and say what is missing."""
        got = self.got
        claimed = begin(got.first, len(got.target))
        wanted = max(header.edge_count, claimed)
        got.claimed = max(header.node_count, len(got.kind)), wanted
        got.is_redacted = header.redacted
        strings = len(got.strings) - 1
        warnings = said(cut=cut, damaged=damaged, position=position)
        for what, have, of in (
            ("nodes", len(got.kind), header.node_count),
            ("references", len(got.target), wanted),
            ("names", min(strings, self.names), self.names),
        ):
            if have < of:
                warnings.append(f"{have:,} of {of:,} {what} could be read")
        if claimed < len(got.target):
            warnings.append(f"{len(got.target) - claimed:,} references belong to no node and were left out")
            got.target, got.what = got.target[:claimed], got.what[:claimed]
        if self.dangling:
            warnings.append(f"{self.dangling:,} references lead to no node")
        have = len(got.kind) + len(got.target) - self.dangling + min(strings, self.names)
        # Of one that is cut short at least the end is missing.
        of = max(header.node_count, len(got.kind)) + max(wanted, len(got.target)) + self.names + int(cut)
        got.coverage = max(have, 0) / of if warnings else 1.0
        got.warnings = tuple(warnings)
        if header.extra_native_bytes > 0:
            got.memory["native outside of the heap"] = header.extra_native_bytes
        _root_first(got, header)
        # Whatever a damaged file calls it, the first node stands for the roots.
        got.kind[0] = NODES.index("synthetic")


def _root_first(got: Snapshot, header: Header) -> None:
    """Exchange the root and node 0, if the root is another; no producer that is known writes it so."""
    root = header.root_index // len(header.meta.node_fields)
    if not 0 < root < len(got.kind):
        return
    first = got.first
    pieces = ((first[root], first[root + 1]), (first[1], first[root]), (first[0], first[1]))
    for column in (got.target, got.what):
        row = array(memoryview(column).format)
        for start, end in pieces:
            row.extend(column[start:end])
        column[: first[root + 1]] = row
    counts = array("I", (pieces[0][1] - pieces[0][0], pieces[2][1] - pieces[2][0]))
    moved = counts[0] - counts[1]
    for node in range(1, root + 1):
        first[node] += moved
    for column in (got.kind, got.name, got.number, got.size):
        column[0], column[root] = column[root], column[0]
    for at, target in enumerate(got.target):
        if target in (0, root):
            got.target[at] = root - target
    for column in (got.located,):
        for at, node in enumerate(column):
            if node in (0, root):
                column[at] = root - node
    for node in {0, root} & set(got.large):
        got.large[root - node] = got.large.pop(node)


def node_layout(meta: Meta) -> tuple[Ints, bytes]:
    """What the scanner has to know of the rows of nodes: their layout, and its number of each of the file's types."""
    places = ("type", "name", "id", "self_size", "edge_count", "detachedness")
    layout = _layout(meta.node_fields, places, needed=("type", "name", "self_size", "edge_count"))
    return layout, _codes(_words(meta.node_types, layout[1]), NODES, _OTHER_NODE)


def said(*, cut: bool, damaged: bool, position: int) -> list[str]:
    """Where the text stopped making sense, in at most one sentence."""
    if damaged:
        return [f"the snapshot is damaged at byte {position:,}; what follows was not read"]
    return [f"the snapshot is cut short after {position:,} bytes"] if cut else []


def _layout(fields: Sequence[str], places: Sequence[str], *, needed: Sequence[str]) -> Ints:
    """How many fields a row has, and the place of each that is wanted, -1 where there is none."""
    missing = [name for name in needed if name not in fields]
    if missing or not 0 < len(fields) <= MOST_FIELDS:
        raise _nothing(f"its rows have no {' and no '.join(missing) or 'fields, or too many'}")
    return array("i", [len(fields), *(fields.index(name) if name in fields else -1 for name in places)])


def _words(types: Sequence[Sequence[str] | str], place: int) -> Sequence[str]:
    words = types[place] if place < len(types) else ()
    return () if isinstance(words, str) else words


def _codes(words: Sequence[str], known: Sequence[str], other: int) -> bytes:
    """The kernels' number of each of the file's types."""
    codes = [known.index(word) if word in known else other for word in words[:256]]
    return bytes(codes + [other] * (256 - len(codes)))


def _nothing(why: str) -> MalformedDump:
    return MalformedDump(
        f"not a heap snapshot that can be read: {why}",
        hint="Was the process killed while it wrote? A snapshot begins with its description; take it again.",
    )
