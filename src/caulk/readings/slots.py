"""Slots: the places that a workload's replicas take one after another, so that who is recycled is still the same one.

A worker that a master starts in place of one that ended, or a pod that a deployment makes anew, gets the slot that was
left. So what is said of a slot goes on over the lives of those in it, and their number stays bounded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: Who is away for so long has left; its slot is not worth remembering.
_FORGOTTEN_S = 86400.0


@dataclass(slots=True)
class _Slot:
    holder: str
    left: float | None = None
    """Since when it is empty."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Who came just now, which of them into a slot that another had before (`heirs`), and what nobody has any more."""

    of: Mapping[str, str]
    """The slot's name by holder."""
    newcomers: frozenset[str] = frozenset()
    heirs: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()
    """Names of slots that nobody has now."""


@dataclass(slots=True)
class Slots:
    """The slots of each workload, by its key; holders are whatever tells one life from another."""

    _of: dict[str, list[_Slot]] = field(default_factory=dict)

    def settle(self, key: str, holders: Iterable[str], now: float) -> Taken:
        """Who is in which slot, now that these run."""
        slots = self._of.setdefault(key, [])
        here = dict.fromkeys(holders)
        known = {slot.holder: number for number, slot in enumerate(slots) if slot.left is None}
        newcomers = frozenset(here.keys() - known.keys())
        left = [number for holder, number in known.items() if holder not in here]
        for number in left:
            slots[number].left = now
        free = sorted(number for number, slot in enumerate(slots) if slot.left is not None)
        heirs = set()
        for holder in here:
            if holder in known:
                continue
            if free:
                number = free.pop(0)
                slots[number] = _Slot(holder)
                heirs.add(holder)
            else:
                number = len(slots)
                slots.append(_Slot(holder))
            known[holder] = number
        while slots and (since := slots[-1].left) is not None and now - since > _FORGOTTEN_S:
            slots.pop()
        gone = tuple(str(number) for number in left if slots[number : number + 1] and slots[number].left == now)
        of = {holder: str(known[holder]) for holder in here}
        return Taken(of, newcomers, frozenset(heirs), gone)

    def state(self) -> dict[str, list[tuple[str, float | None]]]:
        """All of it, for `restored`."""
        return {key: [(slot.holder, slot.left) for slot in slots] for key, slots in self._of.items() if slots}

    @classmethod
    def restored(cls, state: Mapping[str, Iterable[tuple[str, float | None]]]) -> "Slots":
        """The slots that `state` told of."""
        return cls({key: [_Slot(holder, left) for holder, left in slots] for key, slots in state.items()})
