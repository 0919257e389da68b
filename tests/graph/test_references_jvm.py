"""`--references`: one rule for types, dominators and paths, on a JVM with a soft cache and a weak one."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from caulk.cli import carry_out as run

PROGRAM = """
package com.example;
import java.lang.management.ManagementFactory;
import java.lang.ref.*;
import java.util.*;
public class Caches {
  static class Image { byte[] pixels = new byte[1000]; }
  static class Thumb { byte[] pixels = new byte[100]; }
  static class Owned { byte[] bytes = new byte[10]; }
  static List<SoftReference<Image>> SOFT = new ArrayList<>();
  static List<WeakReference<Thumb>> WEAK = new ArrayList<>();
  static List<Owned> STRONG = new ArrayList<>();
  public static void main(String[] args) throws Exception {
    for (int i = 0; i < 500; i++) SOFT.add(new SoftReference<>(new Image()));
    for (int i = 0; i < 300; i++) WEAK.add(new WeakReference<>(new Thumb()));
    for (int i = 0; i < 200; i++) STRONG.add(new Owned());
    ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class).dumpHeap(args[0], false);
  }
}
"""


@pytest.fixture(scope="module")
def dump(java, require, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("caches")
    (folder / "Caches.java").write_text(PROGRAM)
    subprocess.run([require("javac"), "-d", folder, folder / "Caches.java"], check=True, capture_output=True)
    # Room enough that nothing is collected: what is softly and weakly held is still there.
    command = [java, "-XX:+UseSerialGC", "-Xmn64m", "-cp", folder, "com.example.Caches", folder / "caches.hprof"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / "caches.hprof"


def asked(capsys: Any, verb: str, dump: Path, references: str, *more: str) -> dict[str, Any]:
    assert run([verb, str(dump), *more, "--references", references, "-o", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("references", "held"),
    [
        ("strong", {"Owned": 200}),
        ("soft", {"Owned": 200, "Image": 500}),
        ("all", {"Owned": 200, "Image": 500, "Thumb": 300}),
    ],
)
def test_types_are_held_by_the_references_that_count(dump, capsys, references, held):
    rows = asked(capsys, "types", dump, references, r"Caches\$\w+$")["rows"]
    assert {row["type"].rpartition("$")[2]: row["objects"] for row in rows} == held
    # What an object retains beside itself is its array, by the same rule.
    pixels = {"Owned": 10, "Image": 1000, "Thumb": 100}
    for row in rows:
        kind = row["type"].rpartition("$")[2]
        assert row["retained"] - row["shallow"] >= held[kind] * pixels[kind]


@pytest.mark.parametrize(("references", "count"), [("strong", 0), ("soft", 500), ("all", 500)])
def test_the_dominator_tree_goes_the_same_way(dump, capsys, references, count):
    nodes = asked(capsys, "dominators", dump, references)["nodes"]
    below = [node for node in nodes if node["function"] == "com.example.Caches$Image"]
    assert len(below) == (1 if count else 0)
    if count:
        assert nodes[below[0]["parent"]]["function"] == "java.lang.ref.SoftReference"
        assert below[0]["cum"] >= count * 1000


def test_paths_go_through_a_soft_reference_only_where_it_counts(dump, capsys):
    nodes = asked(capsys, "paths", dump, "soft", r"Caches\$Image$")["nodes"]
    way = []
    node = next(node for node in nodes if node["function"].endswith("Caches$Image"))
    while node["parent"] >= 0:
        way.append(node["function"])
        node = nodes[node["parent"]]
    assert way[:4] == [
        ".referent com.example.Caches$Image",
        "[] java.lang.ref.SoftReference",
        ".elementData java.lang.Object[]",
        ".SOFT java.util.ArrayList",
    ]
    assert way[4].endswith("class com.example.Caches")


def test_paths_to_what_nothing_holds_are_empty_and_say_which_references_count(dump, capsys):
    found = asked(capsys, "paths", dump, "strong", r"Caches\$Image$")
    assert [node["function"] for node in found["nodes"]] == [""]
    assert run(["paths", str(dump), r"Caches\$Image$"]) == 0
    assert "No strong references lead to any of these" in capsys.readouterr().out
