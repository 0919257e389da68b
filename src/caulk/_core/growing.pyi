from caulk.model.column import Ints

COMPILED: bool

class Column:
    def __init__(self) -> None: ...
    def take(self) -> Ints: ...
