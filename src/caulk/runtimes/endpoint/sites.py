"""Where a target may serve HTTP: what the user said, what its place knows, else every port that it listens at."""

import base64
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import SplitResult, unquote, urlsplit

from caulk.model.errors import Lacks, UsageError
from caulk.model.target import Access
from caulk.ports import Reach
from caulk.runtimes.endpoint.http import Site
from caulk.runtimes.endpoint.listeners import Listener, listeners

_CONNECT_S = 10.0
_LOOPBACK = "127.0.0.1"


def at_url(url: str) -> Site:
    """A server by its address, reached from here; raises `UsageError`. Of the path only what serves profiles goes."""
    wrong = UsageError(f"{_shown(url)!r} is not an http address", hint="For example: http://127.0.0.1:6060")
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise wrong
    return Site(
        partial(socket.create_connection, (parts.hostname, port), _CONNECT_S),
        parts.hostname,
        port,
        parts.scheme,
        parts.path.partition("/debug/pprof")[0].partition("/heap_dump")[0].rstrip("/"),
        _authorization(parts),
        is_named=True,
    )


def said(reach: Reach, access: Access) -> Site | None:
    """The one server that the user named, or that the target itself is; None if nobody said."""
    labels = reach.target.labels
    port = access.port or int(labels.get("port", 0))
    if not port:
        return None
    host = labels.get("host", _LOOPBACK)
    site = _site(reach, (host, port), access, headers=True)
    if not is_bare(reach):
        return site
    # An address is its own name; what was asked for as https must not go out as anything less.
    scheme = "https" if "https" in (access.scheme, labels.get("scheme")) else "http"
    return replace(site, scheme=scheme, prefix=access.prefix.rstrip("/") or labels.get("prefix", ""), is_named=True)


def is_bare(reach: Reach) -> bool:
    """Whether the target is an address and nothing else, so that only what answers there tells its runtime."""
    return "host" in reach.target.labels


def heard(reach: Reach, access: Access, preferred: Iterable[int] = ()) -> Iterator[Site]:
    """Every port that the target's process listens at, those `preferred` first.

    Where the process cannot be seen, those that its place says it has, and the preferred. What authorizes goes only
    where a port is known to be the process's own: another's may be beside it.
    """
    first = list(preferred)
    try:
        found = listeners(reach, reach.process())
    except Lacks:
        declared = [int(port) for port in reach.target.labels.get("ports", "").split(",") if port]
        if not declared and not first:
            raise
        found = [Listener(_LOOPBACK, port, port in declared) for port in dict.fromkeys([*declared, *first])]
    order: Callable[[int], int] = lambda port: first.index(port) if port in first else len(first)  # noqa: E731
    for one in sorted(found, key=lambda one: order(one.port)):
        yield _site(reach, (one.host, one.port), access, headers=one.is_own)


def at_address(reach: Reach, address: tuple[str, int] | str, access: Access) -> Site:
    """A server of which the target itself says where it is."""
    return _site(reach, address, access, headers=True)


def _site(reach: Reach, address: tuple[str, int] | str, access: Access, *, headers: bool) -> Site:
    host, port = (_LOOPBACK, 0) if isinstance(address, str) else address
    return Site(
        partial(reach.connect, address),
        host,
        port,
        access.scheme,
        "/" + access.prefix.strip("/") if access.prefix.strip("/") else "",
        access.headers if headers else {},
        access.cacert,
        access.is_insecure,
    )


def _authorization(parts: SplitResult) -> dict[str, str]:
    if not parts.username:
        return {}
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(words.encode()).decode()}


def _shown(url: str) -> str:
    """An address without who asks."""
    return url.rpartition("@")[2]
