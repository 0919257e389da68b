"""Real JVMs to be captured: what they hold is known, and each is asked through the reach that caulk uses here."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from caulk.model.target import Access, Target
from caulk.places.local import LocalReach
from caulk.ports import Way
from caulk.runtimes import jvm

SOURCE = """
import java.util.*;

public class Holder {
    static final class Ticket { final byte[] body = new byte[100]; }
    static final List<Ticket> HELD = new ArrayList<>();

    public static void main(String[] words) throws Exception {
        int wanted = Integer.parseInt(words[0]);
        for (int i = 0; i < wanted; i++) { HELD.add(new Ticket()); }
        System.out.println("ready");
        while (System.in.read() > 0) {
            try { List<long[]> all = new ArrayList<>(); while (true) { all.add(new long[1 << 16]); } }
            catch (OutOfMemoryError expected) { System.out.println("exhausted"); }
        }
    }
}
"""
#: Every JDK of this machine once: the protocol differs between versions.
JDKS = sorted({each.resolve().parents[1] for each in Path("/usr/lib/jvm").glob("*/bin/java")})
TICKETS = 5000
AWAITED_S = 60.0


@dataclass
class Living:
    """A running program, and how it is reached."""

    process: "subprocess.Popen[str]"
    reach: LocalReach

    @property
    def pid(self) -> int:
        return self.process.pid

    def ways(self, directory: str = "") -> dict[str, Way]:
        return {way.alias: way for way in jvm.ways(self.reach, Access(directory=directory))}

    def exhaust(self) -> None:
        """Use up the heap once; the program goes on."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        while (line := self.process.stdout.readline()) != "exhausted\n":
            assert line, "the program ended"


@dataclass
class Kept:
    """A sink that keeps what it gets."""

    written: bytearray = field(default_factory=bytearray)
    left: list[str] = field(default_factory=list)
    on_progress: Callable[[], object] = lambda: None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def leaving(self, path: str) -> None:
        self.left.append(path)

    def beside(self, name: str, data: bytes) -> None:
        raise AssertionError(name)

    def progress(self, done: float, total: float, step: str) -> None:
        self.on_progress()


@contextmanager
def living(
    java: Path | str, classes: Path, *options: str, before: tuple[str, ...] = (), **popen: object
) -> Iterator[Living]:
    """A program that holds `TICKETS`; `before` goes before `java`, as `unshare` does."""
    command = [*before, str(java), "-Xmx64m", *options, "-cp", str(classes), "Holder", str(TICKETS)]
    clean = {name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **{"env": clean, "cwd": classes, **popen},  # type: ignore[call-overload]
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield Living(process, LocalReach(Target("local", f"pid:{process.pid}", "Holder"), process.pid))
        finally:
            process.kill()
            process.wait()


def awaited(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + AWAITED_S
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.01)
