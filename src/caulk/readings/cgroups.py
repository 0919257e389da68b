"""What a cgroup says of memory: use, kinds, limits, pressure, and how often the kernel killed for it; version 1 and 2.

Fields: https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from caulk.model.series import Reading

MOUNT = "/sys/fs/cgroup"
#: An unlimited cgroup of version 1 says 2^63 rounded down to a page.
_UNLIMITED = 1 << 60
_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Usage:
    """The memory of a cgroup and of those below it, in bytes; counters since it was made.

    `pressure` is the share of the last five minutes in which some of its tasks waited for memory (PSI), None where the
    kernel does not say.
    """

    current: int
    anonymous: int
    file: int
    shared: int
    kernel: int
    oom_kills: int
    pressure: float | None = None

    def reading(self, at: float) -> Reading:
        """The same as a reading: what is charged to the cgroup stands for what is resident."""
        return Reading(at, self.current, self.anonymous, self.file, self.shared)


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The directory of a cgroup, and the names that its version has for things."""

    path: str
    is_v2: bool
    mount: str = MOUNT

    def usage(self) -> Usage | None:
        """What it uses now; None if it is gone. Four small files are read."""
        current = _number(f"{self.path}/{'memory.current' if self.is_v2 else 'memory.usage_in_bytes'}")
        stat = _fields(f"{self.path}/memory.stat")
        if not stat:
            return None
        kind = _V2 if self.is_v2 else _V1
        if current is None:  # the root of version 2 has no memory.current
            current = sum(stat.get(name, 0) for name in ("anon", "file", "kernel"))
        anonymous, file, shared, kernel = (stat.get(name, 0) for name in kind)
        pressure = _pressure(f"{self.path}/memory.pressure") if self.is_v2 else None
        return Usage(current, anonymous, file, shared, kernel, self.oom_kills(), pressure)

    def oom_kills(self) -> int:
        """How many processes the kernel has killed here for memory."""
        return _fields(f"{self.path}/{'memory.events' if self.is_v2 else 'memory.oom_control'}").get("oom_kill", 0)

    def limit(self) -> int | None:
        """The least limit of it and of those around it, `memory.high` too: beyond that a program is held up."""
        names = ("memory.max", "memory.high") if self.is_v2 else ("memory.limit_in_bytes",)
        found, path = [], self.path
        while path.startswith(self.mount):
            found += [_number(f"{path}/{name}") for name in names]
            path = os.path.dirname(path)  # noqa: PTH120 - a thousand of these are asked for every 15 seconds
        return min((bound for bound in found if bound is not None and bound < _UNLIMITED), default=None)


_V2 = ("anon", "file", "shmem", "kernel")
#: With `total_`, those below are counted as well.
_V1 = ("total_rss", "total_cache", "total_shmem", "kernel_stack")


def of_process(pid: int, *, proc: str = "/proc", mount: str = MOUNT) -> Cgroup | None:
    """The cgroup that counts the memory of a process; None where there is none, or it is not mounted here."""
    for line in _text(f"{proc}/{pid}/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if "memory" in controllers.split(","):
            # In a container the path is that of the host, and the mount is the container's own cgroup.
            return _v1(path, mount) or _v1("", mount)
        if not controllers and (found := _v2(path, mount)):
            return found
    return None


def at(path: str, *, mount: str = MOUNT) -> Cgroup | None:
    """The cgroup that people call `/system.slice/nginx.service`; None if there is none."""
    return _v2(path, mount) or _v1(path, mount)


def _v1(path: str, mount: str) -> Cgroup | None:
    found = f"{mount}/memory{path}".rstrip("/")
    if ".." not in path and os.path.exists(f"{found}/memory.usage_in_bytes"):  # noqa: PTH110 - as above
        return Cgroup(found, is_v2=False, mount=f"{mount}/memory")
    return None


def _v2(path: str, mount: str) -> Cgroup | None:
    for base in (mount, f"{mount}/unified"):
        found = f"{base}{path}".rstrip("/")
        if ".." not in path and os.path.exists(f"{found}/memory.stat"):  # noqa: PTH110 - as above
            return Cgroup(found, is_v2=True, mount=base)
    return None


def _pressure(path: str) -> float | None:
    """`some avg10=0.00 avg60=0.00 avg300=1.20 total=…` to a share of 1."""
    for word in _text(path).split():
        name, _, value = word.partition("=")
        if name == "avg300":
            return float(value) / 100
    return None


def _fields(path: str) -> Mapping[str, int]:
    words = _text(path).split()
    try:
        return dict(zip(words[::2], map(int, words[1::2]), strict=False))
    except ValueError:
        return {}


def _number(path: str) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _MOST_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
