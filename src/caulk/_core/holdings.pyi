from typing import Literal

from caulk.model.column import Column, Ints

COMPILED: bool

class Holdings:
    def __init__(self, kinds: bytes = b"") -> None: ...
    def __len__(self) -> int: ...
    def column(
        self, name: Literal["parent", "via", "identity", "depth", "sample", "count", "flat", "best", "folded", "lent"]
    ) -> Ints: ...
    def merge(
        self,
        idom: Column,
        order: Column,
        retained: Column,
        *,
        first: Column,
        target: Column,
        label: Column,
        kind: Column,
        size: Column,
        named: Column,
        naming: Column,
        types: int,
        weakest: int,
    ) -> Column: ...
    def share(
        self,
        nodes: Column,
        marked: bytes | bytearray,
        idom: Column,
        retained: Column,
        *,
        first: Column,
        target: Column,
        label: Column,
        kind: Column,
        named: Column,
        naming: Column,
        types: int,
        weakest: int,
    ) -> bytearray: ...
    def graft(self, parent: Column, via: Column, identity: Column, vias: Column, identities: Column) -> Ints: ...

def reaching(values: Column, least: int) -> Ints: ...
def evenly(count: Column, total: Column, best: Column, folded: Column) -> Ints: ...
def less(after: Column, before: Column) -> Ints: ...
def members(nodes: Column, node: int, limit: int) -> Ints: ...
def without(nodes: Column, node: int, first: Column, label: Column, strength: int) -> int: ...
def tally(nodes: Column, node: int, values: Column, length: int) -> Ints: ...
def contents(
    first: Column,
    target: Column,
    label: Column,
    kind: Column,
    start: int,
    *,
    parts: bytes,
    inside: bytes,
    types: int,
    weakest: int,
) -> tuple[Ints, Ints]: ...
