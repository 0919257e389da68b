"""What caulk reads from a Python program's own dump: holders by their names, sizes, roots, sites, damaged files."""

import re
import sys

import pytest
from dumped import graph_of, numbers_of, path_to, run

from caulk._core import uncompiled
from caulk.formats import cpython_graph
from caulk.model.errors import MalformedDump
from caulk.model.graph import ROOTS, WEAK

ROW = "class Row:\n  def __init__(self): self.number, self.parts = 1, [2.5]\n"
IN_MODULE = ["(module)", "module leak", "(__dict__)", "module leak"]
LEAKS = {
    "a dict of a module": (
        "CACHE = {}\nfor i in range(9): CACHE[f'k{i}'] = Row()\nDUMP()",
        [*IN_MODULE, ".CACHE", "dict", "[key]"],
    ),
    "listeners of a class": (
        "class Bus:\n  listeners = []\ndef handler(payload):\n  return lambda event: payload\n"
        "Bus.listeners.append(handler(Row()))\nDUMP()",
        [*IN_MODULE, ".Bus", "class leak.Bus", ".listeners", "list", "[]", "function leak.handler.<locals>.<lambda>",
         "variable payload", "cell", "(contents)"],
    ),
    "an unbounded lru_cache": (
        "import functools\n@functools.lru_cache(maxsize=None)\ndef fetch(i): return Row()\nfetch(1)\nDUMP()",
        [*IN_MODULE, ".fetch", "functools._lru_cache_wrapper", "(cache)", "dict", "[key]"],
    ),
    "a bounded lru_cache": (
        "import functools\n@functools.lru_cache(maxsize=9)\ndef fetch(i): return Row()\nfetch(1)\nDUMP()",
        [*IN_MODULE, ".fetch", "functools._lru_cache_wrapper", "[key]"],
    ),
    "a generator": (
        "def feed():\n  row = Row()\n  while True: yield 1\nFEED = feed(); next(FEED)\nDUMP()",
        [*IN_MODULE, ".FEED", "generator feed", "local row"],
    ),
    "an exception's frames": (
        "def fail():\n  row = Row()\n  raise ValueError\ntry: fail()\nexcept ValueError as error: LAST = error\nDUMP()",
        [*IN_MODULE, ".LAST", "ValueError", ".__traceback__", "traceback", ".tb_next", "traceback", ".tb_frame",
         "frame leak.fail", "local row"],
    ),
    "a named tuple": (
        "import collections\nP = collections.namedtuple('P', 'x row')\nONE = P(1, Row())\nDUMP()",
        [*IN_MODULE, ".ONE", "leak.P", ".row"],
    ),
    "an attribute of a dict's subclass": (
        "class Registry(dict): pass\nR = Registry(a=1); R.rows = [Row()]\nDUMP()",
        [*IN_MODULE, ".R", "leak.Registry", ".rows", "list", "[]"],
    ),
    "a slot": (
        "class Box:\n  __slots__ = ('one', 'row')\nB = Box(); B.row = Row()\nDUMP()",
        [*IN_MODULE, ".B", "leak.Box", ".row"],
    ),
    "a bound method": (
        "class Row(Row):\n  def on(self): pass\nON = Row().on\nDUMP()",
        [*IN_MODULE, ".ON", "method", ".__self__"],
    ),
    "an attribute beside a dict that was asked for": (
        "class A: pass\nONE = A(); ONE.x = {}; ONE.row = Row(); vars(ONE)\nDUMP()",
        [*IN_MODULE, ".ONE", "leak.A", ".row"],
    ),
    "a deque": (
        "import collections\nQ = collections.deque([Row()])\nDUMP()",
        [*IN_MODULE, ".Q", "collections.deque", "[]"],
    ),
    "a running function": (
        "def main():\n  row = Row()\n  DUMP()\nmain()",
        ["(thread)", "frame leak.main", "local row"],
    ),
}  # fmt: skip
TASKS = """
import asyncio
async def work():
    row = Row()
    await asyncio.sleep(60)
async def main():
    TASKS.append(asyncio.create_task(work()))
    await asyncio.sleep(0)
    DUMP()
TASKS = []
asyncio.run(main())
"""
THREADS = """
import threading
LOCAL, READY, DONE = threading.local(), threading.Event(), threading.Event()
def work():
    LOCAL.session = Row()
    READY.set()
    DONE.wait()
thread = threading.Thread(target=work, daemon=True)
thread.start()
READY.wait()
DUMP(fork=FORK)
DONE.set()
"""


