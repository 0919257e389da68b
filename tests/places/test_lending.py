"""Lending memory: limits are raised for a while and come back, after kill -9 too, and never below what is used."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from caulk.model.errors import Lacks
from caulk.places import local
from caulk.places.hand import Hand
from caulk.places.local import LocalReach

MB = 1 << 20


class System:
    """A machine as Linux shows it, with cgroups of version 2 around this process."""

    def __init__(self, directory: Path) -> None:
        self.cgroups, self.state = directory / "cgroup", directory / "state"
        self.proc = directory / "proc"
        own = self.proc / str(os.getpid())
        own.mkdir(parents=True)
        (self.proc / "meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable: {8 << 20} kB\n")
        for name in ("stat", "status"):
            (own / name).write_bytes(Path(f"/proc/self/{name}").read_bytes())
        (own / "cgroup").write_text("0::/pod/app\n")

    def cgroup(self, path: str, limit: object, used: int, *, inactive: int = 0) -> Path:
        directory = self.cgroups / path
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "memory.max").write_text(f"{limit}\n")
        (directory / "memory.current").write_text(f"{used}\n")
        (directory / "memory.stat").write_text(f"anon 1\ninactive_file {inactive}\nactive_file {MB}\n")
        return directory

    def reach(self) -> LocalReach:
        made = local.reach(local.targets(str(os.getpid()))[0])
        made.state = self.state
        made.hand.proc, made.hand.cgroup_mount = str(self.proc), str(self.cgroups)
        return made


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_the_room_is_what_the_tightest_cgroup_leaves_without_files_that_can_go(system):
    system.cgroup("", "max", 5000 * MB)
    system.cgroup("pod", 1000 * MB, 900 * MB)
    system.cgroup("pod/app", 500 * MB, 450 * MB, inactive=200 * MB)
    room = system.reach().room()
    assert (room.limit, room.used, room.free, room.machine) == (1000 * MB, 900 * MB, 100 * MB, 8192 * MB)


def test_without_a_limit_what_the_process_uses_is_known(system):
    system.cgroup("pod/app", "max", 450 * MB)
    room = system.reach().room()
    assert room.limit is None
    assert 0 < room.used < 4096 * MB
    assert room.free == 8192 * MB


def test_every_limit_in_the_way_is_raised_and_comes_back(system):
    pod, app = system.cgroup("pod", 520 * MB, 100 * MB), system.cgroup("pod/app", 500 * MB, 100 * MB)
    far = system.cgroup("", 4000 * MB, 100 * MB)
    with system.reach().lend(64 * MB) as limit:
        assert limit == 564 * MB
        assert int((app / "memory.max").read_text()) == 564 * MB
        assert int((pod / "memory.max").read_text()) == 584 * MB
        assert int((far / "memory.max").read_text()) == 4000 * MB
        assert len(list(system.state.iterdir())) == 1
    assert [int((directory / "memory.max").read_text()) for directory in (pod, app)] == [520 * MB, 500 * MB]
    assert not list(system.state.iterdir())


def test_a_limit_is_not_lowered_below_what_is_used_by_then_until_that_is_less(system):
    app = system.cgroup("pod/app", 500 * MB, 100 * MB)
    with system.reach().lend(200 * MB):
        (app / "memory.current").write_text(f"{520 * MB}")
    left = int((app / "memory.max").read_text())
    assert 520 * MB + 16 * MB <= left < 700 * MB
    assert ["uses too much" in sentence for sentence in local.undo_loans(system.state)] == [True]
    with pytest.raises(Lacks, match="lent to process"), system.reach().lend(MB):
        pass
    (app / "memory.current").write_text(f"{300 * MB}")
    assert local.undo_loans(system.state) == []
    assert int((app / "memory.max").read_text()) == 500 * MB
    assert not list(system.state.iterdir())


def test_a_limit_that_somebody_else_set_meanwhile_stays(system):
    app = system.cgroup("pod/app", 500 * MB, 100 * MB)
    with system.reach().lend(64 * MB):
        (app / "memory.max").write_text(f"{900 * MB}")
    assert int((app / "memory.max").read_text()) == 900 * MB
    assert not list(system.state.iterdir())


def test_an_error_during_the_loan_is_that_error_and_the_limit_comes_back(system):
    app = system.cgroup("pod/app", 500 * MB, 100 * MB)
    with pytest.raises(FileNotFoundError), system.reach().lend(64 * MB):
        raise FileNotFoundError
    assert int((app / "memory.max").read_text()) == 500 * MB


def test_nothing_is_lent_where_there_is_no_limit_or_too_little_memory(system):
    app = system.cgroup("pod/app", "max", 100 * MB)
    with pytest.raises(Lacks, match="no memory limit"), system.reach().lend(MB):
        pass
    system.cgroup("pod/app", 500 * MB, 100 * MB)
    with pytest.raises(Lacks, match="8,192 MB of memory left"), system.reach().lend(9000 * MB):
        pass
    assert int((app / "memory.max").read_text()) == 500 * MB
    assert not system.state.exists()


def test_after_kill_9_the_next_start_takes_the_loan_back(system):
    app = system.cgroup("pod/app", 500 * MB, 100 * MB)
    code = f"""
