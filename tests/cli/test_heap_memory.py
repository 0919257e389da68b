"""Heap dumps within the memory there is: the mode that is chosen, what is answered in it, and how it is said."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from caulk import formats
from caulk.analysis.objects.plan import plan
from caulk.cli import carry_out as run
from caulk.formats.source import open_source

PROGRAMS = Path(__file__).parents[2] / "bench/programs"
#: Runs a verb, and says the peak of its anonymous memory beside the plan that was made for it.
MEASURED = """
import sys, threading
from caulk import app
from caulk.places import local
peak, plans, done = 0, [], threading.Event()
def watch():
    global peak
    while not done.wait(0.002):
        peak = max(peak, local.reading("self").anonymous)
watcher = threading.Thread(target=watch)
watcher.start()
talk = app.Talk(lambda _, plan: plans.append(plan))
[dump] = app.load([sys.argv[1]], reading=app.Reading(max_memory=int(sys.argv[2])), talk=talk)
done.set()
watcher.join()
print(dump.mode, peak, plans[0].memory_bytes)
"""


@pytest.fixture(scope="module")
def dumps(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A real heap of each format that is counted without a graph, of some 300,000 objects."""
    folder = tmp_path_factory.mktemp("dumps")
    subprocess.run([require("javac"), "-d", folder, PROGRAMS / "HeapMaker.java"], check=True)
    java = [require("java"), "-cp", folder, "com.example.HeapMaker", "size", folder / "java.hprof", "300000"]
    node = [require("node"), PROGRAMS / "heap_maker.mjs", "size", folder / "node.heapsnapshot", "300000"]
    for maker in (java, node):
        subprocess.run(maker, check=True, capture_output=True, timeout=120)
    return {"hprof": folder / "java.hprof", "heapsnapshot": folder / "node.heapsnapshot"}


@pytest.fixture
def caulk(tmp_path, monkeypatch, capfdbinary) -> Callable[..., tuple[int, str, str]]:
    """Run a verb without an index to begin with: its exit code, and what it says on stdout and on stderr."""

    def asked(*words: object) -> tuple[int, str, str]:
        monkeypatch.setenv("CAULK_HOME", str(tmp_path / f"home{len(list(tmp_path.iterdir()))}"))
        code = run([str(word) for word in words])
        said = capfdbinary.readouterr()
        return code, said.out.decode(), said.err.decode()

    return asked


FORMATS = ("hprof", "heapsnapshot")


@pytest.mark.parametrize("name", FORMATS)
def test_a_heap_that_memory_cannot_hold_has_its_types_counted_and_says_so(dumps, caulk, name):
    code, out, err = caulk("types", dumps[name], "--max-memory", "10M", "-o", "json")
    table = json.loads(out)
    assert code == 0
    assert table["mode"] == "streaming"
    assert all(set(row) == {"objects", "shallow", "shallow_share", "type"} for row in table["rows"])
    assert any("10.0 MB may be used" in note for note in table["notes"])
    assert "streaming" in err
    assert "objects" in err


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("verb", [("dominators",), ("paths", "Ticket"), ("roots",), ("strings",)], ids=lambda v: v[0])
def test_what_needs_the_graph_is_refused_with_what_it_would_take(dumps, caulk, name, verb):
    code, out, err = caulk(verb[0], dumps[name], *verb[1:], "--max-memory", "10M")
    assert (code, out) == (2, "")
    assert "who holds what takes about " in err.splitlines()[-2]
    assert "--max-memory" in err.splitlines()[-1]


@pytest.mark.parametrize("name", FORMATS)
def test_findings_are_withheld_with_the_reason(dumps, caulk, name):
    code, out, _ = caulk("analyze", dumps[name], "--max-memory", "10M", "-o", "json")
    analysis = json.loads(out)
    assert code == 0
    assert analysis["inputs"][0]["mode"] == "streaming"
    assert analysis["findings"] == []
    assert analysis["verdict"]["state"] == "unknown"
    assert "10.0 MB may be used" in analysis["verdict"]["sentence"]
    assert analysis["totals"][0]["value"] > 1 << 20


@pytest.mark.parametrize("name", FORMATS)
def test_growth_is_withheld_where_one_of_the_heaps_was_only_counted(dumps, caulk, name):
    _, out, _ = caulk("analyze", dumps[name], dumps[name], "--max-memory", "10M", "-o", "json")
    assert json.loads(out)["verdict"]["state"] == "unknown"


@pytest.mark.parametrize("name", FORMATS)
def test_answers_through_files_are_those_of_memory_but_for_the_mode(dumps, caulk, name):
    _, exact, _ = caulk("analyze", dumps[name], "-o", "json")
    between = sum(sizes(dumps[name])) // 2
    _, spilled, err = caulk("analyze", dumps[name], "--max-memory", between, "-o", "json")
    assert json.loads(exact)["inputs"][0]["mode"] == "exact"
    assert "two-pass" in err
    assert spilled == exact.replace('"mode": "exact"', '"mode": "two-pass"')


def sizes(dump: Path) -> tuple[int, int]:
    """What the plan for a dump says that it takes in two passes and in one."""
    extent = formats.extent(open_source(str(dump)))
    assert extent
    made = plan(1, extent, None)
    return made.least_bytes, made.exact_bytes


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("mode", ["exact", "two-pass", "streaming"])
def test_a_plan_is_within_a_factor_of_two_of_what_happens(dumps, tmp_path, monkeypatch, name, mode):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    least, exact = sizes(dumps[name])
    most = {"exact": 2 * exact, "two-pass": (least + exact) // 2, "streaming": least // 4}[mode]
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, dumps[name], str(most)], capture_output=True, text=True, check=True
    )
    used, peak, planned = ran.stdout.split()
    assert used == mode
    assert 0.5 < int(peak) / int(planned) < 2


@pytest.mark.parametrize("text", ["many", "-1G", "2X", "1e9"])
def test_a_size_that_is_none_is_a_mistake(dumps, caulk, text):
    code, _, err = caulk("types", dumps["hprof"], f"--max-memory={text}")
    assert code == 2
    assert "--max-memory" in err


def test_compact_headers_that_are_told_change_sizes_and_are_kept_apart(dumps, caulk, monkeypatch, tmp_path):
    shared = tmp_path / "shared"

    def total(*options: str) -> int:
        code = run(["types", str(dumps["hprof"]), "--out", str(tmp_path / "types.json"), *options])
        assert code == 0
        found: int = json.loads((tmp_path / "types.json").read_text())["total"]
        return found

    monkeypatch.setenv("CAULK_HOME", str(shared))
    monkeypatch.setattr("caulk.app._INDEXED_BYTES", 1)
    usual, compact = total(), total("--compact-headers")
    assert compact < usual
    assert total("--no-compact-headers") == total() == usual
    assert len(list((shared / "cache/heaps").iterdir())) == 3
