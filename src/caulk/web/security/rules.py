"""What each request needs, by its method and path: a role, a place in a limit, a line in the audit log."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from starlette.routing import compile_path

from caulk.web.security.asked import Asked
from caulk.web.security.callers import Role

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
        found = self._form.match(asked.path) if asked.method == self.method else None
        return next(iter(found.groups()), "") if found else None


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
