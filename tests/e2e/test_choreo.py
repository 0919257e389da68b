"""The gateway of WSO2 Choreo Connect: an Enforcer that cannot dump, and a Router that needs nothing.

Its chart runs the Enforcer with a read-only root, no capabilities and no writable volume, and tells its JVM to write
/home/wso2/logs/heap-dump.hprof when its heap is exhausted. Its manual has the Router replaced by a debug image first.
"""

import io
import os
import re
import subprocess
import tarfile
from contextlib import contextmanager

import pytest
from engines import HARD, awaited
from images import IMAGES, names_the_leak, names_what_filled_the_heap

DUMP = "/home/wso2/logs/heap-dump.hprof"
FLAGS = ("-XX:+HeapDumpOnOutOfMemoryError", f"-XX:HeapDumpPath={DUMP}")
UID = 10500
COMPOSE = ("--label=com.docker.compose.project=choreo", "--label=com.docker.compose.service=enforcer")
OPTIONS = ("--name=caulk-e2e-enforcer", "--memory=1000m", *HARD, *COMPOSE)
IMAGE = "docker.io/local/caulk-enforcer:1"


@pytest.fixture(scope="module")
def enforcer(docker):
    """An image as the Enforcer's: the directory for dumps is there, and is its user's."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for path in ("home", "home/wso2", "home/wso2/logs"):
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, UID, UID
            archive.addfile(entry)
    made = docker.run("create", "--pull=never", docker.load(IMAGES["jvm"], is_bare=False), "/jre/bin/java").strip()
    try:
        subprocess.run(["docker", "cp", "-a", "-", f"{made}:/"], input=layer.getvalue(), check=True, timeout=60)
        docker.run("commit", made, IMAGE)
    finally:
        docker.run("rm", made)
    yield IMAGE
    docker.run("rmi", IMAGE)


def java(*more: str) -> tuple[str, ...]:
    return ("/jre/bin/java", *FLAGS, *more)


def rows(doctor) -> dict[str, dict[str, str]]:
    return {row["as"]: row for row in doctor["rows"]}


def patches(doctor) -> dict[str, list[str]]:
    """The volumes of each fix, by what the fix is for; a fix is an override for Compose."""
    yaml = pytest.importorskip("yaml")
    found = {}
    for fix in doctor["fixes"]:
        head, _, text = fix.partition("\n")
        override = yaml.safe_load(text)
        volumes = override["services"]["enforcer"]["volumes"] if "services" in (override or {}) else []
        assert {volume.partition(":")[0] for volume in volumes} <= set((override or {}).get("volumes", ()))
        found[head.removeprefix("for ").rstrip(":")] = volumes
    return found


@pytest.fixture
def patched(docker, caulk, enforcer):
    """What doctor says of the Enforcer as the chart has it, and the options that its patches amount to."""
    with docker.container(enforcer, *java("-Xmx128m", "-cp", "/app", "Hold"), options=OPTIONS) as name:
        awaited(lambda: "ready" in docker.logs(name), lambda: docker.logs(name))
        doctor = caulk.json("doctor", f"docker:{name}", code=4)
        refused = caulk("capture", f"docker:{name}", code=4).stderr
        assert "nothing can be taken" in refused and "/tmp cannot be written to" in refused
        assert DUMP in refused
        assert docker.inspect(name)["State"]["Running"]
    volumes = sorted({volume for some in patches(doctor).values() for volume in some})
    yield doctor, tuple(f"--volume={volume}" for volume in volumes)
    docker.run("volume", "rm", *(volume.partition(":")[0] for volume in volumes))


def test_that_no_dump_can_be_written_is_known_before_the_leak_and_the_printed_patch_mends_it(
    docker, caulk, enforcer, patched
):
    doctor, volumes = patched
    said = rows(doctor)
    assert {row["standing"] for row in said.values()} == {"needs"}
    assert "attach socket" in said["heap"]["why"] and "/tmp cannot be written to" in said["heap"]["why"]
    assert "no dump can be written when the heap is exhausted" in said["oom-dump"]["why"]
    assert DUMP in said["oom-dump"]["why"] and "/home/wso2/logs cannot be written to" in said["oom-dump"]["why"]
    assert sorted(re.sub(".*:", "", volume) for volume in volumes) == ["/home/wso2/logs", "/tmp"]

    options = (*OPTIONS, *volumes)
    with docker.container(enforcer, *java("-Xmx128m", "-cp", "/app", "Hold"), options=options) as name:
        awaited(lambda: "ready" in docker.logs(name), lambda: docker.logs(name))
        manifest = caulk.json("capture", f"docker:{name}")
        assert manifest["method"] == "attach:GC.heap_dump"
        assert names_the_leak("jvm", caulk.json("analyze", manifest["path"]))
        assert docker.inspect(name)["State"]["Running"]


def test_after_the_patch_the_dump_of_an_exhausted_heap_is_collected_and_the_next_has_its_name_free(
    docker, caulk, enforcer, patched
):
    _, volumes = patched
    options = (*OPTIONS, *volumes)

    @contextmanager
    def exhausted():
        with docker.container(enforcer, *java("-Xmx64m", "-cp", "/app", "Hold", "-1"), options=options) as name:
            awaited(lambda: not docker.inspect(name)["State"]["Running"], lambda: docker.logs(name))
            yield name

    with exhausted() as name:
        manifest = caulk.json("capture", f"docker:{name}")
        assert manifest["facts"]["written"] == DUMP
        # In a container that does not run a file is renamed where the engine keeps it, if that is this machine.
        stays = any("keeps the JVM from writing another one" in warning for warning in manifest["warnings"])
        assert stays != os.access(docker.inspect(name)["Mounts"][0]["Source"], os.W_OK)
        assert names_what_filled_the_heap(caulk.json("analyze", manifest["path"]))
    with exhausted() as name:
        assert ("File exists" in docker.logs(name)) == stays
    with docker.container(enforcer, *java("-Xmx128m", "-cp", "/app", "Hold"), options=options) as name:
        awaited(lambda: "ready" in docker.logs(name), lambda: docker.logs(name))
        manifest = caulk.json("capture", f"docker:{name}", "--as", "oom-dump")
        assert manifest["facts"]["written"] == DUMP and not manifest["warnings"]
    with exhausted() as name:
        assert "File exists" not in docker.logs(name)


def test_an_envoy_is_told_to_need_no_debug_image(docker, caulk):
    with docker.running("envoy", is_bare=True) as name:
        said = rows(caulk.json("doctor", f"docker:{name}"))
        assert "no debug image is needed" in said["heap"]["why"]
        assert said["heapprofiler"]["standing"] == "impossible"
        assert "/heap_dump has the live heap" in said["heapprofiler"]["why"]
        assert caulk.json("capture", f"docker:{name}")["method"] == "admin:heap_dump"
