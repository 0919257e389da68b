"""The programs of `programs/` as plain processes of this machine, each in a directory of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from engines import awaited
from images import PROGRAMS, routes

PROBE = Path(__file__).parents[2] / "probe/src"
RUNTIMES = ("cpython", "envoy", "go", "jvm", "native", "node")
_SIGUSR2 = 12


@dataclass(frozen=True)
class Started:
    """A program that holds what it is to hold; `directory` is its own."""

    runtime: str
    popen: "subprocess.Popen[bytes]"
    directory: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def runs(self) -> bool:
        return self.popen.poll() is None

    def traces(self) -> set[str]:
        """Files in its directory, and what bears its number in /tmp but for the socket that a JVM opens for good."""
        shared = (path for path in Path("/tmp").glob(f"*pid{self.pid}*") if not path.name.startswith(".java_pid"))
        kept = (path for path in Path("/tmp").glob(f"*caulk-{self.pid}-*"))
        return {str(path) for path in (*self.directory.rglob("*"), *shared, *kept)}


class Programs:
    """Every program is built once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def running(self, runtime: str, *arguments: str, under: str = "") -> Iterator[Started]:
        """The program of a runtime, ready; `under` names its directory."""
        build = self._folder / f"build-{runtime}"
        build.mkdir(exist_ok=True)
        command, more = _MAKERS[runtime](build)
        directory = self._folder / (under or f"{runtime}-{len(list(self._folder.iterdir()))}")
        directory.mkdir()
        # What it says is not among what it leaves.
        log = directory.with_suffix(".log")
        environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "HEAPPROFILE")}
        environ |= {name: value.format(directory=directory) for name, value in more.items()}
        with log.open("wb") as said:
            popen = subprocess.Popen(
                [*command, *arguments], cwd=directory, env=environ, stdout=said, stderr=said, stdin=subprocess.DEVNULL
            )
        try:
            awaited(lambda: _is_ready(runtime, log.read_text(errors="replace")), log.read_text)
            yield Started(runtime, popen, directory)
        finally:
            popen.kill()
            popen.wait()


def _is_ready(runtime: str, said: str) -> bool:
    return ("starting main dispatch loop" if runtime == "envoy" else "ready") in said


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)(f"{name} is not on this machine")
    return str(path)


def _built(target: Path, *command: str) -> Path:
    if not target.exists():
        subprocess.run(command, check=True, capture_output=True)
    return target


_Made = tuple[list[str], dict[str, str]]


def _cpython(build: Path) -> _Made:
    python = os.path.realpath(sys.executable)
    return [python, "-m", "caulk_probe", str(PROGRAMS / "hold.py")], {"PYTHONPATH": str(PROBE)}


def _node(build: Path) -> _Made:
    return [_found("node"), str(PROGRAMS / "hold.mjs")], {}


def _jvm(build: Path) -> _Made:
    _built(build / "Hold.class", _found("javac"), "-d", str(build), str(PROGRAMS / "Hold.java"))
    return [_found("java"), "-Xmx128m", "-cp", str(build), "Hold"], {}


def _go(build: Path) -> _Made:
    # Of its own, in place of the one in the source: another program may have that here.
    source = build / "hold.go"
    source.write_text((PROGRAMS / "hold.go").read_text().replace("127.0.0.1:6060", f"127.0.0.1:{_port()}"))
    return [str(_built(build / "hold", _found("go"), "build", "-o", str(build / "hold"), str(source)))], {}


def _envoy(build: Path) -> _Made:
    package = find_spec("envoy")
    assert package and package.submodule_search_locations
    config = build / "envoy.json"
    config.write_text(json.dumps(routes(_port(), _port())))
    binary = f"{package.submodule_search_locations[0]}/_bin/envoy"
    return [binary, "-c", str(config), "--concurrency", "1", "--use-dynamic-base-id"], {}


def _native(build: Path) -> _Made:
    program = _built(
        build / "hold",
        _found("g++"),
        "-O1",
        "-g",
        "-Wl,--build-id",
        str(PROGRAMS / "hold.cc"),
        "-o",
        str(build / "hold"),
    )
    library = next(iter(sorted(Path("/usr/lib").glob("*/libtcmalloc.so.4"))), None)
    if library is None:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)("libtcmalloc.so.4 is not installed")
    variables = {"LD_PRELOAD": str(library), "HEAPPROFILE": "{directory}/heap", "HEAPPROFILESIGNAL": str(_SIGUSR2)}
    return [str(program)], variables


def _port() -> int:
    with closing(socket.socket()) as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])


_MAKERS: dict[str, Callable[[Path], _Made]] = {
    "cpython": _cpython,
    "envoy": _envoy,
    "go": _go,
    "jvm": _jvm,
    "native": _native,
    "node": _node,
}
