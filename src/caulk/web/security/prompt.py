"""HTTP/1.1 of uvicorn that waits for a request's head only so long: a connection that dribbles is closed."""

from asyncio import Transport
from asyncio.events import TimerHandle

from uvicorn.protocols.http.h11_impl import H11Protocol

_WITHIN_S = 10.0


class Prompt(H11Protocol):
    """A connection of which every head is there within ten seconds of its first byte; the first, of its opening."""

    within_s = _WITHIN_S
    _due: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Waits for the first head."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Waits for a head from its first byte on, until it is there."""
        if self._is_idle:
            self._await_head()
        super().data_received(data)
        if not self._is_idle:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        self._due = self._due or self.loop.call_later(self.within_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._due:
            self._due.cancel()
            self._due = None
