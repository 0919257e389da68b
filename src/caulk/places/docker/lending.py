"""Lending memory to a container, as `docker update --memory` does: raised for a capture, and lowered again.

What was changed is written down before it is changed, so that the next loan, after kill -9 too, takes it back first. A
limit is never lowered below what is used by then and a margin.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from caulk.model.errors import CaptureFailed, Lacks
from caulk.places.docker.engine import Engine, NotThere

_LEAST_MARGIN = 16 << 20


class _Loan(msgspec.Struct, frozen=True):
    """What a container's limits were, in bytes; `swap` is the one on memory and swap together."""

    container: str
    memory: int
    swap: int


@contextmanager
def lend(engine: Engine, container: str, size: int, used: int, state: str) -> Iterator[int]:
    """Raises the limit by `size` bytes; gives the new one."""
    if not state:
        raise Lacks("Nothing can be lent: there is nowhere to write the loan down.")
    record = Path(state) / f"loan-docker-{container[:12]}.json"
    undo(engine, record)
    limits = _limits(engine, container)
    if not limits["Memory"]:
        raise Lacks(f"Container {container[:12]} has no memory limit that could be raised.")
    _keep(record, _Loan(container, limits["Memory"], limits["MemorySwap"]))
    try:
        lent = limits["Memory"] + size
        swap = limits["MemorySwap"] + size if limits["MemorySwap"] > 0 else limits["MemorySwap"]
        _update(engine, container, lent, swap)
        yield lent
    finally:
        undo(engine, record)


def undo(engine: Engine, record: Path) -> None:
    """Takes a loan back, if there is one; raises `CaptureFailed` where the program uses too much by now."""
    try:
        loan = msgspec.json.decode(record.read_bytes(), type=_Loan)
    except FileNotFoundError:
        return
    except msgspec.DecodeError as error:
        raise CaptureFailed(f"{record} is no record of a loan", hint="Delete it, and check the limit.") from error
    try:
        limits = _limits(engine, loan.container)
    except NotThere:
        record.unlink(missing_ok=True)
        return
    lowest = max(loan.memory, min(limits["Memory"], _needed(engine, loan.container)))
    if limits["Memory"] > lowest:
        _update(engine, loan.container, lowest, loan.swap + lowest - loan.memory if loan.swap > 0 else loan.swap)
    if lowest > loan.memory:
        raise CaptureFailed(
            f"the limit of container {loan.container[:12]} is still {lowest:,} bytes, not {loan.memory:,}: the program"
            " uses too much to lower it",
            hint="The next loan tries again; `docker update --memory` does it at once.",
        )
    record.unlink(missing_ok=True)


def _limits(engine: Engine, container: str) -> Any:
    return engine.get(f"/containers/{quote(container)}/json")["HostConfig"]


def _update(engine: Engine, container: str, memory: int, swap: int) -> None:
    engine.post(f"/containers/{quote(container)}/update", {"Memory": memory, "MemorySwap": swap})


def _needed(engine: Engine, container: str) -> int:
    stats = engine.get(f"/containers/{quote(container)}/stats", stream="false")["memory_stats"]
    detail = stats.get("stats", {})
    used = int(stats.get("usage", 0)) - int(detail.get("total_inactive_file", detail.get("inactive_file", 0)))
    return used + max(used // 10, _LEAST_MARGIN)


def _keep(record: Path, loan: _Loan) -> None:
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = record.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(loan))
        file.flush()
        os.fsync(file.fileno())
    new.replace(record)
