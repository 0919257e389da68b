"""What frames and types that were chosen have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from caulk.model.selection import Neighbour
from caulk.views.markup import plain

#: Neighbours of each side at most.
NEIGHBOURS = 20

#: Values of neighbours by name and label, as they are shown.
Values: TypeAlias = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Sums:
    """What is chosen in one dump: without and with what is below it, and how many objects that is."""

    own: int
    total: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Around:
    """Who holds or calls what is chosen in one dump, and what it holds or calls."""

    above: Values = field(default_factory=dict)
    below: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A frame or a type: `sums` has an entry a dump, `whole` is the total of the last.

    `around` is of the last dump, `before` of the first where there are several.
    """

    location: str
    package: str
    unit: str
    whole: int
    sums: tuple[Sums, ...]
    around: Around
    before: Around | None
    is_held: bool
    matched: int

    @property
    def above(self) -> tuple[Neighbour, ...]:
        """Who holds or calls it."""
        return self._neighbours(self.around.above, self.before.above if self.before else None)

    @property
    def below(self) -> tuple[Neighbour, ...]:
        """What it holds or calls."""
        return self._neighbours(self.around.below, self.before.below if self.before else None)

    def _neighbours(self, now: Values, before: Values | None) -> tuple[Neighbour, ...]:
        """The largest first; of several dumps those that changed most, and behind them those that did not."""
        total = self.sums[-1].total
        whole = (total - self.sums[0].total if before is not None else 0) or total or 1
        more = {key: now.get(key, 0) - (before or {}).get(key, 0) for key in {**now, **(before or {})}}
        there = [key for key in more if more[key] or now.get(key, 0)]
        order = sorted(there, key=lambda key: (-abs(more[key]), -now.get(key, 0), key))
        return tuple(
            Neighbour(
                name=name,
                value=more[name, label],
                share=more[name, label] / whole,
                label=label,
                now=None if before is None else now.get((name, label), 0),
            )
            for name, label in order[:NEIGHBOURS]
        )


def named(name: str, names: Sequence[str]) -> set[int]:
    """The places of a name; those of what is shown as it, where the name itself is nowhere."""
    found = {i for i, other in enumerate(names) if other == name}
    return found or {i for i, other in enumerate(names) if plain(other) == name}
