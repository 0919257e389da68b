"""`caulk ps`: what runs here or there, its memory, and what a capture could get."""

import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from caulk import app
from caulk.capture import places
from caulk.capture.offers import runtimes
from caulk.cli.targets import Output, Reaching, show
from caulk.model.errors import CaulkError
from caulk.model.table import Heading, Table
from caulk.model.target import Access, Process, Target
from caulk.ports import Capturing

_HEADINGS = (
    Heading("target", "target"),
    Heading("runtime", "runtime"),
    Heading("rss_bytes", "memory", "bytes"),
    Heading("limit_bytes", "limit", "bytes"),
    Heading("share", "used", "share"),
    Heading("growth_bytes_per_hour", "growth/h", "bytes", signed=True),
    Heading("evidence", "to be had"),
    Heading("name", "name"),
)
#: Growth between two looks nearer than this tells nothing.
_APART_S = 5.0


def main(
    wanted: str = "pid:",
    *,
    all_: Annotated[bool, Parameter(name=["--all", "-a"], negative="")] = False,
    output: Annotated[Output, Parameter(name=["--output", "-o"])] = "table",
    reaching: Reaching = Reaching(),
) -> int:
    """List what runs: runtime, memory, limit, growth since the last `caulk ps`, and what a capture could get.

    Parameters
    ----------
    wanted
        Where to look: pid: (this machine), docker:, compose:SERVICE, k8s:NAMESPACE, or one target.
    all_
        Programs too that caulk knows no way into.
    output
        table or json.

    """
    seen = _Seen(app.cache() / "ps.json")
    rows: list[tuple[Any, ...]] = []
    silent = 0
    for target in places.targets(wanted, reaching.access):
        row = _row(target, reaching.access, seen)
        if row is None:
            silent += 1
        elif row[6] or all_:
            rows.append(row)
    seen.keep()
    rows.sort(key=lambda row: -(row[2] or 0))
    show(Table("ps", _HEADINGS, rows), output)
    if silent:
        print(f"caulk: {silent} more cannot be looked into by this user", file=sys.stderr)
    return 0


class _Seen:
    """What the last look saw, so that this one can tell growth."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._now: dict[str, tuple[float, int]] = {}
        self._before: dict[str, tuple[float, int]] = {}
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            self._before = msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[float, int]])

    def growth(self, key: str, rss: int) -> int | None:
        """Bytes an hour since the last look at the same process; None where there was none."""
        self._now[key] = (time.time(), rss)
        at, before = self._before.get(key, (0.0, 0))
        apart = time.time() - at
        if not at or apart < _APART_S:
            self._now[key] = (at, before) if at else self._now[key]
            return None
        return round((rss - before) / apart * 3600)

    def keep(self) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.write_bytes(msgspec.json.encode(self._now))


def _evidence(runtime: Capturing, process: Process) -> Sequence[str]:
    """What can be had of a process; a runtime whose programs differ in it says so by `evidence`."""
    told: Callable[[Process], Sequence[str]] | None = getattr(runtime, "evidence", None)
    return told(process) if told else runtime.EVIDENCE


def _row(target: Target, access: Access, seen: _Seen) -> tuple[Any, ...] | None:
    """A target's row; None if it cannot be looked into, or is gone."""
    try:
        reach = places.reach(target, access)
    except CaulkError:
        return None
    try:
        process, reading, room = reach.process(), reach.reading(), reach.room()
        found = runtimes(reach)
    except CaulkError:
        return None
    finally:
        reach.close()
    evidence = dict.fromkeys(word for runtime in found for word in _evidence(runtime, process))
    return (
        target.reference,
        found[0].NAME if found else "",
        reading.rss,
        room.limit,
        room.used / room.limit if room.limit else None,
        seen.growth(f"{target.reference} {process.started:.0f}", reading.rss),
        ", ".join(evidence),
        target.name,
    )
