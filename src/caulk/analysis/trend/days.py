"""Days taken out of floors: what each time of the day has more or less than the rest, apart from the growth."""

from collections.abc import Sequence
from statistics import median

from caulk.analysis.trend.floors import DAY_S


def without_days(at: Sequence[float], floors: Sequence[float], *, begin: int, width_s: float) -> list[float]:
    """All floors less the usual of their time of day, which is learned from `begin` on; [] where days are missing.

    Growth is first told from the same time on neighbouring days (Hirsch and Slack's seasonal slope), lest it be taken
    for part of the day.
    """
    a_day = round(DAY_S / width_s)
    slots = [round(t / width_s - 0.5) for t in at]
    known = dict(zip(slots[begin:], floors[begin:], strict=True))
    daily = [value - known[slot - a_day] for slot, value in known.items() if slot - a_day in known]
    if len(daily) < a_day:
        return []
    rate = median(daily) / a_day
    level: dict[int, list[float]] = {}
    for slot, value in known.items():
        level.setdefault(slot % a_day, []).append(value - rate * slot)
    if len(level) < a_day:
        return []
    usual = {time: sum(values) / len(values) for time, values in level.items()}
    middle = sum(usual.values()) / len(usual)
    return [value - usual[slot % a_day] + middle for slot, value in zip(slots, floors, strict=True)]
