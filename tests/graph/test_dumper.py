"""What the probe's dumper promises the program that it runs in: nothing of it is called, held, ended or written out."""

import ast
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from dumped import PROBE, graph_of, numbers_of, path_to, run

from caulk.formats import cpython_graph

ROOT = PROBE.parents[1]
DUMPER = PROBE / "caulk_probe/dumper.py"
CARRIED = ROOT / "src/caulk/runtimes/agents/heap_dumper.py"

HOSTILE = """
CALLS = []
def called(name):
    def method(*args, **kwargs):
        CALLS.append(name)
        raise RuntimeError(name)
    return method
NAMES = ("__eq__", "__hash__", "__repr__", "__str__", "__len__", "__iter__", "__bool__", "__sizeof__", "__getattr__",
         "__getattribute__", "__call__", "__contains__", "__getitem__", "__index__", "__instancecheck__", "__dir__",
         "__subclasscheck__", "__subclasses__", "mro_", "__reduce_ex__", "__getstate__", "keys", "items", "values")
def space():
    made = {name: called(name) for name in NAMES}
    made["__class__"] = property(called("__class__"))
    made["__dict__"] = property(called("__dict__"))
    made["value"] = property(called("value"))
    return made
Meta = type("Meta", (type,), {name: called(name) for name in NAMES if name not in ("__call__", "__getattribute__")})
Meta.__getattribute__ = called("Meta.__getattribute__")
KEEP = []
for base in (object, dict, list, tuple, set, str, int, ValueError):
    kind = type("Hostile", (base,), space())
    KEEP.append(base.__new__(kind))
    with_meta = type.__new__(Meta, "Strange", (base,), space())
    KEEP.append(base.__new__(with_meta))
class Descriptor:
    def __get__(self, *args): CALLS.append("__get__"); return 1
    def __set__(self, *args): pass
class Lazy:
    cached = Descriptor()
    def __init__(self): vars(self)["cached"] = [1]; self.other = [2]
KEEP += [Lazy(), Lazy()]
import functools
class Cached:
    @functools.cached_property
    def first(self): CALLS.append("cached_property"); return [1]
    def __init__(self, fill):
        self.a, self.b = [1], [2]
        if fill: vars(self)["first"] = [3]
KEEP += [Cached(True), Cached(True), Cached(False), Cached(False)]
CALLS.clear()
DUMP(fork=FORK)
print(CALLS)
"""


