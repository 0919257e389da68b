"""Server-sent events: what happens is told to every page that listens, from any thread."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

#: What a page that does not read may miss; it asks again for what it shows anyway.
_MOST_WAITING = 256
#: Proxies close what is silent for a minute.
_BEAT_S = 20.0


class Events:
    """The hub. Bound to the event loop that `listen` is first called on."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def tell(self, event: str, record: Any) -> None:
        """Sends an event to all that listen."""
        loop = self._loop
        if loop is None or not self._queues or loop.is_closed():
            return
        message = b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(record))
        loop.call_soon_threadsafe(self._put, message)

    def close(self) -> None:
        """Ends every stream, so that the server can end."""
        self._closed = True
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(b"")

    async def listen(self) -> AsyncIterator[bytes]:
        """The events from now on, with a comment now and then, which keeps the connection."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[bytes] = asyncio.Queue(_MOST_WAITING)
        self._queues.add(queue)
        try:
            yield b": caulk\n\n"
            while not self._closed:
                try:
                    message = await asyncio.wait_for(queue.get(), _BEAT_S)
                except TimeoutError:
                    message = b": still here\n\n"
                if message:
                    yield message
        finally:
            self._queues.discard(queue)

    def _put(self, message: bytes) -> None:
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(message)