@pytest.mark.parametrize("leak", LEAKS)
def test_a_holder_has_the_names_of_the_program(leak, tmp_path):
    program, path = LEAKS[leak]
    graph = graph_of(ROW + program, tmp_path)
    found = [re.sub(r" \(.*/leak.py:\d+\)", "", step) for step in path_to(graph, "leak.Row")]
    assert found == [*path, "leak.Row"]


def test_the_variables_of_a_task_are_found_through_its_coroutine(tmp_path):
    path = path_to(graph_of(ROW + TASKS, tmp_path), "leak.Row")
    assert path[-5:] == ["_asyncio.Task", "._coro", "coroutine work", "local row", "leak.Row"]


@pytest.mark.parametrize("fork", ["False", "True"])
def test_the_data_of_another_thread_is_held_by_its_thread_local(fork, tmp_path):
    graph = graph_of(ROW + THREADS.replace("FORK", fork), tmp_path)
    assert path_to(graph, "leak.Row") == [
        *IN_MODULE, ".LOCAL", "_thread._local", "(data of a thread)", "dict", ".session", "leak.Row",
    ]  # fmt: skip


def test_a_weak_reference_is_drawn_and_holds_nothing(tmp_path):
    graph = graph_of(
        ROW + "import weakref\nW = weakref.WeakValueDictionary()\nrow = Row()\nW['x'] = row\ndel row\n"
        "keep = []\nkeep.append(Row()); W['y'] = keep[0]\nDUMP()",
        tmp_path,
    )
    [row] = numbers_of(graph, "leak.Row")
    weak = [
        graph.type_name(number)
        for number in range(len(graph))
        for reference in graph.references(number)
        if reference.target == row and reference.strength == WEAK
    ]
    assert weak == ["weakref.KeyedRef"]


def test_sizes_are_those_of_getsizeof_and_of_the_attributes_beside_the_object(tmp_path):
    program = """
class Text(str): pass
class Many(list): pass
class Slot: __slots__ = ("a", "b")
class Plain:
    def __init__(self): self.a, self.b, self.c = 1, 2, 3
class Odd:
    def __sizeof__(self): return 1 << 50
THINGS = [Text("x" * 100), Many([1] * 50), Slot(), {1: 2}, b"x" * 1000, [1] * 9, {3, 4}, 1 << 300, bytearray(77), Odd()]
SIZES = [sys.getsizeof(thing) for thing in THINGS[:-1]]
one = Plain()
before = sys.getsizeof(one)
PLAIN = [Plain() for _ in range(3)]
DUMP()
print(*SIZES, before)
"""
    ran = run(program, tmp_path)
    assert ran.returncode == 0, ran.stderr
    *sizes, bare = map(int, ran.stdout.split())
    graph = cpython_graph.read((tmp_path / "heap.cgraph").read_bytes())
    [things] = [
        reference.target
        for number in graph.named
        if graph.name(number) == "module leak"
        for reference in graph.references(number)
        if str(reference.label) == ".THINGS"
    ]
    held = [reference.target for reference in graph.references(things)]
    found = {graph.type_name(number): graph.size_of(number) for number in held}
    assert sorted(found.values()) == sorted([*sizes, found["leak.Odd"]])
    assert found["leak.Odd"] < 1000
    plain = [graph.size_of(number) for number in numbers_of(graph, "leak.Plain")]
    assert all(size >= bare + 3 * 8 for size in plain[1:])


def test_every_object_is_there_once(tmp_path):
    graph = graph_of(
        ROW + "ROWS = [Row() for _ in range(70_000)]\nBOOK = {i: Row() for i in range(70_000)}\nDUMP()", tmp_path
    )
    assert len(numbers_of(graph, "leak.Row")) == 140_000
    lengths = sorted(graph.first[n + 1] - graph.first[n] for n in range(1, len(graph)))
    assert lengths[-2:] == [70_000, 140_000]
    assert graph.coverage == 1.0
    assert graph.warnings == ()


