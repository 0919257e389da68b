from caulk.model.column import Ints

COMPILED: bool

class Tally:
    def add(self, kind: Ints, name: Ints, size: Ints, rows: int, named: bytes) -> None: ...
    def rows(self) -> list[tuple[int, int, int, int]]: ...
