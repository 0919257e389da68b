"""A target that is reached with what its image has: sh, cat, dd, stat and the like, of GNU or of busybox.

The poorest of the hands: it makes no connections, and starts a process for each verb.
"""

import contextlib
import posixpath
import re
import secrets
import shlex
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from caulk.model.errors import CaptureFailed, Lacks, Unreachable
from caulk.model.series import Reading
from caulk.model.target import FileStat, Patience, Process, Ran, Room, Target, Volume
from caulk.places.eye import UNLIMITED
from caulk.places.hashing import alongside
from caulk.places.remote import Transport, answer, gathered
from caulk.ports import Hashed

_TICKS = 100
_MOST_LISTED, _MOST_TEXT = 10000, 16 << 20
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    *(
        tuple(f"/sys/fs/cgroup/memory/memory.{name}" for name in names)
        for names in [("limit_in_bytes", "usage_in_bytes", "stat")]
    ),
)


class ShellReach:
    """The verbs on the process `pid`, as the shell beside it numbers it."""

    def __init__(self, target: Target, transport: Transport, pid: int, why: str = "") -> None:
        """`why` nothing better than a shell is there, if that is not the image's fault."""
        self.target = target
        self.transport = transport
        self._pid, self._why = pid, why
        self._started: int | None = None

    def process(self) -> Process:
        """The process as it is now; the sections of its file are not known."""
        at = f"/proc/{self._pid}/"
        names = [at + name for name in ("status", "stat", "cmdline", "environ", "maps")]
        status, line, command, environ, maps = self._texts(*names)
        script = f"readlink {at}exe; readlink {at}cwd; for f in {at}fd/*; do readlink $f; done"
        links = self._run(script).out.decode(errors="replace").splitlines()
        fields = self._fields(status)
        ticks = int(line.rpartition(")")[2].split()[19])
        if self._started is not None and ticks != self._started:
            raise Unreachable(f"process {self._pid} of {self.target.reference} has ended")
        self._started = ticks
        boot = re.search(r"^btime (\d+)", self._texts("/proc/stat")[0], re.MULTILINE)
        mapped = {words[5] for row in maps.splitlines() if len(words := row.split(None, 5)) > 5 and words[5][0] == "/"}
        return Process(
            int((fields.get("NSpid") or str(self._pid)).split()[-1]),
            int(fields["Uid"].split()[1]),
            int(fields["Gid"].split()[1]),
            (int(boot[1]) if boot else 0) + ticks / _TICKS,
            tuple(command.rstrip("\0").split("\0")),
            links[0] if links else "",
            dict(entry.split("=", 1) for entry in environ.split("\0") if "=" in entry),
            links[1] if len(links) > 1 else "/",
            int(fields.get("SigCgt", "0"), 16),
            frozenset(mapped),
            int(fields.get("Threads", "1")),
            frozenset(int(link[8:-1]) for link in links if re.fullmatch(r"socket:\[\d+\]", link)),
        )

    def reading(self) -> Reading:
        """Its memory now."""
        fields = self._fields(self._texts(f"/proc/{self._pid}/status")[0])
        sizes = [int(fields.get(name, "0").split()[0]) << 10 for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem")]
        return Reading(time.time(), *sizes)

    def room(self) -> Room:
        """What the container's own control group says."""
        for names in _CGROUPS:
            limit, used, detail = self._texts(*names)
            if used.strip().isdigit():
                idle = re.search(r"^total_inactive_file (\d+)", detail, re.MULTILINE) or re.search(
                    r"^inactive_file (\d+)", detail, re.MULTILINE
                )
                most = int(limit) if limit.strip().isdigit() and int(limit) < UNLIMITED else None
                return Room(max(int(used) - (int(idle[1]) if idle else 0), 0), most)
        return Room(self.reading().rss)

    def patience(self) -> Patience | None:
        """The place knows."""
        return None

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """A command beside it."""
        return answer(self.transport, command, stdin, timeout_s)

    def stat(self, path: str) -> FileStat | None:
        """The file at `path`."""
        ran = self._run(f"stat -L -c '%s %Y %f %i' {shlex.quote(path)}")
        if ran.code or not ran.out.strip():
            return None
        return _stated(path, ran.out.decode().split())

    def listing(self, directory: str) -> Sequence[FileStat]:
        """The files right in a directory; names with a line break are left out."""
        where = shlex.quote(directory.rstrip("/") or "/")
        ran = self._run(
            f"cd {where} 2>/dev/null && ls -1A | head -n {_MOST_LISTED} | while IFS= read -r f;"
            " do stat -c '%s %Y %f %i %n' \"./$f\" 2>/dev/null; done"
        )
        found = []
        for line in ran.out.decode(errors="surrogateescape").splitlines():
            words = line.split(" ", 4)
            if len(words) == 5:
                found.append(_stated(f"{directory.rstrip('/')}/{words[4].removeprefix('./')}", words))
        return sorted(found, key=lambda file: file.path)

    def volume(self, path: str) -> Volume:
        """Where a directory lies."""
        above = path
        while above != "/" and self.stat(above) is None:
            above = posixpath.dirname(above)
        quoted = shlex.quote(above)
        rows = self._run(f"df -Pk {quoted}").out.decode(errors="replace").splitlines()
        words = rows[-1].rsplit(None, 5) if len(rows) > 1 else []
        if len(words) != 6:
            raise Lacks("the image has no df to tell what a volume has left")
        mounts = (row.split(" ") for row in self._texts("/proc/self/mounts")[0].splitlines())
        kinds = [mount[2] for mount in mounts if mount[1] == words[5]]
        is_writable = above == path and not self._run(f"test -w {quoted} -a -x {quoted}").code
        return Volume(path, kinds[-1] if kinds else "", int(words[3]) << 10, is_writable)

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        """Pieces of a file; another command hashes it meanwhile."""
        with alongside(lambda: self.digest(path, offset + (length or 0)), hashed):
            yield from self._fetched(path, offset, length)

    def _fetched(self, path: str, offset: int, length: int | None) -> Iterator[bytes]:
        found = self.stat(path)
        if found is None:
            raise CaptureFailed(f"there is no {path} in {self.target.reference}")
        if not found.size:
            # What the kernel makes up as it is read, as all of /proc, has no size before.
            text = self._run(f"head -c {_MOST_TEXT} {shlex.quote(path)}").out[offset:][:length]
            yield from [text] if text else []
            return
        left = max(found.size - offset if length is None else min(length, found.size - offset), 0)
        quoted = shlex.quote(path)
        script = f"tail -c +{offset + 1} {quoted} | head -c {left}" if offset else f"head -c {left} {quoted}"
        channel = self.transport.start(["sh", "-c", script])
        try:
            while left:
                piece, _ = gathered(channel, b"", left)
                if not piece:
                    raise Unreachable(f"{path} of {self.target.reference} was cut with {left:,} bytes to come")
                yield piece
                left -= len(piece)
        finally:
            channel.close()

    def digest(self, path: str, length: int) -> str:
        """SHA-256 of the first `length` bytes, by the image's sha256sum."""
        ran = self._run(f"head -c {length} {shlex.quote(path)} | sha256sum", timeout_s=1800.0)
        digest = ran.out[:64].decode(errors="replace")
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise Lacks("the image has no sha256sum")
        return digest

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """A new file of its user, whole or not at all."""
        part = shlex.quote(f"{path}.caulk-{secrets.token_hex(6)}")
        script = (
            f"umask 077 && head -c {len(data)} > {part} && chmod {mode:o} {part}"
            f" && ln {part} {shlex.quote(path)}; code=$?; rm -f {part}; exit $code"
        )
        self._done(answer(self.transport, ["sh", "-c", script], data), f"{path} cannot be written")

    def remove(self, path: str) -> None:
        """Deletes a file."""
        self._done(self._run(f"rm -f {shlex.quote(path)}"), f"{path} cannot be removed")

    def move(self, path: str, to: str) -> None:
        """Renames a file, never onto another."""
        one, other = shlex.quote(path), shlex.quote(to)
        self._done(self._run(f"ln {one} {other} && rm -f {one}"), f"{path} cannot be renamed to {to}")

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        """Nothing that every image has can do it."""
        where = address if isinstance(address, str) else address[1]
        raise Lacks(f"{self._why or 'the image has a shell alone'}, which cannot connect to {where}")

    def signal(self, signum: int) -> None:
        """Sends a signal that it catches."""
        fields = self._fields(self._texts(f"/proc/{self._pid}/status")[0])
        if not int(fields.get("SigCgt", "0"), 16) >> (signum - 1) & 1:
            raise CaptureFailed(f"process {self._pid} has no handler for signal {signum}, which might end it: not sent")
        self._done(self._run(f"kill -{signum} {self._pid}"), f"signal {signum} cannot be sent to process {self._pid}")

    def peek(self, address: int, length: int) -> bytes:
        """No tool of a shell reads memory."""
        raise Lacks(self._why or "The memory of its process cannot be read with a shell.")

    def poke(
        self,
        writes: Sequence[tuple[int, bytes]],
        bits: Sequence[tuple[int, int]] = (),
        expected: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """No tool of a shell writes memory."""
        raise Lacks("The memory of its process cannot be written with a shell.")

    def lend(self, size: int) -> AbstractContextManager[int]:
        """From beside it no limit can be changed."""
        raise Lacks("Its memory limit cannot be changed from within its container.")

    def close(self) -> None:
        """Nothing stays open."""

    def _run(self, script: str, timeout_s: float = 60.0) -> Ran:
        return answer(self.transport, ["sh", "-c", script], timeout_s=timeout_s)

    def _texts(self, *paths: str) -> list[str]:
        """What is in each of the files; nothing where one cannot be read."""
        mark = secrets.token_hex(12)
        script = "; ".join(f"cat {shlex.quote(path)} 2>/dev/null; printf {mark}" for path in paths)
        parts = self._run(script).out.decode(errors="surrogateescape").split(mark)
        return (parts + [""] * len(paths))[: len(paths)]

    def _fields(self, status: str) -> dict[str, str]:
        fields = {name: rest.strip() for name, _, rest in (line.partition(":") for line in status.splitlines())}
        if "Uid" not in fields:
            raise Unreachable(f"process {self._pid} of {self.target.reference} has ended")
        return fields

    def _done(self, ran: Ran, what: str) -> None:
        if ran.code:
            why = ran.err.decode(errors="replace").strip().rpartition("\n")[2][:200]
            raise (Lacks if "ermission" in why or "Read-only" in why else CaptureFailed)(f"{what}: {why}")


def heaviest(transport: Transport) -> int:
    """The number of the process with the most memory; raises `Lacks` if there is no shell."""
    script = 'for p in /proc/[0-9]*; do echo "${p#/proc/} $(grep VmRSS $p/status 2>/dev/null)"; done'
    ran = answer(transport, ["sh", "-c", script])
    sizes = []
    for line in ran.out.decode(errors="replace").splitlines():
        with contextlib.suppress(ValueError, IndexError):
            sizes.append((int(line.split()[2]), -int(line.split()[0])))
    if not sizes:
        raise Lacks("the image has no shell")
    return -max(sizes)[1]


def _stated(path: str, words: Sequence[str]) -> FileStat:
    mode = int(words[2], 16)
    return FileStat(
        path, int(words[0]), float(words[1]), mode if stat.S_IFMT(mode) else mode | stat.S_IFREG, int(words[3])
    )
