"""The ways into a running program for a dump: a signal's handler, a debugger's call, a debugger's shell."""

import os
import re
import subprocess
import sys

import pytest
from dumped import PROBE, numbers_of, run

from caulk.formats import cpython_graph

ROWS = """
import os, signal, threading
class Row: pass
ROWS = [Row() for _ in range(50)]
def wait(): ready.set(); done.wait()
ready, done = threading.Event(), threading.Event()
threading.Thread(target=wait, daemon=True).start()
ready.wait()
def serve():
    request = Row()
    os.kill(os.getpid(), signal.SIGUSR1)
    while not _dumper.is_done(PATH): time.sleep(0.002)
"""
TRACED = "import tracemalloc\ntracemalloc.start(4)\n"
DUMP = "import caulk_probe.dumper as d; d.dump({!r}, fork={})"
CALL = [
    "set $state = (int)PyGILState_Ensure()",
    "print (int)PyRun_SimpleString({})",
    "call (void)PyGILState_Release($state)",
]
#: The interpreter makes the call itself, between two steps of the main thread.
PENDING = ["print (int)Py_AddPendingCall((void *)PyRun_SimpleString, {})"]


@pytest.mark.parametrize("fork", ["False", "True"])
@pytest.mark.parametrize("traced", ["", TRACED], ids=["", "traced"])
@pytest.mark.parametrize("commands", [CALL, PENDING], ids=["a call", "a pending call"])
def test_a_debugger_makes_a_running_program_dump_itself(require, commands, traced, fork, tmp_path):
    program, path = tmp_path / "leak.py", tmp_path / "heap.cgraph"
    head = f"import sys, time\nimport caulk_probe.dumper as _dumper\nPATH = {str(path)!r}\n"
    program.write_text(f"{head}{traced}{ROWS}serve()\nprint('goes on')\n")
    text = '"' + DUMP.format(str(path), fork) + '"'
    steps = ["handle SIGUSR1 stop nopass", "run", *(command.format(text) for command in commands), "continue"]
    ran = subprocess.run(
        [require("gdb"), "-nx", "-batch", *(word for step in steps for word in ("-ex", step)),
         "--args", sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": str(PROBE), "DEBUGINFOD_URLS": ""},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "$1 = 0" in ran.stdout, ran.stdout + ran.stderr
    assert "goes on" in ran.stdout, ran.stdout + ran.stderr
    _has_rows(path)


@pytest.mark.parametrize("fork", ["False", "True"])
@pytest.mark.parametrize("traced", ["", TRACED], ids=["", "traced"])
def test_a_signal_dumps_the_variables_of_what_it_interrupted(traced, fork, tmp_path):
    program = f"""{traced}{ROWS}
_dumper.install_signal(signal.SIGUSR1, PATH, fork={fork})
PATH = PATH.replace(".cgraph", ".1.cgraph")
serve()
print("goes on")
"""
    ran = run(program, tmp_path)
    assert ran.stdout == "goes on\n", ran.stderr
    _has_rows(tmp_path / "heap.1.cgraph")


def test_the_shell_of_pdb_dumps_the_program_that_it_stopped(tmp_path):
    program = tmp_path / "leak.py"
    program.write_text(
        "class Row: pass\nROWS = [Row() for _ in range(50)]\ndef serve():\n  request = Row()\n  breakpoint()\nserve()\n"
    )
    path = tmp_path / "heap.cgraph"
    ran = subprocess.run(
        [sys.executable, str(program)],
        input=f"{DUMP.format(str(path), False)}\nc\n",
        env={**os.environ, "PYTHONPATH": str(PROBE)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    _has_rows(path)


def _has_rows(path):
    graph = cpython_graph.read(path.read_bytes())
    kind = next(name for name in graph.types.name if name.endswith(".Row"))
    assert len(numbers_of(graph, kind)) == 51
    [serve] = [number for number in graph.named if re.match(r"frame \S+\.serve ", graph.name(number))]
    held = {str(each.label): graph.type_name(each.target) for each in graph.references(serve)}
    assert held["local request"] == kind
