"""Where memory that grows is allocated: `tracemalloc`, in one worker of a server, for one bounded window.

Tracing makes allocations several times as dear, so it is off until growth was seen; one worker traces at a time,
for a minute at most or until 1.5 MB of traces are kept (some 25,000 allocations), and the server then rests for ten
minutes. What it cost is measured: CPU time per request meanwhile, by that before.
"""

from __future__ import annotations

import _tracemalloc
import fcntl
import gc
import os
import sys
import time

#: Each costs at every allocation; what a library allocates for the program is mostly within so many calls.
_FRAMES = 5
_LONGEST_S = 60.0
_MOST_TRACES_BYTES = 1536 << 10
_REST_S = 600.0
#: A site with less than this share of the largest one's bytes is noise.
_MOST_SITES, _LEAST_SHARE = 5, 0.05
_LONGEST_NAME = 120


class Trace:
    """One window of this process. `begin` gives one only where no other worker has one and none had of late."""

    def __init__(self, descriptor, requests, cpu_s, cost_before):
        self.descriptor, self.requests, self.cpu_s = descriptor, requests, cpu_s
        self.cost_before = cost_before
        self.begun = time.monotonic()
        _tracemalloc.start(_FRAMES)

    def is_over(self, now):
        """Whether it has seen enough."""
        traces = _tracemalloc.get_tracemalloc_memory()
        return now - self.begun > _LONGEST_S or traces > _MOST_TRACES_BYTES

    def end(self, requests, cpu_s):
        """Stops tracing; gives the sites (bytes and number of what is alive, by site) and the cost ratio or None."""
        served = requests - self.requests
        ratio = None
        if served >= 20 and self.cost_before:
            ratio = (cpu_s - self.cpu_s) / served / self.cost_before
        try:
            # What was garbage all along is not what grows; objects this young are collected in no time.
            gc.collect(1)
            sites = _sites(_tracemalloc._get_traces())
        finally:
            _tracemalloc.stop()
            _close(self.descriptor)
        return sites, ratio


def begin(directory, requests, cpu_s, cost_before):
    """A window, or None where there may be none; `cost_before` is CPU seconds per request, None where unknown."""
    if _tracemalloc.is_tracing():  # it is somebody else's
        return None
    path = "{}/trace".format(directory)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_size and time.time() - os.fstat(descriptor).st_mtime < _REST_S:
            os.close(descriptor)
            return None
        return Trace(descriptor, requests, cpu_s, cost_before)
    except OSError:
        os.close(descriptor)
        return None


def _close(descriptor):
    """Says when the window ended, and lets the next worker have one."""
    try:
        os.pwrite(descriptor, b"traced\n", 0)
        os.close(descriptor)
    except OSError:  # the program has closed it
        pass


def _sites(traces):
    """The largest sites: bytes, number, name. A site is the innermost line of the program's own code."""
    found = {}
    for trace in traces:
        frames = trace[2]
        # The probe's own few objects are not the program's.
        if frames[0][0].startswith(_OWN):
            continue
        at = next((frame for frame in frames if not _is_library(frame[0])), frames[0])
        size, count = found.get(at, (0, 0))
        found[at] = size + trace[1], count + 1
    largest = sorted(found.items(), key=lambda each: -each[1][0])[:_MOST_SITES]
    least = largest[0][1][0] * _LEAST_SHARE if largest else 0
    return [(size, count, _name(*at)) for at, (size, count) in largest if size >= least]


_LIBRARY: dict = {}
_OWN = os.path.dirname(__file__) + "/"


def _is_library(file):
    """Whether a file is the interpreter's or a package's."""
    known = _LIBRARY.get(file)
    if known is None:
        packages = "/site-packages/" in file or "/dist-packages/" in file or file.startswith(("<frozen", "<string"))
        known = packages or file.startswith((os.path.dirname(os.__file__) + "/", _OWN))
        _LIBRARY[file] = known
    return known


def _name(file, line):
    """A file as the program knows it, and the line."""
    roots = sorted((each for each in sys.path if each and file.startswith(each.rstrip("/") + "/")), key=len)
    if roots:
        file = file[len(roots[-1].rstrip("/")) + 1 :]
    return "{}:{}".format(file[-_LONGEST_NAME:], line)
