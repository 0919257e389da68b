from mmap import mmap

from caulk.model.column import Ints

COMPILED: bool

class Skeleton:
    def __init__(self, data: bytes | mmap, id_size: int, classes: Ints, first: Ints, offset: Ints) -> None: ...
    def copy(self, out: bytearray, low: int, at: int, end: int) -> int: ...
