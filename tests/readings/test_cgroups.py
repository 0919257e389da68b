"""Cgroups of both versions, as the kernel shows them in files."""

import asyncio
import os
from pathlib import Path

import pytest

from caulk.model.errors import Unreachable
from caulk.readings import cgroups
from caulk.readings.groups import Groups

V2 = {
    "memory.current": "104857600\n",
    "memory.max": "268435456\n",
    "memory.high": "max\n",
    "memory.stat": "anon 52428800\nfile 41943040\nkernel 3145728\nshmem 1048576\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\n",
    "memory.pressure": "some avg10=0.00 avg60=1.00 avg300=2.50 total=1\nfull avg10=0.00 avg60=0.00 avg300=9.00 total=1",
}
V1 = {
    "memory.usage_in_bytes": "104857600\n",
    "memory.limit_in_bytes": "268435456\n",
    "memory.stat": "cache 1\nrss 2\ntotal_cache 41943040\ntotal_rss 52428800\ntotal_shmem 1048576\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
}


def made(directory: Path, files: dict[str, str]) -> None:
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).write_text(text)


@pytest.fixture(params=["v2", "v1"])
def mount(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made(tmp_path / ("memory" if request.param == "v1" else "") / "app", V1 if request.param == "v1" else V2)
    return tmp_path


def test_both_versions_tell_the_same(mount: Path):
    group = cgroups.at("/app", mount=str(mount))
    assert group
    usage = group.usage()
    assert usage
    assert (usage.current, usage.anonymous, usage.file, usage.shared) == (100 << 20, 50 << 20, 40 << 20, 1 << 20)
    assert usage.oom_kills == 1
    assert group.limit() == 256 << 20


def test_pressure_is_that_of_some_tasks_over_five_minutes(tmp_path: Path):
    made(tmp_path / "app", V2)
    group = cgroups.at("/app", mount=str(tmp_path))
    assert group
    usage = group.usage()
    assert usage
    assert usage.pressure == 0.025


def test_a_limit_around_it_counts_and_so_does_the_one_that_only_slows_down(tmp_path: Path):
    made(tmp_path / "slice", {**V2, "memory.max": "134217728\n"})
    made(tmp_path / "slice" / "app", V2)
    group = cgroups.at("/slice/app", mount=str(tmp_path))
    assert group
    assert group.limit() == 128 << 20
    (tmp_path / "slice" / "app" / "memory.high").write_text("67108864\n")
    assert group.limit() == 64 << 20


def test_no_limit_is_none(tmp_path: Path):
    made(tmp_path / "app", {**V2, "memory.max": "max\n"})
    made(tmp_path / "memory" / "old", {**V1, "memory.limit_in_bytes": "9223372036854771712\n"})
    for name in ("/app", "/old"):
        group = cgroups.at(name, mount=str(tmp_path))
        assert group
        assert group.limit() is None


def test_a_cgroup_that_is_gone_is_no_error(tmp_path: Path):
    made(tmp_path / "app", V2)
    group = cgroups.at("/app", mount=str(tmp_path))
    for file in (tmp_path / "app").iterdir():
        file.unlink()
    assert group
    assert group.usage() is None
    assert cgroups.at("/never", mount=str(tmp_path)) is None


def test_a_path_never_leads_out_of_the_mount(tmp_path: Path):
    made(tmp_path / "mount" / "app", V2)
    made(tmp_path / "other", V2)
    assert cgroups.at("/../other", mount=str(tmp_path / "mount")) is None


def test_groups_are_workloads_and_a_kill_and_a_limit_are_told(tmp_path: Path):
    for name in ("a.service", "b.service"):
        made(tmp_path / "system.slice" / name, V2)
    source = Groups("/system.slice/*.service", mount=str(tmp_path))
    first = asyncio.run(source.read())
    assert [(seen.workload.name, seen.reading.anonymous, seen.limit) for seen in first] == [
        ("a.service", 50 << 20, 256 << 20),
        ("b.service", 50 << 20, 256 << 20),
    ]
    (tmp_path / "system.slice" / "b.service" / "memory.events").write_text("oom_kill 3\n")
    (tmp_path / "system.slice" / "b.service" / "memory.max").write_text("536870912\n")
    again = Groups("/system.slice/*.service", mount=str(tmp_path))
    again.restore(source.state())
    events = [[(event.what, event.limit) for event in seen.events] for seen in asyncio.run(again.read())]
    assert events == [[], [("oom", 0), ("limit", 512 << 20)]]


def test_no_group_of_that_name_is_said(tmp_path: Path):
    for path in ("/nobody.service", "/nobody*.service"):
        with pytest.raises(Unreachable, match="no cgroup that counts memory"):
            asyncio.run(Groups(path, mount=str(tmp_path)).read())


def test_the_kernel_of_this_machine_is_understood():
    group = cgroups.of_process(os.getpid())
    assert group, "no cgroup counts the memory of this process"
    usage = group.usage()
    assert usage
    assert usage.anonymous > 0
