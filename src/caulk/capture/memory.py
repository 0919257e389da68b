"""Where a target's memory is: its mappings, its cgroup and its runtime's figures, read without asking the program."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Protocol, cast

from caulk.analysis.kinds.fitting import fitting
from caulk.analysis.kinds.mappings import mapped
from caulk.analysis.kinds.waterfall import waterfall
from caulk.capture.offers import runtimes
from caulk.model.breakdown import Advice, Bound, Breakdown, Group, HeapNow
from caulk.model.errors import CaulkError, Lacks
from caulk.model.target import Process
from caulk.ports import Reach
from caulk.runtimes.cpython.sizing import workers

_MOST_TEXT = 32 << 20
_MOUNT = "/sys/fs/cgroup"
_UNLIMITED = 1 << 60
#: Those that can be sized: their package has a module `sizing`.
_SIZED = ("jvm", "node", "go", "cpython")
#: Parts of kernel memory in `memory.stat`, where it has no sum of them.
_KERNEL = ("kernel_stack", "pagetables", "sec_pagetables", "percpu", "sock", "vmalloc", "slab")


class _Sizing(Protocol):
    def heap(self, reach: Reach, process: Process) -> HeapNow | None: ...

    def bound(self, process: Process, limit: int | None) -> Bound | None: ...


def look(reach: Reach) -> tuple[Breakdown, Advice]:
    """The parts of a target's memory, and what would fit. Raises `Lacks` where its mappings cannot be read."""
    process = reach.process()
    smaps = _text(reach, f"/proc/{process.pid}/smaps")
    if not smaps:
        raise Lacks(
            f"The mappings of {reach.target.reference} cannot be read.",
            hint="Run as its user or as root; in a container, with the capability SYS_PTRACE.",
        )
    sizing = _sizing(reach)
    heap = sizing.heap(reach, process) if sizing else None
    group = _group(reach, process)
    if group and group.limit is None:
        # A cgroup without a limit is shared with strangers: the process is all there is to tell.
        group = None
    now = waterfall(mapped(smaps, _text(reach, f"/proc/{process.pid}/status")), heap, group)
    bound = sizing.bound(process, now.limit) if sizing else None
    advice = fitting(now, bound)
    return now, replace(advice, sentences=(*advice.sentences, *_workers(process, now)))


def _sizing(reach: Reach) -> _Sizing | None:
    name = next((runtime.NAME for runtime in runtimes(reach) if runtime.NAME in _SIZED), None)
    return cast("_Sizing", import_module(f"caulk.runtimes.{name}.sizing")) if name else None


def _workers(process: Process, now: Breakdown) -> Iterator[str]:
    """How many workers fit, where the program is the master of a pool in a limited container."""
    told = workers(process)
    if told is None or now.limit is None or not now.size("others"):
        return
    count, setting = told
    each = now.size("others") / count
    fit = int((0.9 * now.limit - (now.used - now.size("others", "files"))) // each)
    if fit < count:
        yield f"{setting} takes {each / (1 << 20):,.0f} MB a worker: the limit has room for {max(fit, 1)}."


def _group(reach: Reach, process: Process) -> Group | None:
    for directory, is_old in _directories(_text(reach, f"/proc/{process.pid}/cgroup")):
        stat = _fields(_text(reach, f"{directory}/memory.stat"))
        used = _number(reach, f"{directory}/{'memory.usage_in_bytes' if is_old else 'memory.current'}")
        if stat and used is not None:
            return (_old if is_old else _new)(reach, directory, stat, used)
    return None


def _directories(text: str) -> Iterator[tuple[str, bool]]:
    """Where the cgroup may be, seen from the target: at its path, or right at the mount."""
    for line in text.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if "memory" in controllers.split(","):
            bases, is_old = [f"{_MOUNT}/memory"], True
        elif not controllers:
            bases, is_old = [_MOUNT, f"{_MOUNT}/unified"], False
        else:
            continue
        for base in bases:
            for below in (path.rstrip("/"), "") if ".." not in path else ("",):
                yield base + below, is_old


def _new(reach: Reach, directory: str, stat: Mapping[str, int], used: int) -> Group:
    events = _fields(_text(reach, f"{directory}/memory.events"))
    kernel = stat.get("kernel", sum(stat.get(name, 0) for name in _KERNEL))
    return Group(
        used,
        _limit(_number(reach, f"{directory}/memory.max")),
        stat.get("anon", 0),
        stat.get("file", 0),
        stat.get("shmem", 0),
        max(kernel, 0),
        _number(reach, f"{directory}/memory.peak") or 0,
        events.get("oom_kill", 0),
    )


def _old(reach: Reach, directory: str, stat: Mapping[str, int], used: int) -> Group:
    # In cgroup v1 `rss` is private memory, `cache` files and shared memory; `total_` has the cgroups below in it.
    def total(name: str) -> int:
        return stat.get(f"total_{name}", stat.get(name, 0))

    kernel = _number(reach, f"{directory}/memory.kmem.usage_in_bytes") or 0
    kills = _fields(_text(reach, f"{directory}/memory.oom_control")).get("oom_kill", 0)
    limit = _limit(_number(reach, f"{directory}/memory.limit_in_bytes"))
    return Group(used, limit, total("rss"), total("cache"), total("shmem"), kernel, 0, kills)


def _limit(said: int | None) -> int | None:
    return said if said is not None and said < _UNLIMITED else None


def _fields(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}


def _number(reach: Reach, path: str) -> int | None:
    text = _text(reach, path).strip()
    return int(text) if text.isdigit() else None


def _text(reach: Reach, path: str) -> str:
    """A file of the kernel's as the target sees it; nothing where it cannot be read."""
    try:
        return b"".join(reach.fetch(path, 0, _MOST_TEXT)).decode("utf-8", "replace")
    except CaulkError:
        return ""
