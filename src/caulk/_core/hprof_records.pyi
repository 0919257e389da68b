from typing import TypedDict

from caulk._core.hprof_cursor import Cursor
from caulk.model.column import Ints

COMPILED: bool

class Records(TypedDict):
    string: Ints
    string_start: Ints
    string_length: Ints
    loaded: Ints
    frame: Ints
    trace: Ints
    trace_frame: Ints
    heap: Ints
    complete: Ints
    lost: int
    absent: int
    mark: int

def records(cursor: Cursor, at: int) -> Records: ...
def gap(cursor: Cursor, at: int) -> int: ...
