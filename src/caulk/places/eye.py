"""The eye: what a program next to a process can see of it; what it runs, its memory, and what limits that.

Any Python from 3.6 on, standard library only, and no letters but ASCII: `places.hand` sends it to where a process is.
What cannot be read is empty. Sources: https://docs.kernel.org/filesystems/proc.html, proc(5), elf(5) and
https://docs.kernel.org/admin-guide/cgroup-v2.html.
"""

import contextlib
import errno
import os
import re
import struct
import sys
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

Answer = Dict[str, Any]
Ids = Tuple[int, int, List[int]]
# An unlimited cgroup v1 says 2^63 rounded down to a page.
UNLIMITED = 1 << 60
#: What tells the runtimes apart, of all that a process maps.
_RUNTIMES = r"/(lib(jvm|j9vm|python|node|tcmalloc|jemalloc|profiler)|python|node|java|envoy)[^/]*$"
_MOST_TEXT, _MOST_FILES, _MOST_SECTIONS = 16 << 20, 20000, 4096


class Trouble(Exception):
    """Why a verb did not work: `kind` is `unreachable`, `lacks`, `missing` or `failed`."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind, self.hint = kind, hint


class Eye:
    """What can be seen of one process: the one that was there at first, not a later one of the same number.

    `started` is in clock ticks since boot, `ids` are those that it acts with: user, group and further groups.
    """

    proc, cgroup_mount = "/proc", "/sys/fs/cgroup"

    def __init__(self, pid: int, started: Optional[int] = None, ids: Optional[Ids] = None) -> None:
        self.pid = pid
        self.started = self._ticks() if started is None else started
        self.uid, self.gid, self.groups = ids or self._ids()

    def alive(self) -> None:
        """Raises unless the process still runs: itself, not a later one of the same number."""
        if self._ticks() != self.started:
            raise Trouble("unreachable", f"Process {self.pid} has ended; its number belongs to another one now.")

    def _ticks(self) -> int:
        # The name, in parentheses, may hold anything; what follows the last one is numbers.
        fields = self.text("stat").rpartition(")")[2].split()
        if len(fields) < 20 or fields[0] in "ZX":
            hint = "`caulk ps` lists what runs. Where /proc is mounted with hidepid, only root sees others' processes."
            raise Trouble("unreachable", f"There is no process {self.pid}, or it has ended.", hint)
        return int(fields[19])

    def _ids(self) -> Ids:
        status = self.status()
        if "Uid" not in status:
            raise Trouble("unreachable", f"Process {self.pid} has ended.")
        groups = [int(group) for group in status.get("Groups", "").split()]
        return int(status["Uid"].split()[1]), int(status["Gid"].split()[1]), groups

    def path(self, name: str) -> str:
        """A file of the process in /proc."""
        return f"{self.proc}/{self.pid}/{name}"

    def text(self, name: str) -> str:
        """What such a file says, or nothing where it cannot be read."""
        try:
            with open(self.path(name), "rb") as file:
                return os.fsdecode(file.read(_MOST_TEXT))
        except OSError:
            return ""

    def link(self, name: str) -> str:
        """Where a link of the process in /proc leads, in its own terms; nothing where it cannot be read."""
        try:
            return self._inside(os.readlink(self.path(name)))
        except OSError:
            return ""

    def _inside(self, path: str) -> str:
        """A path as the kernel shows it to us, as one below the target's root: they differ after a chroot."""
        root = "/"
        with contextlib.suppress(OSError):
            root = os.readlink(self.path("root"))
        return path[len(root) :] if root != "/" and path.startswith(root + "/") else path

    def status(self) -> Dict[str, str]:
        """The fields of /proc/PID/status."""
        lines = (line.partition(":") for line in self.text("status").splitlines())
        return {name: value.strip() for name, _, value in lines}

    def caught(self) -> int:
        """The signals that it has handlers for, as the kernel's mask."""
        return int(self.status().get("SigCgt", "0"), 16)

    def process(self, is_whole: bool = True) -> Answer:
        """The process as it is now, with its environment and sockets or without; `pid` is that in its namespace."""
        status, maps = self.status(), self.text("maps").splitlines()
        mapped = {line.split(None, 5)[5] for line in maps if "/" in line}
        variables = self.text("environ").split("\0") if is_whole else []
        self.alive()
        return {
            "pid": int((status.get("NSpid") or str(self.pid)).split()[-1]),
            "host_pid": self.pid,
            "parent": int(status.get("PPid", 0)),
            "name": status.get("Name", ""),
            "uid": self.uid,
            "gid": self.gid,
            "started": self.started,
            "started_at": _boot_time(self.proc) + self.started / os.sysconf("SC_CLK_TCK"),
            "command": self.text("cmdline").rstrip("\0").split("\0"),
            "executable": self.link("exe"),
            "environ": dict(entry.split("=", 1) for entry in variables if "=" in entry),
            "directory": self.link("cwd") or "/",
            "caught": int(status.get("SigCgt", "0"), 16),
            "libraries": sorted({self._inside(path) for path in mapped}),
            "threads": int(status.get("Threads", 1)),
            "sockets": self._sockets() if is_whole else [],
            "sections": _sections(self.path("exe")),
        }

    def _sockets(self) -> List[int]:
        """The inodes of the sockets that it has open."""
        links = []
        with contextlib.suppress(OSError):
            for name in os.listdir(self.path("fd"))[:_MOST_FILES]:
                with contextlib.suppress(OSError):
                    links.append(os.readlink(self.path("fd/" + name)))
        return sorted(int(link[8:-1]) for link in links if link.startswith("socket:["))

    def reading(self) -> Answer:
        """The memory of the process now, in bytes. Pages that several processes share count in each of them."""
        status = self.status()
        self.alive()
        names = (("rss", "VmRSS"), ("anonymous", "RssAnon"), ("file", "RssFile"), ("shared", "RssShmem"))
        sizes = {name: int(status.get(field, "0 kB").split()[0]) << 10 for name, field in names}
        return dict(sizes, at=time.time())

    def room(self) -> Answer:
        """Of the limited cgroups around it the one that leaves the least; without any, what it uses itself.

        That is with the pages that its children share with nobody: those of a copy of itself that writes a dump too.
        """
        used, limit, machine = self.reading()["rss"], None, None
        with contextlib.suppress(OSError), open(self.proc + "/meminfo") as file:
            machine = next((int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:")), None)
        known = [(bound - taken, bound, taken) for _, bound, taken in self.cgroups() if bound is not None]
        if known:
            _, limit, used = min(known)
        else:
            used += sum(self._private(child) for child in self._children())
        return {"used": used, "limit": limit, "machine": machine}

    def _children(self) -> List[int]:
        """Its child processes, where the kernel can list them."""
        found: List[int] = []
        with contextlib.suppress(OSError):
            for thread in os.listdir(self.path("task"))[:_MOST_FILES]:
                with contextlib.suppress(OSError), open(self.path("task/" + thread + "/children")) as file:
                    found += map(int, file.read().split())
        return found

    def _private(self, pid: int) -> int:
        """Bytes of the pages that only this process has."""
        with contextlib.suppress(OSError), open("%s/%d/smaps_rollup" % (self.proc, pid)) as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith("Private_Dirty:"))
        return 0

    def cgroups(self) -> Iterator[Tuple[str, Optional[int], int]]:
        """The cgroups around it, outermost first: the file of the limit, the limit, and the bytes that it uses.

        Pages of files that were not used lately do not count: they go when they are in the way.
        """
        for line in self.text("cgroup").splitlines():
            _, controllers, path = [*line.split(":", 2), "", ""][:3]
            below, parts = self.cgroup_mount, [part for part in path.split("/") if part]
            if ".." in parts:
                # It lies outside of our namespace of cgroups; the target's own mount shows it as the root.
                below, parts = self.path("root" + self.cgroup_mount), []
            bases, names = [below + "/memory"], ("memory.limit_in_bytes", "memory.usage_in_bytes")
            if controllers == "":
                bases, names = [below, below + "/unified"], ("memory.max", "memory.current")
            elif "memory" not in controllers.split(","):
                continue
            for base in bases:
                for depth in range(len(parts) + 1):
                    directory = "/".join([base, *parts[:depth], ""])
                    limit, used = (number(directory + name) for name in names)
                    if used is not None:
                        bound = limit if limit is not None and limit < UNLIMITED else None
                        yield directory + names[0], bound, max(used - dropped(directory + "memory.stat"), 0)

    def refused(self, what: str, error: OSError) -> Trouble:
        """Why the system did not let us: the process is gone, or belongs to somebody else."""
        if error.errno in (errno.ENOENT, errno.ESRCH):
            return Trouble("unreachable", f"Process {self.pid} has ended.")
        who = f"User {os.geteuid()} may not {what} process {self.pid}, which runs as user {self.uid}"
        hint = f"Run as user {self.uid} or as root; in a container, with the capability SYS_PTRACE (and SYS_ADMIN)."
        return Trouble("lacks", f"{who}: {error.strerror}.", hint)


def processes(proc: str = "/proc") -> List[Answer]:
    """The programs in this PID namespace, without environments; of their libraries those that tell the runtime."""
    found = []
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        with contextlib.suppress(Trouble):
            process = Eye(pid).process(is_whole=False)
            process["libraries"] = [path for path in process["libraries"] if re.search(_RUNTIMES, path)]
            if any(process["command"]):  # a thread of the kernel has none
                found.append(process)
    return found


def facts() -> Answer:
    """What the hand itself is: its Python, user and rights, and whose processes it sees."""
    return {
        "python": sys.version.split()[0],
        "uid": os.geteuid(),
        "gid": os.getegid(),
        "capabilities": int(Eye(os.getpid()).status().get("CapEff", "0"), 16),
        "pid_namespace": os.stat("/proc/self/ns/pid").st_ino,
        "machine": os.uname().machine,
    }


def _sections(path: str) -> List[str]:
    """The names of the sections of a 64-bit executable; they tell who built it."""
    with contextlib.suppress(OSError, struct.error, IndexError), open(path, "rb") as file:
        head = file.read(64)
        if head[:6] == b"\x7fELF\x02\x01":
            at, (size, count, last) = struct.unpack_from("<Q", head, 40)[0], struct.unpack_from("<HHH", head, 58)
            file.seek(at)
            table = file.read(size * min(count, _MOST_SECTIONS))
            starts = [row[0] for row in struct.iter_unpack("<I60x", table)] if size == 64 else []
            begin, length = struct.unpack_from("<QQ", table, last * size + 24)
            file.seek(begin)
            names = file.read(min(length, _MOST_TEXT))
            return sorted({names[start:].split(b"\0", 1)[0].decode("ascii", "replace") for start in starts} - {""})
    return []


def _boot_time(proc: str) -> float:
    with open(proc + "/stat") as file:
        return next((float(line.split()[1]) for line in file if line.startswith("btime ")), 0.0)


def number(path: str) -> Optional[int]:
    """What a file of one number says; None where there is none."""
    try:
        with open(path) as file:
            return int(file.read(64))
    except (OSError, ValueError):
        return None


def dropped(path: str) -> int:
    """Bytes of files not used lately, by `memory.stat`; cgroup v1 has the cgroups below in those with `total_`."""
    try:
        with open(path) as file:
            counts = dict(line.split() for line in file)
    except (OSError, ValueError):
        return 0
    return int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))
