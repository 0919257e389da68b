from caulk._core.hprof_cursor import Cursor
from caulk.model.column import Ints

COMPILED: bool

class Skeleton:
    def __init__(self, cursor: Cursor, classes: Ints, first: Ints, offset: Ints) -> None: ...
    def copy(self, out: bytearray, low: int, at: int, end: int) -> int: ...
