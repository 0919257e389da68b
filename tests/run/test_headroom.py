"""How much memory this process may still take: the least that any of its cgroups, or the machine, leaves."""

from pathlib import Path

import pytest

from caulk.places.local import proc as local

GB = 1 << 30


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GB to spare, as Linux shows it."""
    monkeypatch.setattr(local, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(local, "_CGROUPS", tmp_path / "cgroups")
    monkeypatch.setattr(local.os, "getpid", lambda: 7)
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable: {8 * GB >> 10} kB\n")
    return tmp_path


def cgroup(system: Path, path: str, **files: object) -> None:
    directory = system / "cgroups" / path
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(str(text))


def test_a_machine_without_limits_leaves_what_is_available(system):
    assert local.headroom() == 8 * GB


def test_nobody_knows_where_there_is_no_proc(system):
    (system / "proc/meminfo").unlink()
    assert local.headroom() is None


def test_a_cgroup_leaves_its_limit_without_what_is_used_but_for_files(system):
    (system / "proc/7/cgroup").write_text("0::/pod/app\n")
    stat = f"anon {GB}\ninactive_file {GB}\nactive_file {GB}\n"
    cgroup(system, "pod/app", memory__max=4 * GB, memory__current=3 * GB, memory__stat=stat)
    assert local.headroom() == 3 * GB


def test_the_tightest_of_the_cgroups_around_counts(system):
    (system / "proc/7/cgroup").write_text("0::/pod/app\n")
    cgroup(system, "pod", memory__max=2 * GB, memory__current=GB)
    cgroup(system, "pod/app", memory__max="max", memory__current=GB)
    assert local.headroom() == GB


def test_the_first_version_of_cgroups_counts_those_below(system):
    (system / "proc/7/cgroup").write_text("4:cpu,memory:/app\n0::/\n")
    stat = f"inactive_file 0\nactive_file 0\ntotal_inactive_file {GB}\ntotal_active_file 0\n"
    files = {"memory__limit_in_bytes": 3 * GB, "memory__usage_in_bytes": 2 * GB, "memory__stat": stat}
    cgroup(system, "memory/app", **files)
    assert local.headroom() == 2 * GB


def test_an_unlimited_cgroup_of_the_first_version_is_no_limit(system):
    (system / "proc/7/cgroup").write_text("4:memory:/\n")
    cgroup(system, "memory", memory__limit_in_bytes=(1 << 63) - 4096, memory__usage_in_bytes=GB)
    assert local.headroom() == 8 * GB


def test_a_cgroup_that_is_over_its_limit_leaves_nothing(system):
    (system / "proc/7/cgroup").write_text("0::/app\n")
    cgroup(system, "app", memory__max=GB, memory__current=2 * GB)
    assert local.headroom() == 0
