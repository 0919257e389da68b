"""What opens the page: tokens, sessions of browsers, and the invitation that `caulk serve` prints.

A session is a cookie `role.expiry.number.mac`, where the MAC is of these and of the role's token, under a key that
lives as long as the process. So the cookie says nothing of the token, and no restart or new token leaves one alive.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from threading import Lock

from caulk.web.security.callers import Role

_INVITED_S = 3600.0
#: Sessions that were ended and have not run out; the oldest are forgotten before memory is.
_MOST_ENDED = 10_000


class Keys:
    """The tokens by the role that each gives, and what is handed out in their stead."""

    def __init__(self, tokens: dict[Role, str], lasts_s: float, now: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._lasts_s = lasts_s
        self._now = now
        self._key = secrets.token_bytes(32)
        self._ended: dict[str, None] = {}
        self._invitations: dict[str, float] = {}
        self._lock = Lock()

    @property
    def lasts_s(self) -> int:
        """Seconds that a session lasts."""
        return int(self._lasts_s)

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def role(self, token: str) -> Role | None:
        """What a token gives; every one is compared, in the same time whatever is wrong."""
        given, found = self._mac(token), None
        for role, known in self._tokens.items():
            if hmac.compare_digest(given, self._mac(known)):
                found = role
        return found

    def session(self, role: Role) -> str:
        """The cookie of a new session."""
        return self._signed(role, str(int(self._now() + self._lasts_s)), secrets.token_hex(8))

    def role_of(self, session: str) -> Role | None:
        """What a session gives; None where it ran out, was ended, or is none."""
        role, until, number = [*session.split("."), "", "", ""][:3]
        known = next((known for known in self._tokens if known == role), None)
        if known is None or not hmac.compare_digest(session.encode(), self._signed(known, until, number).encode()):
            return None
        return None if int(until) <= self._now() or session in self._ended else known

    def end(self, session: str) -> None:
        """Ends a session before its time."""
        if self.role_of(session):
            with self._lock:
                self._ended[session] = None
                if len(self._ended) > _MOST_ENDED:
                    del self._ended[next(iter(self._ended))]

    def invitation(self) -> str:
        """What begins a session with all that the tokens give, once, within an hour."""
        invitation = secrets.token_urlsafe(24)
        with self._lock:
            self._invitations[self._mac(invitation)] = self._now() + _INVITED_S
        return invitation

    def invited(self, invitation: str) -> Role | None:
        """Takes an invitation back, and says what it gives; None where it was used, is old, or is none."""
        # Found by its MAC: how long that takes tells nothing of those there are.
        with self._lock:
            until = self._invitations.pop(self._mac(invitation), 0.0)
        return next(iter(self._tokens), None) if until > self._now() else None

    def _signed(self, role: Role, until: str, number: str) -> str:
        said = f"{role}.{until}.{number}"
        return f"{said}.{self._mac(f'{said}.{self._tokens[role]}')}"

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
