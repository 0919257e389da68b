"""Access: who a request comes from, by token, session or proxy; made from the settings before anything listens."""

import time
from collections.abc import Callable
from pathlib import Path

from starlette.requests import cookie_parser

from caulk.config.schema import Serve
from caulk.config.secrets import revealed
from caulk.web.security.asked import Asked, Networks, neighbourhood, networks
from caulk.web.security.audit import Audit
from caulk.web.security.callers import ROLES, Caller, Role, roles_with
from caulk.web.security.hosts import Hosts
from caulk.web.security.keys import Keys
from caulk.web.security.limits import Buckets, Lanes, too_often
from caulk.web.security.listening import check, is_closed, parted
from caulk.web.security.refusals import Refusal

_ATTEMPTS = 10
_ATTEMPTS_WITHIN_S = 300.0
_LONGEST_NAME = 200

SIGN_IN = "Send a token of [serve] as Authorization: Bearer, or sign in at /login."
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="caulk"'}
#: What those are called who come with a token.
_NAMES: dict[Role, str] = {"capture": "token", "read": "read token"}


class Access:
    """Who may do what, how often; one for a server. `settings` are checked: raises `UsageError` as `check` does."""

    def __init__(self, address: str, settings: Serve, home: Path, now: Callable[[], float] = time.monotonic) -> None:
        check(address, settings)
        host, port = parted(address)
        secret = {
            "capture": revealed(settings.token, settings.token_file),
            "read": revealed(settings.read_token, settings.read_token_file),
        }
        self.settings = settings
        self.hosts = Hosts.of(host, settings.names)
        self.proxies: Networks = networks(settings.proxies)
        self.keys = Keys({role: secret[role] for role in ("capture", "read") if secret[role]}, settings.session)
        self.audit = Audit(home)
        self.uploads = Lanes(settings.uploads)
        self.limits = {
            "capture": Buckets(settings.captures, settings.window, now),
            "reveal": Buckets(settings.reveals, settings.window, now),
        }
        self._is_closed = is_closed(settings)
        self._attempts = Buckets(_ATTEMPTS, _ATTEMPTS_WITHIN_S, now)
        # Cookies know no ports: two servers of one machine would sign each other's readers out.
        self._cookie = f"caulk-{port}"

    @property
    def is_closed(self) -> bool:
        """Whether callers must say who they are; else all who reach it are the one user of this machine."""
        return self._is_closed

    def invitation(self, url: str) -> str:
        """The address with what signs a browser in, once within an hour; as it is where nobody needs to sign in."""
        if not self.keys:
            return url
        return f"{url}{'&' if '?' in url else '?'}token={self.keys.invitation()}"

    def caller(self, asked: Asked) -> Caller | None:
        """Who asks; None where that is not known. Raises `Refusal` (401, 429) for a token that is wrong."""
        if not self._is_closed:
            return Caller("local", frozenset(ROLES), asked.address)
        if user := self._user(asked):
            return user
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            role: Role | None = self.tried(asked, token.strip())
            if role is None:
                raise Refusal(401, "the token is wrong", hint=SIGN_IN, headers=CHALLENGE)
        else:
            role = self.keys.role_of(self.session(asked))
        return Caller(_NAMES[role], roles_with(role), asked.address) if role else None

    def tried(self, asked: Asked, token: str) -> Role | None:
        """What a token gives. Raises `Refusal` (429) after too many wrong ones from this address."""
        return self._tried(asked, lambda: self.keys.role(token))

    def invited(self, asked: Asked, invitation: str) -> Role | None:
        """What an invitation gives, which it does once. Raises `Refusal` (429) as `tried` does."""
        return self._tried(asked, lambda: self.keys.invited(invitation))

    def session(self, asked: Asked) -> str:
        """The session's cookie that came with a request; empty without one."""
        return cookie_parser(asked.headers.get("cookie", "")).get(self._named(asked), "")

    def cookie(self, asked: Asked, session: str) -> str:
        """The header that sets the session's cookie; an empty one deletes it."""
        kept = f"Max-Age={self.keys.lasts_s if session else 0}; Path=/; HttpOnly; SameSite=Strict"
        return f"{self._named(asked)}={session}; {kept}{'; Secure' if asked.is_secure else ''}"

    def _named(self, asked: Asked) -> str:
        # Browsers take `__Host-` from this very host over TLS alone.
        return f"__Host-{self._cookie}" if asked.is_secure else self._cookie

    def _tried(self, asked: Asked, role: Callable[[], Role | None]) -> Role | None:
        key = neighbourhood(asked.address)
        if wait := self._attempts.wait_s(key):
            raise too_often("too many wrong tokens came from this address", wait)
        found = role()
        if found is None:
            self._attempts.take(key)
        return found

    def _user(self, asked: Asked) -> Caller | None:
        """Whom a proxy names. A header that came twice is one that somebody added."""
        if not (self.settings.user_header and asked.is_proxied):
            return None
        named = asked.headers.getlist(self.settings.user_header)
        name = named[0].encode("latin-1", "replace").decode("utf-8", "replace").strip() if len(named) == 1 else ""
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            return None
        return Caller(name, self._roles(asked), asked.address)

    def _roles(self, asked: Asked) -> frozenset[Role]:
        if not self.settings.roles_header:
            return frozenset(ROLES)
        given = asked.headers.getlist(self.settings.roles_header)
        said = {role.strip() for role in given[0].split(",")} if len(given) == 1 else set()
        return frozenset().union(*(roles_with(role) for role in ROLES if role in said))
