"""Processes of this machine: memory from /proc, limits and kills from their cgroups.

All that was asked for is looked at with what runs below it. Workers that a master keeps are the replicas of one
workload; one that is recycled is followed by its successor. Shells that only wait for others are left out.
Fields: https://docs.kernel.org/filesystems/proc.html.
"""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from caulk.model.judgement import Event
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.readings.cgroups import Cgroup, of_process
from caulk.readings.slots import Slots, Taken

_MEMORY = re.compile(rb"^(VmRSS|RssAnon|RssFile|RssShmem):\s*(\d+) kB", re.MULTILINE)
_INTERPRETER = re.compile(r"(python|pypy|node|nodejs|java|ruby|perl|deno|bun|php)[\d.]*(?:-fpm)?")
_PROGRAM = re.compile(r".+\.(py|pyz|js|mjs|cjs|ts|jar|rb|pl|php)")
_SHELLS = frozenset(
    ("sh", "bash", "dash", "ash", "zsh", "busybox", "tini", "dumb-init", "su", "sudo", "timeout", "nice")
)
_WITH_VALUE = frozenset(("-cp", "-classpath", "--class-path", "-W", "-X", "-r", "--require", "--import", "--loader"))
#: After so long other tasks get their turn: the loop has HTTP to do meanwhile.
_SLICE_S = 0.02
_MOST_BYTES = 1 << 16


@dataclass(slots=True)
class _Process:
    """One process, as long as it runs; `workload` without regard to whether it is a master.

    `started` is in ticks since boot, `born` in seconds since 1970.
    """

    pid: int
    parent: int
    started: int
    born: float
    workload: Workload
    is_shell: bool
    target: Target
    cgroup: Cgroup | None
    kills: int = 0
    limit: int | None = None
    newest: Reading | None = None

    @property
    def life(self) -> str:
        return f"{self.pid}@{self.started}"


