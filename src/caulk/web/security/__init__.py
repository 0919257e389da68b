"""Who may ask the page what: the guard before the application, and what must hold before anything listens."""

from caulk.web.security.access import Access
from caulk.web.security.audit import Audit
from caulk.web.security.callers import Caller, Role, caller, needs
from caulk.web.security.guard import Guarded
from caulk.web.security.headers import CSP
from caulk.web.security.listening import check, options, parted
from caulk.web.security.refusals import Refusal, refused
from caulk.web.security.rules import RULES, Rule

__all__ = [
    "CSP",
    "RULES",
    "Access",
    "Audit",
    "Caller",
    "Guarded",
    "Refusal",
    "Role",
    "Rule",
    "caller",
    "check",
    "needs",
    "options",
    "parted",
    "refused",
]
