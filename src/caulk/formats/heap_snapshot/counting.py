"""The types of a snapshot with what their objects take, in memory that does not grow with the objects.

Nodes are counted by kind and name, a piece at a time, and of the strings only those that are such names are kept. What
only references tell is missing: the scripts of functions, the tables of maps and sets, what is detached by its parent.
"""

from array import array
from mmap import mmap

from caulk._core.census import Tally
from caulk.formats.heap_snapshot.meanings import meaning
from caulk.formats.heap_snapshot.names import Names
from caulk.formats.heap_snapshot.text import NODES, Header, Reader, node_layout, said
from caulk.model.census import Census, Extent
from caulk.model.column import Column, Ints, ints

_PIECE = 1 << 14
#: Of these kinds a name is that of a type; of the others it is their content, or they have none.
_NAMED = frozenset(
    {"hidden", "array", "object", "code", "closure", "native", "synthetic", "object shape", "wasm object"}
)
#: Bytes a node while a graph is read, and what a census takes: by the file's size, for names of functions and classes.
_READING, _NAMES, _SHARE = 29, 8 << 20, 0.002
#: The rows of a file that does not say how many it has.
_NODE_BYTES, _EDGES = 70, 3
#: A damaged file may claim any size.
_MOST = (1 << 63) - 1


def extent(data: bytes | mmap) -> Extent:
    """How large the heap is: its description says it."""
    reader = _Counter(data, without=(b"nodes", b"edges", b"locations", b"strings"))
    header = reader.description()
    nodes = (header.node_count if header else 0) or len(data) // _NODE_BYTES
    # What a damaged file claims is bound by what it has: a row takes two bytes a field.
    nodes = min(nodes, len(data) // 8)
    edges = min((header.edge_count if header else 0) or nodes * _EDGES, len(data) // 6)
    return Extent(nodes, edges, _READING, _NAMES + round(_SHARE * len(data)))


def count(data: bytes | mmap, *, name: str) -> Census:
    """The types of a snapshot's nodes; raises `MalformedDump` where there is not even one."""
    reader = _Counter(data, without=(b"edges", b"locations"))
    got = reader.snapshot()
    numbers, keys = meaning(data, got)[1].types()
    names = Names(data, got.strings)
    types = names.types(numbers, keys)
    counts, held = ints(len(types)), ints(len(types))
    for number, (_, _, objects, size) in zip(numbers, reader.tallied, strict=True):
        counts[number] += objects
        held[number] = min(held[number] + size, _MOST)
    return Census(
        format=name,
        runtime=names.runtime(types),
        types=types,
        count=counts,
        shallow=held,
        coverage=got.coverage,
        warnings=got.warnings,
        comments=("its values were removed",) * got.is_redacted,
        memory=got.memory,
    )


class _Counter(Reader):
    """A reader whose snapshot has one node for all of a kind and name, `tallied`; `strings` are only theirs."""

    def __init__(self, data: bytes | mmap, without: tuple[bytes, ...]) -> None:
        super().__init__(data, without, ())
        self.tallied: list[tuple[int, int, int, int]] = []
        self.counted = 0
        # Only the names of the nodes are kept, so those come first.
        self.readers[b"strings"] = ((b"snapshot", b"nodes"), self.strings)

    def description(self) -> Header | None:
        """The section `snapshot` alone, if the file begins with it."""
        scanner = self.scanner
        return self.described() if scanner.enter() and scanner.key() == b"snapshot" else None

    def nodes(self, header: Header) -> None:
        layout, kinds = node_layout(header.meta)
        columns = (*(array(code, [0]) * _PIECE for code in ("B", "I", "I", "I")), array("I", [0]) * (_PIECE + 1))
        tally, named = Tally(), bytes((NODES[k & 31] in _NAMED) if k & 31 < len(NODES) else 0 for k in range(256))
        larger: dict[tuple[int, int], int] = {}
        rows = self.rows(layout, kinds)
        while count := rows.more_nodes(columns):
            kind, name, _, size = columns[:4]
            tally.add(kind, name, size, count, named)
            for at, real in rows.large_sizes.items():
                key = (kind[at], name[at] if named[kind[at]] else 0)
                larger[key] = larger.get(key, 0) + real - size[at]
            rows.large_sizes.clear()
            self.counted += count
        self.passed(rows)
        self.tallied = [(k, n, objects, held + larger.get((k, n), 0)) for k, n, objects, held in tally.rows()]
        got = self.got
        got.kind = array("B", (row[0] for row in self.tallied))
        got.name = array("I", (row[1] for row in self.tallied))
        got.first = array("I", [0]) * (len(self.tallied) + 1)

    def strings(self, _: Header) -> None:
        """The strings that name nodes, which are numbered anew: each has two places, its begin and the next one's."""
        wanted = sorted(set(self.got.name))
        places, base, starts = array("q"), 0, array("q", [0]) * (_PIECE + 1)
        if self.scanner.begin_strings():
            while rows := self.scanner.more_strings(starts):
                while len(places) < 2 * len(wanted) and (at := wanted[len(places) // 2] - base) < rows:
                    places.extend(starts[at : at + 2])
                base += rows
        found = len(places)
        fresh = {name: 2 * i if 2 * i < found else max(name, found) for i, name in enumerate(wanted)}
        self.got.name = _renamed(self.got.name, fresh)
        self.got.strings = places or array("q", [0])

    def finish(self, header: Header, *, cut: bool, damaged: bool, position: int) -> None:
        got = self.got
        warnings = said(cut=cut, damaged=damaged, position=position)
        if self.counted < header.node_count:
            warnings.append(f"{self.counted:,} of {header.node_count:,} nodes could be read")
            got.coverage = self.counted / header.node_count
        got.warnings = tuple(warnings)
        got.is_redacted = header.redacted
        if header.extra_native_bytes > 0:
            got.memory["native outside of the heap"] = header.extra_native_bytes


def _renamed(column: Column, fresh: dict[int, int]) -> Ints:
    return array("I", (fresh[name] for name in column))
