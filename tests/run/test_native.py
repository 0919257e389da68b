"""`caulk run --native`: what leaks in C, C++ and Rust is named, although no managed heap grows."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from awaiting import PATIENCE_S, await_enough, end, most_captures_in
from leaky_programs import CYCLE, EXTENSION, PLAYER, SERVER, cycle, extension, line_of, server

from caulk.runtimes import native

ROUNDS = "250"
#: For those that run until they have been captured so often, which is what a verdict takes.
FEW, CAPTURES = "50", 5
#: A dump for every 4 MiB: these programs allocate little in their few seconds.
OFTEN = {"MALLOC_CONF": "lg_prof_interval:22"}
SRC = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Said:
    """What `caulk run` said at the end."""

    status: int
    text: str
    report: dict
    left: list[str]

    @property
    def finding(self) -> dict:
        return self.report["findings"][0]

    @property
    def functions(self) -> list[str]:
        return [frame["function"] for frame in self.finding["stack"]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Said]]:
    """`caulk run --native` on a command in `tmp_path`, until one process of it has been captured so often.

    `first` is Python that runs in caulk before.
    """

    def start(*command: str, first: str = "", captures: int = 0, **environment: str) -> Said:
        bootstrap = f"import sys; sys.path.insert(0, {str(SRC)!r})\n{first}\nfrom caulk.__main__ import main\nmain()"
        keep = tmp_path / "kept"
        ran = subprocess.Popen(
            # -I: neither caulk nor the program under it is to live from the PYTHONPATH of the tests.
            [sys.executable, "-I", "-c", bootstrap, "run", "--native", "--quiet", "--out", "report.json",
             "--keep", keep, "--", *command],
            cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment,
        )  # fmt: skip
        started.append(ran)
        await_enough(ran, tmp_path, when=lambda: not captures or most_captures_in(keep) >= captures)
        _, text = ran.communicate(timeout=PATIENCE_S)
        report = tmp_path / "report.json"
        return Said(
            ran.returncode,
            text,
            json.loads(report.read_text()) if report.exists() else {},
            sorted(path.name for path in keep.iterdir()),
        )

    started: list[subprocess.Popen] = []
    yield start
    for process in started:
        end(process)


@pytest.fixture
def gxx(require) -> str:
    return require("g++")


@pytest.fixture
def jemalloc() -> str:
    found = native.preload()
    if not found or found.allocator.package != "libjemalloc2":
        pytest.skip("libjemalloc2 is not on this machine")
    return found.path


@pytest.fixture
def tcmalloc() -> str:
    if not list(Path("/usr/lib").glob("*/libtcmalloc.so.4")):
        pytest.skip("libgoogle-perftools4 is not on this machine")
    return "from caulk.runtimes import native; native.ALLOCATORS = native.ALLOCATORS[1:]"


def test_a_c_extension_that_forgets_to_free_is_named_with_the_line_of_python_that_calls_it(run, gcc, tmp_path):
    extension(gcc, tmp_path)
    said = run(sys.executable, "player.py", ROUNDS)
    assert said.status == 0, said.text
    assert said.report["verdict"]["state"] == "leaking"
    assert said.finding["allocator"] == "decode_frame"
    assert said.finding["location"].endswith(f"videoext.c:{line_of(EXTENSION, 'the leak')}")
    assert said.functions[-4:] == ["main", "show_frame", "decode", "decode_frame"]
    assert said.finding["stack"][-3]["line"] == line_of(PLAYER, "the call")
    assert said.finding["growth_bytes"] > 0.6 * int(ROUNDS) * 50 * 4000
    assert {given["format"] for given in said.report["inputs"]} == {"memray"}


def test_a_program_that_is_killed_is_named_too(run, gcc, tmp_path):
    extension(gcc, tmp_path)
    program = (tmp_path / "player.py").read_text() + "\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    (tmp_path / "player.py").write_text(program)
    said = run(sys.executable, "player.py", ROUNDS)
    assert said.status == 128 + 9
    assert said.finding["allocator"] == "decode_frame"


def test_a_forked_child_is_recorded_in_a_file_of_its_own(run, gcc, tmp_path):
    extension(gcc, tmp_path)
    (tmp_path / "pool.py").write_text(
        "import os, sys, videoext\n"
        "if os.fork() == 0:\n    sys.argv[1:] = ['150']\n    import player\n    sys.exit()\n"
        "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    said = run(sys.executable, "pool.py")
    assert said.status == 0, said.text
    assert said.finding["allocator"] == "decode_frame"
    assert len([name for name in said.left if name.endswith(".memray")]) == 2


def test_a_python_without_memray_says_so_and_its_c_code_is_still_named(run, gcc, tmp_path, jemalloc):
    extension(gcc, tmp_path)
    said = run(sys.executable, "-c", "import sys; sys.modules['memray'] = None; import player", FEW, captures=CAPTURES,
               first="from caulk.runtimes import native\nnative.recording = lambda: {'CAULK_RUN_NATIVE': '.none:'}",
               PYTHONPATH=_without_memray(tmp_path))  # fmt: skip
    assert "memray cannot be imported there" in said.text
    assert said.finding["allocator"] == "decode_frame"
    assert {given["format"] for given in said.report["inputs"]} == {"jemalloc"}


def _without_memray(folder: Path) -> str:
    """A folder that hides memray from whoever has it on the path."""
    hiding = folder / "hiding"
    hiding.mkdir()
    (hiding / "memray.py").write_text("raise ImportError('hidden')\n")
    return str(hiding)


def test_a_program_of_cpp_that_leaks_is_named_by_function_and_line(run, gxx, tmp_path, jemalloc):
    said = run("sh", "-c", f"{server(gxx, tmp_path)} {FEW}; exit 3", captures=CAPTURES, **OFTEN)
    assert said.status == 3, said.text
    assert said.report["verdict"]["state"] == "leaking"
    assert said.finding["allocator"] == "open_session"
    assert said.finding["location"].endswith(f"server.cc:{line_of(SERVER, 'the leak')}")
    assert {given["runtime"] for given in said.report["inputs"]} == {"native"}


def test_the_dumps_of_an_allocator_are_thinned_and_none_is_left_over(run, gxx, tmp_path, jemalloc):
    said = run(server(gxx, tmp_path), FEW, captures=CAPTURES, **OFTEN)
    assert CAPTURES <= len(said.left) <= 11
    assert all(name.startswith("native-") for name in said.left)


def test_nothing_stays_in_the_temporary_directory(gxx, tmp_path, jemalloc):
    program, left = server(gxx, tmp_path), tmp_path / "temporary"
    left.mkdir()
    (tmp_path / "enough").touch()
    command = [sys.executable, "-m", "caulk", "run", "--native", "--quiet", "--", program, "60"]
    environment = os.environ | {"TMPDIR": str(left), "PYTHONPATH": str(SRC)}
    ran = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert "open_session" in ran.stderr
    assert not list(left.iterdir())


def test_a_cycle_of_arcs_in_rust_is_named(run, require, tmp_path, jemalloc):
    said = run(cycle(require("rustc"), tmp_path), FEW, captures=CAPTURES, **OFTEN)
    assert said.report["verdict"]["state"] == "leaking"
    assert "make_pair" in said.finding["allocator"]
    inside = range(line_of(CYCLE, "let first"), line_of(CYCLE, "let second") + 1)
    assert int(said.finding["location"].rpartition(":")[2]) in inside


def test_where_jemalloc_is_missing_tcmalloc_names_the_leak(run, gxx, tmp_path, tcmalloc):
    said = run(server(gxx, tmp_path), "150", first=tcmalloc)
    assert said.finding["allocator"] == "open_session"
    assert {given["format"] for given in said.report["inputs"]} == {"gperftools"}
    assert "heap profile" not in said.text


def test_without_an_allocator_the_package_to_install_is_named(run, gxx, tmp_path):
    said = run(server(gxx, tmp_path), "1", first="from caulk.runtimes import native; native.ALLOCATORS = ()")
    assert said.status == 0
    assert "apt-get install libjemalloc2" in said.text


def test_a_library_that_does_not_profile_is_not_taken(tmp_path, monkeypatch):
    library = tmp_path / "libnone.so"
    library.write_bytes(b"no library")
    monkeypatch.setattr(native, "_DIRECTORIES", (str(tmp_path),))
    monkeypatch.setattr(native, "ALLOCATORS", (native.Allocator("libnone.so", "none", {"MALLOC_CONF": "$prefix"}),))
    assert native.preload() is None


def test_what_the_user_preloads_and_configures_stays(tmp_path):
    found = native.Preload(native.ALLOCATORS[0], "/lib/libjemalloc.so.2")
    added = found.environment({"LD_PRELOAD": "/lib/mine.so", "MALLOC_CONF": "lg_prof_interval:30"}, tmp_path)
    assert added["LD_PRELOAD"].split() == ["/lib/libjemalloc.so.2", "/lib/mine.so"]
    assert added["MALLOC_CONF"].endswith(",lg_prof_interval:30")


def test_a_static_program_runs_and_the_note_says_why_nothing_is_seen(run, gxx, tmp_path):
    said = run(server(gxx, tmp_path, "-static"), "2")
    assert said.status == 0
    assert "is static, so no allocator can be preloaded" in said.text


def test_what_holds_no_more_at_the_end_than_before_is_not_called_a_leak(run, gxx, tmp_path, jemalloc):
    steady = SERVER.replace("sessions.push_back(new Session());", "delete new Session();")
    (tmp_path / "steady.cc").write_text(steady)
    program = tmp_path / "steady"
    subprocess.run([gxx, "-g", "-O0", "-pthread", tmp_path / "steady.cc", "-o", program], check=True)
    said = run(str(program), FEW, captures=CAPTURES, **OFTEN)
    assert said.report["verdict"]["state"] == "steady", said.text
