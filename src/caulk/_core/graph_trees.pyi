from caulk.model.column import Column, Ints

COMPILED: bool

def merge_dominated(
    idom: Column, order: Column, type: Column, named: Column, naming: Column, types: int, size: Column, most: int
) -> tuple[Column, Column, Column, Column, Column]: ...
def merge_paths(
    parent: Column,
    edge: Column,
    label: Column,
    type: Column,
    named: Column,
    naming: Column,
    types: int,
    size: Column,
    most: int,
    chosen: Column,
) -> tuple[Column, Column, Column, Column, Column, Column, Column]: ...
def prune(parent: Column, frame: Column, totals: Column, least_total: int) -> tuple[Ints, Ints, Ints]: ...
