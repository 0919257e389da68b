from caulk._core.hprof_addresses import Addresses
from caulk._core.hprof_classes import ClassTable
from caulk._core.hprof_cursor import Cursor
from caulk._core.hprof_distances import Distances
from caulk.model.column import Column

COMPILED: bool

def survey(
    cursor: Cursor, heap: Column, addresses: Addresses, classes: ClassTable, distances: Distances, type: Column
) -> None: ...
def weigh(
    cursor: Cursor,
    heap: Column,
    classes: ClassTable,
    shallow: Column,
    bases: Column,
    widths: Column,
    alignment: int,
    count: Column,
    held: Column,
) -> None: ...
