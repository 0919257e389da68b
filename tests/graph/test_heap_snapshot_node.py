"""Snapshots that the Node.js of this machine writes: what its programs hold has the names of the program."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from caulk.formats import heap_snapshot
from caulk.formats.source import open_source
from caulk.model.graph import NEVER, STRONG, WEAK, ObjectGraph

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js")

PROGRAM = """
const { writeHeapSnapshot } = require('node:v8');
const { EventEmitter } = require('node:events');
class Quote { constructor(n) { this.bid = { n }; this.symbol = 'SYMBOL-' + n; } }
class QuoteCache { constructor() { this.byId = new Map(); } }
class Session { constructor() { this.basket = [1]; } }
const held = { cache: new QuoteCache(), bus: new EventEmitter(), byUser: {}, ids: new WeakMap() };
held.handlers = [];
held.keys = [];
for (let n = 0; n < 300; n++) held.cache.byId.set('token-' + n, new Quote(n));
for (let n = 0; n < 20; n++) {
  const session = new Session();
  held.handlers.push(function handleRequest() { return session; });
  held.bus.on('tick', function onTick() {});
  const key = {};
  held.keys.push(key);
  held.ids.set(key, new Session());
}
for (let n = 0; n < 100; n++) {
  held.byUser['tokenOfUser' + String.fromCharCode(65 + n % 26, 65 + n / 26)] = new Session();
}
held.few = {};
for (const name of ['lice', 'nne', 'ria']) held.few['a' + name] = new Session();
globalThis.held = held;
writeHeapSnapshot(process.argv[2]);
process.exit(0);
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> ObjectGraph:
    folder: Path = tmp_path_factory.mktemp("node")
    (folder / "service.cjs").write_text(PROGRAM)
    dump = folder / "service.heapsnapshot"
    assert NODE
    subprocess.run([NODE, folder / "service.cjs", dump], check=True, capture_output=True, timeout=60)
    return heap_snapshot.read(open_source(str(dump)).data)


def objects(graph: ObjectGraph, name: str, kind: str = "object") -> list[int]:
    types = {n for n in range(len(graph.types)) if (graph.types.name[n], graph.types.kind[n]) == (name, kind)}
    return [number for number in range(len(graph)) if graph.type[number] in types]


def follow(graph: ObjectGraph, number: int, *labels: str) -> int:
    for label in labels:
        number = next(r.target for r in graph.references(number) if str(r.label) == label)
    return number


def test_a_cache_is_a_path_of_fields_and_keys(graph):
    (cache,) = [n for n in objects(graph, "QuoteCache") if any(str(r.label) == ".byId" for r in graph.references(n))]
    table = follow(graph, cache, ".byId", "(table)")
    assert graph.type_name(follow(graph, cache, ".byId")) == "Map"
    held = Counter(graph.type_name(r.target) for r in graph.references(table) if str(r.label) == "[key]")
    assert held == {"(string)": 300, "Quote": 300}


def test_a_closure_has_its_function_its_line_and_its_variable(graph):
    closures = objects(graph, "handleRequest", "closure")
    assert len(closures) == 20
    assert {graph.name(n).rpartition("/")[2] for n in closures} == {"service.cjs:13"}
    assert {graph.types.owner[graph.type[n]].rpartition("/")[2] for n in closures} == {"service.cjs"}
    captured = Counter(graph.type_name(follow(graph, n, "(context)", "variable session")) for n in closures)
    assert captured == {"Session": 20}


def test_values_of_a_weak_map_are_held_by_their_keys_only(graph):
    pairs = Counter(
        (graph.type_name(n), reference.strength)
        for n in [*objects(graph, "Object"), *objects(graph, "(hash table)", "internal")]
        for reference in graph.references(n)
        if str(reference.label) == "(value in WeakMap)" and graph.type_name(reference.target) == "Session"
    )
    assert pairs == {("Object", STRONG): 20, ("(hash table)", NEVER): 20}


def test_an_object_that_is_used_as_a_map_has_keys_and_no_names(graph):
    holders = [
        n
        for n in objects(graph, "Object")
        if sum(graph.type_name(r.target) == "Session" and str(r.label) == "[key]" for r in graph.references(n)) == 100
    ]
    assert len(holders) == 1


def test_a_few_keys_that_could_be_names_are_keys_where_no_code_has_them(graph):
    (few,) = {
        reference.target
        for n in objects(graph, "Object")
        for reference in graph.references(n)
        if str(reference.label) == ".few"
    }
    labels = Counter(str(r.label) for r in graph.references(few) if graph.type_name(r.target) == "Session")
    assert labels == {"[key]": 3}


def test_no_key_and_no_text_of_the_program_is_in_any_name(graph):
    names = [*graph.types.name, *graph.types.owner, *map(str, graph.labels), *graph.strings]
    assert [name for name in names if "token-" in name or "tokenOfUser" in name or "SYMBOL-" in name] == []
    assert {"alice", "anne", "aria"}.isdisjoint(label.name for label in graph.labels)


def test_what_only_weak_references_reach_is_told_apart(graph):
    strengths = Counter(word >> 30 for word in graph.label)
    assert strengths[STRONG] > 10 * strengths[WEAK] > 0
    assert graph.runtime == "node"
    assert graph.coverage == 1


def test_the_sizes_add_up_to_what_node_says_of_its_heap(tmp_path):
    program = """
        const v8 = require('node:v8');
        v8.writeHeapSnapshot(process.argv[1]);
        process.stdout.write(`${v8.getHeapStatistics().used_heap_size}`);
    """
    assert NODE
    dump = tmp_path / "x.heapsnapshot"
    used = int(subprocess.run([NODE, "-e", program, dump], check=True, capture_output=True, timeout=60).stdout)
    graph = heap_snapshot.read(dump.read_bytes())
    natives = sum(size for size, t in zip(graph.size, graph.type, strict=True) if graph.types.kind[t] == "native")
    assert sum(graph.size) - natives == pytest.approx(used, rel=0.25)
