"""What frames and types that were chosen have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

from caulk.model.selection import Neighbour
from caulk.views.markup import plain

#: Neighbours of each side at most.
NEIGHBOURS = 20


@dataclass(frozen=True, slots=True)
class Sums:
    """What is chosen in one dump: without and with what is below it, and how many objects that is."""

    own: int
    total: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A frame or a type: `sums` has an entry a dump, `whole` is the total of the last; who holds it or calls it."""

    location: str
    package: str
    unit: str
    whole: int
    sums: tuple[Sums, ...]
    above: tuple[Neighbour, ...]
    below: tuple[Neighbour, ...]
    is_held: bool
    matched: int


def named(name: str, names: Sequence[str]) -> set[int]:
    """The places of a name; those of what is shown as it, where the name itself is nowhere."""
    found = {i for i, other in enumerate(names) if other == name}
    return found or {i for i, other in enumerate(names) if plain(other) == name}
