"""A program that is captured, as it sees that itself: how long it stood still, what it worked, and the most it took.

Memory is what the kernel counts as the program's own (anonymous pages): the highest of many looks, and by the peak that
the kernel keeps. Where a child shares the pages, those of both together, each page once.
"""

import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HELD = Path(__file__).resolve().parent / "programs/held"
_EVERY_S = 0.01


@dataclass
class Program:
    """A process, and who says how long it stood still: itself, or one who asks it all the time."""

    pid: int
    beat: "subprocess.Popen[str]"

    def stood_s(self) -> list[float]:
        """The longest time that it did nothing since this was asked last; by its runtime too, if that says so."""
        assert self.beat.stdin and self.beat.stdout
        self.beat.stdin.write("?\n")
        self.beat.stdin.flush()
        return [float(word) for word in self.beat.stdout.readline().split()]


@contextmanager
def started(command: Sequence[object], environ: Mapping[str, str]) -> Iterator[Program]:
    """A program of `programs/held`, from when it says that it is ready."""
    with _running(command, environ) as process:
        assert process.stdout
        said = process.stdout.readline()
        if not said.startswith("ready"):
            sys.exit(f"{command} said {said!r}")
        yield Program(process.pid, process)


@contextmanager
def proxy(command: Sequence[object], port: int) -> Iterator[Program]:
    """An Envoy, and one who asks it at `port`, from its first answer on."""
    with _running(command, {}) as process, started([sys.executable, HELD / "asking.py", port], {}) as asking:
        yield Program(process.pid, asking.beat)


@contextmanager
def _running(command: Sequence[object], environ: Mapping[str, str]) -> "Iterator[subprocess.Popen[str]]":
    words = [str(word) for word in command]
    pipes: dict[str, int] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, text=True, env=dict(environ) or None, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


class Watch(threading.Thread):
    """A context; afterwards `extra_bytes` above what the program had `before`, and `disk_bytes` below a folder.

    `seen_s` is how long the program stood still, `pause_s` without what it waited for others.
    """

    def __init__(self, program: Program, folder: Path) -> None:
        super().__init__(daemon=True)
        self._program, self._folder, self._over = program, folder, threading.Event()

    def __enter__(self) -> Self:
        pid = self._program.pid
        # The kernel forgets the peak that it has seen so far.
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        self.before = self._peak = memory(pid)
        self.disk_bytes, self._threads, self._all = 0, _threads(pid), _worked(pid)
        self._program.stood_s()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        pid = self._program.pid
        stood = self._program.stood_s()
        figures = _figures(f"/proc/{pid}/status")
        high = figures["VmHWM"] - figures["RssFile"] - figures["RssShmem"]
        self.extra_bytes = max(self._peak, high) - self.before
        # Threads of one name work side by side: the one that worked most counts.
        busiest: dict[str, float] = defaultdict(float)
        alive = 0.0
        for number, (name, seconds) in _threads(pid).items():
            worked = seconds - self._threads.get(number, (name, 0.0))[1]
            alive += worked
            busiest[name] = max(busiest[name], worked)
        worked = sum(busiest.values()) + max(_worked(pid) - self._all - alive, 0.0)
        self.seen_s, self.pause_s = stood[0], min(*stood, worked)

    def run(self) -> None:
        """Looks."""
        while not self._over.wait(_EVERY_S):
            with suppress(OSError):
                self._peak = max(self._peak, memory(self._program.pid))
                self.disk_bytes = max(self.disk_bytes, sum(file.stat().st_size for file in self._folder.iterdir()))


def memory(pid: int) -> int:
    """Bytes of anonymous memory of a process and the children that share it."""
    family = [pid, *_copies(pid)]
    if len(family) == 1:
        return _figures(f"/proc/{pid}/status")["RssAnon"]
    total = 0
    for member in family:
        with suppress(OSError, KeyError):
            total += _figures(f"/proc/{member}/smaps_rollup")["Pss_Anon"]
    return total


def _copies(pid: int) -> Iterator[int]:
    """The processes of the same command: its children, and theirs, whose parents may have ended."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    for found in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if found.read_bytes() == command and found.parent.name != str(pid):
                yield int(found.parent.name)


def _figures(path: str) -> dict[str, int]:
    """What a file of `/proc` says in kB, in bytes."""
    found = re.findall(r"^(\w+):\s+(\d+) kB$", Path(path).read_text(), re.MULTILINE)
    return {name: int(number) << 10 for name, number in found}


def _threads(pid: int) -> dict[str, tuple[str, float]]:
    """Of each thread its name without numbers, and the seconds that it ran on a processor."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            seconds = int((task / "schedstat").read_text().split()[0]) / 1e9
            found[task.name] = re.sub(r"\d+", "", (task / "comm").read_text().strip()), seconds
    return found


def _worked(pid: int) -> float:
    """Seconds of all threads, those too that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
