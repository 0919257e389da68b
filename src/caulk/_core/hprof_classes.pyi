from caulk.model.column import Ints

COMPILED: bool

class ClassTable:
    def __init__(
        self,
        id_size: int,
        ids: Ints,
        types: Ints,
        first: Ints,
        offset: Ints,
        label: Ints,
        holds: Ints,
        referent: Ints,
        follower: Ints,
        primitives: Ints,
        first_missing: int,
        words: tuple[int, int],
    ) -> None: ...
    def missed(self) -> Ints: ...
