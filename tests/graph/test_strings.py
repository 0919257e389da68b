"""`caulk strings` on dumps of real programs: what is there twice, who holds it, no text until it is asked for."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dumped import run as run_python

from caulk import app
from caulk.cli import carry_out as run

TOKEN = "Xq7Planted"

JAVA = """
package com.example;
import java.lang.management.ManagementFactory;
import java.util.*;
public class Repeats {
  static class Order { String state; Order(String state) { this.state = state; } }
  static List<Order> ORDERS = new ArrayList<>();
  static Map<Integer, String> NAMES = new HashMap<>();
  static String text(String of) { return new StringBuilder(of).append(' ').append(of).toString(); }
  public static void main(String[] args) throws Exception {
    for (int i = 0; i < 4000; i++) ORDERS.add(new Order(text("Xq7Planted\\u0007")));
    for (int i = 0; i < 1000; i++) NAMES.put(i, text("name"));
    String[] garbage = new String[500];
    for (int i = 0; i < garbage.length; i++) garbage[i] = text("garbage that is long enough");
    garbage = null;
    ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class).dumpHeap(args[0], false);
  }
}
"""

NODE = """
const { writeHeapSnapshot } = require('node:v8');
class Order { constructor(state) { this.state = state; } }
const text = (of) => Buffer.from(of).toString();
const held = { orders: [], long: [] };
for (let n = 0; n < 4000; n++) held.orders.push(new Order(text('Xq7Planted\\u0007 Xq7Planted\\u0007')));
for (let n = 0; n < 50; n++) held.long.push(text('long '.repeat(400) + String(1000 + n)));
globalThis.held = held;
writeHeapSnapshot(process.argv[2]);
"""


@pytest.fixture(scope="module")
def jvm(java, require, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("jvm")
    (folder / "Repeats.java").write_text(JAVA)
    subprocess.run([require("javac"), "-d", folder, folder / "Repeats.java"], check=True, capture_output=True)
    dump = folder / "repeats.hprof"
    subprocess.run([java, "-cp", folder, "com.example.Repeats", dump], check=True, capture_output=True, timeout=120)
    return dump


@pytest.fixture(scope="module")
def v8(node, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("v8")
    (folder / "repeats.cjs").write_text(NODE)
    dump = folder / "repeats.heapsnapshot"
    subprocess.run([node, folder / "repeats.cjs", dump], check=True, capture_output=True, timeout=120)
    return dump


@pytest.fixture(params=["jvm", "v8"])
def dump(request) -> Path:
    return request.getfixturevalue(request.param)


def asked(capsys: Any, *arguments: str | Path) -> dict[str, Any]:
    assert run(["strings", *map(str, arguments), "-o", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_strings_that_a_field_holds_many_times_are_named_by_the_field(dump, capsys):
    row = asked(capsys, dump)["rows"][0]
    # One more is the text in the source.
    assert 4000 <= row["copies"] <= 4001
    assert (row["length"], row["holder"]) == (23, {"hprof": "Repeats$Order.state"}.get(dump.suffix[1:], "Order.state"))
    assert row["held_share"] > 0.9
    # At least the characters themselves, at most with the heads of two objects, rounded up.
    assert 3999 * 23 <= row["wasted"] <= 4000 * (23 + 24 + 24 + 8)


def test_strings_of_a_collection_are_named_by_who_has_the_collection(jvm, capsys):
    row = next(row for row in asked(capsys, jvm)["rows"] if row["length"] == len("name name"))
    assert (row["copies"], row["holder"]) == (1000, "Repeats.NAMES")


def test_strings_that_are_garbage_are_not_counted(jvm, capsys):
    lengths = {row["length"] for row in asked(capsys, jvm, "--limit", "100000")["rows"]}
    assert len("garbage that is long enough garbage that is long enough") not in lengths


def test_long_texts_that_begin_alike_are_said_to_be_uncertain(v8, capsys):
    found = asked(capsys, v8)
    row = next(row for row in found["rows"] if row["length"] == 1024)
    assert row["copies"] >= 50
    assert row["compared"] == "beginning"
    assert found["rows"][0]["compared"] == "whole"
    assert run(["strings", str(v8)]) == 0
    assert "only the beginning" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["table", "json", "html"])
def test_no_text_is_shown_unless_it_is_asked_for(dump, capsys, output):
    assert run(["strings", str(dump), "-o", output, "--limit", "100000"]) == 0
    assert TOKEN not in capsys.readouterr().out
    assert run(["strings", str(dump), "-o", output, "--values"]) == 0
    assert TOKEN in capsys.readouterr().out


def test_shown_texts_are_cut_and_cannot_steer_a_terminal(dump, capsys):
    rows = asked(capsys, dump, "--values", "--limit", "100000")["rows"]
    assert rows[0]["text"] == f"{TOKEN}\\x07 {TOKEN}\\x07"[: len(rows[0]["text"])]
    assert all(row["text"].isprintable() and len(row["text"]) <= 10 * 80 + 1 for row in rows)
    assert all(row["text"].endswith("…") == (row["length"] > 80) for row in rows)


def test_a_kept_index_gives_the_same_answer(dump, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    monkeypatch.setattr(app, "_INDEXED_BYTES", 0)
    first = asked(capsys, dump)
    assert any(tmp_path.rglob("*.index"))
    assert asked(capsys, dump) == first


def test_compressed_dumps_and_stdin_give_the_same_answer(v8, capsys, tmp_path, monkeypatch):
    compressed = tmp_path / "repeats.gz"
    compressed.write_bytes(gzip.compress(v8.read_bytes(), 1))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(compressed.read_bytes())))
    assert asked(capsys, "-") == asked(capsys, compressed) == asked(capsys, v8)


def test_a_redacted_dump_is_refused(dump, capsys, tmp_path):
    redacted = tmp_path / f"redacted{dump.suffix}"
    assert run(["redact", str(dump), str(redacted)]) == 0
    assert run(["strings", str(redacted), "--values"]) == 2
    assert "redacted" in capsys.readouterr().err


def test_a_dump_without_contents_is_refused_with_the_reason(capsys, tmp_path):
    assert run_python("DUMP()", tmp_path).returncode == 0
    assert run(["strings", str(tmp_path / "heap.cgraph")]) == 2
    assert "not their contents" in capsys.readouterr().err
