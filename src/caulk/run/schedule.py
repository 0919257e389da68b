"""When a process is captured: five to ten times, evenly spread, however long it runs, for a twentieth of its time.

Nothing here knows a process or a clock: moments in seconds and memory in bytes go in.
"""

MOST = 10
_FIRST_S = 0.5
_GROWTH = 1.25
_MARKS = (0.8, 0.9)
#: Captures may take this share of the time, and a second more: a program of eight seconds is to have five as well.
_SHARE, _ALLOWANCE_S = 0.05, 1.0
#: Between two of them lies as much peace as this many captures take.
_PEACE = 4


class Schedule:
    """The schedule of one process that was first seen at `start`.

    Captures come at a spacing that doubles whenever ten are there, and then every second one goes, the oldest first:
    start-up is the first to be forgotten. Between two of them, one more is due when memory has grown by a quarter, or
    comes to 80 % or 90 % of its limit.
    """

    def __init__(self, start: float) -> None:
        self.spacing_s = _FIRST_S
        self._start = self._last = self._not_before = start
        self._kept = 0
        self._rss = 0
        self._spent_s = 0.0
        self._marks = list(_MARKS)

    def is_due(self, now: float, *, rss: int, fill: float = 0.0) -> bool:
        """Whether to capture now; `fill` is the used share of the memory limit, 0 where there is none."""
        if now < self._not_before:
            return False
        if now >= self._last + self.spacing_s:
            return True
        if self._marks and fill >= self._marks[0]:
            return True
        has_grown = self._kept > 0 and rss >= _GROWTH * self._rss
        return has_grown and now >= self._last + self.spacing_s / 2

    def took(self, began: float, *, seconds: float, rss: int, fill: float = 0.0) -> range:
        """Notes a capture that took `seconds`; says which of the kept ones, by index, are to be dropped."""
        self._last, self._rss = began, rss
        self._marks = [mark for mark in self._marks if mark > fill]
        self._spend(began, seconds)
        self._kept += 1
        if self._kept < MOST:
            return range(0)
        dropped = range(0, self._kept, 2)
        self._kept -= len(dropped)
        self.spacing_s *= 2
        return dropped

    def failed(self, began: float, *, seconds: float) -> None:
        """Notes an attempt without a result: the next one waits its turn."""
        self._spend(began, seconds)
        self._not_before = max(self._not_before, began + self.spacing_s)

    def _spend(self, began: float, seconds: float) -> None:
        self._spent_s += seconds
        affordable = self._start + (self._spent_s - _ALLOWANCE_S) / _SHARE
        self._not_before = max(began + (1 + _PEACE) * seconds, affordable)
