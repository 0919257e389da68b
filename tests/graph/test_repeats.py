"""Duplicate strings as a finding of `caulk analyze`: on dumps of real programs, behind every holder, without a text."""

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from snapshots import snapshot

from caulk import app
from caulk.cli import carry_out as run
from caulk.formats.heap_snapshot import duplicates as of_snapshot

TOKEN = "Xq7Planted"
PATTERN = "string-duplicates"

#: Orders with one of so many texts, in dumps of which each has as many orders more.
JAVA = """
package com.example;
import java.lang.management.ManagementFactory;
import java.util.*;
public class Symbols {
  static class Order { final String symbol; Order(String symbol) { this.symbol = symbol; } }
  static final List<Order> ORDERS = new ArrayList<>();
  public static void main(String[] args) throws Exception {
    var bean = ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class);
    int texts = Integer.parseInt(args[1]);
    for (int dump = 1; dump <= Integer.parseInt(args[2]); dump++) {
      for (int i = 0; i < 40000; i++) ORDERS.add(new Order("Xq7Planted " + (ORDERS.size() % texts)));
      bean.dumpHeap(args[0] + dump + ".hprof", false);
    }
  }
}
"""

NODE = """
const { writeHeapSnapshot } = require('node:v8');
class Order { constructor(symbol) { this.symbol = symbol; } }
const held = { orders: [] };
for (let n = 0; n < 40000; n++) {
  held.orders.push(new Order(Buffer.from('Xq7Planted '.repeat(8) + (n % Number(process.argv[3]))).toString()));
}
globalThis.held = held;
writeHeapSnapshot(process.argv[2]);
"""


@pytest.fixture(scope="module")
def classes(java, require, tmp_path_factory) -> list[str | Path]:
    folder = tmp_path_factory.mktemp("classes")
    (folder / "Symbols.java").write_text(JAVA)
    subprocess.run([require("javac"), "-d", folder, folder / "Symbols.java"], check=True, capture_output=True)
    return [java, "-cp", folder, "com.example.Symbols"]


