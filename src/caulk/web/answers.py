"""Answers that were given before: whoever opens a page again, or goes back, waits for nothing."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

_MOST_BYTES = 256 << 20
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent."""

    body: bytes
    media: str


class Answers:
    """Answers by what was asked, as many as `most_bytes` hold; those that were wanted longest ago go first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._coming: dict[Hashable, Future[Answer]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_AT_ONCE, "caulk-answer")

    def get(self, key: Hashable, make: Callable[[], Answer]) -> "Future[Answer]":
        """The answer, once it is there; who asks while it is made waits for the same one."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                given: Future[Answer] = Future()
                given.set_result(self._kept[key])
                return given
            if key not in self._coming:
                self._coming[key] = self._pool.submit(self._made, key, make)
            return self._coming[key]

    def close(self) -> None:
        """Begins nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _made(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        try:
            answer = make()
        except BaseException:
            with self._lock:
                del self._coming[key]
            raise
        with self._lock:
            del self._coming[key]
            self._kept[key] = answer
            self._bytes += len(answer.body)
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1].body)
        return answer
