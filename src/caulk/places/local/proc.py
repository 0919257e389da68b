"""The machine that caulk runs on: which processes there are and what memory they hold, from Linux's /proc.

A process may end while it is looked at: then the answer is None, empty or False, never an error.
Fields: https://docs.kernel.org/filesystems/proc.html and https://docs.kernel.org/admin-guide/cgroup-v2.html.
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from caulk.model.series import Reading

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
# An unlimited cgroup v1 says 2^63 rounded down to a page.
_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True)
class Process:
    """A process; `started`, in clock ticks since boot, tells it from a later one with the same `pid`."""

    pid: int
    parent: int
    started: int


def processes() -> list[Process]:
    """Everything that runs now, zombies left out. One small file is read for each process."""
    found = []
    for entry in os.scandir(_PROC):
        if entry.name.isdigit():
            # The name, in parentheses, may hold anything; what follows the last one is numbers.
            fields = _text(int(entry.name), "stat").rpartition(")")[2].split()
            if len(fields) > 19 and fields[0] not in "ZX":
                found.append(Process(int(entry.name), int(fields[1]), int(fields[19])))
    return found


def descendants(root: int, known: Iterable[Process], table: Iterable[Process]) -> list[Process]:
    """Of `table`, `root`, all below it, and what was `known` before its parent died and left it to another."""
    table = list(table)
    members = {process for process in table if process.pid == root} | (set(known) & set(table))
    below: dict[int, list[Process]] = {}
    for process in table:
        below.setdefault(process.parent, []).append(process)
    waiting = list(members)
    while waiting:
        for child in below.get(waiting.pop().pid, ()):
            if child not in members:
                members.add(child)
                waiting.append(child)
    return [process for process in table if process in members]


def reading(pid: int) -> Reading | None:
    """The memory of a process now, in bytes. Pages that several processes share count in each of them."""
    kilobytes = {}
    for line in _text(pid, "status").splitlines():
        name, _, value = line.partition(":")
        if name in {"VmRSS", "RssAnon", "RssFile", "RssShmem"}:
            kilobytes[name] = int(value.split()[0]) << 10
    if "VmRSS" not in kilobytes:
        return None
    parts = (kilobytes.get(name, 0) for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem"))
    return Reading(time.time(), *parts)


def executable(pid: int) -> str:
    """The file that a process runs."""
    try:
        return str((_PROC / str(pid) / "exe").readlink())
    except OSError:
        return ""


def command(pid: int) -> list[str]:
    """The command line of a process."""
    return _text(pid, "cmdline").removesuffix("\0").split("\0")


def environ(pid: int) -> dict[str, str]:
    """The variables that a process was started with."""
    pairs = (entry.partition("=") for entry in _text(pid, "environ").split("\0"))
    return {name: value for name, _, value in pairs if name}


def has_loaded(pid: int, library: str) -> bool:
    """Whether a process has mapped a library of this file name."""
    return f"/{library}" in _text(pid, "maps")


def has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(os.readlink(entry.path) == str(path) for entry in os.scandir(_PROC / str(pid) / "fd"))  # noqa: PTH115
    except OSError:
        return False


def catches(pid: int, signum: int) -> bool:
    """Whether a process has a handler for a signal; without one, QUIT and USR1 end it."""
    caught = _status(pid, "SigCgt")
    return bool(caught) and bool(int(caught, 16) >> (signum - 1) & 1)


def inner_pid(pid: int) -> int:
    """The number that a process has in its own namespace."""
    numbers = _status(pid, "NSpid").split()
    return int(numbers[-1]) if numbers else pid


def memory_limit(pid: int) -> int | None:
    """The least memory limit, in bytes, of the cgroups that a process is in; None where there is none."""
    limits = (_number(directory / limit) for directory, limit, _ in _memory_cgroups(pid))
    return min((limit for limit in limits if limit is not None and limit < _UNLIMITED), default=None)


def headroom() -> int | None:
    """Bytes that this process may still take, by its cgroups and by the machine; None where neither says so.

    Pages of files that a cgroup holds count as free: they go when they are in the way.
    """
    rooms = []
    for line in _text("", "meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            rooms.append(int(line.split()[1]) << 10)
    for directory, limit_name, used_name in _memory_cgroups(os.getpid()):
        limit, used = _number(directory / limit_name), _number(directory / used_name)
        if limit is not None and used is not None and limit < _UNLIMITED:
            rooms.append(max(limit - max(used - _cached(directory / "memory.stat"), 0), 0))
    return min(rooms, default=None)


def _memory_cgroups(pid: int) -> Iterator[tuple[Path, str, str]]:
    """The directories of a process's cgroups and of those around them, with the files of limit and usage."""
    for line in _text(pid, "cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            bases, names = [_CGROUPS, _CGROUPS / "unified"], ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            bases, names = [_CGROUPS / "memory"], ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        for base in bases:
            for depth in range(len(parts) + 1):
                yield base.joinpath(*parts[:depth]), *names


def _cached(stat: Path) -> int:
    """Bytes of files in a cgroup, by its `memory.stat`; cgroup v1 counts those below it under `total_`."""
    try:
        counts = dict(line.split() for line in stat.read_text().splitlines())
    except (OSError, ValueError):
        return 0
    whole = "total_" if "total_inactive_file" in counts else ""
    return sum(int(counts.get(f"{whole}{kind}_file", 0)) for kind in ("inactive", "active"))


def listener(port: int, pids: Collection[int]) -> int | None:
    """Which of `pids` listens on a TCP port."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        for line in _text(os.getpid(), f"net/{table}").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for pid in pids:
        try:
            if any(os.readlink(entry.path) in sockets for entry in os.scandir(_PROC / str(pid) / "fd")):  # noqa: PTH115
                return pid
        except OSError:
            continue
    return None


def _status(pid: int, field: str) -> str:
    for line in _text(pid, "status").splitlines():
        if line.startswith(f"{field}:"):
            return line.partition(":")[2].strip()
    return ""


def _text(pid: int | str, name: str) -> str:
    try:
        return (_PROC / str(pid) / name).read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