@pytest.fixture(scope="module")
def jvm(classes, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("jvm")
    subprocess.run([*classes, f"{folder}/", "50", "3"], check=True, capture_output=True, timeout=120)
    return [folder / f"{number}.hprof" for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def v8(node, tmp_path_factory) -> Path:
    return written_by_node(node, tmp_path_factory.mktemp("v8"), texts=50)


@pytest.fixture(params=["jvm", "v8"])
def dump(request) -> Path:
    found = request.getfixturevalue(request.param)
    return found[0] if isinstance(found, list) else found


def written_by_node(node: str, folder: Path, *, texts: int) -> Path:
    (folder / "symbols.cjs").write_text(NODE)
    dump = folder / "symbols.heapsnapshot"
    subprocess.run([node, folder / "symbols.cjs", dump, str(texts)], check=True, capture_output=True, timeout=120)
    return dump


def analysed(capsys: Any, *arguments: str | Path) -> dict[str, Any]:
    run(["analyze", *map(str, arguments), "-o", "json", "--exit-zero"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def repeats(analysis: dict[str, Any]) -> dict[str, Any]:
    [finding] = [finding for finding in analysis["findings"] if finding["pattern"] == PATTERN]
    return dict(finding)


def test_the_finding_says_what_equal_strings_waste_and_who_holds_most_of_them(dump, capsys):
    finding = repeats(analysed(capsys, dump))
    assert finding["title"].startswith("Duplicate strings waste ")
    assert finding["holder"] in ("Symbols$Order.symbol", "Order.symbol")
    assert f"most of them held by `{finding['holder']}`" in finding["title"]
    assert finding["type"] in ("java.lang.String", "(string)")
    assert run(["strings", str(dump), "-o", "json"]) == 0
    exact = json.loads(capsys.readouterr().out)
    assert (finding["bytes"], finding["count"]) == (exact["wasted"], exact["copies"])
    assert 40_000 <= finding["count"] < 45_000


def test_the_finding_comes_behind_every_holder_and_is_no_verdict(dump, capsys):
    found = analysed(capsys, dump)
    assert [finding["pattern"] == PATTERN for finding in found["findings"]].index(True) == len(found["findings"]) - 1
    assert found["findings"][0]["pattern"] == "collection"
    assert [finding["rank"] for finding in found["findings"]] == list(range(1, len(found["findings"]) + 1))
    assert "Duplicate strings" not in found["verdict"]["sentence"]


def test_a_leak_of_equal_strings_is_named_by_its_holder_and_only_then_by_its_strings(jvm, capsys):
    found = analysed(capsys, *jvm)
    assert found["verdict"]["state"] == "leaking"
    assert found["findings"][0]["holder"] == "com.example.Symbols.ORDERS"
    finding = repeats(found)
    assert finding["rank"] == len(found["findings"]) > 1
    assert 120_000 <= finding["count"] < 125_000


@pytest.mark.parametrize("output", ["table", "json", "html"])
def test_no_text_is_shown(dump, capsys, output):
    run(["analyze", str(dump), "-o", output])
    shown = capsys.readouterr().out
    assert "Duplicate strings" in shown
    assert TOKEN not in shown


def test_strings_that_all_differ_are_not_compared(classes, node, tmp_path, capsys, monkeypatch):
    subprocess.run([*classes, f"{tmp_path}/", "40000", "1"], check=True, capture_output=True, timeout=120)
    monkeypatch.setattr("caulk.formats.contents.duplicates", None)
    for dump in (tmp_path / "1.hprof", written_by_node(node, tmp_path, texts=40_000)):
        assert PATTERN not in {finding["pattern"] for finding in analysed(capsys, dump)["findings"]}


def test_a_heap_of_few_strings_is_not_looked_at(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("caulk.formats.contents.repeated", None)
    dump = tmp_path / "small.heapsnapshot"
    dump.write_bytes(snapshot("root = synthetic ''\na = string 'GET' 16\nroot element '1' -> a"))
    assert analysed(capsys, dump)["totals"]


def test_an_index_and_a_compressed_dump_give_the_same_finding(dump, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    monkeypatch.setattr(app, "_INDEXED_BYTES", 0)
    first = repeats(analysed(capsys, dump))
    assert any(tmp_path.rglob("*.index"))
    monkeypatch.setattr("caulk.formats.contents.repeated", None)
    assert repeats(analysed(capsys, dump)) == first
    monkeypatch.undo()
    compressed = tmp_path / f"dump{dump.suffix}.gz"
    compressed.write_bytes(gzip.compress(dump.read_bytes(), 1))
    assert repeats(analysed(capsys, compressed)) == first


def test_a_redacted_dump_has_no_strings_to_compare(dump, capsys, tmp_path):
    redacted = tmp_path / f"redacted{dump.suffix}"
    assert run(["redact", str(dump), str(redacted)]) == 0
    assert PATTERN not in {finding["pattern"] for finding in analysed(capsys, redacted)["findings"]}


def test_a_look_at_a_snapshot_sees_as_much_as_there_is_whatever_fields_its_nodes_have():
    strings = "\n".join(f"s{n} = string 'text {n % 10}' 32" for n in range(1000))
    for fields in (("type", "name", "id", "self_size", "edge_count"), ("self_size", "edge_count", "name", "type")):
        text = snapshot(f"root = synthetic '' 0\n{strings}", fields=fields)
        head, _, rest = text.partition(b'"nodes":')
        rows, _, tail = rest.partition(b"]")
        numbers = rows.strip(b" [").replace(b" ", b"").split(b",")
        lines = [b",".join(numbers[at : at + len(fields)]) for at in range(0, len(numbers), len(fields))]
        found = of_snapshot.repeated(head + b'"nodes":[' + b"\n,".join(lines) + b"\n]" + tail)
        # Of so small a file each piece is a few rows, and loses those at its ends.
        assert 0.5 < found < 0.99
        assert of_snapshot.repeated(text) == 0
