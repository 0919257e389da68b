"""What each request needs, by its method and path: a role, a place in a limit, a line in the audit log."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from starlette.routing import compile_path

from caulk.web.security.asked import Asked
from caulk.web.security.callers import Role

#: Stands for a slash within a segment, where no control character can be.
_SLASH = "\0"

Deed = Literal["capture", "reveal", "upload"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: requests by `method` to `path` (as routes write it) need `role`; a `deed` is limited and noted."""

    method: str
    path: str
    role: Role
    deed: Deed | None = None
    _form: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_form", compile_path(self.path)[0])

    def of(self, asked: Asked) -> str | None:
        """What the request is about, where the rule is for it: what stands in the path's first parameter."""
        if self.method != ("GET" if asked.method == "HEAD" else asked.method):
            return None
        # A router may look at the path as it was written or without escapes: what either finds is meant.
        written = self._form.fullmatch("/".join(_closed(segment) for segment in asked.raw_path.split("/")))
        found = written or self._form.fullmatch(asked.path)
        return next((group.replace(_SLASH, "/") for group in found.groups()), "") if found else None


def _closed(segment: str) -> str:
    """A segment without escapes, of which a slash within divides nothing."""
    return unquote(segment).replace("/", _SLASH)


#: All other requests need `read` where they only look, else `capture`; a route may ask for more by `needs`.
RULES = (
    Rule("POST", "/api/t/{key:path}/captures", "capture", "capture"),
    Rule("POST", "/api/d/{id}/reveal", "capture", "reveal"),
    Rule("PUT", "/api/uploads", "capture", "upload"),
    # A capture has every value in it.
    Rule("GET", "/captures/{id}/file", "capture"),
    Rule("POST", "/api/rules/{name}/test", "read"),
)


def rule_of(asked: Asked, rules: Iterable[Rule]) -> tuple[Rule, str]:
    """The first rule for a request, and what the request is about."""
    found = ((rule, rule.of(asked)) for rule in rules)
    default = Rule(asked.method, "", "capture" if asked.changes else "read")
    return next(((rule, of) for rule, of in found if of is not None), (default, ""))
