from mmap import mmap

from caulk.model.column import Ints

COMPILED: bool

class Words:
    def __init__(self, data: bytes | mmap, strings: Ints) -> None: ...
    def meanings(self) -> Ints: ...
    def tables(self, means: Ints) -> tuple[Ints, Ints]: ...
