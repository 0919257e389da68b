"""A profiler of Envoy's that is switched on for a while, and off again however that ends.

It must never stay on: gperftools records every allocation, which makes some answers of Envoy eighty times slower
(https://github.com/envoyproxy/envoy/issues/21092).
"""

import atexit
import contextlib
from types import TracebackType
from typing import Self

from caulk.model.errors import CaptureFailed, CaulkError, Unreachable
from caulk.runtimes.endpoint.http import refusal
from caulk.runtimes.envoy.admin import Admin, explained

_MOST_BYTES = 256 << 20
#: So often an Envoy that does not answer is told to stop.
_TRIES = 3


class Switch:
    """A context in which the profiler at `path` records; raises `CaptureFailed` where it does already.

    That is somebody else's doing then, and is left as it is.
    """

    def __init__(self, admin: Admin, path: str) -> None:
        self._admin, self._path = admin, path
        self._is_on = False

    def __enter__(self) -> Self:
        self._is_on = True
        # Ctrl-C may end the program while the thread that records is not waited for.
        atexit.register(self._surely_off)
        try:
            answer = self._admin.ask(f"{self._path}?enable=y", method="POST")
        except BaseException:
            # It may have heard all the same.
            self._surely_off()
            raise
        if answer.status != 200:
            self._done()
            hint = explained(answer).fix
            if "already started" in answer.words:
                hint = f"Wait until who started it is done, or end it: {self._command}"
            raise CaptureFailed(str(refusal(answer)), hint=hint)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        try:
            self._surely_off()
        except KeyboardInterrupt:
            self._surely_off()
            raise
        if self._is_on:
            raise CaptureFailed(
                f"{self._admin.site.root}{self._path} could not be switched off, and may record still",
                hint=f"Switch it off: {self._command}",
            )

    def off(self) -> bytes | None:
        """Switches it off, and gives what it answers to that; None if the answer was lost on the way."""
        lost: CaulkError = Unreachable("")
        for before in range(_TRIES):
            try:
                answer = self._admin.ask(f"{self._path}?enable=n", method="POST", most_bytes=_MOST_BYTES)
            except CaulkError as error:
                lost = error
                continue
            if answer.status in (200, 400):
                self._done()
            if answer.status == 200:
                return answer.body
            if before and answer.status == 400:
                return None
            raise CaptureFailed(str(refusal(answer)), hint=f"Somebody else may have ended it: {self._command}")
        raise lost

    @property
    def _command(self) -> str:
        return f"curl -X POST '{self._admin.site.root}{self._path}?enable=n'"

    def _surely_off(self) -> None:
        if self._is_on:
            with contextlib.suppress(CaulkError):
                self.off()

    def _done(self) -> None:
        self._is_on = False
        atexit.unregister(self._surely_off)
