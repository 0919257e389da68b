"""Growth: whether floors rise as a leak's do, and not as what will stop.

A leak's floor rises evenly since it began to, and takes the share of the room to the limit that is asked for.
"""

from dataclasses import dataclass

from caulk.analysis.trend.floors import Level
from caulk.analysis.trend.need import between, needed
from caulk.analysis.trend.rise import Life, Rise, rises
from caulk.analysis.trend.slope import Slope

#: By hours. A filling cache slows: at 44 % of its way the second half brought this share of the first. Over days,
#: nights and jobs make the halves of a leak uneven too, and a cache is full.
_EVEN = ((72.0, 0.75), (120.0, 0.7))
#: The share of the growth that each third of the time must bring.
_THIRD = ((20.0, 0.18), (34.0, 0.2), (54.0, 0.2), (64.0, 0.1), (90.0, 0.05))
#: What rose faster before than it does now, by this factor, slows.
_WAS_FASTER = 1.4


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth since `since`: by `gained` bytes, of which `need` would do; `is_sure` if it is a leak's, not a guess."""

    since: float
    gained: float
    need: float
    slope: Slope
    width_s: float
    is_sure: bool
    is_slowing: bool

    @property
    def rank(self) -> tuple[bool, float]:
        """What is surer comes later."""
        return self.is_sure, self.gained / self.need


def growth(level: Level, life: Life) -> Growth | None:
    """The growth that the newest floors of a level show; None if they show none."""
    return max((_judged(rise, level.width_s) for rise in rises(level, life)), key=lambda g: g.rank, default=None)


def _judged(rise: Rise, width_s: float) -> Growth:
    share = needed(rise.hours, is_born=rise.is_born)
    is_slowing = (
        rise.even < between(rise.hours, _EVEN) or rise.third < between(rise.hours, _THIRD) or rise.before > _WAS_FASTER
    )
    is_sure = rise.share >= share and not is_slowing
    return Growth(rise.since, rise.gained, share / rise.share * rise.gained, rise.slope, width_s, is_sure, is_slowing)
