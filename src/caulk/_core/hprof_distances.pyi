from typing import TypedDict

from caulk.model.column import Ints

COMPILED: bool

class Taken(TypedDict):
    least: Ints
    agreed: Ints
    arrays: Ints

class Distances:
    def __init__(self, classes: int) -> None: ...
    def taken(self) -> Taken: ...
