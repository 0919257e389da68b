"""Two dumps each of real programs that leak, as the profilers of C++, Envoy, V8 and other tools write them.

Each function runs a program and gives its dumps, the older first.
"""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holding_envoy import CONFIG, REQUEST, binary

PROGRAMS = Path(__file__).resolve().parent / "programs"
ROOT = PROGRAMS.parents[2]
#: Far beyond what a busy machine needs.
_PATIENCE_S = 120.0

PROBED = """
import sys
from caulk_probe.dumper import dump

class Session:
    def __init__(self, number):
        self.items = [f"item {number} {line}" for line in range(20)]

class Store:
    def __init__(self):
        self.sessions = {}

store = Store()
for part in (1, 2):
    for number in range(1000):
        store.sessions[part, number] = Session(number)
    dump(f"{sys.argv[1]}/python.{part}.cpygraph", force=True)
"""
SHOP = """
import sys
from memray import Tracker
from memray.commands import main

kept = []

def put_session():
    kept.append(bytearray(20_000))

def serve(count):
    for _ in range(count):
        put_session()

for part, count in enumerate((200, 500), 1):
    out = f"{sys.argv[1]}/shop.{part}"
    with Tracker(f"{out}.memray"):
        serve(count)
    main(["transform", "speedscope", "--leaks", "-o", f"{out}.speedscope.json", f"{out}.memray"])
"""


def shop(compiler: str, folder: Path) -> Path:
    """The program of C++, with its debug information."""
    program = folder / "shop"
    flags = ["-std=c++17", "-g", "-O1", "-Wl,--build-id"]
    subprocess.run([compiler, *flags, "-o", program, PROGRAMS / "cart.cc"], check=True)
    return program


def gperftools(program: Path) -> list[Path]:
    """What tcmalloc's heap profiler writes of it."""
    folder = program.parent
    told = {"HEAPPROFILE": f"{folder}/tc", "HEAP_PROFILE_ALLOCATION_INTERVAL": "8000000"}
    _profiled(program, 1200, "libtcmalloc.so.4", **told)
    found = sorted(folder.glob("tc.*.heap"))
    return [found[0], found[-1]]


def jemalloc(program: Path) -> list[Path]:
    """What jemalloc's profiler writes of it."""
    folder = program.parent
    options = "prof:true,lg_prof_sample:13,lg_prof_interval:23,prof_accum:true,prof_final:true"
    _profiled(program, 2500, "libjemalloc.so.2", MALLOC_CONF=f"{options},prof_prefix:{folder}/je")
    found = sorted(folder.glob("je.*.heap"), key=lambda path: int(path.name.split(".")[2]))
    return [found[2], found[-1]]


def elsewhere(dumps: list[Path], program: Path, folder: Path) -> list[Path]:
    """The same dumps, as of a machine whose programs are not here."""
    made = [folder / path.name for path in dumps]
    for path, copy in zip(dumps, made, strict=True):
        copy.write_bytes(path.read_bytes().replace(bytes(program), b"/opt/elsewhere/shop"))
    return made


def folded(program: Path, profiles: list[Path], require) -> list[Path]:
    """What `google-pprof --collapsed` makes of profiles."""
    return [
        _written(path.with_suffix(".folded"), [require("google-pprof"), "--collapsed", program, path])
        for path in profiles
    ]


def sampled(node: str, folder: Path) -> list[Path]:
    """V8's sampling heap profiles, as the inspector gives them."""
    subprocess.run([node, PROGRAMS / "cart-sampled.mjs", folder], check=True, timeout=120)
    return sorted(folder.glob("*.heapprofile"))


def probe(folder: Path) -> list[Path]:
    """What caulk-probe writes of a Python program, twice."""
    script = folder / "cart_probe.py"
    script.write_text(PROBED)
    environ = os.environ | {"PYTHONPATH": str(ROOT / "probe/src")}
    subprocess.run([sys.executable, script, folder], env=environ, check=True, capture_output=True, timeout=120)
    return sorted(folder.glob("*.cpygraph"))


def speedscope(folder: Path) -> list[Path]:
    """What `memray transform speedscope` makes of two captures, of which the second has more."""
    script = folder / "shop.py"
    script.write_text(SHOP)
    subprocess.run([sys.executable, script, folder], check=True, capture_output=True, timeout=120)
    return sorted(folder.glob("*.speedscope.json"))


def envoy(folder: Path) -> list[Path]:
    """Of the real Envoy, over its admin interface: 120 MB apart, for it samples one allocation in 2 MiB."""
    dumps, kept = [], []
    with _envoy(folder) as (admin, port):
        for part, count in enumerate((100, 400), 1):
            kept += _held(admin, port, count)
            dumps.append(folder / f"envoy.{part}.pb.gz")
            dumps[-1].write_bytes(_asked(admin, "/heap_dump"))
    for client in kept:
        client.close()
    return dumps


def _held(admin: str, port: int, count: int) -> list[socket.socket]:
    """Requests that Envoy keeps by now."""
    wanted, clients = _received(admin) + count * len(REQUEST), []
    for _ in range(count):
        clients.append(socket.create_connection(("127.0.0.1", port)))
        clients[-1].sendall(REQUEST)
    _until(lambda: _received(admin) >= wanted)
    return clients


@contextmanager
def _envoy(folder: Path) -> Iterator[tuple[str, int]]:
    """The address of its admin interface, and the port that it listens at."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as upstream:
        kept: list[socket.socket] = []
        threading.Thread(target=_accept, args=(upstream, kept), daemon=True).start()
        (folder / "envoy.yaml").write_text(CONFIG.format(admin=0, port=0, upstream=upstream.getsockname()[1]))
        options = [
            "--admin-address-path",
            "admin.txt",
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
            "--log-level",
            "off",
        ]
        with subprocess.Popen([binary(), "-c", "envoy.yaml", *options], cwd=folder) as proxy:
            try:
                _until(lambda: (folder / "admin.txt").exists() and (folder / "admin.txt").read_text())
                admin = (folder / "admin.txt").read_text()
                _until(lambda: b"127.0.0.1:" in _asked(admin, "/listeners"))
                yield admin, int(_asked(admin, "/listeners").rpartition(b":")[2])
            finally:
                proxy.kill()


def _accept(upstream: socket.socket, kept: list[socket.socket]) -> None:
    try:
        while True:
            kept.append(upstream.accept()[0])
    except OSError:
        return


def _asked(admin: str, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{admin}{path}", timeout=_PATIENCE_S) as answer:
        return answer.read()


def _received(admin: str) -> int:
    """Bytes of requests; all of them are kept."""
    found = re.search(rb"(\d+)\s*$", _asked(admin, "/stats?filter=http.in.downstream_cx_rx_bytes_total$"))
    return int(found[1]) if found else 0


def _until(condition) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "what the test waits for did not come"
        time.sleep(0.02)


def _profiled(program: Path, requests: int, library: str, **environ: str) -> None:
    found = sorted(Path("/usr/lib").glob(f"*/{library}"))
    if not found:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)(f"{library} is not on this machine")
    more = {"LD_PRELOAD": str(found[0]), **environ}
    subprocess.run([program, str(requests)], env=os.environ | more, check=True, capture_output=True, timeout=120)


def _written(path: Path, command: list[str | Path]) -> Path:
    path.write_bytes(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    return path
