"""Real Pythons to be captured: what they hold is known, and each is asked through the reach that caulk uses here."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from caulk.model.graph import ObjectGraph
from caulk.model.target import Access, Target
from caulk.places.local import LocalReach
from caulk.ports import Way
from caulk.runtimes import cpython

PROBE = Path(__file__).parents[2] / "probe/src"
#: The interpreter itself: a virtual environment may lie where another user, or another root, does not see it.
PYTHON = os.path.realpath(sys.executable)
#: One of each version that this machine has, and that the probe is for.
PYTHONS = [PYTHON, *map(str, sorted((Path.home() / ".pyenv/versions").glob("3.[19][0-9.]*/bin/python3")))]
TICKETS = 3000
HOLD = f"""
import os, signal, sys, time
class Ticket:
    def __init__(self, number):
        self.number, self.text = number, "ticket %d" % number
OPEN = {{number: Ticket(number) for number in range({TICKETS})}}
"""
SAY = "print('ready', os.getpid(), flush=True)\n"
#: Waits in C code, and lets other threads run.
PAUSE = SAY + "while True:\n    signal.pause()\n"
BUSY = SAY + "while True:\n    time.sleep(0.01)\n"
START = "import caulk_probe.control\ncaulk_probe.control.start()\n"
AWAITED_S = 60.0


@dataclass
class Kept:
    """A sink that keeps what it gets."""

    written: bytearray = field(default_factory=bytearray)
    left: list[str] = field(default_factory=list)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def leaving(self, path: str) -> None:
        self.left.append(path)

    def beside(self, name: str, data: bytes) -> None:
        raise AssertionError(name)

    def progress(self, done: float, total: float, step: str) -> None:
        assert done <= total


@dataclass
class Living:
    """A running program, and how it is reached."""

    popen: "subprocess.Popen[str]"
    pid: int
    reach: LocalReach

    def ways(self, **access: str) -> dict[str, Way]:
        return ways(self.reach, **access)

    def says(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline().strip()


def ways(reach: LocalReach, **access: str) -> dict[str, Way]:
    return {way.name: way for way in cpython.ways(reach, Access(**access))}  # type: ignore[arg-type]


def reach_of(pid: int) -> LocalReach:
    return LocalReach(Target("local", f"pid:{pid}", "held"), pid)


@contextmanager
def living(
    source: str, *options: str, python: str = PYTHON, before: tuple[str, ...] = (), **environ: str
) -> Iterator[Living]:
    """A program that has said `ready`; `before` goes before `python`, as `unshare` does."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        Path(made).chmod(0o755)
        Path(made, "shop.py").write_text(source)
        command = [*before, python, *options, f"{made}/shop.py"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CAULK"))}
        told = {**clean, "PYTHONPATH": str(PROBE), "PYTHONDONTWRITEBYTECODE": "1", **environ}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=told, cwd=made
        ) as process:
            assert process.stdout
            try:
                word, *_ = process.stdout.readline().split() or [""]
                assert word == "ready", word
                yield Living(process, process.pid, reach_of(process.pid))
            finally:
                process.kill()
                process.wait()


def types_in(graph: ObjectGraph) -> dict[str, int]:
    """How many objects there are of each type."""
    counts: dict[str, int] = {}
    for number in range(len(graph)):
        name = graph.type_name(number)
        counts[name] = counts.get(name, 0) + 1
    return counts


def awaited(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + AWAITED_S
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.01)
