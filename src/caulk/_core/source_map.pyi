from caulk.model.column import Ints

COMPILED: bool
MOST_SEGMENTS: int

def segments(data: bytes) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]: ...
