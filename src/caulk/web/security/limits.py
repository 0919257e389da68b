"""How often, and how many at once: token buckets by caller and by target, and lanes for uploads."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from caulk.web.security.refusals import Refusal

#: Keys that are remembered; those that were used longest ago are forgotten first.
_MOST_KEYS = 10_000
_LANE_FREE_S = 30


class Buckets:
    """A bucket a key: it holds `most`, and is full again after `window_s`."""

    def __init__(self, most: int, window_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._window_s = window_s
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = Lock()

    def wait_s(self, key: str) -> float:
        """Seconds until there is one in the bucket of `key`; 0 where there is."""
        left = self._level(key)
        if not self._most:
            return self._window_s
        return max(0.0, (1 - left) * self._window_s / self._most)

    def left(self, *keys: str) -> int:
        """How many may be taken for all of these keys now."""
        with self._lock:
            return int(min(map(self._level, keys)))

    def take(self, *keys: str) -> float:
        """Takes one for each key, or none where one has none: then the seconds to wait, else 0."""
        with self._lock:
            wait = max(self.wait_s(key) for key in keys)
            if not wait:
                for key in keys:
                    level = self._level(key)
                    self._left.pop(key, None)
                    self._left[key] = (level - 1, self._now())
                while len(self._left) > _MOST_KEYS:
                    del self._left[next(iter(self._left))]
            return wait

    def _level(self, key: str) -> float:
        left, at = self._left.get(key, (float(self._most), 0.0))
        return min(float(self._most), left + (self._now() - at) * self._most / self._window_s)


class Lanes:
    """At most so many at once."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._lock = Lock()

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        """Holds a lane meanwhile; raises `Refusal` (429) where none is free."""
        with self._lock:
            if not self._free:
                raise too_often(f"too many {what} at once", _LANE_FREE_S)
            self._free -= 1
        try:
            yield
        finally:
            with self._lock:
                self._free += 1


def too_often(what: str, wait_s: float) -> Refusal:
    """That it is too early, and when it is not."""
    seconds = max(1, math.ceil(wait_s))
    return Refusal(429, what, hint=f"Ask again in {seconds} s.", headers={"Retry-After": str(seconds)})
