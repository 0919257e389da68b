"""From what people name, and what caulk.toml lists, to the sources that the loop asks."""

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

from caulk.capture import places
from caulk.capture.offers import runtimes
from caulk.config.schema import Watch
from caulk.model.errors import CaulkError, UsageError
from caulk.model.target import Access, Target
from caulk.ports import Source
from caulk.readings.processes import Processes

_ANY = Access()


def sources(wanted: Sequence[str], access: Access = _ANY) -> list[Source]:
    """The sources for what people wrote: processes are read together, all else by itself.

    Raises `UsageError` and `Unreachable` for what cannot be watched from the beginning.
    """
    local = [reference for reference in wanted if reference.partition(":")[0] == "pid" or ":" not in reference]
    found: list[Source] = []
    if local:
        found.append(_processes(local, access))
    return found


def configured(watch: Watch, access: Access = _ANY) -> list[Source]:
    """The sources that caulk.toml lists."""
    return sources(watch.targets, access)


def _processes(wanted: Sequence[str], access: Access) -> Source:
    finders = [_finder(reference, access) for reference in wanted]
    return Processes(lambda: chain.from_iterable(find() for find in finders), runtime=runtime)


def _finder(reference: str, access: Access) -> Callable[[], Iterable[int]]:
    """What finds the processes that a reference means, each time anew where that can change."""
    number = reference.removeprefix("pid:")
    if not number:
        return _own
    found = [int(target.reference.removeprefix("pid:")) for target in places.targets(f"pid:{number}", access)]
    if not found:
        raise UsageError(f"{reference!r}: there is no such target", hint="`caulk ps` lists what runs.")
    if number.isdigit():
        return lambda: found
    return lambda: [int(t.reference.removeprefix("pid:")) for t in places.targets(f"pid:{number}", access)]


def _own() -> Iterable[int]:
    """Every process of this user, for root of all; not this one."""
    own, me = os.geteuid(), os.getpid()
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != me and (own == 0 or _owner(path) == own):
            yield int(path.name)


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


def runtime(target: Target) -> str:
    """The runtime of a program, as far as it can be seen; empty if it cannot."""
    try:
        reach = places.reach(target, _ANY)
    except CaulkError:
        return ""
    try:
        return next((found.NAME for found in runtimes(reach)), "")
    except CaulkError:
        return ""
    finally:
        reach.close()
