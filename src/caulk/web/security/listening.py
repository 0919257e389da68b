"""Where the page may be served: what must be there before anything listens, and how the server is told of it."""

import ssl
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from caulk.config.schema import Serve
from caulk.config.secrets import revealed
from caulk.model.errors import UsageError
from caulk.web.security.prompt import Prompt

_LEAST_TOKEN = 16
#: Connections, of which an open page holds two; more are told to come back.
_CONNECTIONS = 512
_KEEP_ALIVE_S = 5
_LONGEST_HEAD = 32 << 10
#: TLS 1.2 with forward secrecy and authenticated encryption; 1.3 has nothing else.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def parted(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8082` or `[::1]:8082`; a bare port is on loopback. Raises `UsageError`."""
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16) or (":" in host and not host.startswith("[")):
        raise UsageError(
            f"[serve] address: {address!r} is no host and port", hint="Write 127.0.0.1:8082 or [::1]:8082."
        )
    return host.strip("[]").lower() or "127.0.0.1", int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def check(address: str, settings: Serve) -> None:
    """Raises `UsageError` with what to do where serving at `address` would be open to strangers, or could not work."""
    host, _ = parted(address)
    _check_proxies(settings)
    _check_tokens(settings)
    _check_certificate(settings)
    others = "" if is_loopback(host) else f"{address} can be reached by others"
    named = [name for name in settings.names if not is_loopback(name)]
    if not others and named:
        others = f"it is asked by the name {named[0]!r}, so others can reach it"
    if others and not is_closed(settings):
        raise UsageError(
            f"[serve] {others}, and there is no token",
            hint="Give token_file (or CAULK_SERVE__TOKEN), or a proxy's user_header; or listen on 127.0.0.1.",
        )
    if not is_loopback(host) and not (settings.cert or settings.insecure):
        raise UsageError(
            f"[serve] {others}, and what goes there is not encrypted",
            hint="Give cert and key; or insecure = true, where a proxy before it encrypts and the network is trusted.",
        )


def is_closed(settings: Serve) -> bool:
    """Whether callers must say who they are."""
    return bool(_tokens(settings) or settings.user_header)


def options(settings: Serve) -> dict[str, Any]:
    """What uvicorn must be told, as keywords of `uvicorn.Config`."""
    told: dict[str, Any] = {
        "http": Prompt,
        "ws": "none",
        # Who is a proxy is decided by `[serve] proxies`; uvicorn would believe any program of this machine.
        "proxy_headers": False,
        "server_header": False,
        # An address may hold an invitation.
        "access_log": False,
        "limit_concurrency": _CONNECTIONS,
        "timeout_keep_alive": _KEEP_ALIVE_S,
        "h11_max_incomplete_event_size": _LONGEST_HEAD,
    }
    if settings.cert:
        told |= {"ssl_certfile": settings.cert, "ssl_keyfile": settings.key or None, "ssl_ciphers": _CIPHERS}
    return told


def _tokens(settings: Serve) -> list[tuple[str, str]]:
    given = [
        ("token", revealed(settings.token, settings.token_file)),
        ("read_token", revealed(settings.read_token, settings.read_token_file)),
    ]
    for name, token in given:
        if not token and (getattr(settings, name) or getattr(settings, f"{name}_file")):
            raise UsageError(f"[serve] {name}_file is empty", hint="It is to hold a secret, and nothing else.")
    return [(name, token) for name, token in given if token]


def _check_tokens(settings: Serve) -> None:
    tokens = _tokens(settings)
    for name, token in tokens:
        if len(token) < _LEAST_TOKEN or not (token.isascii() and token.isprintable()):
            raise UsageError(
                f"[serve] {name} is shorter than {_LEAST_TOKEN} characters, or has others than ASCII",
                hint="`openssl rand -hex 24` makes a good one.",
            )
    if len({token for _, token in tokens}) < len(tokens):
        raise UsageError("[serve] token and read_token are the same", hint="Who has read_token is only to look.")


def _check_proxies(settings: Serve) -> None:
    for proxy in settings.proxies:
        try:
            is_everybody = ip_network(proxy).prefixlen == 0
        except ValueError:
            raise UsageError(
                f"[serve] proxies: {proxy!r} is no address or network", hint="Write 10.0.0.7 or 10.0.0.0/24."
            ) from None
        if is_everybody:
            raise UsageError(f"[serve] proxies: {proxy} is everybody", hint="Give the addresses of the proxies alone.")
    if settings.user_header and not settings.proxies:
        raise UsageError(
            "[serve] user_header is given without proxies: anybody could write it",
            hint="Give the addresses of the proxies that set it, and take it from nobody else.",
        )
    if settings.roles_header and not settings.user_header:
        raise UsageError("[serve] roles_header is given without user_header", hint="Who asks comes first.")


def _check_certificate(settings: Serve) -> None:
    if settings.key and not settings.cert:
        raise UsageError("[serve] key is given without cert", hint="TLS needs both.")
    if not settings.cert:
        return
    for file in filter(None, (settings.cert, settings.key)):
        if not Path(file).is_file():
            raise UsageError(f"[serve] {file}: there is no such file", hint="cert and key are files in PEM.")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A key that is encrypted fails, rather than ask on a terminal that may not be there.
        context.load_cert_chain(settings.cert, settings.key or None, password=str)
    except (ssl.SSLError, OSError, ValueError) as error:
        said = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"[serve] cert and key cannot be used: {said}",
            hint="Both are PEM, belong together, and have no passphrase.",
        ) from None
