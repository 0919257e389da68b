"""The loop's listener: its own metrics, its health, alerts and OTLP metrics in. Loopback unless it is told otherwise.

Small requests of machines that know what they want: HTTP/1.1 by the standard library, each body and each wait bounded.
What comes in needs the token, where there is one; the metrics and the health do not, they name no values of a program.
"""

import hmac
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import BoundedSemaphore, Thread
from typing import Any

from caulk.model.errors import CaulkError, MalformedDump, UsageError

_MOST_BYTES = 16 << 20
_PATIENCE_S = 10.0
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    body: bytes = b""
    type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """What handlers see of a request."""

    body: bytes
    type: str
    accept: str
    encoding: str = ""


Handler = Callable[[Request], Said]


@contextmanager
def listening(address: str, gets: dict[str, Handler], posts: dict[str, Handler], token: str = "") -> Iterator[str]:
    """Answers at `address` (host:port, port 0 for any) meanwhile; gives the URL. Raises `UsageError` if it cannot.

    An address that others can reach asks for a token.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit()):
        raise UsageError(f"[listen] address: {address!r} has no port", hint="Write 127.0.0.1:9849.")
    if not token and not _is_loopback(host):
        raise UsageError(
            f"[listen] address: {address} can be reached by others, and there is no token",
            hint="Give token_file (or CAULK_LISTEN__TOKEN), or listen on 127.0.0.1.",
        )
    known = {"gets": gets, "posts": posts, "token": token, "lane": BoundedSemaphore(_AT_ONCE)}
    handler = type("Answering", (_Answering,), known | {"is_own": _is_loopback(host)})
    try:
        server = _Server((host, int(port)), handler)
    except OSError as error:
        raise UsageError(
            f"[listen] address: {address} cannot be listened on: {error.strerror}",
            hint='Another caulk may listen there; address = "" listens nowhere.',
        ) from None
    thread = Thread(target=server.serve_forever, args=(0.2,), daemon=True, name="caulk-http")
    thread.start()
    try:
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _host(named: str) -> str:
    """The host of a Host header, without its port."""
    return named.rpartition("]")[0].lstrip("[") if named.startswith("[") else named.partition(":")[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's trouble."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "caulk", ""
    timeout = _PATIENCE_S
    gets: dict[str, Handler]
    posts: dict[str, Handler]
    token: str
    lane: BoundedSemaphore
    is_own: bool
    """Whether only this machine can reach it."""

    def do_GET(self) -> None:
        """Metrics and health."""
        self._answer(self.gets, b"")

    def do_POST(self) -> None:
        """Alerts and metrics in."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._refuse(411, "say how long the body is: Content-Length")
        elif int(length) > _MOST_BYTES:
            self._refuse(413, f"the body is longer than {_MOST_BYTES >> 20} MB")
        elif not self._is_trusted():
            self._refuse(401, "Authorization: Bearer with the token of [listen] is wanted")
        elif "Origin" in self.headers:
            self._refuse(403, "pages of a browser have no business here")
        else:
            begun, body = time.monotonic(), b""
            while len(body) < int(length) and time.monotonic() - begun < _PATIENCE_S:
                piece = self.rfile.read1(min(int(length) - len(body), 1 << 16))
                if not piece:
                    break
                body += piece
            if len(body) < int(length):
                self._refuse(408, "the body did not come")
            else:
                self._answer(self.posts, body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: Prometheus asks every few seconds."""

    def _is_trusted(self) -> bool:
        given = self.headers.get("Authorization", "").encode()
        return not self.token or hmac.compare_digest(given, f"Bearer {self.token}".encode())

    def _refuse(self, status: int, why: str) -> None:
        # The body was not read: what follows on this connection would be taken for a request.
        self.close_connection = True
        self._say(Said(status, f"{why}\n".encode()))

    def _answer(self, handlers: dict[str, Handler], body: bytes) -> None:
        if self.is_own and not _is_loopback(_host(self.headers.get("Host", "localhost"))):
            # A page in a browser that had its own name lead here (DNS rebinding).
            self._refuse(421, "ask for 127.0.0.1 or localhost")
            return
        handler = handlers.get(self.path.partition("?")[0])
        if handler is None:
            known = ", ".join([*(f"GET {path}" for path in self.gets), *(f"POST {path}" for path in self.posts)])
            self._say(Said(404, f"there are {known}\n".encode()))
            return
        head = self.headers
        request = Request(body, head.get("Content-Type", ""), head.get("Accept", ""), head.get("Content-Encoding", ""))
        if not self.lane.acquire(timeout=_PATIENCE_S):
            self._say(Said(503, b"too many requests at once\n"))
            return
        try:
            said = handler(request)
        except (UsageError, MalformedDump) as error:
            said = Said(400, f"{error}\n".encode())
        except CaulkError as error:
            said = Said(503, f"{error}\n".encode())
        finally:
            self.lane.release()
        self._say(said)

    def _say(self, said: Said) -> None:
        self.send_response(said.status)
        self.send_header("Content-Type", said.type)
        self.send_header("Content-Length", str(len(said.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said.body)
