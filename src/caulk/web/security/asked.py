"""A request as the guard sees it: who sent it from where, before anything of it is believed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, unquote

from starlette.datastructures import Headers
from starlette.types import Scope

from caulk.web.security.refusals import Refusal

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_LONGEST_PATH = 4 << 10
_LONGEST_QUERY = 16 << 10
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's head."""

    method: str
    path: str
    """Without escapes."""
    raw_path: str
    """As it was written: begins with one `/`, no `.` or `..` among its segments."""
    query: str
    headers: Headers
    scheme: str
    """Between the browser and the first of caulk or its proxy: `http` or `https`."""
    address: str
    """Who asks; the one before the proxies, where those are believed."""
    is_proxied: bool
    """Whether a proxy that is believed handed it on."""

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.method not in ("GET", "HEAD")

    @property
    def is_secure(self) -> bool:
        """Whether the browser speaks TLS."""
        return self.scheme == "https"


def asked(scope: Scope, proxies: Networks) -> Asked:
    """The head of a request; raises `Refusal` where it is malformed (400, 405, 414)."""
    headers = Headers(scope=scope)
    raw = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("ascii", "replace")
    query = scope.get("query_string", b"").decode("ascii", "replace")
    _well_formed(scope["method"], raw, query)
    peer = (scope.get("client") or ("", 0))[0]
    is_proxied = _within(peer, proxies)
    scheme = scope.get("scheme", "http")
    if is_proxied:
        scheme = "https" if headers.get("x-forwarded-proto", scheme).strip().lower() == "https" else "http"
        peer = _first_stranger([peer, *_forwarded(headers)], proxies)
    return Asked(scope["method"], scope["path"], raw, query, headers, scheme, peer, is_proxied)


def networks(written: Iterable[str]) -> Networks:
    """The networks of addresses as settings have them."""
    return tuple(ip_network(one) for one in written)


def neighbourhood(address: str) -> str:
    """What one household has of addresses, for counting: an IPv4 address, or the 64 first bits of an IPv6 one."""
    parsed = _parsed(address)
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _well_formed(method: str, raw: str, query: str) -> None:
    if method not in METHODS:
        raise Refusal(
            405, "there is no such method", hint=f"Use {', '.join(METHODS)}.", headers={"Allow": ", ".join(METHODS)}
        )
    if len(raw) > _LONGEST_PATH or len(query) > _LONGEST_QUERY:
        raise Refusal(414, "the address is too long", hint="Filters are to be shorter.")
    segments = [unquote(segment) for segment in raw.split("/")]
    is_sound = raw.startswith("/") and not raw.startswith("//") and "\\" not in raw
    # What is no path of a file cannot be mistaken for one, whoever gets to see it.
    if not is_sound or any(segment in (".", "..") or _CONTROL.search(segment) for segment in segments):
        raise Refusal(400, "that is no address of the page", hint="/ is where it begins.")


def _forwarded(headers: Headers) -> list[str]:
    """Who asked the proxies, the nearest first."""
    return [one.strip() for one in ",".join(headers.getlist("x-forwarded-for")).split(",")][::-1]


def _first_stranger(hops: list[str], proxies: Networks) -> str:
    """The nearest address that is no proxy: what stands behind it in the header, anybody may have written."""
    known = [hop for hop in hops if _parsed(hop)]
    return next((hop for hop in known if not _within(hop, proxies)), known[0] if known else "")


def _within(address: str, proxies: Networks) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in proxies)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    # A socket that takes both kinds says `::ffff:10.0.0.7` of 10.0.0.7.
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
