"""Headers of every answer: what browsers may do with it. A route's own header of the same name is kept."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

#: Nothing but what this server serves; a page in another's frame, or a form that leads elsewhere, is none.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_ALWAYS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
#: A name that has the hash of what it names.
_HASHED = re.compile(r"/assets/[^/]+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+")
_FOREVER = "public, max-age=31536000, immutable"


class Headed:
    """An answer on its way out, with these headers; `has_begun` once it cannot be another one any more."""

    def __init__(self, send: Send, path: str) -> None:
        self._send = send
        self._path = path
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Sends the message on."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
            is_asset = message["status"] == 200 and _HASHED.fullmatch(self._path)
            headers.setdefault("Cache-Control", _FOREVER if is_asset else "no-store")
            message = {**message, "headers": headers.raw}
        await self._send(message)
