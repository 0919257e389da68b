"""Types counted without a graph: the same numbers as the graph has, over all objects, held or not."""

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hprofs import INT, OBJECT, Hprof
from snapshots import snapshot

from caulk._core import uncompiled
from caulk.formats import heap_snapshot, hprof
from caulk.formats.heap_snapshot import counting, text
from caulk.formats.source import open_source
from caulk.model.census import Census
from caulk.model.graph import ROOTS, ObjectGraph

PROGRAMS = Path(__file__).parents[2] / "bench/programs"
Row = tuple[int, int]


@pytest.fixture(scope="module")
def java(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("java")
    subprocess.run([require("javac"), "-d", folder, PROGRAMS / "HeapMaker.java"], check=True)
    maker = [require("java"), "-cp", folder, "com.example.HeapMaker", "size", folder / "java.hprof", "60000"]
    subprocess.run(maker, check=True, capture_output=True, timeout=120)
    return open_source(str(folder / "java.hprof")).data  # type: ignore[return-value]


@pytest.fixture(scope="module")
def node(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    dump = tmp_path_factory.mktemp("node") / "node.heapsnapshot"
    maker = [require("node"), PROGRAMS / "heap_maker.mjs", "size", dump, "60000"]
    subprocess.run(maker, check=True, capture_output=True, timeout=120)
    return open_source(str(dump)).data  # type: ignore[return-value]


def of_graph(graph: ObjectGraph, first: int) -> dict[str, Row]:
    count, size = Counter(graph.type[first:]), Counter[int]()
    for number in range(first, len(graph)):
        size[graph.type[number]] += graph.size_of(number)
    found: dict[str, Row] = {}
    for of, objects in count.items():
        before = found.get(graph.types.name[of], (0, 0))
        found[graph.types.name[of]] = (before[0] + objects, before[1] + size[of])
    return found


def of_census(census: Census) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for name, objects, size in zip(census.types.name, census.count, census.shallow, strict=True):
        before = found.get(name, (0, 0))
        found[name] = (before[0] + objects, before[1] + size)
    return {name: row for name, row in found.items() if row[0]}


def test_a_jvm_heap_has_the_types_that_its_graph_has(java):
    assert of_census(hprof.census(java)) == of_graph(hprof.read(java), ROOTS + 1)


def test_types_of_a_jvm_heap_have_the_owners_that_its_graph_has(java):
    census, graph = hprof.census(java), hprof.read(java)
    seen = {t for t, objects in enumerate(census.count) if objects}
    assert {(census.types.name[t], census.types.owner[t]) for t in seen} == {
        (graph.types.name[t], graph.types.owner[t]) for t in set(graph.type[1:])
    }


def test_objects_of_classes_that_are_missing_and_objects_that_nothing_holds_are_counted():
    dump = Hprof().loaded(java__lang__Object=0x100, com__example__Ticket=0x108)
    dump.heap(
        dump.klass(0x100),
        dump.klass(0x108, above=0x100, fields=[("next", OBJECT), ("number", INT)], size=12),
        dump.instance(0x200, 0x108, (OBJECT, 0), (INT, 7)),
        dump.instance(0x218, 0x108, (OBJECT, 0x200), (INT, 8)),
        dump.instance(0x230, 0x999, (INT, 1), (INT, 2)),
        dump.objects(0x300, 0x777, 0x200, 0),
        dump.primitives(0x400, INT, 1, 2, 3),
        dump.root(0x05, 0x108),
    ).end()
    census = hprof.census(dump.data)
    assert of_census(census) == of_graph(hprof.read(dump.data), ROOTS + 1)
    assert of_census(census)["com.example.Ticket"][0] == 2
    assert census.warnings == hprof.read(dump.data).warnings


def test_a_snapshot_has_the_types_that_its_graph_has_but_for_what_only_references_tell(node):
    census, graph = of_census(heap_snapshot.census(node)), of_graph(heap_snapshot.read(node), 0)
    # Tables of maps and sets are known by who refers to them; here they are the arrays that they are made of.
    # What is detached is so by its parent.
    assert merged(census) == merged(graph)


def merged(rows: dict[str, Row]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for name, (objects, size) in rows.items():
        plain = "(array)" if name == "(hash table)" else name.removeprefix("Detached ")
        before = found.get(plain, (0, 0))
        found[plain] = (before[0] + objects, before[1] + size)
    return found


SMALL = """
    root = synthetic '' 0
    quote = object 'Quote' 24
    other = object 'Quote' 32
    text = string 'a secret' 16
    scope = object 'system / Context / scope @12' 40
    gone = native 'Detached <div class="x">' 8
    root property 'a' -> quote
"""


@pytest.mark.parametrize(
    "order", [None, ("snapshot", "strings", "nodes", "edges"), ("strings", "edges", "nodes", "snapshot")]
)
def test_the_order_of_a_snapshots_sections_does_not_matter(order):
    data = snapshot(SMALL, order=order) if order else snapshot(SMALL)
    census = heap_snapshot.census(data)
    assert of_census(census) == of_graph(heap_snapshot.read(data), 0)
    assert of_census(census)["Quote"] == (2, 56)
    assert census.warnings == ()


def test_a_snapshot_that_was_cut_gives_the_types_before_the_cut_and_says_so():
    data = snapshot(SMALL)
    cut = data[: data.index(b'"edges"')]
    census = heap_snapshot.census(cut)
    assert sum(census.count) == 6
    assert "cut short" in census.warnings[0]


def test_an_extent_is_near_to_what_is_read(java, node):
    for module, data in ((hprof, java), (heap_snapshot, node)):
        extent, graph = module.extent(data), module.read(data)
        assert 0.5 < extent.objects / len(graph) < 2, module
        assert 0.5 < extent.references / len(graph.target) < 2, module


def test_a_snapshot_does_not_claim_more_than_its_bytes_can_hold():
    data = snapshot(SMALL).replace(b'"node_count":6', b'"node_count":2000000000')
    assert b"2000000000" in data
    assert heap_snapshot.extent(data).objects < len(data)


def test_sizes_that_no_memory_has_do_not_overflow():
    data = snapshot("root = synthetic '' 0\n" + "\n".join(f"a{n} = object 'A' {10**16}" for n in range(1000)))
    census = heap_snapshot.census(data)
    assert of_census(census)["A"] == (1000, (1 << 63) - 1)


def test_kernels_run_uncompiled_with_the_same_answer(monkeypatch):
    data = snapshot(SMALL)
    compiled = of_census(heap_snapshot.census(data))
    monkeypatch.setattr(counting, "Tally", uncompiled.load("census").Tally)
    monkeypatch.setattr(text, "Scanner", uncompiled.load("heap_snapshot").Scanner)
    monkeypatch.setattr(text, "Rows", uncompiled.load("heap_rows").Rows)
    assert of_census(heap_snapshot.census(data)) == compiled
