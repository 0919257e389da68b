"""A door into a Python program: whether it is open, what a dump through it costs, and the conversation behind it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from caulk.model.capture import Check
from caulk.ports import Reach, Sink
from caulk.runtimes.cpython.talk import Control

MODES = ("fork", "in-place")
#: What is left of the room for the program itself, as the dumper leaves it.
_ROOM = 0.9
#: The dumper's own, where nobody in the program can be asked (see `plan` of `caulk_probe.dumper`): blocks of so many
#: bytes on average, so that there are never more of them than are planned for.
_LEAST_BLOCK, _USUAL_BLOCK = 48, 80
_BASE_BYTES = 32 << 20
_CODE_S = 0.3


@dataclass(frozen=True, slots=True)
class Price:
    """What a dump in one mode costs."""

    mode: str
    pause_s: float
    extra_bytes: int
    size_bytes: int


class Door(Protocol):
    """One way into a program."""

    name: str
    reach: Reach
    risk: str
    stopped_s: float
    """How long the program stood still so that we could enter."""

    def check(self) -> Check:
        """Whether it is open."""

    def prices(self) -> Mapping[str, Price]:
        """By mode, of those that work there."""

    def enter(self, sink: Sink) -> AbstractContextManager[Control]:
        """The conversation; at its end nothing of it stays in the program."""


def chosen(door: Door) -> Price:
    """A child's dump where its memory fits, since the program hardly stops for it; else one in place."""
    prices = door.prices()
    fork = prices.get("fork")
    if fork is None or "in-place" not in prices:
        return next(iter(prices.values()))
    free = door.reach.room().free
    return fork if free is None or fork.extra_bytes <= free * _ROOM else prices["in-place"]


def estimated(reach: Reach) -> dict[str, Price]:
    """By the memory of the process alone; never too little of it."""
    anonymous = reach.reading().anonymous
    blocks, usual = anonymous // _LEAST_BLOCK, anonymous // _USUAL_BLOCK
    extra, size = 8 * blocks + anonymous // 64 + _BASE_BYTES, 56 * usual + (2 << 20)
    return {
        "fork": Price("fork", _CODE_S + anonymous / (1 << 30) * 0.03, extra + anonymous, size),
        "in-place": Price("in-place", _CODE_S + usual * 2.5e-6, extra, size),
    }
