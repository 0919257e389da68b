"""What a heap holds, read from what JVMs say of it: every collector, and counters that are cut or wrong."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jvms import JDKS, TICKETS, living

from caulk.model.target import Target
from caulk.runtimes import jvm
from caulk.runtimes.jvm.advice import volumes_at
from caulk.runtimes.jvm.figures import from_counters, from_heap_info
from caulk.runtimes.jvm.flags import stated_by
from caulk.runtimes.jvm.perfdata import parse

MIB = 1 << 20
SAID = {
    "G1 of 17": (" garbage-first heap   total 2048K, used 1024K [0x0, 0x1)\n  region size 1024K, 17 young (17408K)\n"
                 " Metaspace       used 255K, committed 448K, reserved 1114112K\n  class space    used 7K\n",
                 MIB, 2 * MIB, 0),
    "G1 of 25": ("garbage-first heap   total reserved 4096K, committed 2048K, used 1024K [0x0)\n", MIB, 2 * MIB, 0),
    "Serial": (" def new generation   total 2048K, used 512K [0x0, 0x1)\n  eden space 103296K,  22% used [0x0, 0x1)\n"
               " tenured generation   total 2048K, used 512K [0x0, 0x1)\n   the space 2048K,   0% used [0x0, 0x1)\n",
               MIB, 4 * MIB, MIB // 2),
    "Parallel": (" PSYoungGen total 2048K, used 512K [0x0, 0x1)\n ParOldGen total 2048K, used 512K [0x0, 0x1)\n",
                 MIB, 4 * MIB, MIB // 2),
    "ZGC": ("ZHeap            used 1M, capacity 2M, max capacity 512M\n Cache           336M (1)\n", MIB, 2 * MIB, 0),
    "Shenandoah": ("Shenandoah Heap\n 512M max, 512M soft max, 2M committed, 1024K used\n 2048 x 256K regions\n",
                   MIB, 2 * MIB, 0),
}  # fmt: skip


@pytest.mark.parametrize(("said", "used", "size", "movable"), SAID.values(), ids=SAID)
def test_the_words_of_every_collector_are_understood(said: str, used: int, size: int, movable: int) -> None:
    heap = from_heap_info(said)
    assert (heap.used, heap.size, heap.movable) == (used, size, movable)


@pytest.mark.parametrize("jdk", JDKS, ids=lambda jdk: jdk.name)
@pytest.mark.parametrize("collector", ["Serial", "Parallel", "G1", "Z", "Shenandoah"])
def test_what_is_said_without_asking_is_never_less_than_what_lives(jdk: Path, collector: str, classes: Path) -> None:
    with living(jdk / "bin/java", classes, f"-XX:+Use{collector}GC") as program:
        ways = program.ways()
        asleep = ways["heap"].cost()
        live = jvm.live_bytes(jvm.histogram(program.reach)) or 0
        awake = program.ways()["heap"].cost()
    assert live > TICKETS * 116
    assert min(asleep.disk_bytes, awake.disk_bytes) > live
    assert max(asleep.disk_bytes, awake.disk_bytes) < 512 * MIB


def test_the_counters_of_a_jvm_tell_its_release(classes: Path, java: str) -> None:
    with living(java, classes) as program:
        (path,) = Path("/tmp").glob(f"hsperfdata_*/{program.pid}")
        found = parse(path.read_bytes())
    version = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    (release,) = re.findall(r'version "(?:1\.)?(\d+)', version)
    assert str(found["java.property.java.vm.specification.version"]).removeprefix("1.") == release
    assert found["sun.gc.generation.0.space.0.name"] == "eden"


@given(st.binary(max_size=200), st.integers(0, 200))
def test_counters_that_make_no_sense_are_none(noise: bytes, at: int) -> None:
    head = b"\xca\xfe\xc0\xc0\x01\x02\x00\x01" + bytes(16) + b"\x20\x00\x00\x00\xff\xff\x00\x00"
    data = (head + noise)[:at]
    found = parse(data)
    assert set(map(type, found.values())) <= {int, str}
    assert from_counters(found, 5).source


def test_later_switches_win_and_variables_stand_around_the_command_line() -> None:
    environ = {"JAVA_TOOL_OPTIONS": "-XX:HeapDumpPath='/a b' -XX:+UseZGC", "_JAVA_OPTIONS": "-XX:-UseZGC -Dx.y=1"}
    command = ["java", "-XX:HeapDumpPath=/first", "-XX:HeapDumpPath=/last", "-jar", "a.jar"]
    assert stated_by(command, environ) == {"HeapDumpPath": "/last", "UseZGC": "false", "Dx.y": "1"}
    assert stated_by(["java"], environ)["HeapDumpPath"] == "/a b"
    assert stated_by(["java"], {"JAVA_TOOL_OPTIONS": "-XX:+UseZGC '"}) == {"UseZGC": "true"}


def test_patches_name_the_container_and_every_volume() -> None:
    paths = ["/tmp", "/home/wso2/logs"]
    pod = volumes_at(Target("kubernetes", "k8s:a/b", "b", {"container": "enforcer"}), paths)
    composed = volumes_at(Target("docker", "docker:b", "b", {"service": "enforcer"}), paths)
    for path in paths:
        assert re.search(rf"name: (caulk-\S+), mountPath: {path}}}", pod)
        assert re.search(rf"- (caulk-\S+):{path}$", composed, re.MULTILINE)
    for name in ("caulk-tmp", "caulk-home-wso2-logs"):
        assert f"- {{name: {name}, emptyDir: {{}}}}" in pod
        assert f"  {name}: {{}}\n" in composed
    assert "- name: enforcer\n" in pod
    assert "  enforcer:\n" in composed
    plain = volumes_at(Target("docker", "docker:b", "b"), paths)
    assert "\n--volume=caulk-tmp:/tmp --volume=caulk-home-wso2-logs:/home/wso2/logs" in plain
    assert "/home/wso2/logs" in volumes_at(Target("local", "pid:1", "b"), paths)
