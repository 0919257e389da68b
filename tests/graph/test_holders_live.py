"""Holders in dumps of real runtimes: each leak that a program plants is found, under the name that its source has."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dumped import graph_of, run
from test_holders import findings, held

from caulk.analysis import holders
from caulk.formats import cpython_graph, heap_snapshot, hprof
from caulk.formats.source import open_source
from caulk.model.records import Finding

PYTHON = """
import collections, functools

class Quote:
    def __init__(self, n):
        self.note, self.price = f"quote {n}" * 4, float(n)

class Book:
    def __init__(self):
        self.orders = collections.deque(Quote(n) for n in range(6000))

class Node:
    def __init__(self, before):
        self.before, self.payload = before, bytes(400)

CACHE = {n: Quote(n) for n in range(9000)}
BOOK = Book()
LISTENERS = []
last = None
for n in range(3000):
    last = Node(last)

def listen(n):
    payload = bytearray(800)
    def on_event(event):
        return payload
    LISTENERS.append(on_event)

for n in range(2000):
    listen(n)

@functools.lru_cache(None)
def price_of(n):
    return bytes(500)

for n in range(4000):
    price_of(n)

def work():
    pending = [bytearray(300) for _ in range(5000)]
    DUMP()

work()
"""

NODE = """
const { writeHeapSnapshot } = require('node:v8');
const { EventEmitter } = require('node:events');
class Quote { constructor(n) { this.bid = { n }; this.symbol = 'SYMBOL-' + n; } }
class QuoteCache { constructor() { this.byId = new Map(); } }
class Session { constructor(n) { this.basket = [n]; } }
const held = { cache: new QuoteCache(), bus: new EventEmitter(), seen: new Set() };
held.bus.setMaxListeners(0);
for (let n = 0; n < 9000; n++) held.cache.byId.set('token-' + n, new Quote(n));
for (let n = 0; n < 4000; n++) {
  const session = new Session(n);
  held.bus.on('tick', function onTick() { return session; });
}
for (let n = 0; n < 6000; n++) held.seen.add(new Session(n));
for (let n = 0; n < 4000; n++) setTimeout(function retry() { return n; }, 3600000);
held.chain = new Promise(() => {});
let last = held.chain;
for (let n = 0; n < 4000; n++) last = last.then(() => n);
globalThis.held = held;
writeHeapSnapshot(process.argv[2]);
process.exit(0);
"""


def kept(found: tuple[Finding, ...]) -> dict[str | None, tuple[str, str | None, int | None]]:
    return {f.holder: (f.pattern, f.type, f.count) for f in found}


def test_what_a_python_program_keeps_has_the_names_of_its_source(tmp_path):
    found = kept(findings(graph_of(PYTHON, tmp_path)))
    assert found["leak.CACHE"] == ("collection", "leak.Quote", 9000)
    assert found["leak.Book.orders"] == ("collection", "leak.Quote", 6000)
    assert found["leak.LISTENERS"] == ("listener", "leak.listen.<locals>.on_event", 2000)
    assert found["leak.last"] == ("collection", "leak.Node", 3000)
    assert found["local pending of leak.work"][2] == 5000
    assert found["leak.price_of"] == ("cache", "bytes", 4000)


def test_a_local_of_a_frame_that_runs_on_is_not_a_new_holder(tmp_path):
    program = """
def work():
    constant = [bytearray(300) for _ in range(9000)]
    pending = []
    for name in ("1", "2"):
        pending.extend(bytearray(300) for _ in range(9000))
        if name == "1":
            _dumper.dump(PATH + name)
        else:
            _dumper.dump(PATH + name)

work()
"""
    ran = run(program, tmp_path)
    assert ran.returncode == 0, ran.stderr
    graphs = [cpython_graph.read((tmp_path / f"heap.cgraph{name}").read_bytes()) for name in "12"]
    _, found = holders.analyse([held(graph) for graph in graphs])
    assert [f.holder for f in found] == ["local pending of leak.work"]
    assert found[0].growth_count == 9000


def test_what_a_node_program_keeps_has_the_names_of_its_source(tmp_path: Path, require: Callable[[str], str]):
    (tmp_path / "service.cjs").write_text(NODE)
    dump = tmp_path / "service.heapsnapshot"
    subprocess.run([require("node"), tmp_path / "service.cjs", dump], check=True, capture_output=True, timeout=60)
    found = {f.holder: f for f in findings(heap_snapshot.read(open_source(str(dump)).data))}
    assert (found["QuoteCache.byId"].type, found["QuoteCache.byId"].count) == ("Quote", 9000)
    emitter = next(f for f in found.values() if f.pattern == "listener")
    assert emitter.holder == "global.held.bus"
    # The engine itself may keep one of the functions too, which is then not the emitter's alone.
    assert 3999 <= emitter.count <= 4000
    assert "functions `onTick` (service.cjs:" in emitter.title
    assert found["global.held.seen"].count == 6000
    chain = next(f for f in found.values() if f.pattern == "promise")
    assert (chain.holder, chain.type) == ("global.held.chain", "Promise")
    # Reactions are what is counted: each waits for one promise and has the next.
    assert chain.count in (4000, 4001)
    timers = next(f for f in found.values() if f.pattern == "timer")
    assert timers.count == 4000


@pytest.fixture(scope="module")
def java_dumps(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]) -> list[Path]:
    folder = tmp_path_factory.mktemp("java")
    source = Path(__file__).parents[2] / "bench/programs/HeapMaker.java"
    subprocess.run([require("javac"), "-d", folder, source], check=True, capture_output=True, timeout=120)
    command = [require("java"), "-cp", folder, "com.example.HeapMaker", "growing", folder / "heap-%.hprof", "8000"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [folder / f"heap-{turn}.hprof" for turn in (1, 2, 3)]


def test_what_a_java_program_keeps_has_the_names_of_its_source(java_dumps):
    found = kept(findings(hprof.read(open_source(str(java_dumps[0])).data)))
    name = "com.example."
    assert found[f"{name}OrderBook.OPEN"] == ("collection", f"{name}Ticket", 28_000)
    assert found[f"{name}Catalogue.PRODUCTS"] == ("collection", f"{name}Product", 30_000)
    assert found[f"{name}HeapMaker.KEPT"] == ("class-loader", f"{name}Plugin", 50)
    assert found["thread-local Workers.SEEN"] == ("thread-local", f"{name}Session", 4_800)
    assert found[f"{name}Log.last"] == ("collection", f"{name}Step", 20_000)
    assert found[f"{name}Log.LINES"] == ("collection", "java.lang.String", 10_000)
    assert found[f"{name}Buffers.DEAD"][0] == "weak-references"
    pattern, lambdas, count = found[f"{name}EventBus.listeners"]
    assert (pattern, count) == ("listener", 5_800)
    assert lambdas.startswith(f"{name}Page$$Lambda")


def test_what_grows_in_a_java_program_is_told_from_a_larger_catalogue(java_dumps):
    graphs = [hprof.read(open_source(str(dump)).data) for dump in java_dumps]
    verdict, found = holders.analyse([held(graph) for graph in graphs])
    assert verdict.state == "leaking"
    assert (found[0].holder, found[0].growth_count) == ("com.example.OrderBook.OPEN", 16_000)
    assert "com.example.Catalogue.PRODUCTS" not in {f.holder for f in found}
