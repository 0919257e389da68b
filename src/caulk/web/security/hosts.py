"""Names that the page is asked by, and what a request says of the page that it comes from.

A page in a browser that had its own name lead here (DNS rebinding) asks by that name, and is refused; a request that
another page makes says so in `Origin` and `Sec-Fetch-Site`, which no script can set (fetch.spec.whatwg.org).
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from caulk.web.security.asked import Asked
from caulk.web.security.refusals import Refusal

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names of the page, in small letters; `is_any` where it listens on every address of the machine."""

    names: frozenset[str]
    is_any: bool = False

    @classmethod
    def of(cls, host: str, names: tuple[str, ...]) -> "Hosts":
        """Those of a page that listens on `host` and is called `names` besides."""
        own = {"localhost", "127.0.0.1", "::1"} if _is_of(host, "is_loopback") or host == "localhost" else set()
        is_any = _is_of(host, "is_unspecified")
        more = {"localhost"} if is_any else {host}
        return cls(frozenset(own | more | {name.lower().rstrip(".").strip("[]") for name in names}), is_any)

    def admit(self, asked: Asked) -> None:
        """Raises `Refusal` (421) where the request is for a name that is not the page's."""
        hosts = asked.headers.getlist("host")
        if len(hosts) != 1 or not self._knows(hosts[0]):
            raise Refusal(
                421,
                "the page has another name",
                hint="Ask for the address that `caulk serve` printed, or list this name under names of [serve].",
            )

    def _knows(self, host: str) -> bool:
        name = name_of(host)
        # An address cannot be led elsewhere, only a name can.
        return name in self.names or (self.is_any and _is_of(name, "version"))


def name_of(host: str) -> str:
    """The name in a Host header, without port and brackets; empty where it is none."""
    matched = _HOST.fullmatch(host.lower())
    return matched[1].strip("[]").rstrip(".") if matched else ""


def come_from_here(asked: Asked) -> None:
    """Raises `Refusal` (403) where another page makes the request; links that lead to a page are no such thing."""
    origin = asked.headers.get("origin")
    if (origin is not None and not is_own(asked, origin)) or _is_foreign(asked):
        raise Refusal(403, "another page asks", hint="Only caulk's own page may; scripts send no Origin.")


def is_own(asked: Asked, origin: str) -> bool:
    """Whether an Origin is the page's own."""
    scheme, _, host = origin.lower().partition("://")
    its = asked.headers.get("host", "").lower()
    if asked.is_proxied:
        # A proxy speaks with its own scheme and port; the name is what it hands on.
        return scheme in ("http", "https") and bool(name_of(host)) and name_of(host) == name_of(its)
    return scheme == asked.scheme and host == its


def _is_foreign(asked: Asked) -> bool:
    head = asked.headers
    if head.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    is_link = head.get("sec-fetch-mode") == "navigate" and head.get("sec-fetch-dest") == "document"
    return not (is_link and asked.method in ("GET", "HEAD") and not asked.path.startswith("/api/"))


def _is_of(host: str, fact: str) -> bool:
    try:
        return bool(getattr(ip_address(host), fact))
    except ValueError:
        return False
