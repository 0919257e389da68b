"""Collections that are empty or nearly: told for every runtime from sizes and references."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dumped import run as run_python
from heaps import Heap, heap

from caulk._core import uncompiled
from caulk.analysis.objects import fill
from caulk.analysis.objects.dominators import dominators
from caulk.cli import carry_out as run

LIST, SET, MAP, TREE = "java.util.ArrayList", "java.util.HashSet", "java.util.HashMap", "java.util.TreeMap"
NODES = "java.util.HashMap$Node[]"
#: 16 bytes of head, and as many slots of 8 bytes as are not said otherwise.
TABLE = 16 + 16 * 8

JAVA = """
package com.example;
import java.lang.management.ManagementFactory;
import java.util.*;
public class Waste {
  static class Session {
    Map<String, String> tags = new HashMap<>();
    List<Object> basket = new ArrayList<>(40);
    Set<Integer> seen = new HashSet<>();
    Session(int n) { tags.put("user", "x"); if (n % 2 == 0) basket.add(this); seen.add(n); seen.remove(n); }
  }
  static List<Session> SESSIONS = new ArrayList<>();
  static Map<Integer, Integer> FULL = new HashMap<>();
  public static void main(String[] args) throws Exception {
    for (int n = 0; n < 2000; n++) SESSIONS.add(new Session(n));
    for (int n = 0; n < 3000; n++) FULL.put(n, n);
    ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class).dumpHeap(args[0], true);
  }
}
"""

NODE = """
const { writeHeapSnapshot } = require('node:v8');
class Session { constructor(n) { this.tags = new Map(); this.seen = new Set([1]); this.list = []; this.sums = [n]; } }
globalThis.sessions = Array.from({ length: 2000 }, (_, n) => new Session(n));
globalThis.numbers = new Set(Array.from({ length: 5000 }, (_, n) => n));
writeHeapSnapshot(process.argv[2]);
"""

PYTHON = """
class Session:
    __slots__ = ("tags", "seen", "items", "sparse")
    def __init__(self):
        self.tags, self.seen, self.items, self.sparse = {}, set(), [], dict.fromkeys(range(100))
        for n in range(95):
            del self.sparse[n]
