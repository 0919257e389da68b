"""Lending memory where somebody else keeps the limit (an engine, a cluster): raised for a capture, and lowered again.

A loan is written down before anything is changed. However caulk ends, the next one that reaches the target takes it
back. A limit is never lowered below what is used by then and a margin: the kernel would kill to get there.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed, Lacks

_LEAST_MARGIN = 16 << 20


@dataclass(frozen=True, slots=True)
class Limit:
    """A target's memory limit: how it is set, in bytes, and what the target uses that cannot be dropped."""

    name: str
    """Of the target, for good: no other one ever gets it."""
    set: Callable[[int], object]
    used: Callable[[], int]


class _Loan(msgspec.Struct, frozen=True):
    """What the limit was and became, in bytes, and the process that lent."""

    before: int
    lent: int
    owner: int


@contextmanager
def lend(state: str, limit: Limit, before: int, size: int) -> Iterator[int]:
    """Raises the limit from `before` by `size` bytes; gives the new one. The loan is written down in `state`."""
    if not state:
        raise Lacks("Nothing can be lent: there is nowhere to write the loan down.")
    record = _record(state, limit)
    if record.exists():
        raise Lacks(
            "Memory was lent to this target before, and is not taken back yet.",
            hint="Wait for the other capture to end, or for the program to use less.",
        )
    _keep(record, _Loan(before, before + size, os.getpid()))
    try:
        limit.set(before + size)
        yield before + size
    finally:
        _settle(record, limit)


def recover(state: str, limit: Limit) -> None:
    """Takes back what a caulk that runs no more has lent; what cannot be taken back yet stays written down."""
    if not state:
        return
    record = _record(state, limit)
    loan = _read(record)
    if loan and not _runs(loan.owner):
        _settle(record, limit)


def _settle(record: Path, limit: Limit) -> None:
    loan = _read(record)
    if loan is None:
        return
    used = limit.used()
    lowest = max(loan.before, min(loan.lent, used + max(used // 10, _LEAST_MARGIN)))
    limit.set(lowest)
    if lowest == loan.before:
        record.unlink(missing_ok=True)
    else:
        _keep(record, _Loan(loan.before, lowest, 0))


def _record(state: str, limit: Limit) -> Path:
    return Path(state) / "elsewhere" / f"{limit.name}.json"


def _read(record: Path) -> _Loan | None:
    try:
        return decoded(record.read_bytes(), _Loan)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise CaptureFailed(
            f"{record} is no record of a loan.", hint="Delete it, and check the limit it was about."
        ) from error


def _runs(pid: int) -> bool:
    """Whether a process of this number runs; 0 is nobody's."""
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _keep(record: Path, loan: _Loan) -> None:
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = record.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(loan))
        file.flush()
        os.fsync(file.fileno())
    new.replace(record)
