from caulk.model.column import Column, Ints

COMPILED: bool

class Shapes:
    def __init__(self, columns: tuple[Column, ...], means: Ints) -> None: ...
    def mark(self) -> None: ...