SESSIONS = [Session() for _ in range(2000)]
DUMP()
"""


def filled(text: str, runtime: str = "jvm") -> tuple[Heap, fill.Filling]:
    graph = heap(text)
    found = graph.numbers
    graph = replace_runtime(graph, runtime)
    object.__setattr__(graph, "numbers", found)
    return graph, fill.filling(graph, dominators(graph))


def replace_runtime(graph: Heap, runtime: str) -> Heap:
    kinds = [
        "array" if name.endswith("[]") else kind for name, kind in zip(graph.types.name, graph.types.kind, strict=True)
    ]
    return replace(graph, runtime=runtime, types=replace(graph.types, kind=kinds))


def row(text: str, kind: str, runtime: str = "jvm") -> tuple[int, int, int, int]:
    """Collections of a type, the empty, the nearly empty, and what they waste."""
    graph, found = filled(text, runtime)
    number = list(graph.types.name).index(kind)
    return found.count[number], found.empty[number], found.nearly[number], found.wasted[number]


def entries(table: str, number: int, field: str = "[]") -> str:
    return "".join(f"; {table} -> {table}{n}.{field}" for n in range(number))


def test_an_empty_collection_wastes_itself_and_its_table():
    assert row(f"m:{MAP}*48!; m -> t.table; t:{NODES}*{TABLE}", MAP) == (1, 1, 0, 48 + TABLE)


def test_an_empty_collection_without_a_table_wastes_itself():
    assert row(f"m:{MAP}*48!; m -> v.values; v:T*16", MAP) == (1, 1, 0, 48)


def test_a_table_that_empty_collections_share_is_not_wasted():
    text = f"a:{LIST}*24! b:{LIST}*24!; a -> t.elementData; b -> t.elementData; t:Object[]*16"
    assert row(text, LIST) == (2, 2, 0, 48)


@pytest.mark.parametrize(("number", "nearly"), [(1, 1), (3, 1), (4, 0), (16, 0)])
def test_less_than_a_quarter_is_nearly_empty_and_wastes_its_unused_slots(number, nearly):
    text = f"m:{MAP}*48!; m -> t.table; t:{NODES}*{TABLE}{entries('t', number)}"
    assert row(text, MAP) == (1, 0, nearly, nearly * (16 - number) * 8)


def test_a_table_with_more_references_than_fit_says_how_wide_they_are():
    wide = f"m:{MAP}*48!; m -> t.table; t:{NODES}*{TABLE}{entries('t', 5)}"
    assert row(wide, MAP)[2] == 0
    assert row(f"{wide}; o:Other[]*32!{entries('o', 4)}", MAP)[2] == 0
    assert row(f"{wide}; o:Other[]*32!{entries('o', 5)}", MAP) == (1, 0, 1, (32 - 5) * 4)


def test_a_set_that_is_made_of_a_map_is_one_collection():
    text = f"s:{SET}*16!; s -> m.map; m:{MAP}*48; m -> t.table; t:{NODES}*{TABLE}"
    assert row(text, SET) == (1, 1, 0, 16 + 48 + TABLE)
    assert row(text, MAP) == (0, 0, 0, 0)


def test_a_tree_has_no_slots_and_can_only_be_empty():
    assert row(f"a:{TREE}*48! b:{TREE}*48!; b -> e.root; e -> k.key", TREE) == (2, 1, 0, 48)


def test_collections_that_nothing_holds_are_not_counted():
    assert row(f"m:{MAP}*48! g:{MAP}*48", MAP) == (1, 1, 0, 48)


def test_a_table_of_v8_that_may_be_full_of_numbers_is_not_called_empty():
    text = "m:Map*32! n:Map*32!; m -> s.table; s:T*152; n -> l.table; l:T*4000"
    assert row(text, "Map", "node") == (2, 1, 0, 32 + 152)
    assert row("a:Array*32! b:Array*32!; a -> e.elements; e:T*32", "Array", "node") == (2, 1, 0, 32)


def test_the_kernel_that_is_not_compiled_finds_the_same(monkeypatch):
    text = f"m:{MAP}*48!; m -> t.table; t:{NODES}*{TABLE}{entries('t', 3)}; s:{SET}*16!; s -> n.map; n:{MAP}*48"
    compiled = filled(text)[1]
    monkeypatch.setattr(fill, "kernel", uncompiled.load("contents"))
    assert filled(text)[1] == compiled
    assert sum(compiled.wasted)


def asked(capsys: Any, dump: Path) -> dict[str, dict[str, Any]]:
    """The rows of the verb, by type."""
    assert run(["waste", str(dump), "-o", "json", "--limit", "1000"]) == 0
    return {row["type"]: row for row in json.loads(capsys.readouterr().out)["rows"]}


def test_collections_of_a_jvm_are_found_and_named_by_their_field(java, require, tmp_path, capsys):
    (tmp_path / "Waste.java").write_text(JAVA)
    subprocess.run([require("javac"), "-d", tmp_path, tmp_path / "Waste.java"], check=True, capture_output=True)
    dump = tmp_path / "waste.hprof"
    subprocess.run([java, "-cp", tmp_path, "com.example.Waste", dump], check=True, capture_output=True, timeout=120)
    found = asked(capsys, dump)
    assert found[MAP]["nearly_empty"] >= 2000 and found[MAP]["holder"] == "Waste$Session.tags"
    assert found[SET]["empty"] >= 2000 and found[SET]["holder"] == "Waste$Session.seen"
    assert found[LIST]["empty"] >= 1000 and found[LIST]["nearly_empty"] >= 1000
    # The table of the full map has 8,192 slots at most.
    assert found[MAP]["wasted"] < 2000 * 16 * 8 + 8192 * 4
    assert run(["waste", str(dump)]) == 0
    assert "boxed numbers take" in capsys.readouterr().out


def test_collections_of_node_are_found_and_named_by_their_field(node, tmp_path, capsys):
    (tmp_path / "waste.cjs").write_text(NODE)
    dump = tmp_path / "waste.heapsnapshot"
    subprocess.run([node, tmp_path / "waste.cjs", dump], check=True, capture_output=True, timeout=120)
    found = asked(capsys, dump)
    assert found["Map"]["empty"] >= 2000 and found["Map"]["holder"] == "Session.tags"
    assert 2000 <= found["Array"]["empty"] < 4000 and found["Array"]["holder"] == "Session.list"
    assert found["Set"]["wasted"] < 2200 * 200


def test_collections_of_a_python_program_are_found_and_named_by_their_field(tmp_path, capsys):
    assert run_python(PYTHON, tmp_path).returncode == 0
    found = asked(capsys, tmp_path / "heap.cgraph")
    assert found["dict"]["empty"] >= 2000 and found["dict"]["nearly_empty"] >= 2000
    assert found["dict"]["holder"] in {"Session.tags", "Session.sparse"}
    assert found["set"]["empty"] >= 2000 and found["set"]["holder"] == "Session.seen"
    assert found["list"]["empty"] >= 2000 and found["list"]["holder"] == "Session.items"
