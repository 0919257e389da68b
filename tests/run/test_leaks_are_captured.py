"""A leaking program of each runtime is captured several times, however it was started."""

import json
import re
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest
from awaiting import reserved_ports

#: Programs end by themselves too, long after any test: nobody's memory is filled where a test was cut short.
PYTHON_LEAK = """
import os, sys, time
kept = []
ends = time.monotonic() + 240
def leak():
    kept.extend(bytes(1000) for _ in range(50))
while not os.path.exists("enough") and time.monotonic() < ends:
    leak()
    time.sleep(0.02)
sys.stdout.write("python is done\\n")  # in one piece: others write there too
"""
NODE_LEAK = """
const kept = [];
function leak() { for (let i = 0; i < 200; i++) kept.push({ i, text: 'x'.repeat(90) + i }); }
const timer = setInterval(() => {
  leak();
  if (!require('fs').existsSync('enough') && process.uptime() < 240) return;
  clearInterval(timer);
  console.log('node is done', kept.length > 0);
}, 10);
"""
# It never returns to its event loop.
NODE_BUSY_LEAK = """
const fs = require('fs');
const kept = [];
function leak() { for (let i = 0; i < 200; i++) kept.push({ i, text: 'x'.repeat(90) + i }); }
let last = 0;
while (!fs.existsSync('enough') && process.uptime() < 240) if (Date.now() > last + 10) { last = Date.now(); leak(); }
"""
JAVA_LEAK = """
import java.io.File;
import java.util.*;
public class Leak {
    static class Ticket { byte[] body = new byte[200]; }
    static final List<Ticket> OPEN = new ArrayList<>();
    public static void main(String[] args) throws Exception {
        long ends = System.nanoTime() + 240_000_000_000L;
        while (!new File("enough").exists() && System.nanoTime() < ends) {
            for (int i = 0; i < 500; i++) OPEN.add(new Ticket());
            if (args.length == 0) Thread.sleep(20);
        }
        System.out.println("java is done");
    }
}
"""
GO_LEAK = """
package main

import ("fmt"; "net/http"; _ "net/http/pprof"; "os"; "time")

var kept [][]byte

func leak() { for i := 0; i < 20; i++ { kept = append(kept, make([]byte, 10000)) } }

func isEnough() bool { _, err := os.Stat("enough"); return err == nil }

func main() {
	go http.ListenAndServe(os.Args[1], nil)
	ends := time.Now().Add(4 * time.Minute)
	for ; !isEnough() && time.Now().Before(ends); time.Sleep(20 * time.Millisecond) { leak() }
	fmt.Println("go is done")
}
"""


@pytest.fixture
def leak_py(tmp_path):
    path = tmp_path / "leak.py"
    path.write_text(PYTHON_LEAK)
    return path


@pytest.fixture
def leak_js(tmp_path):
    path = tmp_path / "leak.js"
    path.write_text(NODE_LEAK)
    return path


@pytest.fixture
def leak_java(require, tmp_path):
    require("java")
    (tmp_path / "Leak.java").write_text(JAVA_LEAK)
    subprocess.run([require("javac"), "Leak.java"], cwd=tmp_path, check=True)
    return tmp_path


def bytes_of(path: Path, file: str) -> int:
    """Bytes of a tracemalloc snapshot that the code of a file allocated."""
    statistics = tracemalloc.Snapshot.load(str(path)).statistics("filename")
    return sum(statistic.size for statistic in statistics if statistic.traceback[0].filename.endswith(file))


def live_bytes(profile: dict, file: str) -> int:
    """Bytes of a V8 profile that the functions of a file allocated themselves (V8 does not tell inlined ones apart)."""
    found, waiting = 0, [profile["head"]]
    while waiting:
        node = waiting.pop()
        waiting.extend(node["children"])
        if node["callFrame"]["url"].endswith(file):
            found += node["selfSize"]
    return found


def leaking(processes: Iterable[list[Path]], file: str, *, captures: int = 1) -> int:
    """How many processes have so many snapshots, of which the last has more than a megabyte of that file's code."""
    return sum(len(files) >= captures and bytes_of(files[-1], file) > 1_000_000 for files in processes)


def files_of(ran) -> list[list[Path]]:
    return [[capture.path for capture in subject.captures] for subject in ran.of("cpython")]


def assert_private(captures):
    assert {oct(capture.path.stat().st_mode & 0o777) for capture in captures} == {"0o600"}


def test_a_python_leak_grows_from_snapshot_to_snapshot(watch, leak_py):
    ran = watch(sys.executable, str(leak_py), captures=5)
    (subject,) = ran.of("cpython")
    sizes = [bytes_of(capture.path, "leak.py") for capture in subject.captures]
    assert len(sizes) >= 4
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * sizes[0]
    assert subject.heap[-1] > 1_000_000
    assert [c.taken_at for c in subject.captures] == sorted(c.taken_at for c in subject.captures)
    assert (ran.exit_code, ran.stdout, ran.stderr, ran.notes) == (0, "python is done\n", "", [])
    assert_private(subject.captures)


