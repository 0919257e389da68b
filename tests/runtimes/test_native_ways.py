"""Programs whose allocator profiles, gperftools and jemalloc: dumps by a signal, and dumps that lie there."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from endpoints import Kept, Refused, built, running, without

from caulk.formats import read
from caulk.model.errors import CaptureFailed
from caulk.model.target import Access, Process
from caulk.places.local import LocalReach
from caulk.ports import Way
from caulk.runtimes import native as runtime

SOURCE = """
#include <cstdio>
#include <vector>
struct Session { char body[4000]; };
static std::vector<Session*> sessions;
__attribute__((noinline)) void open_session() { sessions.push_back(new Session()); }
int main() {
  for (int i = 0; i < 3000; i++) open_session();
  std::puts("ready"); std::fflush(stdout);
  for (;;) { delete new Session(); std::getchar(); }
}
"""
SIGUSR2 = 12


@pytest.fixture(scope="module")
def program(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("native")
    (folder / "shop.cc").write_text(SOURCE)
    return built(require("g++"), folder / "shop.cc", folder / "shop", "-Wl,--build-id")


def library(name: str) -> str:
    found = sorted(Path("/usr/lib").glob(f"*/{name}"))
    if not found:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)(f"{name} is not installed")
    return str(found[0])


@contextmanager
def shop(program: Path, folder: Path, **variables: str) -> Iterator[LocalReach]:
    environ = {**without("LD_PRELOAD", "HEAPPROFILE", "MALLOC_CONF"), **variables}
    with running(program, cwd=folder, env=environ) as [reach, _]:
        yield reach


def ways(reach: LocalReach) -> dict[str, Way]:
    return {way.name: way for way in runtime.ways(reach, Access())}


@contextmanager
def profiled(program: Path, folder: Path, **more: str) -> Iterator[LocalReach]:
    """The program with gperftools, which writes where it was told to."""
    with shop(
        program, folder, LD_PRELOAD=library("libtcmalloc.so.4"), **{"HEAPPROFILE": f"{folder}/heap", **more}
    ) as it:
        yield it


@pytest.mark.parametrize("prefix", ["/heap", "heap"])
def test_a_signal_has_gperftools_write_a_profile_which_goes_with_the_binary(program, tmp_path, prefix):
    prefix = f"{tmp_path}{prefix}" if prefix.startswith("/") else prefix
    with profiled(program, tmp_path, HEAPPROFILE=prefix, HEAPPROFILESIGNAL=str(SIGUSR2)) as reach:
        assert runtime.serves(reach.process())
        way, sink = ways(reach)["gperftools:signal"], Kept()
        assert way.check().standing == "ready"
        cost, taken = way.cost(), way.take(sink)
        assert (cost.directory, taken.remove, sink.left) == (str(tmp_path), True, [taken.remote])
        assert Path(taken.remote).stat().st_size <= cost.disk_bytes
        profile = read(taken.remote)
        assert (profile.format, profile.total(profile.default_measure) >= 3000 * 4000) == ("gperftools", True)
        assert sink.files["shop"] == program.read_bytes()
        assert len(taken.facts["build_id"]) == 40
        # Now there is one that it has written; that one is left where it is.
        again = Kept()
        assert ways(reach)["gperftools:file"].take(again).remove is False
        assert again.left == []


def test_a_dump_that_nobody_waits_for_does_not_stay(program, tmp_path):
    def give_up(step: str) -> None:
        if step.startswith("fetching"):
            raise Refused

    with profiled(program, tmp_path, HEAPPROFILESIGNAL=str(SIGUSR2)) as reach:
        with pytest.raises(Refused):
            ways(reach)["gperftools:signal"].take(Kept(on_progress=give_up))
        assert not list(tmp_path.glob("*.heap"))


def test_a_signal_that_was_not_chosen_is_not_sent(program, tmp_path):
    with profiled(program, tmp_path) as reach:
        check = ways(reach)["gperftools:signal"].check()
        assert (check.standing, "HEAPPROFILESIGNAL" in check.fix) == ("needs", True)
        assert ways(reach)["gperftools:file"].check().standing == "needs"


class Uncaught(LocalReach):
    """The way to a process that has lost its handlers."""

    def process(self) -> Process:
        return replace(super().process(), caught=0)


def test_a_signal_that_is_not_caught_is_not_sent(program, tmp_path):
    with profiled(program, tmp_path, HEAPPROFILESIGNAL=str(SIGUSR2)) as reach:
        check = ways(Uncaught(reach.target, reach.hand.pid))["gperftools:signal"].check()
        assert (check.standing, "would end it" in check.why) == ("needs", True)


def test_jemallocs_own_dumps_are_found_and_its_dump_on_demand_is_explained(program, tmp_path):
    conf = f"prof:true,lg_prof_sample:12,lg_prof_interval:20,prof_prefix:{tmp_path}/shop"
    with shop(program, tmp_path, LD_PRELOAD=library("libjemalloc.so.2"), MALLOC_CONF=conf) as reach:
        found, sink = ways(reach), Kept()
        assert found["jemalloc:file"].check().standing == "ready"
        taken = found["jemalloc:file"].take(sink)
        assert (taken.remove, read(taken.remote).format) == (False, "jemalloc")
        newest = max(tmp_path.glob("shop.*.heap"), key=lambda path: int(path.name.split(".")[2]))
        assert taken.remote == str(newest)
        assert sink.files["shop"] == program.read_bytes()
        check = found["jemalloc:prof.dump"].check()
        assert (check.standing, "from within the program" in check.why) == ("impossible", True)


def test_a_program_whose_allocator_does_not_profile_is_told_what_would(program, tmp_path):
    with shop(program, tmp_path) as reach:
        assert runtime.serves(reach.process())
        fixes = {name: way.check().fix for name, way in ways(reach).items()}
        assert "HEAPPROFILE=" in fixes["gperftools:signal"]
        assert "MALLOC_CONF=prof:true" in fixes["jemalloc:file"]
        with pytest.raises(CaptureFailed, match="when the program starts"):
            runtime.arm(reach, "/tmp")


def test_programs_of_other_runtimes_are_not_native():
    libc = "/usr/lib/libc.so.6"
    python = Process(7, 0, 0, 0.0, executable="/usr/bin/python3.11", libraries=frozenset({libc}))
    go = Process(7, 0, 0, 0.0, executable="/shop", libraries=frozenset({libc}), sections=frozenset({".go.buildinfo"}))
    assert [runtime.serves(python), runtime.serves(go)] == [False, False]
    assert runtime.serves(replace(python, environ={"HEAPPROFILE": "/tmp/heap"}))
