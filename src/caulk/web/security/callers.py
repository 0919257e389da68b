"""Callers: who asks, and what they may."""

from dataclasses import dataclass
from typing import Literal, get_args

from starlette.requests import HTTPConnection
from starlette.types import Scope

from caulk.web.security.refusals import Refusal

#: `read` looks; `capture` takes captures, reveals values and changes what is kept.
Role = Literal["read", "capture"]
ROLES: tuple[Role, ...] = get_args(Role)

_KEY = "caulk.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """One who asks: a user's name, or by what they came in; what they may; and from where."""

    name: str
    roles: frozenset[Role]
    address: str


def roles_with(role: Role) -> frozenset[Role]:
    """The role with those within it."""
    return frozenset(ROLES) if role == "capture" else frozenset({role})


def note(scope: Scope, caller: Caller) -> None:
    """Writes down who asks, where routes find it (`scope["caulk.caller"]`)."""
    scope[_KEY] = caller


def caller(request: HTTPConnection) -> Caller:
    """Who asks; without a guard before the application, nobody who may anything."""
    return request.scope.get(_KEY) or Caller("", frozenset(), "")


def needs(request: HTTPConnection, role: Role) -> None:
    """Raises `Refusal` (403) unless the caller has the role."""
    demand(caller(request), role)


def demand(caller: Caller, role: Role) -> None:
    """Raises `Refusal` (403) unless the caller has the role."""
    if role not in caller.roles:
        raise Refusal(
            403,
            f"{caller.name or 'this caller'} may not {'change or reveal anything' if role == 'capture' else role} here",
            hint=f"That needs the role {role}: sign in with its token.",
        )
