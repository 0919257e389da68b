from caulk.model.column import Column, Ints

COMPILED: bool

def hung(idom: Column, order: Column, type: Column, marked: bytes) -> Column: ...
def around(
    idom: Column,
    order: Column,
    through: Column,
    retained: Column,
    *,
    parent: Column,
    edge: Column,
    label: Column,
    mask: int,
    type: Column,
    marked: bytes,
    types: int,
    labels: int,
) -> tuple[Ints, Ints, Ints, Ints]: ...