def test_a_node_leak_grows_from_profile_to_profile(watch, node, leak_js):
    ran = watch(node, str(leak_js), captures=5)
    (subject,) = ran.of("node")
    profiles = [json.loads(capture.path.read_text()) for capture in subject.captures]
    sizes = [live_bytes(profile, "leak.js") for profile in profiles]
    assert len(sizes) >= 4
    # The last may be from after the timer ended, when nothing holds the list any more.
    assert sizes[-2] > 2 * sizes[0] > 0
    assert set(profiles[0]) == {"head", "samples", "samplingInterval", "takenAt", "memory"}
    assert set(profiles[0]["memory"]) == {"rss", "heapUsed", "external", "arrayBuffers"}
    assert (ran.exit_code, ran.stdout, ran.stderr, ran.notes) == (0, "node is done true\n", "", [])
    assert_private(subject.captures)


def test_a_node_program_that_never_returns_to_its_event_loop_is_captured_too(watch, node, tmp_path):
    (tmp_path / "busy.js").write_text(NODE_BUSY_LEAK)
    (subject,) = watch(node, "busy.js", captures=5).of("node")
    assert len(subject.captures) >= 4
    sizes = [live_bytes(json.loads(capture.path.read_text()), "busy.js") for capture in subject.captures]
    assert sizes[-2] > 2 * sizes[0] > 0


def test_a_leak_in_a_node_worker_is_captured_in_the_worker_by_its_name(watch, node, leak_js):
    (leak_js.parent / "main.js").write_text("new (require('worker_threads').Worker)('./leak.js')")
    ran = watch(node, "main.js", until=lambda now: [len(files) >= 4 for files in now.captures.values()] == [True] * 2)
    assert ran.stdout == "node is done true\n"
    leaked = {
        subject.command: live_bytes(json.loads(subject.captures[-2].path.read_text()), "leak.js") > 0
        for subject in ran.of("node")
    }
    # 1 is the thread in which the agent asks the main one.
    assert leaked == {"node main.js": False, "node main.js (worker-2)": True}


def test_a_node_program_at_its_limit_leaves_a_heap_snapshot_outside_its_directory(watch, node, leak_js):
    leak_js.write_text(NODE_LEAK.replace("200", "20000"))
    ran = watch(node, "--max-old-space-size=20", "leak.js")
    (subject,) = ran.of("node")
    assert ran.exit_code == 128 + 6
    assert "oom-dump" in {capture.kind for capture in subject.captures}
    assert not list(leak_js.parent.glob("*.heapsnapshot"))


def test_a_java_leak_grows_from_histogram_to_histogram(watch, leak_java):
    ran = watch("java", "-cp", str(leak_java), "Leak", captures=5)
    (subject,) = ran.of("jvm")
    instances = [
        int(re.search(r":\s+(\d+)\s+\d+\s+Leak\$Ticket", capture.path.read_text())[1]) for capture in subject.captures
    ]
    assert len(instances) >= 4
    assert instances == sorted(instances)
    # The program may end between a capture and the next reading, which then never tells of it.
    assert subject.heap[-1] in {capture.memory["heap"] for capture in subject.captures} - {0}
    assert (ran.exit_code, ran.stdout) == (0, "java is done\n")
    assert all(line.startswith("Picked up JAVA_TOOL_OPTIONS") for line in ran.stderr.splitlines())
    assert_private(subject.captures)


def test_a_java_program_out_of_memory_leaves_its_heap(watch, leak_java):
    ran = watch("java", "-Xmx24m", "-cp", str(leak_java), "Leak", "fast")
    (subject,) = ran.of("jvm")
    (dump,) = [capture for capture in subject.captures if capture.kind == "oom-dump"]
    assert ran.exit_code == 1
    assert dump.path.read_bytes()[:18] == b"JAVA PROFILE 1.0.2"


def test_a_jvm_that_refuses_to_be_attached_to_is_left_alone(watch, leak_java):
    command = ["java", "-XX:+DisableAttachMechanism", "-cp", str(leak_java), "Leak"]
    ran = watch(*command, until=lambda now: now.has_looked_for(1.5))
    assert ran.stdout == "java is done\n"  # no thread dump
    assert ["DisableAttachMechanism" in note for note in ran.notes] == [True]


def test_a_go_leak_is_captured_over_its_own_endpoint(watch, go, tmp_path):
    (tmp_path / "main.go").write_text(GO_LEAK)
    subprocess.run([go, "build", "-o", "leak", "main.go"], cwd=tmp_path, check=True)
    with reserved_ports(1) as [port]:
        address = f"127.0.0.1:{port}"
        ran = watch("./leak", address, pprof_url=address, captures=5)
    (subject,) = ran.of("go")
    assert subject.command.startswith("leak ")
    heaps = [capture.path.read_bytes() for capture in subject.captures if capture.kind == "heap"]
    stacks = [capture.path.read_text() for capture in subject.captures if capture.kind == "goroutine"]
    assert len(heaps) == len(stacks) >= 4
    assert all(heap.startswith(b"\x1f\x8b") for heap in heaps)
    assert all(stack.startswith("goroutine ") for stack in stacks)
    assert (ran.stdout, ran.notes) == ("go is done\n", [])
    assert_private(subject.captures)


