"""What is taken from real Pythons by the probe in them: it is what they hold, and they do not notice."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from held_pythons import (
    BUSY,
    HOLD,
    PAUSE,
    PROBE,
    PYTHON,
    PYTHONS,
    SAY,
    START,
    TICKETS,
    Kept,
    awaited,
    living,
    reach_of,
    types_in,
    ways,
)

from caulk.capture.verify import fault
from caulk.formats import cpython_graph, tracemalloc
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.graph import ObjectGraph
from caulk.model.target import Process
from caulk.runtimes import cpython
from caulk.runtimes.cpython import talk
from caulk.runtimes.cpython.probe import Probe

OTHER = 54321  # a user that nobody is


def socket_of(pid: int) -> Path:
    return Path(f"/tmp/.caulk_probe_pid{pid}")


def graph_of(sink: Kept) -> ObjectGraph:
    found = cpython_graph.read(bytes(sink.written))
    assert isinstance(found, ObjectGraph)
    return found


@pytest.mark.parametrize("how", ["import", "module"])
def test_the_graph_names_who_holds_the_leak(how: str, tmp_path: Path):
    options, source = (("-m", "caulk_probe"), HOLD) if how == "module" else ((), START + HOLD)
    with living(source + PAUSE, *options) as program:
        way, sink = program.ways()["probe:graph"], Kept()
        assert way.check().standing == "ready"
        cost, taken = way.cost(), way.take(sink)
        assert (taken.remote, sink.left) == ("", [])
        assert len(sink.written) <= cost.size_bytes
        assert taken.facts["mode"] == "fork"
    dump = tmp_path / "shop.cgraph"
    dump.write_bytes(sink.written)
    assert not fault(dump, "cpython-graph")
    said = subprocess.run(
        [sys.executable, "-m", "caulk", "analyze", dump, "-o", "json", "--exit-zero"], capture_output=True, check=True
    )
    first = json.loads(said.stdout)["findings"][0]
    assert (first["holder"], first["type"], first["count"]) == ("__main__.OPEN", "__main__.Ticket", TICKETS)


@pytest.mark.parametrize("mode", ["fork", "in-place"])
def test_both_modes_see_the_same_objects(mode: str):
    with living(START + HOLD + PAUSE) as program, Probe(program.reach).talk() as control:
        sink = Kept()
        facts = control.stream(f"graph {mode}", sink, 1, "")
        # The connection is still there for more.
        assert control.ask("figures")["threads"] == "3"
    assert types_in(graph_of(sink))["__main__.Ticket"] == TICKETS
    assert facts["mode"] == mode
    assert float(facts["pause-s"]) > 0


@pytest.mark.parametrize("python", PYTHONS)
def test_every_version_is_captured_and_forks_without_a_warning(python: str):
    forks = """
import warnings
warnings.simplefilter("error")
for _ in range(3):
    if os.fork() == 0:
        os._exit(0)
    os.wait()
"""
    with living("import os\n" + START + HOLD + forks + PAUSE, python=python) as program:
        for name in ("probe:graph", "probe:tracemalloc"):
            sink = Kept()
            if name == "probe:tracemalloc":
                cpython.arm(program.reach, "")
            program.ways()[name].take(sink)
            if name == "probe:graph":
                assert types_in(graph_of(sink))["__main__.Ticket"] == TICKETS
            else:
                assert tracemalloc.read(bytes(sink.written)).total(1) > 0
        assert program.popen.poll() is None


def test_a_program_that_has_given_up_being_root_is_answered_as_who_it_is_now():
    if os.geteuid():
        pytest.skip("unobtainable: only root can become another user")
    with living("import os\n" + START + HOLD + f"os.setgid({OTHER})\nos.setuid({OTHER})\n" + PAUSE) as program:
        sink = Kept()
        program.ways()["probe:graph"].take(sink)
        # Everybody may connect to what root has made, and is hung up on.
        asks = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(socket_of(program.pid))!r})"
        stranger = ["setpriv", f"--reuid={OTHER + 1}", f"--regid={OTHER + 1}", "--clear-groups", PYTHON, "-c"]
        said = subprocess.run([*stranger, asks + "; print(s.recv(99))"], capture_output=True, text=True, check=True)
        socket_of(program.pid).unlink()
    assert said.stdout == "b''\n"
    assert types_in(graph_of(sink))["__main__.Ticket"] == TICKETS


def test_looking_and_pricing_change_nothing_and_find_no_probe_where_there_is_none():
    with living(HOLD + PAUSE) as program:
        check = program.ways()["probe:graph"].check()
        assert (check.standing, "CAULK_PROBE=1" in check.fix) == ("needs", True)
        with pytest.raises(CaptureFailed, match="not loaded"):
            cpython.arm(program.reach, "")


def test_each_worker_of_a_server_answers_for_itself():
    source = START + HOLD + """
class Job:
    pass
for name in ("a", "b"):
    if os.fork() == 0:
        JOBS = [Job() for _ in range(500)]
        print(os.getpid(), flush=True)
        sys.stdin.read()
        os._exit(0)
