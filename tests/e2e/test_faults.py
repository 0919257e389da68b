"""Whatever dies, and whenever: a capture is complete, or it says that it is not, and nothing is lost in the target."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engines import awaited
from images import names_the_leak, names_what_filled_the_heap

JAVA = ("/jre/bin/java", "-Xmx300m", "-cp", "/app", "Hold", "250000")


def begun(caulk, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "caulk", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=caulk.environ)


def parts(caulk) -> list[Path]:
    return list(Path(caulk.environ["CAULK_HOME"], "captures").glob("*/heap*.part"))


def dumps(docker, name: str) -> list[str]:
    return [line for line in docker.run("diff", name).splitlines() if ".hprof" in line]


@pytest.fixture
def slowly(monkeypatch, caulk, tmp_path):
    """Captures are fetched slowly enough to be interrupted: each piece waits until the test has seen the one before."""
    hook = tmp_path / "slow"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import os, time\n"
        "from caulk.store import captures\n"
        "write = captures.Draft.write\n"
        "def held(self, data):\n"
        "    write(self, data)\n"
        "    while self.size > 20_000_000 and not os.path.exists(os.environ['CAULK_TEST_GO_ON']):\n"
        "        time.sleep(0.02)\n"
        "captures.Draft.write = held\n"
    )
    go_on = tmp_path / "go-on"
    caulk.environ["CAULK_TEST_GO_ON"] = str(go_on)
    before = caulk.environ.get("PYTHONPATH", "")
    caulk.environ["PYTHONPATH"] = f"{hook}{os.pathsep}{before}" if before else str(hook)
    yield go_on
    go_on.touch()


def test_caulk_killed_in_the_middle_is_gone_on_with_and_clears_up(docker, caulk, slowly):
    with docker.running("jvm", is_bare=False, command=JAVA) as name:
        running = begun(caulk, "capture", f"docker:{name}", "--as", "heap")
        awaited(lambda: any(p.stat().st_size > 20_000_000 for p in parts(caulk)), running.poll)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        (listed,) = caulk.json("captures")["rows"]
        assert listed["state"] == "partial"
        assert dumps(docker, name)
        slowly.touch()
        manifest = caulk.json("capture", f"docker:{name}", "--as", "heap")
        assert manifest["id"] == listed["id"]
        assert manifest["complete"]
        assert names_the_leak("jvm", caulk.json("analyze", manifest["path"], code=None))
        assert not dumps(docker, name)


def test_two_captures_at_once_are_one(docker, caulk, slowly):
    with docker.running("jvm", is_bare=False, command=JAVA) as name:
        first = begun(caulk, "capture", f"docker:{name}", "--as", "heap")
        awaited(lambda: parts(caulk), first.poll)
        second = caulk("capture", f"docker:{name}", "--as", "heap", "--fresh", code=4)
        assert "another capture" in second.stderr
        slowly.touch()
        assert first.wait(120) == 0
        first.communicate()


def test_a_target_that_dies_in_the_middle_leaves_no_success(docker, caulk, slowly):
    with docker.running("jvm", is_bare=False, command=JAVA) as name:
        running = begun(caulk, "capture", f"docker:{name}", "--as", "heap")
        awaited(lambda: any(p.stat().st_size > 20_000_000 for p in parts(caulk)), running.poll)
        docker.run("rm", "-f", name)
        slowly.touch()
        _, said = running.communicate(timeout=120)
        assert "Traceback" not in said
        rows = caulk.json("captures")["rows"]
        # What was open when it died can be read to its end; else what there is says that it is not all.
        assert running.returncode in (0, 3, 4)
        assert all(row["state"] == ("complete" if running.returncode == 0 else "partial") for row in rows)
        docker.run(
            "run", "-d", "--pull=never", "--network=none", "--name", name, "docker.io/local/caulk-jvm-full:1", *JAVA
        )


def test_a_full_disk_leaves_nothing_that_looks_whole(docker, caulk, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=False).returncode:
        pytest.skip("unobtainable: mounting a small disk needs root")
    caulk.environ["CAULK_HOME"] = str(disk)
    try:
        with docker.running("jvm", is_bare=False, command=JAVA) as name:
            refused = caulk("capture", f"docker:{name}", "--as", "heap", code=4)
            assert "the disk here has" in refused.stderr
            failed = caulk("capture", f"docker:{name}", "--as", "heap", "--force", code=4)
            assert "cannot be written" in failed.stderr
            assert all(row["state"] == "partial" for row in caulk.json("captures")["rows"])
    finally:
        subprocess.run(["umount", disk], check=True)


def test_the_dump_of_a_jvm_that_ran_out_of_heap_is_had_from_its_stopped_container(docker, caulk):
    options = ("-Xmx64m", "-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/dumps/heap-dump.hprof")
    command = ("/jre/bin/java", *options, "-cp", "/app", "Hold", "-1")
    with docker.running("jvm", is_bare=False, command=command, until="OutOfMemoryError") as name:
        awaited(lambda: not docker.inspect(name)["State"]["Running"], lambda: docker.logs(name))
        manifest = caulk.json("capture", f"docker:{name}")
        assert manifest["method"] == "collect:oom-dump"
        # Compared with what the engine reads once more, and moved where it keeps it, if that is this machine.
        assert not any("not compared" in warning for warning in manifest["warnings"])
        assert manifest["facts"]["written"] == "/dumps/heap-dump.hprof"
        assert names_what_filled_the_heap(caulk.json("analyze", manifest["path"]))


def test_memory_is_lent_for_the_time_of_a_capture_and_taken_back(docker, caulk):
    with docker.running("jvm", is_bare=False) as name:
        before = docker.inspect(name)["HostConfig"]["Memory"]
        manifest = caulk.json("capture", f"docker:{name}", "--as", "histogram", "--lend", "64M")
        assert manifest["complete"]
        assert docker.inspect(name)["HostConfig"]["Memory"] == before
