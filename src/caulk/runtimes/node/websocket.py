"""WebSocket over a connection that somebody else made: text messages of any size, as Node's inspector sends them.

Protocol: https://www.rfc-editor.org/rfc/rfc6455, without extensions. It is written here because what reaches a target
is a socket, and because a heap snapshot is many thousand messages that are only handed on.
"""

import base64
import os
import struct
import time
from contextlib import suppress
from hashlib import sha1
from socket import socket

from caulk.model.errors import CaptureFailed, Unreachable

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FINAL, _MASKED, _RESERVED = 0x80, 0x80, 0x70
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST_HEAD, _MOST_MESSAGE = 1 << 14, 1 << 28
_PIECE = 1 << 18
_SHAKE_S, _SEND_S = 10.0, 10.0


class Closed(Unreachable):
    """The other side has ended the connection."""


class WebSocket:
    """A connection after its handshake. All methods raise `Unreachable` if it breaks, or nothing comes in time."""

    def __init__(self, link: socket, server: str, path: str) -> None:
        """Shakes hands over `link`; `server` is its `host:port`, where Node wants an address or localhost."""
        self._link, self._server = link, server
        self._have, self._at = bytearray(), 0
        key = base64.b64encode(os.urandom(16))
        head = f"GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".encode()
        self._send(head + b"Sec-WebSocket-Key: " + key + b"\r\nSec-WebSocket-Version: 13\r\n\r\n")
        answer = self._head(time.monotonic() + _SHAKE_S)
        accepted = base64.b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
        if not answer.startswith(b"HTTP/1.1 101 ") or accepted not in answer:
            said = answer.partition(b"\r\n")[0][:100].decode("latin-1")
            raise CaptureFailed(f"{server} does not speak WebSocket: it answered {said!r}")

    def send(self, text: bytes) -> None:
        """Sends one message of UTF-8."""
        self._frame(_TEXT, text)

    def receive(self, until: float) -> bytes:
        """The next message in UTF-8, by `until` of the monotonic clock; raises `Closed` where there is none."""
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
                raise Closed(f"{self._server} ended the session")
            if kind == _PING:
                self._frame(_PONG, data)
            elif kind != _PONG:
                message += data
                if first & _FINAL:
                    return message

    def close(self) -> None:
        """Says good-bye and lets go."""
        with suppress(Unreachable):
            self._frame(_CLOSE, b"")
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
        try:
            self._link.settimeout(_SEND_S)
            self._link.sendall(data)
        except OSError as error:
            raise self._broken(error) from error

    def _head(self, until: float) -> bytes:
        """The answer to the handshake, up to its empty line."""
        while (end := self._have.find(b"\r\n\r\n")) < 0:
            if len(self._have) > _MOST_HEAD:
                raise CaptureFailed(f"{self._server} does not speak HTTP")
            self._fill(until)
        return self._take(end + 4, until)

    def _take(self, size: int, until: float) -> bytes:
        while len(self._have) - self._at < size:
            self._fill(until)
        with memoryview(self._have) as have:
            data = bytes(have[self._at : self._at + size])
        self._at += size
        return data

    def _fill(self, until: float) -> None:
        if self._at:
            del self._have[: self._at]
            self._at = 0
        try:
            # Zero would mean not to block at all.
            self._link.settimeout(max(until - time.monotonic(), 0.001))
            piece = self._link.recv(_PIECE)
        except OSError as error:
            raise self._broken(error) from error
        if not piece:
            raise Closed(f"{self._server} ended the connection")
        self._have += piece

    def _broken(self, error: OSError) -> Unreachable:
        if isinstance(error, TimeoutError):
            return Unreachable(f"{self._server} did not answer in time")
        if isinstance(error, ConnectionError):
            return Closed(f"the connection to {self._server} broke: {error.strerror or error}")
        return Unreachable(f"the connection to {self._server} broke: {error.strerror or error}")
