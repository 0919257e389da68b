from caulk.model.column import Ints

COMPILED: bool

class Shapes:
    def __init__(self, columns: tuple[Ints, ...], means: Ints) -> None: ...
    def mark(self) -> None: ...
