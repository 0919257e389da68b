from caulk.model.column import Column, Ints

COMPILED: bool

def equal_texts(kinds: Column, names: Column, sizes: Column, idom: Column, texts: int) -> tuple[Ints, Ints]: ...
def spread(group: Column, row_of: Column, counts: Column, most: int) -> list[Ints]: ...
def narrow(first: Column, kind: Column, size: Column, arrays: bytes) -> bool: ...
def fill(
    first: Column,
    target: Column,
    label: Column,
    kind: Column,
    size: Column,
    idom: Column,
    *,
    row_of: Column,
    stores: bytes,
    counted: bytes,
    rows: Column,
) -> tuple[Ints, Ints, Ints, Ints, Ints]: ...
