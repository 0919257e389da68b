"""What bounds a Python program: nothing but how many workers it was told to start."""

import re
from itertools import pairwise

from caulk.model.breakdown import Bound, HeapNow
from caulk.model.target import Process
from caulk.ports import Reach

_WORKERS = re.compile(r"(?:--workers|-w|--processes|--concurrency|-c)(?:[= ])?(\d+)$")


def heap(reach: Reach, process: Process) -> HeapNow | None:
    """None: Python's objects lie among what C code allocates, and nothing outside tells them apart."""
    del reach, process
    return None


def bound(process: Process, limit: int | None) -> Bound | None:
    """None: Python has no such setting."""
    del process, limit
    return None


def workers(process: Process) -> tuple[int, str] | None:
    """How many workers a server was told to start, and by what; None where nothing says it."""
    for word, after in pairwise([*process.command, ""]):
        match = _WORKERS.fullmatch(word) or _WORKERS.fullmatch(f"{word} {after}")
        if match and int(match[1]):
            return int(match[1]), match[0]
    said = process.environ.get("WEB_CONCURRENCY", "")
    return (int(said), f"WEB_CONCURRENCY={said}") if said.isdigit() and int(said) else None
