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
#: Readings take no more than this part of the time: each costs the program a little.
_SHARE = 0.2


class Meter:
    """A context that measures: `costs` are the time, and the most memory above what there was before.

    Memory is the program's anonymous pages, and what counts against its limit (that of its children too, such as a copy
    of itself that writes a dump): the one that grew more.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="caulk meter", daemon=True)
        self._extra: int | None = None
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._first = self._memory()
        self._began = time.monotonic()
        if self._first:
            self._extra = 0
            self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._seconds = time.monotonic() - self._began
        self._stop.set()

    def costs(self, pause_s: float | None, disk_bytes: int | None) -> Costs:
        """The capture's; its whole time stands for a pause that nobody measured."""
        return Costs(round(self._seconds if pause_s is None else pause_s, 3), self._extra, disk_bytes)

    def _watch(self) -> None:
        took = 0.0
        while not self._stop.wait(max(_EVERY_S, took / _SHARE)):
            began = time.monotonic()
            now = self._memory()
            if not now:
                return
            grown = (new - old for new, old in zip(now, self._first, strict=False))
            self._extra = max(self._extra or 0, *grown)
            took = time.monotonic() - began

    def _memory(self) -> tuple[int, ...]:
        """Bytes, as the program's pages and as its limit count them; nothing where it cannot be read."""
        found: tuple[int, ...] = ()
        with contextlib.suppress(CaulkError):
            found = (self._reach.reading().anonymous,)
            found = (*found, self._reach.room().used)
        return found
