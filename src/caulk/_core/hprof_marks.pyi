from typing import TypedDict

from caulk._core.hprof_addresses import Addresses
from caulk._core.hprof_cursor import Cursor
from caulk.model.column import Ints

COMPILED: bool

class Marked(TypedDict):
    root: Ints
    classes: Ints
    static: Ints
    field: Ints
    is_android: bool
    lost: int

def mark(cursor: Cursor, heap: Ints, addresses: Addresses) -> Marked | None: ...
def glance(cursor: Cursor, heap: Ints, addresses: Addresses) -> tuple[Marked, int]: ...
def sample(cursor: Cursor, start: int, end: int, most: int) -> tuple[int, int, int, int]: ...
