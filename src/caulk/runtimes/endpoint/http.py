"""HTTP/1.1 over a connection that somebody else made: to a port of this machine, of a container, or a Unix socket.

Every request has a connection of its own, a time after which it is cut whatever the server does, and a bound on what is
read. Nothing is followed, no proxy is asked, and what authorizes a request is never part of a message.
"""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from socket import SHUT_RDWR, socket
from typing import TypeAlias
from urllib.parse import urlsplit

from caulk.model.errors import CaptureFailed, Unreachable, UsageError

_PIECE = 1 << 16
#: Bytes that are read of an answer that was not asked for, and characters that are shown of it.
_EXCERPT, _LINE = 600, 120

#: A context in which a connection that fails, or is cut since time is up, is `Unreachable`.
Failing: TypeAlias = Callable[[], AbstractContextManager[None]]


class NotServed(CaptureFailed):
    """The server is there and has no such page."""


class Distrusted(Unreachable):
    """The server's certificate is not one that this user trusts."""


@dataclass(frozen=True, slots=True)
class Site:
    """A server, and how one gets to it. `host` and `port` are as it sees them; for a Unix socket `port` is 0.

    With `is_named` its certificate has to be for `host`; else it only has to be trusted, since a program that was
    reached from inside shows the certificate of its service.
    """

    connect: Callable[[], socket] = field(repr=False)
    host: str
    port: int
    scheme: str = "http"
    prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cacert: str = ""
    is_insecure: bool = False
    is_named: bool = False

    @property
    def root(self) -> str:
        """The address that all paths begin with."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{f':{self.port}' if self.port else ''}{self.prefix}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the names of `headers` are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def words(self) -> str:
        """The beginning of the body in one line, if it is text for people."""
        if not self.headers.get("content-type", "text/plain").startswith("text/plain"):
            return ""
        words = " ".join(self.body[:_EXCERPT].decode("utf-8", "replace").split())
        return words if len(words) <= _LINE else f"{words[:_LINE]}…"


class Stream:
    """An answer whose body is still to be read."""

    def __init__(self, answer: Answer, response: HTTPResponse, failing: Failing) -> None:
        self.answer, self._response, self._failing = answer, response, failing

    def pieces(self, most_bytes: int) -> Iterator[bytes]:
        """The body; raises `CaptureFailed` if it is longer than `most_bytes`, `Unreachable` if it was cut."""
        url = self.answer.url
        # http.client ends such a body in silence where the connection was cut.
        promised, got = self._response.length, 0
        while promised is None or got < promised:
            with self._failing():
                piece = self._response.read1(_PIECE if promised is None else min(_PIECE, promised - got))
            if not piece:
                break
            got += len(piece)
            if got > most_bytes:
                raise CaptureFailed(f"{url} sent more than {most_bytes >> 20} MiB")
            yield piece
        if promised is not None and got < promised:
            raise Unreachable(f"{url} was cut after {got:,} of {promised:,} bytes")


@contextlib.contextmanager
def opened(site: Site, path: str, *, method: str = "GET", timeout_s: float) -> Iterator[Stream]:
    """Asks for `path`, and gives the answer as soon as its status is there; all of it may take `timeout_s`.

    Raises `Unreachable`, also while the body is read; whatever the status is, it is for the caller to judge.
    """
    url = site.root + path
    raw = _reached(site, url)
    # TLS takes the socket over; this one still ends the connection when time is up.
    with raw.dup() as handle, _cut_after(handle, timeout_s) as is_late, contextlib.ExitStack() as stack:
        stack.callback(raw.close)

        @contextlib.contextmanager
        def failing() -> Iterator[None]:
            why = f"not within {timeout_s:.0f} s"
            try:
                yield
            except (OSError, HTTPException) as error:
                if not (is_late() or isinstance(error, TimeoutError)):
                    why = str(error) or type(error).__name__
                raise Unreachable(f"{url} did not answer: {why}") from error
            if is_late():
                # A connection that is cut looks like one that is at its end.
                raise Unreachable(f"{url} did not answer: {why}")

        with failing():
            raw.settimeout(timeout_s)
            link = _secured(raw, site, url) if site.scheme == "https" else raw
            stack.callback(link.close)
            response = _asked(link, site, method, path)
            stack.callback(response.close)
        headers = {name.lower(): value for name, value in response.getheaders()}
        yield Stream(Answer(url.partition("?")[0], response.status, headers), response, failing)


def ask(site: Site, path: str, *, method: str = "GET", timeout_s: float, most_bytes: int) -> Answer:
    """The whole answer, of at most `most_bytes`; of one that is not 200 only the beginning. As `opened` raises."""
    with opened(site, path, method=method, timeout_s=timeout_s) as stream:
        found = stream.answer
        body = bytearray()
        for piece in stream.pieces(most_bytes):
            body += piece
            if found.status != 200 and len(body) >= _EXCERPT:
                break
        return Answer(found.url, found.status, found.headers, bytes(body))


def refusal(answer: Answer, hint: str = "") -> CaptureFailed:
    """The error that an answer is which is not 200, in the server's own words where it has some."""
    said = f": {answer.words}" if answer.words else ""
    message = f"{answer.url} answered {answer.status}{said}"
    if answer.status in (401, 403) and not hint:
        return CaptureFailed(
            message, hint="Say who asks: --user NAME:PASSWORD, or --header 'Authorization: Bearer TOKEN'."
        )
    if 300 <= answer.status < 400:
        # A login page puts what it was asked for into the query; nobody needs to see that.
        to = urlsplit(answer.headers.get("location", ""))
        where = f"{to.scheme}://{to.hostname}" if to.hostname else ""
        return CaptureFailed(
            f"{answer.url} answered {answer.status} and sends on to {where}{to.path or '/'}",
            hint="Name the address that it is served at: --https, --port, --prefix; a login needs --header or --user.",
        )
    return (NotServed if answer.status == 404 else CaptureFailed)(message, hint=hint)


