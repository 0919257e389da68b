"""How much growth is asked for: the less time there was to watch, the larger a share of the room to the limit.

Memory alone does not tell a leak from what will stop, until that has stopped: the first tooth of a collector, the first
morning, a filling cache, more users. Those last for hours; a leak has until the limit. So patience is measured by both.
"""

from collections.abc import Sequence
from itertools import pairwise

#: Hours of growth, and the share asked for, between which lie straight lines. First since a start or deploy.
_SINCE_START = ((12.0, 0.75), (24.0, 0.65), (32.0, 0.45), (38.0, 0.22), (44.0, 0.12), (60.0, 0.08))
#: Growth that began without either may be more users: it is given longer.
_LATER = ((38.0, 0.55), (44.0, 0.32), (47.0, 0.14), (56.0, 0.1), (80.0, 0.06))
#: The room that a program without a limit, or too near to it, is thought to have, as shares of its floor.
_ROOM, _LEAST_ROOM = 1.5, 0.35


def needed(hours: float, *, is_born: bool) -> float:
    """The share of the room that growth for so long must take, which began with a start or deploy if `is_born`."""
    return between(hours, _SINCE_START if is_born else _LATER)


def headroom(begun: float, limit: float | None) -> float:
    """The bytes that a program which began with so many may grow by."""
    return max(limit - begun if limit else _ROOM * begun, _LEAST_ROOM * begun)


def between(hours: float, table: Sequence[tuple[float, float]]) -> float:
    """The value at `hours`, on straight lines between the rows of `table`."""
    for (h0, s0), (h1, s1) in pairwise(table):
        if hours <= h0:
            return s0
        if hours < h1:
            return s0 + (s1 - s0) * (hours - h0) / (h1 - h0)
    return table[-1][1]