def test_an_endpoint_that_nobody_serves_is_said(watch):
    ran = watch("sleep", "1", pprof_url="http://127.0.0.1:1")
    assert [note.endswith("http://127.0.0.1:1") for note in ran.notes] == [True]


def test_an_endpoint_that_answers_a_page_is_said(watch, tmp_path):
    (tmp_path / "serve.py").write_text("""
import sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
asked = threading.Semaphore(0)
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        asked.release()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")
    def log_message(self, *_): pass
threading.Thread(target=HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever, daemon=True).start()
for _ in range(2):  # who asks again has read the first answer
    assert asked.acquire(timeout=60)
""")
    with reserved_ports(1) as [port]:
        ran = watch(sys.executable, "serve.py", str(port), pprof_url=f"http://127.0.0.1:{port}")
    assert ["answered a page" in note for note in ran.notes] == [True]


@pytest.mark.parametrize(
    "command",
    [["sh", "-c", "{python} leak.py; true"], ["sh", "launch"], ["env", "A=1", "{python}", "-u", "leak.py"]],
    ids=["shell", "launcher", "env"],
)
def test_a_python_program_is_found_below_whatever_starts_it(watch, leak_py, command):
    (leak_py.parent / "launch").write_text(f'exec {sys.executable} "$(dirname "$0")/leak.py"\n')
    ran = watch(*(word.format(python=sys.executable) for word in command), captures=2)
    (subject,) = ran.of("cpython")
    assert bytes_of(subject.captures[-1].path, "leak.py") > 100_000
    assert ran.stdout == "python is done\n"


def test_every_worker_of_a_prefork_server_is_captured(watch, tmp_path):
    (tmp_path / "server.py").write_text(f"""
import os, sys
workers = []
for _ in range(2):
    pid = os.fork()
    if not pid:
        exec({PYTHON_LEAK!r})
        sys.stdout.flush()
        os._exit(0)
    workers.append(pid)
for pid in workers:
    os.waitpid(pid, 0)
""")
    command = [sys.executable, "-W", "error", "server.py"]
    ran = watch(*command, until=lambda now: leaking(now.captures.values(), "<string>", captures=2) == 2)
    assert ran.stdout == "python is done\n" * 2
    assert (ran.stderr, ran.exit_code) == ("", 0)
    assert leaking(files_of(ran), "<string>", captures=2) == 2


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_every_worker_of_a_multiprocessing_pool_is_captured(watch, tmp_path, method):
    # A worker leaks before it is captured first: on a busy machine, where that takes its time, the next one is far off.
    (tmp_path / "pool.py").write_text(f"""
import multiprocessing, os, time
kept = []
ends = time.monotonic() + 240
def leak(blocks):
    kept.extend(bytes(1000) for _ in range(blocks))
def work(n):
    while not os.path.exists("enough") and time.monotonic() < ends:
        leak(50)
        time.sleep(0.02)
    return n
if __name__ == "__main__":
    with multiprocessing.get_context({method!r}).Pool(2, leak, [2000]) as pool:
        print(pool.map(work, range(2), chunksize=1))
""")
    ran = watch(sys.executable, "pool.py", until=lambda now: leaking(now.captures.values(), "pool.py") == 2)
    assert (ran.stdout, ran.stderr) == ("[0, 1]\n", "")
    assert leaking(files_of(ran), "pool.py") == 2


def test_npm_start_leads_to_the_program(watch, require, node, leak_js):
    (leak_js.parent / "package.json").write_text(json.dumps({"name": "x", "scripts": {"start": "node leak.js"}}))
    ran = watch(
        require("npm"), "start", "--silent",
        until=lambda now: any(
            len(files) >= 5 and live_bytes(json.loads(files[-1].read_text()), "leak.js")
            for files in now.captures.values()
        ),
    )  # fmt: skip
    programs = [s for s in ran.of("node") if s.command.endswith("leak.js")]
    assert [len(program.captures) >= 4 for program in programs] == [True]
    assert "node is done true" in ran.stdout


def _pythons() -> list[str]:
    """Every CPython from 3.8 on that is installed, and the one that runs the tests."""
    found = {}
    for minor in range(8, 20):
        on_path = shutil.which(f"python3.{minor}")
        for candidate in (on_path, *map(str, Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))):
            if candidate and minor not in found:
                said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
                if said.startswith(f"Python 3.{minor}."):
                    found[minor] = candidate
    return list({sys.version_info.minor: sys.executable, **found}.values())


@pytest.mark.parametrize("python", _pythons())
def test_every_python_that_is_installed_is_captured_without_a_word(watch, leak_py, python):
    ran = watch(python, "-W", "error", str(leak_py), captures=1)
    (subject,) = ran.of("cpython")
    assert subject.captures
    assert (ran.stdout, ran.stderr) == ("python is done\n", "")
