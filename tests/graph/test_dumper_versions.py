"""The dumper tells the same of a program under every CPython from 3.9 on that this machine has."""

import ast
import re
import sys

import pytest
from dumped import PROBE, numbers_of, path_to, run
from pythons import IMPORT, found

from caulk.formats import cpython_graph

PYTHONS = {"{}.{}".format(*sys.version_info[:2]): (sys.executable, *IMPORT), **found()}
PROGRAM = """
import collections, functools, gc, tracemalloc, types
tracemalloc.start(TRACED)
def kind(name): return type(name, (), {"__module__": "leak", "__init__": lambda self: setattr(self, "number", 1 << 40)})
InDict, InSlot, InClosure, InGenerator, InTask, InFrame, InCache, Asked, InTuple = map(kind, (
    "InDict", "InSlot", "InClosure", "InGenerator", "InTask", "InFrame", "InCache", "Asked", "InTuple"))
CACHE = {n: InDict() for n in range(300)}
class Slots:
    __slots__ = ("row", "other")
SLOTS = Slots(); SLOTS.row = InSlot()
def handler(payload): return lambda: payload
HANDLER = handler(InClosure())
def feed():
    held = InGenerator()
    yield held
FEED = feed(); next(FEED)
@functools.lru_cache(maxsize=None)
def fetch(n): return InCache()
fetch(1)
class Model: pass
MODEL = Model(); MODEL.one = 1; MODEL.asked = Asked(); vars(MODEL)
POINT = collections.namedtuple("Point", "x row")(1, InTuple())
@types.coroutine
def pause(): yield
async def work():
    held = InTask()
    await pause()
TASK = work(); TASK.send(None)
BEFORE = gc.isenabled(), len(gc.garbage)
def main():
    local = InFrame()
    DUMP(fork=FORK)
main()
assert BEFORE == (gc.isenabled(), len(gc.garbage))
"""
MODULE = "(module) module leak (__dict__) module leak"
PATHS = {
    "InDict": f"{MODULE} .CACHE dict [key] leak.InDict",
    "InSlot": f"{MODULE} .SLOTS leak.Slots .row leak.InSlot",
    "InClosure": f"{MODULE} .HANDLER function leak.handler.<locals>.<lambda> variable payload cell (contents) "
    "leak.InClosure",
    "InGenerator": f"{MODULE} .FEED generator feed local held leak.InGenerator",
    "InTask": f"{MODULE} .TASK coroutine work local held leak.InTask",
    "InFrame": "(thread) frame leak.main local local leak.InFrame",
    "InCache": f"{MODULE} .fetch functools._lru_cache_wrapper (cache) dict [key] leak.InCache",
    "Asked": f"{MODULE} .MODEL leak.Model .asked leak.Asked",
    "InTuple": f"{MODULE} .POINT leak.Point .row leak.InTuple",
}


@pytest.mark.parametrize("fork", ["False", "True"])
@pytest.mark.parametrize("version", PYTHONS)
def test_every_python_tells_who_holds_what_by_the_same_names(version, fork, tmp_path):
    if version == "wasm" and fork == "True":
        return  # it has no fork, and no way to ask for one
    program = PROGRAM.replace("FORK", fork).replace("TRACED", "2")
    ran = run(program, tmp_path, python=PYTHONS[version])
    assert ran.returncode == 0, ran.stderr
    graph = cpython_graph.read((tmp_path / "heap.cgraph").read_bytes())
    assert graph.coverage == 1.0
    assert len(numbers_of(graph, "leak.InDict")) == 300
    assert {name: _path(graph, name) for name in PATHS} == PATHS


@pytest.mark.parametrize("version", PYTHONS)
def test_every_python_tells_where_an_object_was_allocated(version, tmp_path):
    program = (
        "import tracemalloc\ntracemalloc.start(2)\nclass Plain: pass\nclass Slots:\n  __slots__ = 'a', 'b'\n"
        "class Weak:\n  __slots__ = '__weakref__', 'a'\nclass Text(str): pass\n"
        "KEEP = [kind() for kind in (Plain, Slots, Weak, Text)]\nDUMP()"
    )
    ran = run(program, tmp_path, python=PYTHONS[version])
    assert ran.returncode == 0, ran.stderr
    graph = cpython_graph.read((tmp_path / "heap.cgraph").read_bytes())
    lines = (tmp_path / "leak.py").read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.startswith("KEEP"))
    for name in ("Plain", "Slots", "Weak", "Text"):
        sites = {graph.sites[graph.site[number]] for number in numbers_of(graph, f"leak.{name}")}
        assert sites == {f"{tmp_path}/leak.py:{line}"}, name


def test_all_of_the_probe_is_python_3_9():
    for path in PROBE.rglob("*.py"):
        ast.parse(path.read_text(), str(path), feature_version=(3, 9))


def _path(graph, name):
    """The way from a root, on one line; before Python 3.11 a generator's variables were those of a frame object."""
    steps = " ".join(path_to(graph, f"leak.{name}"))
    return re.sub(r" \(\S*leak.py:\d+\)", "", re.sub(r" \(frame\) frame \S+ \(\S+:\d+\)", "", steps))
