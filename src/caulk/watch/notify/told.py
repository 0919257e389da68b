"""What a notification is made of, and how it is posted."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from caulk.config.values import Span
from caulk.model.errors import CaulkError, Unreachable, UsageError
from caulk.model.incident import Incident

#: Of what a receiver answers, so many bytes are shown.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as it is told now; `key` is the same whenever the same is told again."""

    incident: Incident
    key: str


class Refused(CaulkError):
    """The receiver answered, but did not take it."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: Span, cacert: str = "") -> None:
    """Posts JSON; raises `Refused` for any answer but 2xx, `Unreachable` where there is none. Follows no redirect."""
    import httpx2  # noqa: PLC0415  # a tenth of a second, for those who send

    if not url.startswith(("http://", "https://")):
        # The address may be a secret: it is not repeated.
        raise UsageError("the address to notify is no URL", hint="It begins with https:// or http://.")
    told = {"Content-Type": "application/json", "User-Agent": "caulk", **headers}
    # What speaks no TLS needs no certificates, which take a while to read.
    verify = _trusting(cacert) if cacert else url.startswith("https:")
    try:
        with (
            httpx2.Client(timeout=float(timeout), verify=verify) as client,
            client.stream("POST", url, content=body, headers=told) as answer,
        ):
            # What a receiver says is read once: it may be endless.
            said = b"" if answer.is_success else next(answer.iter_bytes(_SHOWN), b"")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise Unreachable(f"it did not answer: {type(error).__name__}") from None
    if answer.is_success:
        return
    words = " ".join(said[:_SHOWN].decode(errors="replace").split())
    raise Refused(f"it answered {answer.status_code}" + (f": {words}" if words else ""))


def _trusting(cacert: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cacert)
    except OSError as error:
        raise UsageError(f"{cacert} cannot be used: {error.strerror}", hint="It holds certificates (PEM).") from None
