"""Bodies of requests: bounded in size, time and depth before any route sees them."""

import asyncio
import re
import time
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from caulk.web.security.asked import Asked
from caulk.web.security.refusals import Refusal

#: For all but uploads.
MOST_BYTES = 1 << 20
_DEEPEST = 32
#: Bytes a second, on the whole, that an upload brings at least.
_LEAST_PACE = 16 << 10
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_CLOSE = {"Connection": "close"}


async def taken(asked: Asked, receive: Receive, most: int, within_s: float) -> bytes:
    """The whole body; raises `Refusal` (408, 413) where it is longer, or takes longer."""
    _announced(asked, most)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await _piece(receive)
                body += message.get("body", b"")
                if len(body) > most:
                    raise _too_long(most)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise _too_slow() from None


def given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives this body, then what comes after it."""
    left = [body]

    async def next_message() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return next_message


def metered(asked: Asked, receive: Receive, most: int, patience_s: float) -> Receive:
    """A `receive` for a body that streams: it raises `Refusal` (408, 413) when the body grows too long or too slow."""
    _announced(asked, most)
    begun, got, is_over = time.monotonic(), 0, False

    async def next_message() -> Message:
        nonlocal got, is_over
        if is_over:
            return await receive()
        try:
            async with asyncio.timeout(patience_s):
                message = await _piece(receive)
        except TimeoutError:
            raise _too_slow() from None
        got += len(message.get("body", b""))
        if got > most:
            raise _too_long(most)
        if time.monotonic() - begun > patience_s + got / _LEAST_PACE:
            raise _too_slow()
        is_over = not message.get("more_body")
        return message

    return next_message


def parsed(asked: Asked, body: bytes) -> Any:
    """What a JSON body says; an empty one nothing. Raises `Refusal` (400, 415) for what is none, or nested too deep."""
    if not body:
        return None
    if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "the body is no JSON", hint="Say Content-Type: application/json.")
    depth = 0
    for found in _BRACKETS.finditer(body):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(found[0], 0)
        if depth > _DEEPEST:
            raise Refusal(400, f"the body is nested deeper than {_DEEPEST} levels", hint="No request needs that.")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, f"the body is no JSON: {error}", hint="/openapi.json says what is wanted.") from None


def check_none(asked: Asked) -> None:
    """Raises `Refusal` (400) where a request that only looks has a body."""
    if asked.headers.get("content-length", "0") != "0" or "transfer-encoding" in asked.headers:
        raise Refusal(400, f"{asked.method} has no body", headers=_CLOSE)


async def _piece(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message


def _announced(asked: Asked, most: int) -> None:
    length = asked.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refusal(400, "Content-Length is no number", headers=_CLOSE)
    if len(length) > 18 or int(length) > most:
        raise _too_long(most)


def _too_long(most: int) -> Refusal:
    what = f"the body is longer than {most:,} bytes"
    # What was not read would be taken for the next request.
    return Refusal(413, what, hint="A dump is sent to /api/uploads; [serve] upload is its bound.", headers=_CLOSE)


def _too_slow() -> Refusal:
    return Refusal(408, "the body did not come in time", hint="Send it again.", headers=_CLOSE)
