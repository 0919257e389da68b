"""Snapshots that Node.js and V8 write to files themselves: at a signal, near the heap limit, and when it is exceeded.

Node.js opens the file before it builds the graph, so that one which is there, even if it does not grow, may be empty
still: it is whole when its closing bracket is there. Names: `Heap.DATE.TIME.PID.THREAD.NUMBER.heapsnapshot` in
`--diagnostic-dir`, else in the working directory (DiagnosticFilename, in src/util.cc); `v8-heap-MILLISECONDS` in the
working directory for V8's own `--heap-snapshot-on-oom`, of Node.js 22 and later (HeapProfiler in V8).
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from posixpath import basename
from signal import Signals

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import FileStat
from caulk.ports import Reach, Sink
from caulk.runtimes.node.figures import snapshot_cost
from caulk.runtimes.node.survey import Survey
from caulk.runtimes.node.switches import dump_directory, is_restricted, snapshot_signal

_NODE = re.compile(r"Heap\.\d{8}\.\d{6}\.(\d+)\.(\d+)\.(\d+)\.heapsnapshot")
_V8 = re.compile(r"v8-heap-\d+\.heapsnapshot")
_S_IFMT, _S_IFREG = 0o170000, 0o100000
_TAIL = 64
_PATIENCE_S, _TIMES, _LOOK_S = 120.0, 20, 0.2


@dataclass(slots=True)
class Signalled:
    """A snapshot that the program writes at the signal of `--heapsnapshot-signal`; it is fetched and removed."""

    survey: Survey
    name: str = "signal:heapsnapshot-signal"
    alias: str = "heap-signal"
    evidence: Evidence = "graph"
    format: str = "heapsnapshot"
    suffix: str = ".heapsnapshot"

    def check(self) -> Check:
        """Whether there is such a signal, a handler for it, and a directory to write to."""
        now = self.survey
        number = snapshot_signal(now.switches)
        if number is None:
            fix = "Start it with NODE_OPTIONS=--heapsnapshot-signal=SIGUSR2, and --diagnostic-dir=DIRECTORY."
            return Check("needs", "it writes no snapshot at a signal (--heapsnapshot-signal)", fix)
        name = Signals(number).name
        if not now.process.catches(number):
            return Check("needs", f"it has no handler for {name}, which would end it", "Start it anew.")
        directory = dump_directory(now.process)
        flaw = unwritable(now.reach, directory, now.switches)
        if flaw:
            return Check("needs", flaw, "Start it with --diagnostic-dir on a volume of disk that it may write to.")
        return Check("ready", f"{name} has it write a snapshot to {directory}")

    def cost(self) -> Cost:
        """As a snapshot over the inspector, and a file."""
        cost = snapshot_cost(self.survey.heap)
        directory = dump_directory(self.survey.process)
        size = cost.size_bytes
        return Cost(cost.pause_s, cost.extra_bytes, size, directory, size, cost.risk)

    def take(self, sink: Sink) -> Taken:
        """Sends the signal, and waits for the file to be whole."""
        check, cost, reach = self.check(), self.cost(), self.survey.reach
        number = snapshot_signal(self.survey.switches)
        if check.standing != "ready" or number is None:
            raise CaptureFailed(check.why, hint=check.fix)
        directory, pid = dump_directory(self.survey.process), self.survey.process.pid
        before = {one.path for one in _written(reach, directory, pid)}
        began = time.monotonic()
        reach.signal(number)
        path = ""
        try:
            while time.monotonic() < began + _PATIENCE_S + _TIMES * cost.pause_s:
                new = [one for one in _written(reach, directory, pid) if one.path not in before]
                if new and not path:
                    path = new[0].path
                    sink.leaving(path)
                size = next((one.size for one in new if one.path == path), 0)
                sink.progress(min(size, cost.size_bytes), cost.size_bytes, "V8 writes its heap")
                if size and is_whole(reach, path, size):
                    pause = f"{time.monotonic() - began:.3f}"
                    return Taken(path, remove=True, facts={"pause_s": pause, "signal": Signals(number).name})
                time.sleep(_LOOK_S)
            left = f"{path} was removed" if path else f"a file may still appear in {directory}"
            raise CaptureFailed(
                f"no whole snapshot was written after {Signals(number).name}; {left}",
                hint="The program answers signals in its event loop: is that held up?",
            )
        except BaseException:
            with suppress(CaulkError):
                if path:
                    reach.remove(path)
            raise


@dataclass(slots=True)
class Collected:
    """The newest snapshot that was written near the heap limit, or when it was exceeded; it stays in the target."""

    survey: Survey
    name: str = "collect:near-limit"
    alias: str = "oom-dump"
    evidence: Evidence = "graph"
    format: str = "heapsnapshot"
    suffix: str = ".heapsnapshot"
    _seen: list[FileStat] | None = field(default=None, repr=False)

    def check(self) -> Check:
        """Whether there is one; if not, whether the program would write one."""
        newest = self._newest()
        if newest is None:
            return self._prospect()
        if not newest.size or not is_whole(self.survey.reach, newest.path, newest.size):
            why = f"{newest.path} has no end: it is still being written, or the program was killed meanwhile"
            return Check("unsafe", why, "Give it more memory: a snapshot takes several times the heap beside it.")
        return Check("ready", f"{newest.path} was written at {_moment(newest):%Y-%m-%d %H:%M:%S} UTC")

    def cost(self) -> Cost:
        """Only room where the capture is kept."""
        newest = self._newest()
        return Cost(size_bytes=newest.size if newest else 0)

    def take(self, sink: Sink) -> Taken:
        """Names it; each has a name of its own, and is in nobody's way."""
        newest = self._newest()
        if newest is None:
            raise CaptureFailed("there is no snapshot that Node.js wrote itself", hint=self.check().fix)
        sink.progress(0, max(newest.size, 1), "a snapshot is there")
        more = len(self._all()) - 1
        warnings = (f"{more} older snapshots are there too",) if more else ()
        when = f"{_moment(newest):%Y-%m-%dT%H:%M:%SZ}"
        return Taken(newest.path, warnings=warnings, facts={"written": newest.path, "written_at": when})

    def _prospect(self) -> Check:
        now = self.survey
        directory = dump_directory(now.process)
        if now.switches.get("heap-snapshot-on-oom") == "true":
            directory = now.process.directory
        elif not now.switches.get("heapsnapshot-near-heap-limit", "").strip("0"):
            fix = (
                f"Run `caulk arm {now.reach.target.reference}`, or start it with"
                " NODE_OPTIONS='--heapsnapshot-near-heap-limit=1 --diagnostic-dir=DIRECTORY'."
            )
            return Check("needs", "it was not started to write a snapshot near its heap limit; there is none", fix)
        flaw = unwritable(now.reach, directory, now.switches)
        if flaw:
            return Check("needs", flaw, "Start it with --diagnostic-dir on a volume of disk that it may write to.")
        return Check("needs", f"there is no snapshot yet: it is written to {directory} near the heap limit")

    def _newest(self) -> FileStat | None:
        """The newest that is whole; else the newest."""
        found = sorted(self._all(), key=lambda one: one.modified, reverse=True)
        whole = (one for one in found if one.size and is_whole(self.survey.reach, one.path, one.size))
        return next(whole, next(iter(found), None))

    def _all(self) -> list[FileStat]:
        if self._seen is None:
            now = self.survey
            wanted = [dump_directory(now.process), now.process.directory, now.access.directory]
            self._seen = [
                one
                for directory in dict.fromkeys(directory for directory in wanted if directory)
                for one in now.reach.listing(directory)
                if _is_file(one) and (_NODE.fullmatch(basename(one.path)) or _V8.fullmatch(basename(one.path)))
            ]
        return self._seen


def is_whole(reach: Reach, path: str, size: int) -> bool:
    """Whether a snapshot has its end: the strings are the last of it, an array."""
    tail = b"".join(reach.fetch(path, max(size - _TAIL, 0), min(size, _TAIL)))
    return b"".join(tail.split())[-2:] == b"]}"


def unwritable(reach: Reach, directory: str, switches: Mapping[str, str]) -> str:
    """Why no snapshot can be written to a directory; empty if one can."""
    if is_restricted(switches) and "allow-fs-write" not in switches:
        return "its permission model (--permission) lets it write no file"
    volume = reach.volume(directory)
    if not volume.is_writable:
        return f"{directory} cannot be written to"
    return f"{directory} lies in memory ({volume.kind}), which the limit counts" if volume.is_memory else ""


def _written(reach: Reach, directory: str, pid: int) -> Iterator[FileStat]:
    for one in reach.listing(directory):
        name = _NODE.fullmatch(basename(one.path))
        if name and int(name[1]) == pid and _is_file(one):
            yield one


def _is_file(one: FileStat) -> bool:
    return one.mode & _S_IFMT == _S_IFREG


def _moment(one: FileStat) -> datetime:
    return datetime.fromtimestamp(one.modified, UTC)