""" + PAUSE  # fmt: skip
    with living("import os\n" + SAY + source) as program:
        workers = [int(line) for line in (program.says() for _ in range(3)) if line.isdigit()]
        assert len(workers) == 2
        for pid in workers:
            awaited(socket_of(pid).exists)
            sink = Kept()
            ways(reach_of(pid))["probe:graph"].take(sink)
            assert types_in(graph_of(sink))["__main__.Job"] == 500
        sink = Kept()
        program.ways()["probe:graph"].take(sink)
        assert "__main__.Job" not in types_in(graph_of(sink))


def test_a_child_of_a_server_that_ended_normally_leaves_no_socket():
    source = START + "import os, time\n" + SAY + """
pid = os.fork()
if pid == 0:
    while not os.path.exists("/tmp/.caulk_probe_pid%d" % os.getpid()):
        time.sleep(0.01)
    sys.exit()
os.waitpid(pid, 0)
print(pid, flush=True)
"""  # fmt: skip
    with living("import sys\n" + source) as program:
        child = int(program.says())
        assert not socket_of(child).exists()
        assert program.popen.wait(timeout=60) == 0
    assert not socket_of(program.pid).exists()


def test_sockets_that_killed_programs_left_are_swept_away():
    with living(START + HOLD + PAUSE) as killed:
        assert socket_of(killed.pid).exists()
    assert socket_of(killed.pid).exists()
    with living(START + HOLD + PAUSE):
        assert not socket_of(killed.pid).exists()


def test_what_the_program_closes_is_opened_anew_and_nothing_of_its_own_is_written_to():
    source = START + HOLD + SAY + """
sys.stdin.readline()
os.closerange(3, 4096)
files = [open("/dev/null", "rb") for _ in range(950)]
print("closed", flush=True)
while True:
    signal.pause()
"""  # fmt: skip
    with living(source) as program:
        with Probe(program.reach).talk() as control:
            assert program.popen.stdin
            program.popen.stdin.write("\n")
            program.popen.stdin.flush()
            assert program.says() == "closed"
            with pytest.raises(CaptureFailed):
                control.ask("figures")

        def answers() -> bool:
            try:
                return program.ways()["probe:graph"].check().standing == "ready"
            except CaulkError:
                return False

        awaited(answers)
        sink = Kept()
        program.ways()["probe:graph"].take(sink)
        assert types_in(graph_of(sink))["__main__.Ticket"] == TICKETS


@pytest.fixture
def read_only_tmp() -> tuple[str, ...]:
    """What starts a program whose /tmp cannot be written to; skips where nobody may make it one."""
    # What is in /tmp stays to be read: these tests themselves may lie there.
    mounts = 'mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp && exec "$@"'
    command = ("unshare", "--mount", "sh", "-c", mounts, "sh")
    if os.geteuid() or not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("unobtainable: no /tmp can be mounted here")
    return command


def test_a_program_that_may_not_write_to_tmp_listens_at_an_abstract_name(read_only_tmp: tuple[str, ...]):
    with living(START + HOLD + PAUSE, before=read_only_tmp) as program:
        address = Probe(program.reach).address
        assert address.startswith(f"\0caulk_probe_pid{program.pid}.")
        sink = Kept()
        program.ways()["probe:graph"].take(sink)
        assert types_in(graph_of(sink))["__main__.Ticket"] == TICKETS
        # Everybody may connect to such a name, and is hung up on.
        asks = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({address!r}); print(s.recv(99))"
        stranger = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", PYTHON, "-c", asks]
        assert subprocess.run(stranger, capture_output=True, text=True, check=True).stdout == "b''\n"


def test_two_captures_at_once_are_refused_and_the_first_comes_to_its_end():
    with living(START + HOLD + PAUSE) as program, Probe(program.reach).talk() as first:
        first.ask("graph in-place")
        with pytest.raises(CaptureFailed, match="another capture of this process is under way"):
            program.ways()["probe:graph"].take(Kept())
        with Probe(program.reach).talk() as other:
            assert other.ask("figures")["rss"] != "0"
        sink = Kept()
        while size := int.from_bytes(first._exactly(4), "little"):
            sink.write(first._exactly(size))
    assert types_in(graph_of(sink))["__main__.Ticket"] == TICKETS


def test_a_program_ends_although_a_capture_of_it_is_stuck():
    with living(START + HOLD + SAY + "sys.stdin.readline()\n") as program, Probe(program.reach).talk() as control:
        control.ask("graph in-place")
        assert program.popen.stdin
        program.popen.stdin.close()
        assert program.popen.wait(timeout=60) == 0


def test_code_that_keeps_the_interpreters_lock_is_what_is_said_of_a_program_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(talk, "_ANSWERS_S", 0.3)
    stuck = "import ctypes\n" + SAY + "ctypes.PyDLL(None).sleep(3600)\n"
    with living(START + HOLD + stuck) as program:
        check = program.ways()["probe:graph"].check()
    assert check.standing == "needs"
    assert "holds the interpreter lock" in check.why


def test_armed_it_traces_what_is_allocated_and_disarmed_it_stops():
    source = START + HOLD + SAY + """
