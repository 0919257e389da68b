"""Real programs of Node.js to be captured: each says when it is ready, and has a port of its own for its inspector."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from caulk.model.target import Access, Target
from caulk.places.local import LocalReach
from caulk.ports import Way
from caulk.runtimes import node

NODE = shutil.which("node") or ""
needs_node = pytest.mark.skipif(not NODE, reason="node is not on this machine")
AWAITED_S = 60.0
#: It is told when to go on by a line on standard input.
LEAK = """
class Order { constructor(n) { this.id = n; this.customer = 'customer-' + n; this.lines = [{ sku: n, count: 2 }]; } }
const ordersByCustomer = new Map();
function remember(n) { ordersByCustomer.set('key-' + n, new Order(n)); }
for (let n = 0; n < 20000; n++) remember(n);
globalThis.ordersByCustomer = ordersByCustomer;
let n = 20000;
setInterval(function rememberMore() { for (let k = 0; k < 50; k++) remember(n++); }, 5);
process.stdin.on('data', () => console.log('still here'));
console.log('ready');
"""
EXHAUSTED = """
class Row { constructor(n) { this.cells = Array.from({ length: 100 }, () => ({ n })); } }
const kept = [];
globalThis.kept = kept;
console.log('ready');
process.stdin.once('data', () => {
  setInterval(() => { for (let k = 0; k < 50; k++) kept.push(new Row(k)); }, 1);
});
"""


@dataclass
class Living:
    """A running program, and how it is reached; `errors` is the file of its standard error."""

    process: "subprocess.Popen[str]"
    reach: LocalReach
    port: int
    errors: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def said(self) -> str:
        return self.errors.read_text()

    @property
    def is_listening(self) -> bool:
        with socket.socket() as link:
            return link.connect_ex(("127.0.0.1", self.port)) == 0

    def ways(self, **access: object) -> dict[str, Way]:
        return {way.alias: way for way in node.ways(self.reach, Access(**access))}

    def answers(self) -> bool:
        """Whether its event loop goes round."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "still here\n"


@dataclass
class Kept:
    """A sink that keeps what it gets."""

    written: bytearray = field(default_factory=bytearray)
    left: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    on_progress: Callable[[str], object] = lambda _: None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def leaving(self, path: str) -> None:
        self.left.append(path)

    def beside(self, name: str, data: bytes | memoryview) -> None:
        self.files[name] = bytes(data)

    def progress(self, done: float, total: float, step: str) -> None:
        assert 0 <= done <= total
        self.on_progress(step)

    def analysis(self, folder: Path, name: str) -> str:
        """What `caulk analyze` says of what was kept."""
        folder.mkdir()
        for file, data in {**self.files, name: self.written}.items():
            (folder / file).write_bytes(data)
        return analysis(folder / name)


def analysis(path: Path) -> str:
    """The findings of `caulk analyze`, as text."""
    command = [sys.executable, "-m", "caulk", "analyze", "--exit-zero", "-o", "json", str(path)]
    environ = {**os.environ, "PYTHONPATH": str(Path(node.__file__).parents[3]), "CAULK_HOME": str(path.parent / "home")}
    answer = subprocess.run(command, capture_output=True, check=True, env=environ).stdout
    return json.dumps(json.loads(answer)["findings"])


@contextmanager
def living(
    folder: Path, program: str | Path, *switches: str, port: int | None = None, **popen: object
) -> Iterator[Living]:
    """A program of this text, or the file of one; with `port=0` nothing is said of the inspector's port."""
    file = program if isinstance(program, Path) else folder / "program.cjs"
    if isinstance(program, str):
        file.write_text(program)
    number = free_port() if port is None else port
    said = (f"--inspect-port={number}",) if number else ()
    errors = folder / f"errors-{time.monotonic_ns()}"
    clean = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    with (
        errors.open("w") as err,
        subprocess.Popen(
            [NODE, *said, *switches, file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            cwd=folder,
            **{"env": clean, **popen},
        ) as process,
    ):
        try:
            assert process.stdout and process.stdout.readline() == "ready\n", errors.read_text()
            target = Target("local", f"pid:{process.pid}", "program.cjs")
            yield Living(process, LocalReach(target, process.pid), number, errors)
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return link.getsockname()[1]


def awaited(condition: Callable[[], bool]) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + AWAITED_S
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
