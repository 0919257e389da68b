"""The last day of workloads in few points, for a fleet's small charts: memory of all replicas, and its floor."""

import time
from collections.abc import Iterable, Sequence

from caulk.store.history import History
from caulk.store.rings import TIERS
from caulk.web.records import Spark

_DAY_S, _HOUR_S = 86400, 3600
#: Points of 15 minutes over a day; of what is younger than an hour, points of a minute.
_STEP_S, _YOUNG_STEP_S = 900, 60
#: The floor of a step is the least of as many before it: what a collector gives back within an hour is not in it.
_FLOOR = 5
_FINE, _COARSE, _ = TIERS


def sparks(history: History | None, keys: Iterable[str]) -> dict[str, Spark]:
    """The last day of workloads by key; those that nobody knows are left out."""
    found = {key: spark(history, key, time.time()) for key in dict.fromkeys(keys)} if history else {}
    return {key: one for key, one in found.items() if one}


def spark(history: History, key: str, now: float) -> Spark | None:
    """The last day of one workload; None where nothing is known of it."""
    replicas = history.replicas(key)
    coarse = [history.cells(key, replica, _COARSE, begin=now - _DAY_S) for replica in replicas]
    first = min((cells[0][0] for cells in coarse if cells), default=None)
    if first is None:
        return None
    if now - first >= _HOUR_S:
        return _drawn(coarse, now, _DAY_S, _STEP_S)
    fine = [history.cells(key, replica, _FINE, begin=now - _HOUR_S) for replica in replicas]
    return _drawn(fine, now, _HOUR_S, _YOUNG_STEP_S)


def _drawn(replicas: Iterable[Sequence[tuple[int, ...]]], now: float, span_s: int, step_s: int) -> Spark:
    count = span_s // step_s
    begin = int(now) // step_s + 1 - count
    most, least = [0] * count, [0] * count
    for cells in replicas:
        ends = _ends(cells, begin, step_s)
        for step in range(count):
            low, high = ends.get(step, (0, 0))
            most[step] += high
            least[step] += low
    floors = [min(filter(None, least[max(at - _FLOOR + 1, 0) : at + 1]), default=0) for at in range(count)]
    return Spark(
        begin=begin * step_s,
        step_s=step_s,
        values=tuple(one << 10 or None for one in most),
        floor=tuple(floor << 10 if one else None for floor, one in zip(floors, least, strict=True)),
    )


def _ends(cells: Iterable[tuple[int, ...]], begin: int, step_s: int) -> dict[int, tuple[int, int]]:
    """The least and the most kibibytes in each step, counted from `begin`."""
    found: dict[int, tuple[int, int]] = {}
    for at, rss, anonymous, file, shared, _ in cells:
        held = anonymous + shared or max(rss - max(file - shared, 0), 0)
        step = at // step_s - begin
        low, high = found.get(step, (held, held))
        found[step] = min(low, held), max(high, held)
    return found
