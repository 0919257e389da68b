"""The machine that caulk runs on: its processes, those of other users and in containers too where rights allow.

Everything is read from Linux's /proc; what happens in another user's name, or in other namespaces, is done by a short
process of its own (`places.hand`), since ids and namespaces belong to a whole process.
"""

from caulk.model.target import Access, Target
from caulk.places.local.lending import undo_loans
from caulk.places.local.proc import (
    Process,
    catches,
    command,
    descendants,
    environ,
    executable,
    has_loaded,
    has_open,
    headroom,
    inner_pid,
    listener,
    memory_limit,
    processes,
    reading,
)
from caulk.places.local.reaching import LocalReach
from caulk.places.local.targets import SCHEMES, pid_of, targets

NAME = "local"

_ANY = Access()

__all__ = [
    "NAME",
    "SCHEMES",
    "LocalReach",
    "Process",
    "catches",
    "command",
    "descendants",
    "environ",
    "executable",
    "has_loaded",
    "has_open",
    "headroom",
    "inner_pid",
    "listener",
    "memory_limit",
    "processes",
    "reach",
    "reading",
    "targets",
    "undo_loans",
]


def reach(target: Target, access: Access = _ANY) -> LocalReach:
    """The verbs on a process; raises `Unreachable` if it is gone, or another has its number now."""
    return LocalReach(target, pid_of(target))
