"""Every runtime in a container, in a comfortable image and in a hardened one: from the verb to the planted leak."""

import json

import pytest
from images import IMAGES, names_the_leak

CELLS = [(runtime, is_bare) for runtime in IMAGES for is_bare in (False, True)]


@pytest.mark.parametrize(("runtime", "is_bare"), CELLS, ids=[f"{r}-{'bare' if b else 'full'}" for r, b in CELLS])
def test_a_capture_of_a_container_names_the_planted_leak(docker, caulk, matrix, runtime, is_bare):
    with docker.running(runtime, is_bare=is_bare) as name:
        started, before = docker.inspect(name)["State"]["StartedAt"], set(docker.run("diff", name).splitlines())
        doctor = caulk.json("doctor", f"docker:{name}")
        best = next(row for row in doctor["rows"] if row["standing"] == "ready")
        manifest = caulk.json("capture", f"docker:{name}")
        assert manifest["complete"]
        assert manifest["target"]["runtime"] == runtime
        assert manifest["target"]["labels"]["digest"].startswith("sha256:")
        assert manifest["memory"]["limit"] == 400 << 20
        assert manifest["method"] == best["method"]
        analysis = caulk.json("analyze", manifest["path"])
        assert names_the_leak(runtime, analysis), json.dumps(analysis["findings"][:2], indent=1)
        state = docker.inspect(name)["State"]
        assert state["Running"] and state["StartedAt"] == started
        left = set(docker.run("diff", name).splitlines()) - before
        # The socket of its attach mechanism is the JVM's own.
        assert not [line for line in left if "heap" in line or "caulk-" in line or "attach_pid" in line]
        matrix("docker", runtime, "bare" if is_bare else "full", manifest["method"])