class Processes:
    """The processes that `find` gives, anew before each look, with all below them."""

    def __init__(
        self,
        find: Callable[[], Iterable[int]],
        *,
        name: str = "pid:",
        runtime: Callable[[Target], str] = lambda _: "",
        proc: str = "/proc",
    ) -> None:
        self.name = name
        self._find, self._runtime, self._proc = find, runtime, proc
        self._booted, self._ticks = _boot_time(proc), os.sysconf("SC_CLK_TCK")
        self._slots = Slots()
        self._known: dict[str, _Process] = {}
        self._in_slot: dict[tuple[str, str], _Process] = {}
        self._workloads: dict[str, Workload] = {}

    async def read(self) -> Sequence[Observation]:
        """The memory of every process, and the last of each that has ended."""
        table = _table(self._proc)
        roots = set(self._find())
        groups: dict[str, list[_Process]] = {}
        until = time.monotonic() + _SLICE_S
        for process, key in self._tree(roots, table):
            groups.setdefault(key, []).append(process)
            if time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + _SLICE_S
        seen: list[Observation] = []
        for key in dict.fromkeys([*groups, *(key for key, _ in self._in_slot)]):
            seen += self._workload(key, groups.get(key, []), time.time())
            if time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + _SLICE_S
        return seen

    def state(self) -> Mapping[str, Any]:
        """Which process is in which slot."""
        return {"slots": self._slots.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Finds processes in the slots that they had."""
        self._slots = Slots.restored(state.get("slots", {}))

    async def close(self) -> None:
        """Nothing is open."""

    def _tree(self, roots: set[int], table: Mapping[int, tuple[int, int]]) -> Iterator[tuple[_Process, str]]:
        """Each process at or below a root, with the key of its workload; forgets those that have ended."""
        below: dict[int, list[int]] = {}
        for pid, (parent, _) in table.items():
            below.setdefault(parent, []).append(pid)
        found: dict[int, _Process] = {}
        waiting = sorted(roots & table.keys())
        while waiting:
            pid = waiting.pop()
            process = None if pid in found else self._process(pid, *table[pid])
            if process:
                found[pid] = process
                waiting += below.get(pid, ())
        self._known = {process.life: process for process in found.values()}
        masters = {
            above.pid
            for one in found.values()
            if (above := found.get(one.parent)) and above.workload.key == one.workload.key
        }
        for one in sorted(found.values(), key=lambda known: known.started):
            if not (one.is_shell and one.pid in below):
                yield one, f"{one.workload.key}:master" if one.pid in masters else one.workload.key

    def _process(self, pid: int, parent: int, started: int) -> _Process | None:
        known = self._known.get(f"{pid}@{started}")
        if known:
            known.parent = parent
            return known
        command = _read(f"{self._proc}/{pid}/cmdline").rstrip(b"\0").decode("utf-8", "replace").split("\0")
        if not command[0]:  # a thread of the kernel, or one that is ending
            return None
        name = _name(command)
        target = Target("local", f"pid:{pid}", name, {"started": str(started)})
        key = f"local:{_owner(f'{self._proc}/{pid}')}:{_link(f'{self._proc}/{pid}/cwd')}:{name}"
        if key not in self._workloads:
            self._workloads[key] = Workload(key, name, self._runtime(target))
        cgroup = of_process(pid, proc=self._proc)
        kills = cgroup.oom_kills() if cgroup else 0
        born = self._booted + started / self._ticks
        return _Process(pid, parent, started, born, self._workloads[key], name in _SHELLS, target, cgroup, kills)

    def _workload(self, key: str, processes: list[_Process], now: float) -> Iterator[Observation]:
        by_life = {process.life: process for process in processes}
        taken = self._slots.settle(key, by_life, now)
        for life, slot in taken.of.items():
            process, before = by_life[life], self._in_slot.get((key, slot))
            reading = self._reading(process.pid, now)
            if reading is None:
                continue
            events = tuple(_events(process, before, taken, now))
            process.newest, self._in_slot[key, slot] = reading, process
            yield Observation(_workload(process, key), slot, reading, events, process.target, process.limit)
        for slot in taken.gone:
            ended = self._in_slot.pop((key, slot), None)
            if ended and ended.newest:
                killed = (Event(now, "oom"),) if _was_killed(ended) else ()
                last = replace(ended.newest, at=now)
                yield Observation(_workload(ended, key), slot, last, killed, ended.target, ended.limit, is_over=True)

    def _reading(self, pid: int, now: float) -> Reading | None:
        found = dict(_MEMORY.findall(_read(f"{self._proc}/{pid}/status")))
        if b"VmRSS" not in found:
            return None
        names = (b"VmRSS", b"RssAnon", b"RssFile", b"RssShmem")
        return Reading(now, *(int(found.get(name, 0)) << 10 for name in names))


def _events(process: _Process, before: _Process | None, taken: Taken, now: float) -> Iterator[Event]:
    """What happened since the last look: it was started, or the limit is another one now."""
    if process.life in taken.newcomers:
        was_killed = process.life in taken.heirs and before is not None and _was_killed(before)
        yield Event(min(process.born, now), "oom" if was_killed else "restart")
    limit = process.cgroup.limit() if process.cgroup else None
    if limit != process.limit or (process.newest is None and limit):
        yield Event(now, "limit", limit or 0)
        process.limit = limit


def _was_killed(ended: _Process) -> bool:
    """Whether the kernel has killed for memory in the cgroup of a process since it was first seen."""
    return ended.cgroup is not None and ended.cgroup.oom_kills() > ended.kills


def _workload(process: _Process, key: str) -> Workload:
    if key == process.workload.key:
        return process.workload
    return replace(process.workload, key=key, name=f"{process.workload.name} (master)")


def _boot_time(proc: str) -> float:
    found = re.search(rb"^btime (\d+)", _read(f"{proc}/stat"), re.MULTILINE)
    return float(found[1]) if found else 0.0


def _table(proc: str) -> dict[int, tuple[int, int]]:
    """Parent and start (in ticks since boot) of everything that runs, by number; zombies left out."""
    found = {}
    for name in os.listdir(proc):  # noqa: PTH208 - names alone, of which there may be many
        if name.isdigit():
            # The name, in parentheses, may hold anything; what follows the last one is numbers.
            fields = _read(f"{proc}/{name}/stat").rpartition(b")")[2].split()
            if len(fields) > 19 and fields[0] not in b"ZX":
                found[int(name)] = int(fields[1]), int(fields[19])
    return found


def _name(command: Sequence[str]) -> str:
    """What people call a program: `server.py` and `shop.jar` rather than the interpreter of it."""
    # A program that names itself (`gunicorn: worker [shop]`) leaves one word with blanks.
    name = PurePosixPath(command[0].split(" ", 1)[0]).name.rstrip(":")
    if not _INTERPRETER.fullmatch(name):
        return name
    words = list(_words(command[1:]))
    return next((word for word in words if _PROGRAM.fullmatch(word)), words[0] if words else name)


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """File names among the arguments up to where code itself is given, without options and what belongs to them."""
    rest = iter(arguments)
    for word in rest:
        if word in ("-c", "-e", "--eval", "-p", "--print"):
            return
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            yield PurePosixPath(word).name


def _owner(path: str) -> int:
    try:
        return os.stat(path).st_uid  # noqa: PTH116 - as in _table
    except OSError:
        return -1


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - as in _table
    except OSError:
        return ""


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _MOST_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
