"""`caulk memory` on real programs: what was planted is found in its part, and settings are read as the program did."""

import json
import re
import subprocess
import sys

import pytest

from caulk.capture import memory, places
from caulk.cli import carry_out
from caulk.model.target import Access, Process
from caulk.runtimes.cpython import sizing as cpython
from caulk.runtimes.go import sizing as go
from caulk.runtimes.jvm import sizing as jvm
from caulk.runtimes.node import sizing as node

MIB = 1 << 20


@pytest.fixture
def started():
    """Starts a program and waits until it says `ready`."""
    running = []

    def start(*command, cwd=None):
        process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        return process.pid

    yield start
    for process in running:
        process.kill()
        process.communicate()


def look(pid):
    reach = places.reach(places.target(f"pid:{pid}", Access()), Access())
    try:
        return memory.look(reach)
    finally:
        reach.close()


def test_buffers_of_node_are_beside_the_heap(started, node):
    program = (
        "global.held = []; for (let i = 0; i < 300000; i++) held.push({ i });"
        "global.buffer = Buffer.alloc(64 << 20, 1); console.log('ready'); setInterval(() => {}, 1000)"
    )
    now, _ = look(started(node, "-e", program))
    assert now.size("native") >= 64 * MIB
    assert 10 * MIB <= now.size("managed") <= 60 * MIB


JAVA = """
public class Planted {
  static java.util.List<byte[]> held = new java.util.ArrayList<>();
  public static void main(String[] arguments) throws Exception {
    for (int i = 0; i < 64; i++) held.add(new byte[1 << 20]);
    java.nio.ByteBuffer buffer = java.nio.ByteBuffer.allocateDirect(48 << 20);
    for (int i = 0; i < buffer.capacity(); i += 4096) buffer.put(i, (byte) 1);
    System.out.println("ready");
    Thread.sleep(1000000);
  }
}
"""


@pytest.mark.parametrize("collector", ["SerialGC", "G1GC"])
def test_the_heap_of_a_jvm_is_told_from_direct_buffers(started, java, tmp_path, collector):
    (tmp_path / "Planted.java").write_text(JAVA)
    now, advice = look(started(java, f"-XX:+Use{collector}", "-Xmx300m", str(tmp_path / "Planted.java")))
    assert now.size("managed", "unreturned") >= 64 * MIB
    assert now.size("native") >= 48 * MIB
    assert any("limit" in sentence for sentence in advice.sentences)


GO = """
package main

import (
	"fmt"
	"time"
)

var held [][]byte

func main() {
	for i := 0; i < 64; i++ {
		piece := make([]byte, 1<<20)
		for j := range piece {
			piece[j] = 1
		}
		held = append(held, piece)
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
"""


def test_the_heap_of_go_is_its_arenas(started, go, tmp_path):
    (tmp_path / "main.go").write_text(GO)
    subprocess.run([go, "build", "-o", "planted", "main.go"], cwd=tmp_path, check=True, capture_output=True)
    now, _ = look(started(str(tmp_path / "planted")))
    assert 64 * MIB <= now.size("managed") <= 160 * MIB


def test_stacks_of_threads_are_a_part_of_their_own(started):
    program = (
        "import threading, time\n"
        "def deep(n): return deep(n - 1) if n else (ready.release(), time.sleep(1000))\n"
        "ready = threading.Semaphore(0); threading.stack_size(16 << 20)\n"
        "import sys; sys.setrecursionlimit(100000)\n"
        "import re; pattern = re.compile('(' * 90 + 'x' + ')' * 90)\n"
        "threads = [threading.Thread(target=time.sleep, args=(1000,), daemon=True) for _ in range(200)]\n"
        "[thread.start() for thread in threads]\n"
        "print('ready', flush=True); time.sleep(1000)"
    )
    now, _ = look(started(sys.executable, "-c", program))
    stacks = next(piece for piece in now.slices if piece.part == "stacks")
    assert stacks.size >= 200 * 8192
    assert re.search(r"20[0-9] threads", stacks.what)


def test_the_parts_are_printed_for_people_and_machines(started, capsys):
    pid = started(
        sys.executable, "-c", "import time; x = bytearray(40 << 20); print('ready', flush=True); time.sleep(1000)"
    )
    assert carry_out(["memory", f"pid:{pid}"]) == 0
    assert "anonymous" in capsys.readouterr().out
    assert carry_out(["memory", f"pid:{pid}", "-o", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "caulk.memory/1"
    assert sum(piece["size"] for piece in answer["slices"]) == (answer["limit"] or answer["used"])


def test_a_target_that_is_gone_is_an_error_that_says_so(capsys):
    assert carry_out(["memory", "pid:999999999"]) == 3
    assert "999999999" in capsys.readouterr().err


def process(*command, **environ):
    return Process(7, 0, 0, 0.0, command=command, environ=environ)


@pytest.mark.parametrize(
    ("program", "limit", "size", "setting"),
    [
        (process("java", "-Xmx1g", "-Xmx512m", "A"), 1024 * MIB, 512 * MIB, "-Xmx512m"),
        (process("java", "A", JAVA_TOOL_OPTIONS="-Xmx100m"), 1024 * MIB, 100 * MIB, "-Xmx100m"),
        (process("java", "-XX:MaxRAMPercentage=75", "A"), 1024 * MIB, 768 * MIB, "-XX:MaxRAMPercentage=75"),
        (process("java", "A"), 1024 * MIB, 256 * MIB, "default of 25 %"),
        (process("java", "A"), 200 * MIB, 100 * MIB, "default of 50 %"),
    ],
)
def test_the_last_word_on_a_jvm_s_heap_counts(program, limit, size, setting):
    found = jvm.bound(program, limit)
    assert found is not None and found.size == size and setting in found.setting


def test_the_bounds_of_node_and_go_are_read_from_where_they_are_said():
    assert node.bound(process("node", "a.js", NODE_OPTIONS="--max-old-space-size=256"), None).size == 256 * MIB
    assert node.bound(process("node", "--max_old_space_size=128", "a.js"), None).size == 128 * MIB
    assert node.bound(process("node", "a.js"), 1024 * MIB).size == 512 * MIB
    assert go.bound(process("api", GOMEMLIMIT="900MiB"), 1024 * MIB).size == 900 * MIB
    assert go.bound(process("api", GOMEMLIMIT="off"), 1024 * MIB).size is None


@pytest.mark.parametrize(
    ("program", "count"),
    [
        (process("gunicorn", "--workers", "12", "app"), 12),
        (process("gunicorn", "-w", "4", "app"), 4),
        (process("gunicorn", "--workers=3", "app"), 3),
        (process("gunicorn", "app", WEB_CONCURRENCY="8"), 8),
        (process("celery", "--concurrency=2"), 2),
    ],
)
def test_workers_are_counted_as_the_server_does(program, count):
    told = cpython.workers(program)
    assert told is not None and told[0] == count


def test_a_program_that_says_nothing_of_workers_has_none():
    assert cpython.workers(process("python", "app.py")) is None
