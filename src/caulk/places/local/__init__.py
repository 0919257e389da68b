"""The machine that caulk runs on: its processes, those of other users and in containers too where rights allow.

Everything is read from Linux's /proc; what happens in another user's name, or in other namespaces, is done by a short
process of its own (`places.hand`), since ids and namespaces belong to a whole process.
"""

from pathlib import Path

from caulk.model.target import Target
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


def reach(target: Target, *, state: Path | None = None) -> LocalReach:
    """The verbs on a process; raises `Unreachable` if it is gone, or another has its number now.

    `state` is a directory where loans of memory are written down; without it none are given.
    """
    return LocalReach(target, pid_of(target), state)
