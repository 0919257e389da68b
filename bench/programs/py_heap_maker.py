"""Makes a Python heap and dumps it: py_heap_maker.py PROBE_FOLDER DUMP OBJECTS [fork].

Prints, as JSON, what `fork()` mode stops the program for, beside a walk over `gc.get_objects()` in the same process.
"""

import gc
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import caulk_probe.dumper as d


class Quote:
    """What a cache keeps."""

    def __init__(self, symbol, price):
        self.symbol, self.price, self.bids = symbol, price, [price - 1.0, price + 1.0]


class Session:
    """What a list keeps."""

    __slots__ = ("last", "user")

    def __init__(self, user):
        self.user, self.last = user, {"page": "/", "at": user}


QUOTES = {}
SESSIONS = []
LISTENERS = []


def listener(session):
    return lambda event: (session, event)


def fill(objects):
    """About `objects` that the collector tracks: 8 for each step."""
    for i in range(objects // 8):
        QUOTES[f"SYM{i}"] = Quote(f"SYM{i}", float(i))
        SESSIONS.append(Session(i))
        if i % 2:
            LISTENERS.append(listener(SESSIONS[-1]))
            QUOTES[f"SYM{i}"].bids.append((i, [str(i)]))


def walk():
    started = time.perf_counter()
    for each in gc.get_objects():
        type(each), sys.getsizeof(each), gc.get_referents(each)
    return time.perf_counter() - started


def figure(name):
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))


if __name__ == "__main__":
    path, is_fork = sys.argv[2], "fork" in sys.argv[4:]
    fill(int(sys.argv[3]))
    gc.collect()
    Path(path).unlink(missing_ok=True)
    before = figure("RssAnon:")
    Path("/proc/self/clear_refs").write_text("5")
    ahead = d.plan(path, fork=is_fork)
    started = time.perf_counter()
    d.dump(path, fork=is_fork)
    paused = time.perf_counter() - started
    while not d.is_done(path):
        time.sleep(0.01)
    whole = time.perf_counter() - started
    grown = figure("VmHWM:") - figure("RssFile:") - before
    print(
        json.dumps(
            {
                "tracked": len(gc.get_objects()),
                "blocks": sys.getallocatedblocks(),
                "rss_anon": before,
                "walk_s": walk(),
                "pause_s": paused,
                "dump_s": whole,
                "grown_bytes": grown,
                "dump_bytes": Path(path).stat().st_size,
                "plan": ahead._asdict(),
            }
        )
    )