@pytest.mark.parametrize("fork", ["False", "True"])
def test_no_code_of_the_program_is_called(fork, tmp_path):
    ran = run(HOSTILE.replace("FORK", fork), tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "[]\n"
    graph = cpython_graph.read((tmp_path / "heap.cgraph").read_bytes())
    assert len(numbers_of(graph, "leak.Strange")) > 0
    assert len(numbers_of(graph, "leak.Cached")) == 4


def test_no_garbage_is_collected_while_a_dump_is_written(tmp_path):
    program = """
import gc
def seen(phase, info):
    frame = sys._getframe()
    while frame:
        INSIDE.append(frame.f_code.co_name)
        frame = frame.f_back
INSIDE = []
ROWS = [[i] for i in range(20_000)]
gc.collect()
gc.callbacks.append(seen)
gc.set_threshold(10)
DUMP()
print("run" in INSIDE, gc.isenabled())
"""
    assert run(program, tmp_path).stdout == "False True\n"


def test_no_text_of_the_program_is_in_the_file(tmp_path):
    program = """
import threading, os
token = "tok" + "en"
TEXT = [token + "-string", (token + "-bytes").encode(), bytearray((token + "-array").encode())]
BOOK = {token + "-key": 1, (token + "-tuple",): 2}
class Row: pass
row = Row()
setattr(row, token + "-attribute", 1)
vars(row)[token + " with space"] = 2
names = {token + "-set"}
os.environ["X_TOKEN"] = token + "-environment"
def wait(event): event.wait()
event = threading.Event()
thread = threading.Thread(target=wait, args=(event,), name=token + "-thread", daemon=True)
thread.start()
sys.argv.append(token + "-argument")
DUMP()
event.set()
"""
    ran = run(program, tmp_path)
    assert ran.returncode == 0, ran.stderr
    data = (tmp_path / "heap.cgraph").read_bytes()
    # The variable of that name is code, and so is in it.
    assert b"token" in data
    assert not re.findall(rb"token[- ][a-z]+", data)


FORKED = """
import atexit, os, gc, signal, threading
atexit.register(lambda: os.write(1, b"at exit\\n"))
sys.stdout.write("buffered ")
class Bin:
    def __del__(self): os.write(1, b"deleted\\n")
BIN = Bin()
before = set(os.listdir("/proc/self/fd")), gc.isenabled(), gc.get_freeze_count(), signal.getsignal(signal.SIGINT)
DUMP(fork=True)
while threading.active_count() > 1 or len(sys._current_frames()) > 1:
    time.sleep(0.001)
after = set(os.listdir("/proc/self/fd")), gc.isenabled(), gc.get_freeze_count(), signal.getsignal(signal.SIGINT)
try:
    os.waitpid(-1, os.WNOHANG)
    print("a child is left")
except ChildProcessError:
    print("no child", before == after)
"""


def test_a_fork_leaves_no_child_and_ends_without_the_end_of_the_program(tmp_path):
    ran = run(FORKED, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split("\n")[-2:] == ["at exit", ""] or "at exit" in ran.stdout
    assert ran.stdout.count("at exit") == 1
    assert ran.stdout.count("buffered") == 1
    assert ran.stdout.count("deleted") == 1
    assert "no child True" in ran.stdout
    assert sorted(path.name for path in tmp_path.glob("heap*")) == ["heap.cgraph"]


def test_the_program_keeps_nothing_of_a_dump(tmp_path):
    program = """
import gc, weakref
class Row: pass
def main():
    row = Row()
    seen = weakref.ref(row)
    DUMP()
    row = None
    return seen() is None
class Slow:
    def __init__(self): self.x = 1
SLOW = Slow()
print(main(), gc.isenabled(), gc.garbage, sys.getrefcount(SLOW))
gc.disable(); _dumper.dump(PATH + "2"); print(gc.isenabled())
"""
    ran = run(program, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "True True [] 2\nFalse\n"


def test_a_file_appears_whole_and_for_its_owner_alone(tmp_path):
    graph_of("DUMP()", tmp_path)
    assert (tmp_path / "heap.cgraph").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_nothing_is_overwritten(tmp_path):
    program = """
try:
    DUMP()
except FileExistsError as error:
    print("refused")
"""
    (tmp_path / "heap.cgraph").write_text("an earlier dump")
    assert run(program, tmp_path).stdout == "refused\n"
    assert (tmp_path / "heap.cgraph").read_text() == "an earlier dump"


def test_a_disk_that_is_full_leaves_no_half_file(tmp_path):
    program = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    DUMP(fork=FORK)
except OSError as error:
    print("failed", error)
"""
    for fork in ("False", "True"):
        folder = tmp_path / fork
        folder.mkdir()
        ran = run(program.replace("FORK", fork), folder)
        assert ran.stdout.startswith("failed"), ran.stderr
        assert not (folder / "heap.cgraph").exists()
        assert not list(folder.glob("*.part"))


def test_a_signal_makes_the_program_dump_itself_again_and_again(tmp_path):
    program = """
import os, signal
class Row: pass
ROWS = [Row() for _ in range(50)]
_dumper.install_signal(signal.SIGUSR2, PATH)
for number in (1, 2):
    os.kill(os.getpid(), signal.SIGUSR2)
    while not _dumper.is_done(PATH.replace(".cgraph", f".{number}.cgraph")):
        time.sleep(0.002)
print("goes on")
"""
    ran = run(program, tmp_path)
    assert ran.stdout == "goes on\n", ran.stderr
    for number in (1, 2):
        graph = cpython_graph.read((tmp_path / f"heap.{number}.cgraph").read_bytes())
        assert len(numbers_of(graph, "leak.Row")) == 50


def test_threads_go_on_while_a_dump_is_written_and_what_they_change_does_not_matter(tmp_path):
    program = """
import threading
class Row:
    def __init__(self, n): self.n, self.parts = n, [n]
BOOK, ROWS, STOP = {}, [], threading.Event()
def work():
    n = 0
    while not STOP.is_set():
        n += 1
        BOOK[n % 5000] = Row(n)
        BOOK.pop((n * 7) % 5000, None)
        ROWS.append(Row(n))
        if n % 1000 == 0: ROWS.clear()
sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for i in range(2): _dumper.dump(PATH + str(i))
DUMP()
STOP.set()
for thread in threads: thread.join()
"""
    graph = graph_of(program, tmp_path)
    assert graph.coverage == 1.0
    assert len(numbers_of(graph, "leak.Row")) > 0


def test_what_was_frozen_is_there_too(tmp_path):
    program = """
import gc
class Row:
    def __init__(self): self.a, self.b = [1], {"x": [2]}
ROWS = [Row() for _ in range(500)]
gc.freeze()
MORE = [Row() for _ in range(5)]
count = gc.get_freeze_count()
DUMP(fork=FORK)
assert gc.get_freeze_count() == count
"""
    for fork in ("False", "True"):
        (tmp_path / fork).mkdir()
        graph = graph_of(program.replace("FORK", fork), tmp_path / fork)
        assert len(numbers_of(graph, "leak.Row")) == 505
        assert path_to(graph, "leak.Row")[:5] == ["(module)", "module leak", "(__dict__)", "module leak", ".ROWS"]


def test_without_headroom_a_dump_is_refused_with_the_reason(tmp_path):
    program = """
_dumper._headroom = lambda: (1000, "the control group")
ahead = _dumper.plan(PATH, fork=True)
print(ahead.is_safe, ahead.extra_bytes > 0, ahead.pause_s > 0, ahead.disk_bytes > 0)
try:
    DUMP(fork=True)
except _dumper.Refused as error:
    print(error)
"""
    ran = run(program, tmp_path)
    first, second = ran.stdout.splitlines()
    assert first == "False True True True"
    assert re.fullmatch(
        r"the dump needs [\d,]+ bytes of memory, the control group leaves 1,000; in place it needs .*", second
    )
    assert not (tmp_path / "heap.cgraph").exists()


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        ("0::/app\n", {"sys/fs/cgroup/app/memory.max": "3000", "sys/fs/cgroup/app/memory.current": "2000",
                       "sys/fs/cgroup/memory.max": "max"}),
        ("0::/not/in/this/container\n", {"sys/fs/cgroup/memory.max": "3000", "sys/fs/cgroup/memory.current": "2000"}),
        ("5:cpu,memory:/app\n", {"sys/fs/cgroup/memory/app/memory.limit_in_bytes": "3000",
                                 "sys/fs/cgroup/memory/app/memory.usage_in_bytes": "2000"}),
    ],
    ids=["v2", "v2 in a container", "v1"],
)  # fmt: skip
def test_the_narrowest_control_group_is_the_headroom(lines, files, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PROBE))
    from caulk_probe import dumper

    for name, text in {"proc/self/cgroup": lines, "proc/meminfo": "MemAvailable: 9000 kB\n", **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    real_open = open
    monkeypatch.setattr(dumper, "open", lambda path, *rest: real_open(f"{tmp_path}{path}", *rest), raising=False)
    assert dumper._headroom() == (1000, "the control group")


def test_caulk_carries_the_probes_dumper_and_no_copy_of_it():
    assert CARRIED.resolve() == DUMPER
    assert CARRIED.is_symlink()
    assert str(CARRIED.readlink()) == os.path.relpath(DUMPER, CARRIED.parent)


def test_the_dumper_needs_nothing_but_the_standard_library_of_python_3_9():
    tree = ast.parse(DUMPER.read_text(), feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_default_action_of_signals_is_not_touched_in_the_program(tmp_path):
    program = """
import signal
seen = []
signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
DUMP(fork=True)
signal.raise_signal(signal.SIGTERM)
print(seen)
"""
    assert run(program, tmp_path).stdout == "[1]\n"
    assert signal.SIGTERM
    assert Path(tmp_path, "heap.cgraph").exists()
