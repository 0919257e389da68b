"""Dumps that real programs write of themselves: told when they are whole, once, and only what is new."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caulk.capture.verify import fault
from caulk.model.series import Reading
from caulk.model.target import Process, Target
from caulk.model.watching import Appeared, Observation, Workload
from caulk.watch.dumps import Dumps, wheres

AWAITED_S = 60.0
JAVA = """
import java.util.*;
public class Shop {
  static List<long[]> held = new ArrayList<>();
  public static void main(String[] args) throws Exception {
    System.out.println("ready");
    System.in.read();
    try { while (true) held.add(new long[1 << 16]); } catch (OutOfMemoryError e) { held.clear(); }
    System.out.println("written");
    Thread.sleep(600_000);
  }
}
"""
#: Asks for a snapshot, or fills its heap until it is near its limit.
NODE = """
const v8 = require('v8');
process.stdin.once('data', () => {
  if (process.argv[2] === 'ask') { v8.writeHeapSnapshot(); return; }
  const held = [];
  setInterval(() => { for (let i = 0; i < 20; i++) held.push(new Array(10000).fill(i)); }, 1);
});
setInterval(() => {}, 1000);
console.log('ready');
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []

    def run(*command: str, **environ: str) -> subprocess.Popen[str]:
        environment = {**os.environ, **environ}
        quiet = subprocess.DEVNULL
        pipe = subprocess.PIPE
        one = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=quiet, text=True, cwd=tmp_path, env=environment)
        begun.append(one)
        awaited(one, "ready")
        return one

    yield run
    for one in begun:
        one.kill()
        one.wait()
        for pipe in (one.stdin, one.stdout):
            assert pipe
            pipe.close()


@pytest.fixture
def dumps(tmp_path: Path) -> Iterator[Dumps]:
    found = Dumps(tmp_path / "spool")
    yield found
    found.close()