def _reached(site: Site, url: str) -> socket:
    try:
        return site.connect()
    except OSError as error:
        raise Unreachable(f"{url} did not answer: {error.strerror or error}") from error


@contextlib.contextmanager
def _cut_after(link: socket, seconds: float) -> Iterator[Callable[[], bool]]:
    """Ends a connection when time is up, which its reader notices at once; gives whether that has happened."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            link.shutdown(SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late.is_set
    finally:
        timer.cancel()
        # Whoever closes the descriptor next must not have it cut, or another one of its number.
        timer.join()


def _secured(raw: socket, site: Site, url: str) -> socket:
    try:
        return _context(site.cacert, site.is_insecure, site.is_named).wrap_socket(raw, server_hostname=site.host)
    except ssl.SSLCertVerificationError as error:
        raise Distrusted(
            f"{url}: its certificate is not trusted: {error.verify_message}",
            hint="--cacert FILE names the certificates to trust; --insecure trusts any.",
        ) from error
    except ssl.SSLError as error:
        raise Unreachable(f"{url} does not speak TLS: {error.reason or error}") from error


@lru_cache(maxsize=8)
def _context(cacert: str, is_insecure: bool, is_named: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=cacert or None)
    except OSError as error:
        raise UsageError(f"{cacert}: no certificates can be read there: {error.strerror or error}") from error
    context.check_hostname = is_named and not is_insecure
    if is_insecure:
        context.verify_mode = ssl.CERT_NONE
    return context


def _asked(link: socket, site: Site, method: str, path: str) -> HTTPResponse:
    connection = HTTPConnection(site.host, site.port or 80)
    connection.sock = link
    try:
        connection.request(method, site.prefix + path, headers={**site.headers, "Connection": "close"})
    except ValueError:
        # What http.client says of a header has the header in it.
        raise UsageError(
            "a header cannot be sent: it has a line break, or a character beyond Latin-1", hint="See --header."
        ) from None
    return connection.getresponse()
