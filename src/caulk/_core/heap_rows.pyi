from mmap import mmap

from caulk.model.column import Ints

COMPILED: bool
MOST_FIELDS: int

class Rows:
    position: int
    state: int
    large_sizes: dict[int, int]
    dangling: int
    names: int
    def __init__(self, data: bytes | mmap, position: int, layout: Ints, kinds: bytes) -> None: ...
    def nodes(self, count: int) -> tuple[Ints, Ints, Ints, Ints, Ints]: ...
    def more_nodes(self, columns: tuple[Ints, ...]) -> int: ...
    def edges(self, count: int, nodes: int, fields: int) -> tuple[Ints, Ints]: ...
    def locations(self, nodes: Ints, fields: int) -> tuple[Ints, Ints, Ints, Ints]: ...

def begin(edges: Ints, total: int) -> int: ...
