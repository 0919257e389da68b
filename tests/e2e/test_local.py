"""Every runtime as a plain process of this machine: from the verb to the planted leak, and back as it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from images import names_the_leak
from processes import RUNTIMES, Programs


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_capture_of_a_process_names_the_planted_leak(programs, caulk, matrix, runtime):
    with programs.running(runtime) as started:
        wanted, before = f"pid:{started.pid}", started.traces()
        (row,) = caulk.json("ps", wanted)["rows"]
        assert row["runtime"] == runtime
        assert row["rss_bytes"] > 1 << 20
        doctor = caulk.json("doctor", wanted)
        best = next(row for row in doctor["rows"] if row["standing"] == "ready")
        assert started.traces() == before
        manifest = caulk.json("capture", wanted)
        assert manifest["complete"]
        assert (manifest["target"]["runtime"], manifest["target"]["reference"]) == (runtime, wanted)
        assert manifest["method"] == best["method"]
        analysis = caulk.json("analyze", manifest["path"])
        assert names_the_leak(runtime, analysis), json.dumps(analysis["findings"][:2], indent=1)
        assert started.runs
        assert started.traces() == before
        matrix("local", runtime, "process", manifest["method"])


def test_a_jvm_is_armed_where_it_runs_and_put_back(programs, caulk):
    with programs.running("jvm") as started:
        wanted = f"pid:{started.pid}"
        armed = {s["name"]: s["value"] for s in caulk.json("arm", wanted)["settings"]}
        assert armed == {"HeapDumpOnOutOfMemoryError": "true", "HeapDumpPath": str(started.directory)}
        assert str(started.directory) in why(caulk, wanted, "oom-dump")
        assert {s["name"] for s in caulk.json("disarm", wanted)} == set(armed)
        assert why(caulk, wanted, "oom-dump").startswith("the JVM writes no dump")
        assert "is not armed" in caulk("disarm", wanted, code=2).stderr


def test_a_node_is_armed_without_a_trace_of_its_inspector_and_says_that_it_stays_so(programs, caulk):
    with programs.running("node") as started:
        wanted = f"pid:{started.pid}"
        armed = caulk.json("arm", wanted)
        assert (armed["runtime"], armed["pid"]) == ("node", started.pid)
        assert armed["settings"][0]["value"] == "1"
        assert "SIGUSR1 opens its inspector" in why(caulk, wanted, "heap")
        assert "cannot take" in caulk("disarm", wanted, code=4).stderr


def test_captures_are_listed_shown_exported_and_pruned(programs, caulk, tmp_path):
    with programs.running("go") as started:
        wanted = f"pid:{started.pid}"
        caulk("capture", wanted, "--plan")
        assert caulk.json("captures")["rows"] == []
        paths = [caulk("capture", wanted, "--as", kind).stdout.strip() for kind in ("heap", "allocs", "goroutine")]
        newest, middle, oldest = caulk.json("captures", "--target", wanted)["rows"]
        assert {row["state"] for row in (newest, middle, oldest)} == {"complete"}
        assert caulk("captures", "path", "latest").stdout.strip() == paths[2]
        shown = json.loads(caulk("captures", "show", oldest["id"]).stdout)
        assert (shown["path"], shown["method"]) == (paths[0], "pprof:heap")
        caulk("captures", "export", oldest["id"], str(tmp_path / "shop.pb.gz"))
        assert (tmp_path / "shop.pb.gz").read_bytes() == Path(paths[0]).read_bytes()
        assert (tmp_path / "shop.pb.gz").stat().st_mode & 0o777 == 0o600
        assert [row["id"] for row in caulk.json("captures", "prune", "--keep", "2", "--dry-run")["rows"]] == [
            oldest["id"]
        ]
        caulk("captures", "prune", "--keep", "2")
        caulk("captures", "remove", middle["id"])
        assert [row["id"] for row in caulk.json("captures")["rows"]] == [newest["id"]]
        home = Path(caulk.environ["CAULK_HOME"])
        assert all(not path.stat().st_mode & 0o077 for path in (home / "captures").rglob("*"))


def test_exit_codes_tell_what_is_gone_what_was_refused_and_what_was_asked_wrongly(programs, caulk, tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert f"no process {gone.pid}" in caulk("capture", f"pid:{gone.pid}", code=3).stderr
    with programs.running("cpython") as started:
        refused = caulk("capture", f"pid:{started.pid}", "--as", "gdb", code=4).stderr
        assert "was not taken" in refused and "--force" in refused
        assert "tracemalloc does not trace" in caulk("capture", str(started.pid), "--as", "tracemalloc", code=4).stderr
        assert "--as takes heap" in caulk("capture", str(started.pid), "--as", "heep", code=2).stderr
        assert started.runs
    twin = tmp_path / "twin.py"
    twin.write_text("import signal\nsignal.pause()\n")
    twins = [subprocess.Popen([sys.executable, str(twin)]) for _ in range(2)]
    try:
        ambiguous = caulk("doctor", str(twin), code=2).stderr
        assert all(f"pid:{process.pid}" in ambiguous for process in twins)
        assert "no such target" in caulk("doctor", str(tmp_path / "nobody.py"), code=2).stderr
        assert "is not a place" in caulk("doctor", "moon:base", code=2).stderr
    finally:
        for process in twins:
            process.kill()
            process.wait()


def why(caulk, wanted: str, kind: str) -> str:
    """What doctor says of one way."""
    return next(row["why"] for row in caulk.json("doctor", wanted)["rows"] if row["as"] == kind)
