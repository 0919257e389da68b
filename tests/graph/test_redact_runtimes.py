"""Tokens planted in real programs: no answer shows one, no redacted dump has one, and the answers stay the same."""

import json
from pathlib import Path
from typing import Any

import planted
import pytest

from caulk import app
from caulk.cli import carry_out as run

OUTPUTS = ["table", "json", "html", "svg", "folded", "speedscope", "pprof"]
KINDS = ["hprof", "heapsnapshot", "cpython-graph", "tracemalloc"]


@pytest.fixture(scope="module")
def dumps(java, node, require, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dumps")
    graph, snapshot = planted.python(folder)
    return {
        "hprof": planted.java(java, require("javac"), folder),
        "heapsnapshot": planted.node(node, folder),
        "cpython-graph": graph,
        "tracemalloc": snapshot,
    }


@pytest.fixture(params=KINDS)
def dump(request, dumps) -> Path:
    return dumps[request.param]


def redacted(dump: Path, folder: Path) -> Path:
    target = folder / f"redacted{dump.suffix}"
    assert run(["redact", str(dump), str(target)]) == 0
    return target


@pytest.mark.parametrize("kind", ["hprof", "heapsnapshot"])
def test_the_tokens_are_in_the_dumps_of_runtimes_that_write_contents(kind, dumps):
    assert planted.found(dumps[kind].read_bytes())


def test_no_answer_shows_a_value_that_nobody_asked_for(dump):
    given = planted.answers(dump, OUTPUTS)
    assert {("analyze", "table"), ("analyze", "json"), ("analyze", "html"), ("flame", "svg")} <= set(given)
    assert {key: found for key, data in given.items() if (found := planted.found(data))} == {}


def test_no_index_keeps_a_value(dump, tmp_path, monkeypatch, capsysbinary):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    monkeypatch.setattr(app, "_INDEXED_BYTES", 0)
    assert run(["analyze", str(dump)]) in (0, 1)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert bool(kept) == (dump.suffix != ".tracemalloc")
    assert [found for data in kept if (found := planted.found(data))] == []


def test_no_redacted_dump_has_a_value(dump, tmp_path):
    assert planted.found(redacted(dump, tmp_path).read_bytes()) == []


def test_a_redacted_dump_gives_the_same_answers(dump, tmp_path):
    given = []
    for path in (dump, redacted(dump, tmp_path)):
        answers = planted.answers(path, ["json"])
        # Which texts there are twice is a question about contents, and a file says of itself that they were removed.
        for report in ("strings", "raw"):
            answers.pop((report, "json"), None)
        given.append({key: _plain(data, path) for key, data in answers.items()})
    before, after = given
    assert before.keys() == after.keys()
    assert [key for key in before if after[key] != before[key]] == []


def test_redacting_twice_changes_nothing_more(dump, tmp_path):
    once = redacted(dump, tmp_path)
    (tmp_path / "again").mkdir()
    twice = redacted(once, tmp_path / "again")
    assert twice.read_bytes() == once.read_bytes()


def test_chrome_can_read_what_is_written(dumps, tmp_path):
    before = json.loads(dumps["heapsnapshot"].read_bytes())
    after = json.loads(redacted(dumps["heapsnapshot"], tmp_path).read_bytes())
    assert list(after) == [key for key in before if key in after]
    for section, fields in (("nodes", "node_fields"), ("edges", "edge_fields")):
        rows = {len(part[section]) / len(part["snapshot"]["meta"][fields]) for part in (before, after)}
        assert rows == {before["snapshot"][f"{section[:-1]}_count"]}


def _plain(answer: bytes, path: Path) -> Any:
    """An answer without what tells one file from another."""
    found = json.loads(answer.replace(str(path).encode(), b"DUMP"))
    for each in found.get("inputs", ()):
        for key in ("path", "size_bytes", "warnings"):
            each.pop(key)
    return found