sys.stdin.readline()
LATE = [bytearray(1000) for _ in range(2000)]
print("held", flush=True)
while True:
    signal.pause()
"""  # fmt: skip
    with living(source) as program:
        way = program.ways()["probe:tracemalloc"]
        assert way.check().standing == "needs"
        settings = cpython.arm(program.reach, "")
        assert [(s.name, s.value, s.before) for s in settings] == [("tracemalloc", "16", "0")]
        assert program.popen.stdin
        program.popen.stdin.write("\n")
        program.popen.stdin.flush()
        assert program.says() == "held"
        way, sink = program.ways()["probe:tracemalloc"], Kept()
        assert way.check().standing == "ready"
        assert way.cost().size_bytes > 0
        way.take(sink)
        assert tracemalloc.read(bytes(sink.written)).total(0) > 2000 * 1000
        assert len(sink.written) <= way.cost().size_bytes
        cpython.disarm(program.reach, settings)
        assert program.ways()["probe:tracemalloc"].check().standing == "needs"


def test_disarming_leaves_the_programs_own_tracing_on():
    with living(START + HOLD + PAUSE, "-X", "tracemalloc=3") as program:
        settings = cpython.arm(program.reach, "")
        assert [(s.name, s.value, s.before) for s in settings] == [("tracemalloc", "3", "3")]
        cpython.disarm(program.reach, settings)
        assert program.ways()["probe:tracemalloc"].check().standing == "ready"


def test_an_armed_program_dumps_itself_while_a_dump_still_fits(tmp_path: Path):
    # What is left is said by the program: a limit of its own would need a control group.
    source = START + HOLD + SAY + """
import caulk_probe.dumper as dumper
left = 1 << 40
dumper._headroom = lambda: (left, "the control group")
sys.stdin.readline()
left = 24 << 20  # less than twice what a dump of a small program takes
while True:
    signal.pause()
"""  # fmt: skip
    with living(source) as program:
        assert program.ways()["probe:limit-dump"].check().standing == "needs"
        settings = cpython.arm(program.reach, str(tmp_path))
        assert [s.name for s in settings] == ["watch", "tracemalloc"]
        assert not list(tmp_path.iterdir())
        with Probe(program.reach).talk() as control:
            control.ask("stop")  # a dump takes ten times as long while allocations are traced
        assert program.popen.stdin
        program.popen.stdin.write("\n")
        program.popen.stdin.flush()
        awaited(lambda: bool(list(tmp_path.glob("*.cgraph"))))
        awaited(lambda: Probe(program.reach).plan["dumped"] != "")
        way = program.ways()["probe:limit-dump"]
        assert way.check().standing == "ready"
        taken = way.take(Kept())
        cpython.disarm(program.reach, settings)
        assert Probe(program.reach).plan["watch"] == ""
    (dump,) = tmp_path.iterdir()
    assert (taken.remote, taken.remove) == (str(dump), True)
    graph = cpython_graph.read(dump.read_bytes())
    assert types_in(graph)["__main__.Ticket"] == TICKETS


def test_a_directory_that_the_program_cannot_write_to_is_refused(tmp_path: Path):
    with living(START + HOLD + PAUSE) as program, pytest.raises(CaptureFailed, match="cannot write"):
        cpython.arm(program.reach, str(tmp_path / "missing"))


def test_figures_are_a_line_each():
    with living(START + HOLD + BUSY) as program:
        way, sink = program.ways()["probe:figures"], Kept()
        way.take(sink)
        figures = dict(line.split(" ", 1) for line in sink.written.decode().splitlines())
        assert int(figures["allocated-blocks"]) > TICKETS
        assert len(sink.written) <= way.cost().size_bytes


def test_the_probe_blames_no_program_for_its_thread():
    source = (
        START
        + SAY
        + "import warnings\nwarnings.simplefilter('error')\nif os.fork() == 0:\n    os._exit(0)\nos.wait()\n"
    )
    with living("import os\n" + source) as program:
        assert program.popen.wait(timeout=60) == 0


def test_pythons_are_told_by_name_or_by_library():
    def process(*libraries: str, executable: str = "") -> Process:
        return Process(1, 0, 0, 0.0, executable=executable, libraries=frozenset(libraries))

    assert cpython.serves(process(executable="/usr/bin/python3.11"))
    assert cpython.serves(process("/usr/lib/libpython3.12.so.1.0", executable="/usr/bin/uwsgi"))
    assert not cpython.serves(process("/lib/libc.so.6", executable="/usr/bin/pypy3"))


def test_started_around_a_module_the_program_is_as_it_always_was(tmp_path: Path):
    (tmp_path / "shop.py").write_text("import sys\nprint(__name__, sys.argv[1:], sys.path[0] == sys.argv[2])\n")
    for how in (["shop.py"], ["-m", "shop"]):
        ran = subprocess.run(
            [PYTHON, "-m", "caulk_probe", *how, "--x", tmp_path],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROBE)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert ran.stdout == f"__main__ ['--x', '{tmp_path}'] True\n"
