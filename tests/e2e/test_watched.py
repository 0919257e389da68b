"""Containers and pods as `caulk watch` sees them, and a dump that goes with its container."""

import json
import os
import subprocess
import sys

import pytest
from engines import awaited

MB = 1 << 20
#: Writes a profile into its own files some seconds after its start, and soon afterwards goes with them.
WRITER = """
import sys, time
held = bytearray(20 << 20)
print("ready", flush=True)
time.sleep(12)
with open("/tmp/profile.0001.heap", "w") as file:
    file.write("heap profile:  1: 2 [ 3: 4] @ x\\n\\nMAPPED_LIBRARIES:\\n00400000-0040b000 r-xp 0 00:00 0 /x\\n")
time.sleep(5)
"""


def watched(caulk, reference):
    ran = caulk("watch", reference, "--once", "-o", "json")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_container_is_measured_with_its_limit(docker, caulk):
    with docker.running("cpython", is_bare=False) as name:
        (said,) = watched(caulk, f"docker:{name}")
    assert (said["name"], said["runtime"], said["limit_bytes"]) == (name, "cpython", 400 * MB)
    assert MB < said["memory_bytes"] < 400 * MB


@pytest.mark.cluster
def test_a_pod_is_measured_with_its_limit(cluster, caulk):
    with cluster.running("cpython", is_bare=False) as name:
        # The kubelet measures every ten seconds or so.
        rows = []
        awaited(lambda: bool(rows.extend(watched(caulk, f"k8s:{cluster.namespace}/{name}")) or rows), lambda: "no row")
    said = rows[0]
    assert said["name"] == f"{cluster.namespace}/{name}"
    assert said["limit_bytes"]
    assert MB < said["memory_bytes"] < said["limit_bytes"]


def test_a_dump_that_goes_with_its_container_is_kept(docker, caulk, tmp_path):
    from images import IMAGES

    image = docker.load(IMAGES["cpython"], is_bare=False)
    options = (f"--name=caulk-e2e-dump-{os.getpid()}", "--rm", "--memory", "128m", "-e", "HEAPPROFILE=/tmp/profile")
    with docker.container(image, "python3", "-c", WRITER, options=options) as name:
        command = [sys.executable, "-m", "caulk", "watch", f"docker:{name}", "--interval", "1s"]
        environ = {**caulk.environ, "CAULK_LISTEN__ADDRESS": ""}
        said = tmp_path / "said"

        def dumps():
            return [
                dump for line in said.read_text().rpartition("\n")[0].splitlines() for dump in json.loads(line)["dumps"]
            ]

        with said.open("w") as out, subprocess.Popen(command, stdout=out, env=environ) as loop:
            try:
                awaited(lambda: name not in docker.run("ps", "-a", "--format", "{{.Names}}").split(), said.read_text)
                # It was taken into the store by the rules that need no configuration.
                awaited(lambda: dumps() and caulk.json("captures")["rows"], said.read_text)
            finally:
                loop.terminate()
        assert loop.returncode == 0
        assert [dump["path"] for dump in dumps()] == ["/tmp/profile.0001.heap"]
        (row,) = caulk.json("captures")["rows"]
        assert row["format"] == "gperftools"
