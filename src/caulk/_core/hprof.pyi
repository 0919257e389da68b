from collections.abc import MutableMapping
from typing import TypedDict

from caulk.model.column import Column, Ints

COMPILED: bool

class Records(TypedDict):
    string: Ints
    string_start: Ints
    string_length: Ints
    loaded: Ints
    frame: Ints
    trace: Ints
    trace_frame: Ints
    heap: Ints
    complete: Ints
    lost: int
    absent: int
    mark: int

class Marked(TypedDict):
    root: Ints
    classes: Ints
    static: Ints
    field: Ints
    is_android: bool

class Counted(TypedDict):
    missing: Ints
    least: Ints
    agreed: Ints
    arrays: Ints

class Addresses:
    def __init__(self, shift: int) -> None: ...
    def __len__(self) -> int: ...
    @property
    def alignment(self) -> int: ...
    def rank(self) -> int: ...
    def numbers(self, addresses: Ints) -> Ints: ...

class Reader:
    def __init__(self, data: bytes, id_size: int) -> None: ...
    @property
    def unread(self) -> int: ...
    @property
    def objects(self) -> Addresses: ...
    def records(self, at: int) -> Records: ...
    def mark(self, heap: Ints, shift: int) -> Marked | None: ...
    def sample(self, start: int, end: int, most: int) -> tuple[int, int, int]: ...
    def glance(self, heap: Ints) -> tuple[Marked, int]: ...
    def survey(self, heap: Column, type: Column) -> Counted: ...
    def weigh(
        self, heap: Ints, shallow: Ints, bases: Ints, widths: Ints, alignment: int, count: Ints, held: Ints
    ) -> None: ...
    def describe(
        self,
        classes: Ints,
        types: Ints,
        first: Ints,
        offset: Ints,
        label: Ints,
        holds: Ints,
        referent: Ints,
        follower: Ints,
        primitives: Ints,
        missing: int,
        words: tuple[int, int],
    ) -> None: ...
    def count(self, heap: Column, type: Column, first: Column) -> Counted: ...
    def fill(
        self,
        heap: Column,
        size: Column,
        first: Column,
        target: Column,
        label: Column,
        shallow: Column,
        bases: Column,
        widths: Column,
        alignment: int,
        large: MutableMapping[int, int],
    ) -> int: ...
    def places(self, heap: Ints, wanted: bytes) -> Ints: ...
    def same(self, heap: Ints, content: Ints) -> Ints: ...
    def texts(self, start: int, end: int, most: int) -> tuple[Ints, int]: ...

def targets_of(type: Column, first: Column, target: Column, wanted: bytes, idom: Column) -> Ints: ...
def tally(first: Column, sources: Column) -> None: ...
def starts(first: Column) -> int: ...
def put(first: Column, target: Column, label: Column, sources: Column, targets: Column, labels: Column) -> None: ...
def close_gaps(first: Column, target: Column, label: Column) -> int: ...
