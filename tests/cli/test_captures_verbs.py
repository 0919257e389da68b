"""The verbs about captures, on a store of their own."""

import json

import pytest

from caulk.cli import carry_out
from caulk.model.capture import Captured, Manifest
from caulk.store.captures import Captures


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    return Captures(tmp_path / "captures")


def kept(store: Captures, name: str = "shop", data: bytes = b"heap"):
    draft = store.begin(Manifest(target=Captured("local", "jvm", name, f"pid:{name}"), format="hprof"), ".hprof")
    draft.write(data)
    return draft.keep()


def said(capsys, *arguments: str, code: int = 0) -> str:
    assert carry_out(arguments) == code
    return capsys.readouterr().out


def test_captures_are_listed_with_what_is_partial(store, capsys):
    kept(store)
    draft = store.begin(Manifest(target=Captured("local", "jvm", "shop", "pid:1")), ".hprof")
    draft.leaving("/heap.hprof")
    draft.leave()
    rows = json.loads(said(capsys, "captures", "-o", "json"))["rows"]
    assert sorted(row["state"] for row in rows) == ["complete", "partial"]


def test_show_gives_the_manifest_with_the_whole_path(store, capsys):
    entry = kept(store)
    manifest = json.loads(said(capsys, "captures", "show", "latest"))
    assert manifest["path"] == str(entry.path)
    assert manifest["schema"] == "caulk.capture/1"


def test_export_copies_privately_and_never_over_a_file(store, capsys, tmp_path):
    kept(store)
    to = tmp_path / "out.hprof"
    said(capsys, "captures", "export", "latest", str(to))
    assert to.read_bytes() == b"heap"
    assert to.stat().st_mode & 0o777 == 0o600
    said(capsys, "captures", "export", "latest", str(to), code=2)


def test_prune_without_a_quota_is_refused_and_with_one_keeps_the_newest(store, capsys):
    first, second = kept(store), kept(store)
    said(capsys, "captures", "prune", code=2)
    said(capsys, "captures", "prune", "--keep", "0", "--dry-run")
    assert first in store.all()
    said(capsys, "captures", "prune", "--keep", "0")
    assert store.all() == [second]


def test_an_unknown_capture_is_said_with_those_there_are(store, capsys):
    entry = kept(store)
    assert carry_out(["captures", "path", "tea"]) == 2
    assert entry.manifest.id in capsys.readouterr().err


def test_a_place_that_there_is_not_is_said_with_those_there_are(store, capsys):
    assert carry_out(["doctor", "mars:web"]) == 2
    assert "docker:" in capsys.readouterr().err


def test_captures_are_analysed_in_the_order_they_were_taken(store, capsys):
    snapshot = {"head": {"callFrame": {"functionName": "(root)"}, "selfSize": 0, "children": []}, "samples": []}
    paths = []
    for second in (30, 10):
        at = f"2026-01-01T00:00:{second}Z"
        draft = store.begin(Manifest(target=Captured("local", "node", "shop", "pid:1"), taken_at=at), ".heapprofile")
        draft.write(json.dumps(snapshot).encode())
        paths.append(str(draft.keep().path))
    inputs = json.loads(said(capsys, "analyze", *paths, "-o", "json"))["inputs"]
    assert [entry["path"] for entry in inputs] == paths[::-1]
    assert inputs[0]["taken_at"].startswith("2026-01-01T00:00:10")