import os, signal, sys
from pathlib import Path
from caulk.places.hand import Hand
from caulk.places.local.lending import lend, undo_loans
hand = Hand({os.getpid()})
hand.proc, hand.cgroup_mount = {str(system.proc)!r}, {str(system.cgroups)!r}
with lend(hand, {64 * MB}, Path({str(system.state)!r})):
    assert undo_loans(Path({str(system.state)!r})) == []
    os.kill(os.getpid(), signal.SIGKILL)
"""
    paths = os.pathsep.join(path for path in sys.path if path)
    ran = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, check=False, timeout=60)
    assert ran.returncode == -signal.SIGKILL
    assert int((app / "memory.max").read_text()) == 564 * MB
    assert local.undo_loans(system.state) == []
    assert int((app / "memory.max").read_text()) == 500 * MB
    assert not list(system.state.iterdir())


def test_the_cgroups_of_a_target_outside_of_our_namespace_are_seen_through_its_own_mount(system):
    own = system.proc / str(os.getpid())
    (own / "cgroup").write_text("0::/../other\n")
    inside = own / "root" / str(system.cgroups).lstrip("/")
    inside.mkdir(parents=True)
    (inside / "memory.max").write_text(f"{64 * MB}\n")
    (inside / "memory.current").write_text(f"{10 * MB}\n")
    room = system.reach().room()
    assert (room.limit, room.used) == (64 * MB, 10 * MB)


@pytest.fixture
def cgroup() -> Path:
    """A real memory cgroup with a limit of 64 MB."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    v1 = [Path(where) for _, where, kind, options, *_ in mounts if kind == "cgroup" and "memory" in options.split(",")]
    v2 = [Path(where) for _, where, kind, *_ in mounts if kind == "cgroup2"]
    v2 = [base for base in v2 if "memory" in (base / "cgroup.subtree_control").read_text().split()]
    if os.geteuid() != 0 or not v1 + v2:
        pytest.skip("unobtainable: only root makes memory cgroups, where they are mounted")
    directory = (v1 + v2)[0] / f"caulk-test-{os.getpid()}"
    try:
        directory.mkdir()
    except OSError as error:
        pytest.skip(f"unobtainable: no cgroup can be made here: {error.strerror}")
    (directory / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(f"{64 * MB}")
    yield directory
    directory.rmdir()


def test_the_kernel_takes_a_loan_and_gives_it_back(cgroup: Path, tmp_path: Path):
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            (cgroup / "cgroup.procs").write_text(f"{process.pid}")
            reach = LocalReach(local.targets(str(process.pid))[0], process.pid, tmp_path)
            room = reach.room()
            assert room.limit == 64 * MB
            assert room.used < 64 * MB
            with reach.lend(32 * MB) as limit:
                assert limit == reach.room().limit == 96 * MB
            assert reach.room().limit == 64 * MB
            assert Hand(process.pid).room()["limit"] == 64 * MB
        finally:
            process.kill()
