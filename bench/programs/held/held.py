"""Tickets, or large strings: KIND MIB. Says `ready`; then how long a thread that wakes all the time could not."""

import sys
import threading
import time

import caulk_probe.control

#: A thread that works hands the lock on after 5 ms.
USUAL_S = 0.01


class Ticket:
    """What is held."""

    def __init__(self, number: int, before: "Ticket | None") -> None:
        self.name, self.number, self.before = f"ticket {number}", number, before


def held(kind: str, size: int) -> object:
    """About `size` bytes of it."""
    if kind == "strings":
        return ["x" * 4000 + str(number) for number in range(size // 4080)]
    found: dict[str, Ticket] = {}
    last = None
    for number in range(size // 340):
        last = Ticket(number, last)
        found[last.name] = last
    return found


class Heart(threading.Thread):
    """Beats every 2 ms; `stood` are the seconds of all longer gaps, as the interpreter lock is passed on meanwhile."""

    stood = 0.0

    def run(self) -> None:
        """Goes on for ever."""
        last = time.monotonic()
        while True:
            time.sleep(0.002)
            now = time.monotonic()
            self.stood += now - last if now - last > USUAL_S else 0.0
            last = now


caulk_probe.control.start()
kept = held(sys.argv[1], int(sys.argv[2]) << 20)
heart = Heart(daemon=True)
heart.start()
print("ready", flush=True)
for _ in sys.stdin:
    print(heart.stood, flush=True)
    heart.stood = 0.0
