"""Lending memory: a limit of a cgroup is raised for the time of a capture, and lowered again whatever happens.

What was changed is written down before it is changed, so that after kill -9 `undo_loans` can take it back. A limit is
never lowered below what is used by then and a margin: under cgroup v2 the kernel would kill to get there.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import platformdirs

from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed, Lacks
from caulk.places.eye import UNLIMITED, Trouble, dropped, number
from caulk.places.hand import Hand

_PAGE = 4096
_LEAST_MARGIN = 16 << 20


class _Limit(msgspec.Struct, frozen=True):
    """A file of a cgroup with what it said before, and what was written into it."""

    path: str
    before: int
    lent: int


class _Loan(msgspec.Struct):
    """What was lent to a process by which other one, each by number and start."""

    target: tuple[int, int]
    owner: tuple[int, int]
    limits: list[_Limit]


def loans() -> Path:
    """The directory where loans are written down, beside the captures."""
    home = os.environ.get("CAULK_HOME")
    return (Path(home) if home else platformdirs.user_data_path("caulk")) / "loans"


@contextmanager
def lend(hand: Hand, size: int, state: Path) -> Iterator[int]:
    """Raises by `size` bytes each limit that would be in the way of as many more; gives the least of the new ones.

    The loan is written down in the directory `state`.
    """
    limits = _raised(hand, size)
    record = _written(state, hand, limits)
    try:
        for limit in limits:
            _raise(hand, limit)
        yield min(limit.lent for limit in limits)
    finally:
        _settle(record)


def undo_loans(state: Path | None = None) -> list[str]:
    """Takes back the loans of captures that run no more; a sentence on each that cannot be taken back yet."""
    records = sorted((state or loans()).glob("loan-*.json"))
    return [sentence for record in records if not _is_held(record) for sentence in _settle(record)]


def _raised(hand: Hand, size: int) -> list[_Limit]:
    room = hand.room()
    if room["limit"] is None:
        raise Lacks(f"Process {hand.pid} has no memory limit that could be raised.")
    if room["machine"] is not None and room["machine"] < size:
        free, wanted = room["machine"] >> 20, size >> 20
        raise Lacks(f"The machine has {free:,} MB of memory left, so {wanted:,} MB cannot be lent.")
    enough = room["limit"] - room["used"] + size
    limits: list[_Limit] = []
    for path, limit, used in hand.cgroups():
        if limit is not None and limit - used < enough:
            lent = (limit + size) // _PAGE * _PAGE
            # Under cgroup v1 a limit cannot exceed the one on memory and swap together.
            both = path.replace("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
            swap = number(both) if both != path else None
            if swap is not None and swap < min(lent, UNLIMITED):
                limits.append(_Limit(both, swap, lent))
            limits.append(_Limit(path, limit, lent))
    return limits


def _written(state: Path, hand: Hand, limits: list[_Limit]) -> Path:
    """The loan in a file, on the disk before anything is changed."""
    record = state / f"loan-{hand.pid}-{hand.started}.json"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if record.exists() and (_is_held(record) or _settle(record)):
        raise Lacks(
            f"Memory was lent to process {hand.pid} before, and is not taken back yet.",
            hint="Wait for the other capture to end, or for the program to use less.",
        )
    loan = _Loan((hand.pid, hand.started), (os.getpid(), Hand(os.getpid()).started), limits)
    _keep(record, loan)
    return record


def _keep(record: Path, loan: _Loan) -> None:
    new = record.with_suffix(".new")
    with new.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(msgspec.json.encode(loan))
        file.flush()
        os.fsync(file.fileno())
    new.replace(record)


def _is_held(record: Path) -> bool:
    """Whether the capture that lent still runs."""
    loan = _read(record)
    try:
        if loan:
            Hand(*loan.owner).alive()
    except Trouble:
        return False
    return loan is not None


def _raise(hand: Hand, limit: _Limit) -> None:
    try:
        Path(limit.path).write_text(str(limit.lent))
    except OSError as error:
        raise Lacks(
            f"The memory limit of process {hand.pid} cannot be raised: {limit.path}: {error.strerror}.",
            hint="Only root, or the user whom the cgroup was delegated to, may raise it.",
        ) from error


def _settle(record: Path) -> list[str]:
    """Lowers what was raised and nobody changed since, as far as what is used allows; a sentence on each rest."""
    loan = _read(record)
    if loan is None:
        return []
    left: list[_Limit] = []
    for limit in reversed(loan.limits):
        # Where the cgroup is gone, or somebody else set a limit, there is nothing of ours to take back.
        if number(limit.path) == limit.lent:
            lowest = max(limit.before, min(limit.lent, _needed(limit.path)))
            with suppress(OSError):
                Path(limit.path).write_text(str(lowest))
            now = number(limit.path)
            if now is not None and now > limit.before:
                left.insert(0, _Limit(limit.path, limit.before, now))
    if not left:
        record.unlink(missing_ok=True)
        return []
    _keep(record, _Loan(loan.target, (0, 0), left))
    return [
        f"{limit.path} still says {limit.lent:,}, not {limit.before:,} bytes: the program uses too much to lower it."
        for limit in left
    ]


def _needed(path: str) -> int:
    """What a cgroup uses but for files that were not used lately, and a margin."""
    directory, name = os.path.split(path)
    used = number(f"{directory}/{'memory.current' if name == 'memory.max' else 'memory.usage_in_bytes'}") or 0
    used -= min(dropped(f"{directory}/memory.stat"), used)
    return (used + max(used // 10, _LEAST_MARGIN)) // _PAGE * _PAGE


def _read(record: Path) -> _Loan | None:
    try:
        return decoded(record.read_bytes(), _Loan)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise CaptureFailed(
            f"{record} is no record of a loan.", hint="Delete it, and check the limit it was about."
        ) from error
