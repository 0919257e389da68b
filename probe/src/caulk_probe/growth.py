"""What requests do to the memory of one worker: windows of requests, and heights that its floor reaches.

The floor of a window is the least anonymous memory seen in it after a request; from one floor to the next, what
has grown is set against the requests in between. What the first requests of a view take (imports, caches, connections)
is warm-up: a window with one of them counts for nothing, nor does one in which the probe itself traced. After that,
what the floor climbs beyond its highest is growth; what is given back and taken again is not. Growth is added up over
the lives of a slot, so that recycling does not hide it, and each threshold that it has passed since the last time is
an event.
"""

from __future__ import annotations

from caulk_probe import families
from caulk_probe.attribution import Sums

_FIRST_REQUESTS = 2
_WARM_WINDOWS = 2
# Long enough for garbage that waits for its collection to be in two floors, or in none.
_LEAST, _SPREAD = 24, 25
#: A window that long is closed with fewer requests.
_LONGEST_S = 60.0
_GOLDEN = 0.6180339887498949


class Window:
    """Some requests: `counts` by view, in all and up to the lowest reading; `alone` sums and numbers of differences."""

    __slots__ = ("alone", "begun", "counts", "is_warming", "lowest", "lowest_at", "requests", "until_lowest", "wanted")

    def __init__(self, begun, wanted):
        self.begun, self.wanted = begun, wanted
        self.counts, self.alone, self.until_lowest = {}, {}, {}
        self.requests, self.lowest, self.lowest_at, self.is_warming = 0, 0, begun, False

    def low(self, anonymous, now):
        """A reading that is lower than all before."""
        self.lowest, self.lowest_at, self.until_lowest = anonymous, now, dict(self.counts)


class Growth:
    """The windows of this worker, in its slot's cells. `ended` is called under the worker's lock, `fold` without."""

    def __init__(self, cells, thresholds, now):
        self.cells = cells
        self.sums = Sums(cells)
        self.thresholds = thresholds
        self.seen = {}
        self.waiting = []
        self.turn = 0.5
        self.closed = self.height = 0
        #: Set while the probe itself takes memory.
        self.is_disturbed = False
        self.window = self.last = self.opened(now)

    @property
    def floor(self):
        """The last one, in bytes; 0 where there is none yet."""
        return self.last.lowest

    def opened(self, now):
        """A window of random length: with equal ones, traffic that goes in turn would look the same in each."""
        self.turn = (self.turn + _GOLDEN) % 1.0
        return Window(now, _LEAST + int(_SPREAD * self.turn))

    def ended(self, view, anonymous, difference, now):
        """A request of `view`; `difference` is None where it was not alone in the worker, or not sampled."""
        window = self.window
        seen = self.seen.get(view, 0)
        if seen < _FIRST_REQUESTS:
            self.seen[view] = seen + 1
        if seen < _FIRST_REQUESTS or self.is_disturbed:
            window.is_warming = True
        window.counts[view] = window.counts.get(view, 0) + 1
        window.requests += 1
        if difference is not None:
            total, lone = window.alone.get(view, (0, 0))
            window.alone[view] = total + difference, lone + 1
        if anonymous and (not window.lowest or anonymous < window.lowest):
            window.low(anonymous, now)
        if window.requests >= window.wanted and anonymous:
            self.close(anonymous, now)

    def close(self, anonymous, now):
        """Puts the window away, for `fold`."""
        if not self.window.lowest:
            self.window.low(anonymous, now)
        self.waiting.append(self.window)
        self.window = self.opened(now)

    def look(self, anonymous, now):
        """Closes a window that nothing else closes; while nobody asks for anything nothing is told apart."""
        if now - self.window.begun > _LONGEST_S:
            self.close(anonymous, now)

    def fold(self):
        """Adds what was put away to the sums; gives the thresholds that were passed, with their bytes."""
        waiting, self.waiting = self.waiting, []
        passed = {}
        for window in waiting:
            self.closed += 1
            last, self.last = self.last, window
            if self.closed <= _WARM_WINDOWS or window.is_warming or last.is_warming:
                self.height = max(self.height, window.lowest)
                continue
            counts = dict(window.until_lowest)
            for view, count in last.counts.items():
                counts[view] = counts.get(view, 0) + count - last.until_lowest.get(view, 0)
            seconds = window.lowest_at - last.lowest_at
            self.sums.add(counts, seconds, window.lowest - last.lowest, window.alone)
            if window.lowest > self.height:
                self.climb(window.lowest - self.height, passed)
                self.height = window.lowest
        return passed

    def climb(self, climbed, passed):
        """So many bytes more than ever in this worker."""
        numbers = self.cells.numbers
        for name, size in self.thresholds:
            at = self.cells.find(families.CLIMBED, name, None)
            if at is None:
                continue
            numbers[at] += climbed
            if numbers[at] > size:
                passed[name] = numbers[at]
                numbers[at] = 0.0
                event = self.cells.find(families.GROWTH_EVENTS, name)
                numbers[event] += 1
