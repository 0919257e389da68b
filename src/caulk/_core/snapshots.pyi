from caulk.model.column import Ints

COMPILED: bool

def read(data: bytes, values: dict[str, Ints]) -> dict[str, Ints]: ...
