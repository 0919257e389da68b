"""What a hand answers, in caulk's own terms."""

from typing import Any

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.target import Process

_ERRORS: dict[str, type[CaulkError]] = {"unreachable": Unreachable, "lacks": Lacks}


def as_error(kind: str, message: str, hint: str) -> CaulkError:
    """The error that a hand's trouble is."""
    return _ERRORS.get(kind, CaptureFailed)(message, hint=hint)


def as_process(found: dict[str, Any]) -> Process:
    """The process that a hand describes."""
    return Process(
        found["pid"],
        found["uid"],
        found["gid"],
        found["started_at"],
        tuple(found["command"]),
        found["executable"],
        found["environ"],
        found["directory"],
        found["caught"],
        frozenset(found["libraries"]),
        found["threads"],
        frozenset(found["sockets"]),
        frozenset(found["sections"]),
    )
