"""Dumps at death, switched on in a running program: what was switched is remembered, so that it can be put back.

One file a target lies in the state directory: which process it was, and what was set from what.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from caulk.capture.offers import runtimes
from caulk.model.capture import Setting
from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed
from caulk.ports import Reach


@dataclass(frozen=True, slots=True)
class Armed:
    """What was switched on in one process; `started` tells it from a later one that took its place."""

    reference: str
    runtime: str
    pid: int
    started: float
    directory: str
    settings: tuple[Setting, ...]


def arm(reach: Reach, directory: str, state: Path) -> Armed:
    """Arms the target; what is armed already keeps what it was before. Raises `CaptureFailed` with the reasons."""
    process = reach.process()
    failures = []
    for runtime in runtimes(reach):
        try:
            settings = runtime.arm(reach, directory)
        except CaptureFailed as error:
            failures.append(error)
            continue
        known = armed(reach, state)
        first = {s.name: s.before for s in known.settings} if known else {}
        settings = [Setting(s.name, s.value, first.get(s.name, s.before)) for s in settings]
        found = Armed(reach.target.reference, runtime.NAME, process.pid, process.started, directory, tuple(settings))
        _write(_path(reach, state), msgspec.json.encode(found))
        return found
    if not failures:
        raise CaptureFailed(f"{reach.target.reference} is of no runtime that can be armed")
    raise failures[0]


def armed(reach: Reach, state: Path) -> Armed | None:
    """What was switched on in this very process; None if nothing was, or if the program has started anew since."""
    try:
        known = decoded(_path(reach, state).read_bytes(), Armed)
    except (OSError, msgspec.MsgspecError):
        return None
    process = reach.process()
    return known if (known.pid, round(known.started)) == (process.pid, round(process.started)) else None


def disarm(reach: Reach, state: Path) -> Sequence[Setting]:
    """Puts back what `arm` switched, and says what it was."""
    known = armed(reach, state)
    if known is None:
        _path(reach, state).unlink(missing_ok=True)
        return ()
    runtime = next(r for r in runtimes(reach) if known.runtime == r.NAME)
    runtime.disarm(reach, known.settings)
    _path(reach, state).unlink(missing_ok=True)
    return known.settings


def _path(reach: Reach, state: Path) -> Path:
    return state / "armed" / (hashlib.sha256(reach.target.reference.encode()).hexdigest()[:24] + ".json")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    new.replace(path)
