from caulk.model.column import Ints

COMPILED: bool

def read(data: bytes) -> dict[str, Ints]: ...
