"""What a capture really took: the program's memory is read while it goes on, from a thread of its own."""

import contextlib
import threading
import time
from types import TracebackType
from typing import Self

from caulk.model.capture import Costs
from caulk.model.errors import CaulkError
from caulk.ports import Reach

_EVERY_S = 0.1


class Meter:
    """A context that measures: `before` is the first reading, `costs` the time, and the most memory above it."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="caulk meter", daemon=True)
        self._peak: int | None = None
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._peak = self._first = self._anonymous()
        self._began = time.monotonic()
        if self._first is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._seconds = time.monotonic() - self._began
        self._stop.set()

    def costs(self, pause_s: float | None, disk_bytes: int | None) -> Costs:
        """The capture's; its whole time stands for a pause that nobody measured."""
        extra = None if self._peak is None or self._first is None else max(self._peak - self._first, 0)
        return Costs(round(self._seconds if pause_s is None else pause_s, 3), extra, disk_bytes)

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            now = self._anonymous()
            if now is None:
                return
            self._peak = max(self._peak or 0, now)

    def _anonymous(self) -> int | None:
        with contextlib.suppress(CaulkError):
            return self._reach.reading().anonymous
        return None