def awaited(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout
    for said in process.stdout:
        if said.strip() == line:
            return
    raise AssertionError(f"it ended before it said {line}")


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def seen(pid: int, runtime: str) -> Observation:
    target = Target("local", f"pid:{pid}", "shop", {"started": "1"})
    return Observation(Workload("k:shop", "shop", runtime), "0", Reading(time.time(), 1), target=target)


def until_told(dumps: Dumps, *running: Observation) -> list[Appeared]:
    until = time.monotonic() + AWAITED_S
    while time.monotonic() < until:
        found = [dump for _, dump in dumps.look(running, time.time())]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("no dump was told")


def test_a_jvm_whose_heap_is_exhausted(
    java: str, start: Callable[..., subprocess.Popen[str]], dumps: Dumps, tmp_path: Path
):
    (tmp_path / "Shop.java").write_text(JAVA)
    path = tmp_path / "out" / "heap-dump.hprof"
    path.parent.mkdir()
    switches = ["-Xmx32m", "-XX:+HeapDumpOnOutOfMemoryError", f"-XX:HeapDumpPath={path}"]
    jvm = start(java, *switches, "Shop.java")
    shop = seen(jvm.pid, "jvm")
    assert dumps.look([shop], time.time()) == []
    go_on(jvm)
    (dump,) = until_told(dumps, shop)
    assert (dump.path, dump.format, dump.kept) == (str(path), "hprof", str(path))
    assert dump.size == path.stat().st_size
    assert fault(path, "hprof") == ""
    for _ in range(3):
        assert dumps.look([shop], time.time()) == []


@pytest.mark.parametrize("how", ["ask", "fill"])
def test_a_snapshot_of_node(
    how: str, node: str, start: Callable[..., subprocess.Popen[str]], dumps: Dumps, tmp_path: Path
):
    (tmp_path / "shop.js").write_text(NODE)
    (tmp_path / "diagnostics").mkdir()
    switches = ["--heapsnapshot-near-heap-limit=1", "--max-old-space-size=40"]
    program = start(node, *switches, "shop.js", how, NODE_OPTIONS=f"--diagnostic-dir={tmp_path}/diagnostics")
    shop = seen(program.pid, "node")
    dumps.look([shop], time.time())
    go_on(program)
    (dump,) = until_told(dumps, shop)
    assert dump.format == "heapsnapshot"
    # Only what it writes of its own accord goes to its directory for diagnostics.
    assert Path(dump.path).parent == (tmp_path if how == "ask" else tmp_path / "diagnostics")
    assert dump.size == Path(dump.path).stat().st_size


def holding(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> subprocess.Popen[str]:
    """A program that its environment says to profile, whose dumps the test writes itself."""
    return start("sh", "-c", "echo ready; cat", HEAPPROFILE=f"{tmp_path}/profile")


WHOLE = "heap profile:  1: 2 [ 3: 4] @ heapprofile\n\nMAPPED_LIBRARIES:\n00400000-0040b000 r-xp 0 00:00 0 /bin/x\n"


def test_one_that_is_not_whole_is_waited_for(start: Callable[..., subprocess.Popen[str]], dumps: Dumps, tmp_path: Path):
    shop = seen(holding(start, tmp_path).pid, "native")
    dumps.look([shop], time.time())
    path = tmp_path / "profile.0001.heap"
    path.write_text(WHOLE[:40])
    for at in range(5):
        assert dumps.look([shop], time.time() + at) == []
    path.write_text(WHOLE)
    (dump,) = until_told(dumps, shop)
    assert (dump.path, dump.size, dump.format) == (str(path), len(WHOLE), "gperftools")


def test_one_that_never_becomes_whole_is_said_to_be_cut(start: Callable[..., subprocess.Popen[str]], tmp_path: Path):
    told: list[str] = []
    dumps = Dumps(tmp_path / "spool", say=told.append)
    shop = seen(holding(start, tmp_path).pid, "native")
    now = time.time()
    dumps.look([shop], now)
    (tmp_path / "profile.0001.heap").write_text(WHOLE[:40])
    for later in (0, 1, 200, 400):
        assert dumps.look([shop], now + later) == []
    assert len(told) == 1
    assert "which is not whole" in told[0]
    dumps.close()


def test_what_was_there_before_is_no_news_but_what_came_while_nobody_looked_is(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
):
    old, new = tmp_path / "profile.0001.heap", tmp_path / "profile.0002.heap"
    old.write_text(WHOLE)
    shop = seen(holding(start, tmp_path).pid, "native")
    first = Dumps(tmp_path / "spool")
    begin = time.time()
    os.utime(old, (begin - 10, begin - 10))
    for at in range(3):
        assert first.look([shop], begin + at) == []
    state = first.state()
    first.close()
    new.write_text(WHOLE)
    os.utime(new, (begin + 100, begin + 100))
    second = Dumps(tmp_path / "spool")
    second.restore(state)
    (dump,) = until_told(second, shop)
    assert dump.path == str(new)
    second.close()


def test_what_is_written_at_the_end_is_found_after_it(
    start: Callable[..., subprocess.Popen[str]], dumps: Dumps, tmp_path: Path
):
    program = holding(start, tmp_path)
    shop = seen(program.pid, "native")
    dumps.look([shop], time.time())
    program.send_signal(signal.SIGKILL)
    program.wait()
    (tmp_path / "profile.0007.heap").write_text(WHOLE)
    (dump,) = until_told(dumps)
    assert dump.path.endswith("profile.0007.heap")


def test_one_that_is_deleted_while_it_is_looked_at_is_still_there_for_us(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
):
    dumps = Dumps(tmp_path / "spool")
    shop = seen(holding(start, tmp_path).pid, "native")
    dumps.look([shop], time.time())
    # As if it were in a container, whose files go with it.
    (watched,) = dumps._watched.values()
    watched.is_elsewhere = True
    path = tmp_path / "profile.0001.heap"
    path.write_text(WHOLE)
    dumps.look([shop], time.time())
    path.unlink()
    (dump,) = until_told(dumps, shop)
    assert Path(dump.kept).read_text() == WHOLE
    assert Path(dump.kept).stat().st_mode & 0o077 == 0
    dumps.close()


def process(*command: str, **environ: str) -> Process:
    return Process(7, 0, 0, 0.0, command, "", environ, "/srv")


@pytest.mark.parametrize(
    ("program", "runtime", "directory", "name"),
    [
        (process("java"), "jvm", "/srv", "java_pid7.hprof"),
        (process("java", "-XX:HeapDumpPath=logs/heap.hprof"), "jvm", "/srv/logs", "heap.hprof.1"),
        (process("java", "-XX:HeapDumpPath=/dumps/"), "jvm", "/dumps", "java_pid7.hprof"),
        (process("java", "-XX:HeapDumpPath=/dumps/heap-%p.hprof"), "jvm", "/dumps", "heap-7.hprof"),
        (process("node"), "node", "/srv", "Heap.20261121.101112.7.0.001.heapsnapshot"),
        (
            process("node", NODE_OPTIONS="--diagnostic-dir=/d"),
            "node",
            "/d",
            "Heap.20261121.101112.7.0.001.heapsnapshot",
        ),
        (process("x", HEAPPROFILE="/tmp/p"), "native", "/tmp", "p.0001.heap"),
        (process("x", HEAPPROFILE="\xaftmp/p"), "native", "/tmp", "p_7.0001.heap"),
        (process("x", MALLOC_CONF="prof:true,prof_prefix:/tmp/j"), "native", "/tmp", "j.7.0.f.heap"),
        (process("x", _RJEM_MALLOC_CONF="prof:true"), "", "/srv", "jeprof.7.12.i12.heap"),
    ],
)
def test_where_programs_write_their_dumps(program: Process, runtime: str, directory: str, name: str):
    where = next(wheres(program, runtime, lambda path: path == "/dumps"))
    assert where.directory == directory
    assert where.name.fullmatch(name)
    assert not where.name.fullmatch(f"{name}.part")


def test_a_program_that_writes_none_has_no_place_for_them():
    assert list(wheres(process("x", MALLOC_CONF="narenas:1"), "go", lambda _: False)) == []
