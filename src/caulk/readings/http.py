"""Asking servers over HTTP, very many at once: bounded in time and in bytes, and nobody hears of secrets.

Nothing is followed, no proxy is asked, and each request has a connection of its own: between two of them lies an
interval that few servers keep one open for.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import httpx2

from caulk.model.errors import CaptureFailed, CaulkError, Unreachable, UsageError

MOST_BYTES = 32 << 20
_TIMEOUT_S = 9.0
_EXCERPT = 300
_ONE = httpx2.Limits(max_connections=1, max_keepalive_connections=0)


class Refused(CaptureFailed):
    """The server answered, but not with what was asked for; `status` is what it said."""

    def __init__(self, message: str, status: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """A server as it is asked; `headers` may hold what authorizes."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cacert: str = ""
    is_insecure: bool = False
    timeout_s: float = _TIMEOUT_S

    @property
    def shown(self) -> str:
        """The address without a user, a password or a question."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"


class Client:
    """Asks with a connection for each request; without a pool, whose upkeep grows with all that is open at once."""

    async def get(self, asked: Asked, path: str = "", *, accept: str = "*/*", most_bytes: int = MOST_BYTES) -> bytes:
        """The body of an answer of 200; raises `Unreachable`, `Refused`."""
        return await self._ask(asked, path, {"Accept": accept}, most_bytes=most_bytes)

    async def post(self, asked: Asked, path: str, body: bytes, kind: str, *, most_bytes: int = MOST_BYTES) -> bytes:
        """The same, with something said."""
        return await self._ask(asked, path, {"Content-Type": kind}, body=body, most_bytes=most_bytes)

    async def status(self, asked: Asked) -> int:
        """The status of an answer, whose body is not read; 0 where nothing answers."""
        try:
            async with _answer(asked, asked.url, {}) as answer:
                return answer.status_code
        except CaulkError:
            return 0

    async def _ask(
        self, asked: Asked, path: str, headers: Mapping[str, str], *, most_bytes: int, body: bytes | None = None
    ) -> bytes:
        async with _answer(asked, asked.url + path, headers, body) as answer:
            found = bytearray()
            async for piece in answer.aiter_bytes():
                found += piece
                if len(found) > most_bytes:
                    raise Refused(f"{asked.shown} sent more than {most_bytes >> 20} MiB", answer.status_code)
            if answer.status_code != 200:
                raise _refusal(asked, answer, bytes(found))
            return bytes(found)


@asynccontextmanager
async def _answer(
    asked: Asked, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> AsyncIterator[httpx2.Response]:
    """The answer as soon as its status is there; raises `Unreachable`, also while its body is read."""
    sent = {"User-Agent": "caulk", "Accept-Encoding": "gzip", "Connection": "close", **asked.headers, **headers}
    try:
        within = httpx2.Timeout(asked.timeout_s).as_dict()
        request = httpx2.Request(
            "GET" if body is None else "POST", url, headers=sent, content=body, extensions={"timeout": within}
        )
        context = _context(asked.cacert, asked.is_insecure)
        async with httpx2.AsyncHTTPTransport(verify=context, limits=_ONE) as transport:
            answer = await transport.handle_async_request(request)
            answer.request = request
            try:
                yield answer
            finally:
                await answer.aclose()
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        why = "not in time" if isinstance(error, httpx2.TimeoutException) else str(error) or type(error).__name__
        raise Unreachable(f"{asked.shown} did not answer: {why}") from None


def _refusal(asked: Asked, answer: httpx2.Response, body: bytes) -> Refused:
    status = answer.status_code
    hint = ""
    if status in (401, 403):
        hint = "Say who asks: --user NAME:PASSWORD, --header 'Authorization: Bearer TOKEN', or in caulk.toml."
    elif 300 <= status < 400:
        hint = "It sends on to another address: name that one."
    words = " ".join(body[:_EXCERPT].decode("utf-8", "replace").split())
    is_text = answer.headers.get("content-type", "text/plain").startswith(("text/plain", "application/json"))
    return Refused(f"{asked.shown} answered {status}{f': {words}' if words and is_text else ''}", status, hint=hint)


@lru_cache(maxsize=16)
def _context(cacert: str, is_insecure: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=cacert or None)
    except OSError as error:
        raise UsageError(f"{cacert}: no certificates can be read there: {error.strerror or error}") from error
    if is_insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
