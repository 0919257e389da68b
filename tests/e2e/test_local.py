"""Every runtime as a plain process of this machine: from the verb to the planted leak, and back as it was."""

import json
import subprocess

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
