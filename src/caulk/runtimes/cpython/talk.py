"""The conversation with `caulk_probe.control` in a program: a line is asked, a block is answered, bytes are streamed.

The protocol is on the page docs/cpython-probe.md. Whatever the program says is bounded, and so is how long it may take.
"""

import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from caulk.model.errors import CaptureFailed
from caulk.ports import Sink

_ANSWERS_S, _NEXT_PIECE_S = 20.0, 150.0
_LONGEST = 64 << 10
_MOST_PIECE = 64 << 20
_RECEIVED = 256 << 10
_HELD = (
    "the program does not let the probe answer: its code in C holds the interpreter lock, or it is stopped",
    "Try again when it is less busy.",
)


class Control:
    """One connection to a control; `facts` are what it greeted with."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pending = bytearray()
        self._wait(_ANSWERS_S)
        try:
            self.facts = self._block("caulk-probe ")
        except BaseException:
            connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connection.close()

    def ask(self, request: str) -> Mapping[str, str]:
        """What is answered; raises `CaptureFailed` with the reason where it is refused."""
        if "\n" in request or len(request) > 4000:
            raise CaptureFailed("a request to the probe is one line")
        self._wait(_ANSWERS_S)
        try:
            self._connection.sendall(request.encode() + b"\n")
        except OSError as error:
            raise CaptureFailed(f"the probe hung up: {error}") from error
        return self._block("ok")

    def stream(self, request: str, sink: Sink, total: int, step: str) -> Mapping[str, str]:
        """Has what is asked for written into `sink`; gives what is said before and after it."""
        facts = dict(self.ask(request))
        self._wait(_NEXT_PIECE_S)
        done = 0
        sink.progress(0, max(total, 1), step)
        while size := int.from_bytes(self._exactly(4), "little"):
            if size > _MOST_PIECE:
                raise CaptureFailed("the probe sends what is not of its protocol")
            while size:
                piece = self._some(size)
                sink.write(piece)
                size -= len(piece)
                done += len(piece)
                sink.progress(done, max(total, done), step)
        return facts | self._block("ok")

    def _block(self, begins: str) -> dict[str, str]:
        """Names and values up to an empty line; the first line says whether it went well."""
        while b"\n\n" not in self._pending:
            if len(self._pending) > _LONGEST:
                raise CaptureFailed("the probe says more than it should")
            self._receive()
        end = self._pending.index(b"\n\n")
        first, *lines = self._pending[:end].decode("utf-8", "replace").split("\n")
        del self._pending[: end + 2]
        if first.startswith("failed "):
            raise CaptureFailed(first.removeprefix("failed "))
        if not first.startswith(begins):
            raise CaptureFailed("what answers there is no caulk-probe")
        return {name: value for name, _, value in (line.partition(" ") for line in lines)}

    def _exactly(self, size: int) -> bytes:
        while len(self._pending) < size:
            self._receive()
        found = bytes(self._pending[:size])
        del self._pending[:size]
        return found

    def _some(self, most: int) -> bytes:
        if not self._pending:
            self._receive()
        found = bytes(self._pending[:most])
        del self._pending[:most]
        return found

    def _receive(self) -> None:
        try:
            data = self._connection.recv(_RECEIVED)
        except TimeoutError:
            raise CaptureFailed(_HELD[0], hint=_HELD[1]) from None
        except OSError as error:
            raise CaptureFailed(f"the connection to the probe broke: {error}") from error
        if not data:
            raise CaptureFailed(
                "the program hung up before the end: it has ended, or what wrote the dump was killed",
                hint="Is memory short? A dump in place takes less than one by a child: free some, or --lend more.",
            )
        self._pending += data

    def _wait(self, seconds: float) -> None:
        self._connection.settimeout(seconds)
