"""WebSocket over a connection that somebody else made: messages of any size, handed on as they come.

Protocol: https://www.rfc-editor.org/rfc/rfc6455, without extensions. One thread may read while another writes, by TLS
too: OpenSSL takes one thread at a time, so each touches the connection only for as long as nothing blocks.
"""

import base64
import os
import select
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha1
from socket import socket
from typing import TypeVar

from caulk.model.errors import CaptureFailed, Unreachable

TEXT, BINARY = 1, 2
_CLOSE, _PING, _PONG = 8, 9, 10
_FINAL, _MASKED, _RESERVED = 0x80, 0x80, 0x70
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST_HEAD, _MOST_MESSAGE = 1 << 14, 1 << 28
_PIECE, _LEAST = 1 << 18, 1 << 14
_SHAKE_S, _SEND_S = 10.0, 30.0
_NEVER: Mapping[str, str] = {}

T = TypeVar("T")


class Closed(Unreachable):
    """The other side has ended the connection, with a code where it said one (1000 is as it should be)."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class Refused(CaptureFailed):
    """The server answered the handshake with another status; `body` is the beginning of what it said."""

    def __init__(self, message: str, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status, self.body = status, body


class WebSocket:
    """A connection after its handshake. All methods raise `Unreachable` if it breaks, or nothing comes in time."""

    def __init__(
        self, link: socket, server: str, path: str, headers: Mapping[str, str] = _NEVER, protocol: str = ""
    ) -> None:
        """Shakes hands over `link`; `server` is its `host:port`. Raises `Refused` where the server has another mind."""
        self._link, self._server = link, server
        # What has come and was not taken: `_have[_at:_end]`.
        self._have, self._at, self._end = bytearray(_PIECE), 0, 0
        self._touching, self._writing = threading.Lock(), threading.Lock()
        link.setblocking(False)
        key = base64.b64encode(os.urandom(16))
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {server}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key.decode()}",
            "Sec-WebSocket-Version: 13",
            *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []),
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self._send("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))
        until = time.monotonic() + _SHAKE_S
        answer = self._head(until)
        accepted = base64.b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
        if not answer.startswith(b"HTTP/1.1 101 ") or accepted not in answer:
            raise self._refused(answer, until)

    def send(self, data: bytes, kind: int = TEXT) -> None:
        """Sends one message: UTF-8, or bytes of any kind as `BINARY`."""
        self._frame(kind, data)

    def receive(self, until: float | None = None) -> bytes:
        """The next message, by `until` of the monotonic clock if that is given; raises `Closed` where there is none."""
        message = b""
        while True:
            first, second = self._take(2, until)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(self._take(2 if size == 126 else 8, until), "big")
            if second & _MASKED or first & _RESERVED or size + len(message) > _MOST_MESSAGE:
                raise CaptureFailed(f"{self._server} sent what is no WebSocket frame, or one of {size:,} bytes")
            kind, data = first & 0x0F, self._take(size, until)
            if kind == _CLOSE:
                raise Closed(f"{self._server} ended the session", int.from_bytes(data[:2], "big"))
            if kind == _PING:
                self._frame(_PONG, data)
            elif kind != _PONG:
                message = message + data if message else data
                if first & _FINAL:
                    return message

    def is_ready(self, within_s: float) -> bool:
        """Whether something comes within so many seconds: a message, or the end."""
        buffered = self._link.pending() if isinstance(self._link, ssl.SSLSocket) else 0
        if buffered or self._end > self._at:
            return True
        try:
            self._wait(time.monotonic() + within_s, writes=False)
        except Closed:
            return True
        except Unreachable:
            return False
        return True

    def close(self) -> None:
        """Says good-bye and lets go; who reads meanwhile comes to an end."""
        with suppress(Unreachable):
            self._frame(_CLOSE, b"\x03\xe8")
        with suppress(OSError), self._touching:
            # Shut first: a thread that waits for the descriptor must wake before another gets its number.
            self._link.shutdown(2)
        self._link.close()

    def _frame(self, kind: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", _FINAL | kind, _MASKED | size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", _FINAL | kind, _MASKED | 126, size)
        else:
            head = struct.pack(">BBQ", _FINAL | kind, _MASKED | 127, size)
        mask = os.urandom(4)
        repeated = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        self._send(head + mask + (int.from_bytes(data, "big") ^ repeated).to_bytes(size, "big"))

    def _send(self, data: bytes) -> None:
        until = time.monotonic() + _SEND_S
        with self._writing:
            view = memoryview(data)
            while view:
                view = view[self._now(partial(self._link.send, view), until, writes=True) :]

    def _refused(self, answer: bytes, until: float) -> CaptureFailed:
        line = answer.partition(b"\r\n")[0][:100].decode("latin-1")
        words = line.split()
        status = int(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") and words[1].isdigit() else 0
        size = next((int(h[15:]) for h in answer.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
        body = b""
        with suppress(Unreachable, ValueError):
            body = self._take(min(size, _MOST_HEAD), until)
        return Refused(f"{self._server} does not speak WebSocket: it answered {line!r}", status, body)

    def _head(self, until: float) -> bytes:
        """The answer to the handshake, up to its empty line."""
        while (end := self._have.find(b"\r\n\r\n", 0, self._end)) < 0:
            if self._end > _MOST_HEAD:
                raise CaptureFailed(f"{self._server} does not speak HTTP")
            self._fill(self._end + 1, until)
        return self._take(end + 4, until)

    def _take(self, size: int, until: float | None) -> bytes:
        while self._end - self._at < size:
            self._fill(size, until)
        with memoryview(self._have) as have:
            data = bytes(have[self._at : self._at + size])
        self._at += size
        return data

    def _fill(self, size: int, until: float | None) -> None:
        """Waits for more of the `size` bytes that are to be taken next."""
        if self._at + max(size, _LEAST) > len(self._have) or self._at == self._end:
            with memoryview(self._have) as have:
                have[: self._end - self._at] = have[self._at : self._end]
            self._at, self._end = 0, self._end - self._at
            self._have.extend(bytes(max(size + _LEAST - len(self._have), 0)))
        with memoryview(self._have) as have, have[self._end :] as free:
            count = self._now(partial(self._link.recv_into, free), until, writes=False)
        if not count:
            raise Closed(f"{self._server} ended the connection")
        self._end += count

    def _now(self, work: Callable[[], T], until: float | None, *, writes: bool) -> T:
        """What `work` on the connection gives as soon as it need not wait."""
        while True:
            try:
                with self._touching:
                    return work()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                wants = writes if isinstance(error, BlockingIOError) else isinstance(error, ssl.SSLWantWriteError)
            except (OSError, ValueError) as error:
                raise self._broken(error) from error
            self._wait(until, writes=wants)

    def _wait(self, until: float | None, *, writes: bool) -> None:
        left = None if until is None else until - time.monotonic()
        poll = select.poll()
        try:
            poll.register(self._link, select.POLLOUT if writes else select.POLLIN)
        except (OSError, ValueError) as error:
            raise self._broken(error) from error
        if (left is not None and left <= 0) or not poll.poll(None if left is None else left * 1000):
            raise Unreachable(f"{self._server} did not answer in time")

    def _broken(self, error: Exception) -> Unreachable:
        why = getattr(error, "strerror", None) or error
        if isinstance(error, ConnectionError | ssl.SSLEOFError):
            return Closed(f"the connection to {self._server} broke: {why}")
        return Unreachable(f"the connection to {self._server} broke: {why}")