def test_a_class_of_its_own_instances_is_held_by_them(tmp_path):
    graph = graph_of(
        "def make():\n  class Fresh: pass\n  return Fresh()\nKEEP = [make() for _ in range(3)]\nDUMP()", tmp_path
    )
    assert path_to(graph, "leak.make.<locals>.Fresh")[-2:] == ["[]", "leak.make.<locals>.Fresh"]
    classes = [n for n in graph.named if graph.name(n) == "class leak.make.<locals>.Fresh"]
    assert len(classes) == 3
    roots = {reference.target for reference in graph.references(ROOTS)}
    assert not roots & set(classes)


def test_an_object_that_only_c_holds_is_a_root_and_is_called_so(tmp_path):
    graph = graph_of(ROW + "import atexit\natexit.register(lambda row: None, Row())\nDUMP()", tmp_path)
    path = path_to(graph, "leak.Row")
    if sys.version_info < (3, 14):  # from then on a list that the collector knows
        assert path[0] == "(held by C code, or a cycle)"
    assert any("atexit" in comment for comment in graph.comments)


def test_a_cycle_without_a_holder_has_one_entry(tmp_path):
    graph = graph_of(
        "import gc\ngc.disable()\nclass Node: pass\na = Node(); b = Node(); a.x = b; b.x = a; b.y = Node()\n"
        "del a, b\nDUMP()",
        tmp_path,
    )
    nodes = set(numbers_of(graph, "leak.Node"))
    assert len(nodes) == 3
    assert len([1 for reference in graph.references(ROOTS) if reference.target in nodes]) == 1


def test_allocation_sites_come_from_tracemalloc(tmp_path):
    graph = graph_of(
        ROW + "import tracemalloc\ntracemalloc.start()\nROWS = [Row() for _ in range(5)]\nDUMP()", tmp_path
    )
    found = {graph.site[number] for number in numbers_of(graph, "leak.Row")}
    lines = (tmp_path / "leak.py").read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.startswith("ROWS"))
    assert {graph.sites[site] for site in found if site >= 0} == {f"{tmp_path}/leak.py:{line}"}
    assert -1 not in found


def test_without_tracemalloc_there_are_no_sites(tmp_path):
    assert len(graph_of("DUMP()", tmp_path).site) == 0


def test_types_have_their_names_owners_and_kinds(tmp_path):
    graph = graph_of("import collections\nclass A: pass\nA1 = A(), collections.Counter('aab')\nDUMP()", tmp_path)
    types = graph.types
    rows = dict(zip(types.name[:-1], zip(types.kind, types.owner, strict=True), strict=False))
    assert rows["leak.A"] == ("object", "leak")
    assert rows["collections.Counter"] == ("object", "collections")
    assert rows["dict"] == ("object", "builtins")
    assert rows["str"] == ("string", "builtins")
    assert rows["type"] == ("class", "builtins")
    assert rows["function"] == ("closure", "builtins")


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("small")
    graph_of(ROW + "CACHE = {i: Row() for i in range(9)}\nDUMP()", folder)
    return (folder / "heap.cgraph").read_bytes()


@pytest.mark.parametrize("share", [0.6, 0.9, 0.999])
def test_a_file_that_was_cut_short_gives_a_part_and_says_so(small, share):
    graph = cpython_graph.read(small[: int(len(small) * share)])
    assert 0 < graph.coverage < 1
    assert any("cut short" in warning for warning in graph.warnings)


def test_a_file_without_an_object_is_an_error(small):
    for length in (0, 8, 15, 16, 40, 300):
        with pytest.raises(MalformedDump):
            cpython_graph.read(small[:length])


def test_another_version_is_refused(small):
    with pytest.raises(MalformedDump, match="version 7"):
        cpython_graph.read(small[:8] + b"\7" + small[9:])


def test_both_forms_of_the_kernel_agree(small, monkeypatch):
    one = cpython_graph.read(small)
    monkeypatch.setattr(cpython_graph, "kernel", uncompiled.load("cpython_graph"))
    other = cpython_graph.read(small)
    for name in ("type", "size", "first", "target", "label", "named", "naming"):
        assert list(getattr(one, name)) == list(getattr(other, name)), name
