"""The probe in one worker: what every request tells it, and a thread that does the rest.

`begin` and `end` around a request read the memory and add a few numbers, under a lock that is held for microseconds.
Everything else (windows, the walk over objects, traces) is done by the thread, which wakes every two seconds.
"""

from __future__ import annotations

import bisect
import gc
import os
import time

from caulk_probe import cells, families, slots
from caulk_probe.growth import Growth
from caulk_probe.memory import Statm, started
from caulk_probe.threads import allocate_lock, sleep, start_new_thread

_TICK_S, _TRACING_TICK_S = 2.0, 0.25
#: The walk works for so long, and rests for so much longer.
_SLICE_S, _SLICE_REST_S = 0.002, 0.25
_FIRST_WALK_S = 15.0
_MOST_VIEWS = 200
_GOLDEN = 0.6180339887498949
_OTHER = "other"


class Worker:
    """A process that is a worker. Without a directory to share it counts for itself, and `why` says why."""

    def __init__(self, settings, directory=""):
        self.settings, self.pid = settings, os.getpid()
        self.lock = allocate_lock()
        self.statm = Statm()
        self.slot, self.directory, self.why = None, "", ""
        try:
            self.directory = directory or slots.directory_of(settings.directory)
            self.slot = slots.claim(self.directory)
        except slots.NoSlot as error:
            self.why = str(error)
        self.cells = cells.Cells(self.slot.mapped if self.slot else bytearray(cells.SIZE), allocate_lock())
        self.numbers = self.cells.numbers
        self.clear()
        self.cells.own(self.pid, started())
        now = time.monotonic()
        self.growth = Growth(self.cells, settings.thresholds, now)
        self.places = {}
        self.begun = self.in_flight = self.requests = 0
        self.turn = 0.5
        self.collected = [each["collections"] for each in gc.get_stats()]
        self.walk, self.walk_at = None, now + min(_FIRST_WALK_S, settings.walk_interval_s)
        self.trace, self.costs = None, []
        self.own_s = 0.0
        self.is_running = False
        self.add(families.STARTS, "", 1)
        self.add(families.ERRORS, "", 0)
        self.set(families.START_TIME, "", time.time())
        self.set(families.TRACING, "", 0)
        for name, _ in settings.thresholds:
            self.add(families.GROWTH_EVENTS, name, 0)
        self.read()

    def clear(self):
        """Removes what the slot's last worker measured of itself."""
        for family, _, at, numbers in list(cells.records(self.cells.buffer)):
            if family < len(families.FAMILIES) and not families.FAMILIES[family].is_kept:
                for each in range(len(numbers)):
                    self.numbers[at + each] = cells.ABSENT

    # -- requests

    def begin(self):
        """Before a request: what `end` is to be given."""
        self.turn = (self.turn + _GOLDEN) % 1.0
        rate = self.settings.sample_rate
        is_sampled = rate >= 1.0 or self.turn < rate
        before = self.statm.read() if is_sampled else None
        with self.lock:
            self.begun += 1
            is_alone = not self.in_flight
            self.in_flight += 1
            return before, self.begun if is_alone else 0

    def end(self, token, view):
        """After the request of a view."""
        if not self.is_running:  # a child that was forked in the middle of it
            return
        before, number = token
        resident, anonymous = self.statm.read() if before else (0, 0)
        now = time.monotonic()
        with self.lock:
            self.in_flight -= 1
            self.requests += 1
            requests, usage, allocation, name = self.places.get(view) or self.place(view)
            numbers = self.numbers
            numbers[requests] += 1.0
            difference = None
            if before:
                numbers[usage] = resident
                if number == self.begun and not self.in_flight:
                    difference, left = anonymous - before[1], resident - before[0]
                    if left > 0:
                        numbers[allocation + bisect.bisect_left(families.BUCKETS, left)] += 1.0
                        numbers[allocation + len(families.BUCKETS) + 1] += left
            self.growth.ended(name, anonymous, difference, now)

    def place(self, view):
        """Where a view's numbers are; those of `other` once there are too many views."""
        name = view if len(self.places) < _MOST_VIEWS else _OTHER
        every = (families.REQUESTS, families.MEMORY_USAGE, families.ALLOCATION)
        found = (*(self.cells.find(family, name, _OTHER) for family in every), name)
        if None in found:  # the file is full of somebody else's: nothing is lost but this
            scratch = cells.SIZE // 8 - families.ALLOCATION.cells
            found = (scratch, scratch, scratch, name)
        if len(self.places) < 4096:
            self.places[view] = found
        return found

    # -- the thread

    def start(self):
        """Starts the thread."""
        self.is_running = True
        start_new_thread(self.run)

    def run(self):
        """Until `is_running` is taken back, or the interpreter goes."""
        due = 0.0
        while self.is_running:
            try:
                now = time.monotonic()
                if now >= due:
                    self.tick(now)
                    due = now + (_TRACING_TICK_S if self.trace else _TICK_S)
                pause = due - time.monotonic()
                if self.walk is not None:
                    self.walk_on(now)
                    pause = min(pause, _SLICE_REST_S)
                used = time.thread_time()
                self.add(families.CPU, "", used - self.own_s)
                self.own_s = used
                sleep(max(pause, 0.01))
            except Exception:  # the program comes first: what failed is tried again
                self.add(families.ERRORS, "", 1)
                self.walk = None
                sleep(_TICK_S)

    def tick(self, now):
        """Everything but the walk's own steps."""
        self.read()
        with self.lock:
            self.growth.look(self.anonymous, now)
        passed = self.growth.fold()
        self.costs = [*self.costs[-30:], (self.requests, time.process_time())]
        if passed:
            self.grown(passed)
        if self.trace is not None and self.trace.is_over(now):
            self.end_trace()
        interval = self.settings.walk_interval_s
        if interval and self.walk is None and now >= self.walk_at:
            from caulk_probe.objects import Walk

            self.walk, self.walk_at = Walk(), now + interval

    def read(self):
        """What costs next to nothing: memory, collections."""
        resident, self.anonymous = self.statm.read()
        self.set(families.MEMORY, "rss", resident)
        self.set(families.MEMORY, "anonymous", self.anonymous)
        if self.growth.floor:
            self.set(families.MEMORY, "floor", self.growth.floor)
        with self.lock:
            collected = [each["collections"] for each in gc.get_stats()]
            for generation, (new, old) in enumerate(zip(collected, self.collected)):
                self.add(families.COLLECTIONS, str(generation), new - old)
            self.collected = collected

    def walk_on(self, now):
        """The walk's next step."""
        if self.walk.step(_SLICE_S):
            for name, count in self.walk.labelled().items():
                self.set(families.PYTHON_OBJECTS, name, count)
            self.walk = None

    def grown(self, passed):
        """Growth was seen: says so, and looks where it comes from."""
        import logging

        if self.trace is None and self.settings.is_tracing and self.directory:
            from caulk_probe import tracing

            (first, cpu_first), (last, cpu_last) = self.costs[0], self.costs[-1]
            before = (cpu_last - cpu_first) / (last - first) if last - first >= 20 else None
            self.trace = tracing.begin(self.directory, self.requests, time.process_time(), before)
            self.growth.is_disturbed = self.trace is not None
            self.set(families.TRACING, "", int(self.growth.is_disturbed))
        logging.getLogger("caulk_probe").warning(
            "memory of worker %d has grown by %s since the last such event%s",
            self.slot.number if self.slot else 0,
            ", ".join("{:.1f} MB ({})".format(size / (1 << 20), name) for name, size in passed.items()),
            ": allocations are traced for a minute at most" if self.trace is not None else "",
        )

    def end_trace(self):
        """Says which lines have allocated what was kept."""
        trace, self.trace = self.trace, None
        seconds = time.monotonic() - trace.begun
        # What a request that runs has for itself is no growth: wait for a moment without one, if there is any.
        until = time.monotonic() + _TICK_S
        while self.in_flight and time.monotonic() < until:
            sleep(0.0005)
        found, ratio = trace.end(self.requests, time.process_time())
        with self.lock:
            self.growth.window.is_warming = True
            self.growth.is_disturbed = False
        self.set(families.TRACING, "", 0)
        self.add(families.TRACE_SECONDS, "", seconds)
        if ratio is not None:
            self.set(families.TRACE_COST, "", ratio)
        for (family, _), at in list(self.cells.known.items()):
            if family == families.GROWTH_SITE.number:
                self.numbers[at] = cells.ABSENT
        known = sum(family == families.GROWTH_SITE.number for family, _ in self.cells.known)
        for size, _, name in found:
            is_known = (families.GROWTH_SITE.number, name) in self.cells.known
            self.set(families.GROWTH_SITE, name if is_known or known < 20 else _OTHER, size)
            known += not is_known
        import logging

        logging.getLogger("caulk_probe").warning(
            "allocated in %.0f s and still alive: %s%s",
            seconds,
            "; ".join("{:,} bytes in {:,} blocks at {}".format(*each) for each in found) or "nothing",
            "" if ratio is None else " (tracing cost {:.1f} times the CPU time per request)".format(ratio),
        )

    # -- numbers

    def set(self, family, key, value):
        """Sets a gauge."""
        at = self.cells.find(family, key)
        if at is not None:
            self.numbers[at] = value

    def add(self, family, key, value):
        """Adds to a counter."""
        at = self.cells.find(family, key)
        if at is not None:
            self.numbers[at] += value
