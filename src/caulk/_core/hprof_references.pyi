from collections.abc import MutableMapping

from caulk._core.hprof_addresses import Addresses
from caulk._core.hprof_classes import ClassTable
from caulk._core.hprof_cursor import Cursor
from caulk._core.hprof_distances import Distances
from caulk.model.column import Column

COMPILED: bool

def count(
    cursor: Cursor,
    heap: Column,
    addresses: Addresses,
    classes: ClassTable,
    distances: Distances,
    type: Column,
    first: Column,
) -> None: ...
def fill(
    cursor: Cursor,
    heap: Column,
    addresses: Addresses,
    classes: ClassTable,
    size: Column,
    first: Column,
    target: Column,
    label: Column,
    shallow: Column,
    bases: Column,
    widths: Column,
    alignment: int,
    large: MutableMapping[int, int],
) -> int: ...
