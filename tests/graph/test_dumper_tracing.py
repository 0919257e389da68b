"""A dump while the program's allocations are traced: from stacks of its own, and with the answer of any other dump."""

import pytest
from dumped import graph_of, numbers_of, run

from caulk.formats import cpython_graph

TRACED = """
import tracemalloc
tracemalloc.start(3)
class Row:
    def __init__(self, n): self.n, self.name = n + 1000, f"row {n}"
ROWS = [Row(n) for n in range(3000)]
def below(levels): return below(levels - 1) if levels else DUMP(fork=FORK)
"""
HOOKED = {
    "as it is": "",
    "no thread can be had": "def start(*_): raise RuntimeError\n_dumper._thread.start_new_thread = start\n",
    "no thread gets to run, as in some debuggers": (
        "_dumper._thread.start_new_thread = lambda *_: None\n_dumper._PATIENCE_S = 0.01\n"
    ),
}


@pytest.mark.parametrize("fork", ["False", "True"])
@pytest.mark.parametrize("hook", HOOKED)
def test_every_object_has_its_line_however_the_threads_of_a_dump_fare(hook, fork, tmp_path):
    own = "import types\n_dumper._thread = types.SimpleNamespace(**vars(_dumper._thread))\n" if HOOKED[hook] else ""
    graph = graph_of(TRACED.replace("FORK", fork) + own + HOOKED[hook] + "below(3)", tmp_path)
    lines = (tmp_path / "leak.py").read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.startswith("ROWS"))
    rows = numbers_of(graph, "leak.Row")
    assert len(rows) == 3000
    assert {graph.sites[graph.site[row]] for row in rows} == {f"{tmp_path}/leak.py:{line}"}
    held = {graph.type_name(reference.target) for row in rows for reference in graph.references(row)}
    assert held == {"int", "str"}


def test_what_a_dump_allocates_is_looked_up_through_few_frames_wherever_it_is_called(tmp_path):
    program = """
DEPTHS = set()
def counting(work):
    def counted(*arguments):
        frame, depth = sys._getframe(), 0
        while frame: frame, depth = frame.f_back, depth + 1
        DEPTHS.add(depth)
        return work(*arguments)
    return counted
for name in ("_unmet", "_allocated_at", "_by_address"): setattr(_dumper, name, counting(getattr(_dumper, name)))
_dumper._Walk.write = counting(_dumper._Walk.write)
below(60)
print(sorted(DEPTHS))
"""
    ran = run(TRACED.replace("FORK", "False") + program, tmp_path)
    assert ran.stdout == "[2]\n", ran.stderr


def test_no_trace_of_the_program_is_lost_by_a_dump(tmp_path):
    program = """
def lines():
    own = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*leak.py")])
    return {str(each.traceback): each.size for each in own.statistics("lineno") if each.count > 2000}
before = lines()
below(1)
print(len(before) > 0, lines() == before)
"""
    for fork in ("False", "True"):
        (tmp_path / fork).mkdir()
        ran = run(TRACED.replace("FORK", fork) + program, tmp_path / fork)
        assert ran.stdout == "True True\n", ran.stderr


def test_an_interrupt_ends_the_dump_and_leaves_nothing(tmp_path):
    program = """
import os, signal, threading
real = _dumper._unmet
def slow(*arguments):
    os.kill(os.getpid(), signal.SIGINT)
    return real(*arguments)
_dumper._unmet = slow
try:
    below(1)
except KeyboardInterrupt:
    print("interrupted", len(sys._current_frames()))
"""
    ran = run(TRACED.replace("FORK", "False") + program, tmp_path)
    assert ran.stdout == "interrupted 1\n", ran.stderr
    assert not list(tmp_path.glob("heap*"))


def test_what_is_met_after_a_large_container_that_the_collector_does_not_track_is_there(tmp_path):
    # Before Python 3.14 a dict of numbers is not tracked; it is written in pieces, in the middle of another block.
    # The references of a list are met from its end.
    book = 'BOOK = [*(b"%d" % n for n in range(1000)), {n: n * 1.5 for n in range(40_000)}]\n'
    graph = graph_of(book + "DUMP()", tmp_path)
    [book] = [
        reference.target
        for number in graph.named
        if graph.name(number) == "module leak"
        for reference in graph.references(number)
        if str(reference.label) == ".BOOK"
    ]
    held = [graph.type_name(reference.target) for reference in graph.references(book)]
    assert sorted(held) == ["bytes"] * 1000 + ["dict"]


def test_a_python_without_the_interpreter_lock_is_dumped_by_a_child_alone(tmp_path):
    program = """
sys._is_gil_enabled = lambda: False
print(_dumper.plan(PATH, fork=True).is_safe)
try:
    DUMP()
except _dumper.Refused as error:
    print(error)
DUMP(fork=True)
"""
    ran = run(program, tmp_path)
    assert ran.stdout == (
        "True\nthis Python runs threads without the interpreter lock: only fork=True sees objects that stand still\n"
    ), ran.stderr
    assert len(cpython_graph.read((tmp_path / "heap.cgraph").read_bytes())) > 0
