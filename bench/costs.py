"""What a capture costs, predicted beside measured: every way of every runtime, on heaps of three sizes.

    PYTHONPATH=src python bench/costs.py [RUNTIME …]      # jvm node cpython go envoy native, or all of them

For each measurement a program of bench/programs/held is started, and captured as `caulk capture` does it. Writes
bench/costs.md; what it has of other runtimes stays. CAULK_BENCH_JAVA is another JVM.
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from watched import HELD, Program, Watch, proxy, started

from caulk.capture import take
from caulk.capture.offers import chosen, offers
from caulk.model.capture import Cost
from caulk.model.target import Access, Room, Target
from caulk.places.local import LocalReach
from caulk.store.captures import Captures

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "bench/costs.md"
SIZES_MIB, OTHERS_MIB = (25, 80, 250), (60,)
ROUNDS = int(os.environ.get("CAULK_BENCH_ROUNDS", "3"))
#: Less than this is no cost that anybody plans with, and a machine that does other things makes as much of it.
SLIGHT_S, SLIGHT_BYTES = 0.1, 32 << 20
SECONDS = 2
HEAD = """# What a capture costs, predicted and measured

Written by `python bench/costs.py`. The heap is the program's anonymous memory before. Where several programs were
measured, pauses are the median, memory and files those of the worst of them.

**A pause** is the longest time in which a thread of the program that wakes all the time did not (JVM, native; all such
times in CPython), the longest delay of a timer of its event loop (Node.js), its slowest request (Go, Envoy): *seen*.
Other programs on the machine make it longer, so the pause is no more than what the program's threads worked meanwhile,
and in Go no more than the longest stop of the world by the runtime's own count. **Memory** is what its anonymous pages
had more at their peak, a child's too where one writes the dump. **Disk** is what lay in the target. A way has
**missed** where it took more memory, disk or room in the store than predicted, or where a prediction is more than twice
or less than half of what was measured, and that matters: less than 0.1 s and 32 MiB do not.
"""
COLUMNS = (
    *("heap", "way", "pause", "predicted", "seen", "memory", "predicted"),
    *("disk", "predicted", "capture", "predicted", ""),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A way, in programs of one kind; `make` starts one with a heap of so many MiB in a folder."""

    way: str
    make: Callable[[int, Path], AbstractContextManager[Program]]
    what: str = ""
    sizes: Sequence[int] = SIZES_MIB
    is_cramped: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """One capture: what was predicted, and what was measured in seconds and bytes."""

    heap: int
    cost: Cost
    pause_s: float
    seen_s: float
    extra: int
    disk: int
    size: int


class Cramped(LocalReach):
    """A target whose limit has no room for a child that copies its memory."""

    def room(self) -> Room:
        """Half of what it has."""
        return Room(0, self.reading().anonymous // 2)


def main() -> None:
    """Measures, and writes after each runtime."""
    os.environ["CAULK_HOME"] = home = tempfile.mkdtemp(prefix="caulk-costs-", dir="/var/tmp")
    try:
        for runtime in sys.argv[1:] or CASES:
            before = os.getloadavg()[0]
            rows = [row(runtime, case, size, Path(home)) for case in CASES[runtime]() for size in case.sizes]
            load = f"a load of {before:.0f} at the beginning and of {os.getloadavg()[0]:.0f} at the end"
            written(runtime, f"{version(runtime)}; {os.cpu_count()} processors with {load}; {ROUNDS} of each", rows)
    finally:
        shutil.rmtree(home)


def row(runtime: str, case: Case, size: int, home: Path) -> str:
    """A row of the table, of several programs."""
    rounds = [measured(runtime, case, size, home) for _ in range(ROUNDS)]
    middle = sorted(rounds, key=lambda one: one.pause_s)[len(rounds) // 2]
    worst = min(rounds, key=lambda one: (one.cost.extra_bytes - one.extra, -one.extra))
    flaws = list(missed(middle, worst))
    seen = statistics.median(one.seen_s for one in rounds)
    cells = (
        f"{worst.heap >> 20} MiB",
        f"{case.way}{case.what and f' ({case.what})'}",
        *(f"{middle.pause_s:.2f} s", f"{middle.cost.pause_s:.2f} s", f"{seen:.2f} s"),
        *(bytes_of(worst.extra), bytes_of(worst.cost.extra_bytes)),
        *(bytes_of(worst.disk), bytes_of(worst.cost.disk_bytes)),
        *(bytes_of(worst.size), bytes_of(worst.cost.size_bytes)),
        f"**missed**: {', '.join(flaws)}" if flaws else "",
    )
    text = f"| {' | '.join(cells)} |"
    print(text, flush=True)
    return text


def measured(runtime: str, case: Case, size: int, home: Path) -> Round:
    """One program, captured once."""
    folder = Path(tempfile.mkdtemp(dir=home))
    with case.make(size, folder) as program:
        target = Target("local", f"pid:{program.pid}", runtime)
        reach = (Cramped if case.is_cramped else LocalReach)(target, program.pid)
        dumps = folder / "dumps"
        dumps.mkdir(exist_ok=True)
        access = Access(directory=str(dumps), seconds=SECONDS)
        offer = chosen(offers(reach, access), case.way)
        if offer.check.standing != "ready":
            sys.exit(f"{case.way}: {offer.check.why}")
        with Watch(program, dumps) as watch:
            entry = take.capture(offer, reach, Captures(home / "store"), lambda *_: None)
    room = entry.size_bytes - (entry.directory / "manifest.json").stat().st_size
    shutil.rmtree(home / "store")
    shutil.rmtree(folder)
    return Round(watch.before, offer.cost, watch.pause_s, watch.seen_s, watch.extra_bytes, watch.disk_bytes, room)


def missed(middle: Round, worst: Round) -> Iterator[str]:
    """What was not foretold; pauses of one program, bytes of another."""
    pauses, predicted = (middle.cost.pause_s, middle.pause_s), worst.cost
    if max(pauses) > 2 * min(pauses) and max(pauses) - min(pauses) > SLIGHT_S:
        yield f"pause {pauses[0] / max(pauses[1], 0.001):.1f}×"
    figures = {
        "memory": (predicted.extra_bytes, worst.extra),
        "disk": (predicted.disk_bytes, worst.disk),
        "capture": (predicted.size_bytes, worst.size),
    }
    for name, (said, was) in figures.items():
        if was > said or (said > 2 * was and said - was > SLIGHT_BYTES):
            yield f"{name} {said / max(was, 1):.2g}×"


def bytes_of(number: int) -> str:
    """With a tenth where it is few."""
    mebibytes = number / (1 << 20)
    return f"{mebibytes:,.0f} MiB" if mebibytes >= 10 else f"{mebibytes:.1f} MiB" if number else "0"


def written(runtime: str, circumstances: str, rows: Sequence[str]) -> None:
    """The table of one runtime, in its place among the others."""
    found = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TABLE.read_text(), re.M | re.S)) if TABLE.exists() else {}
    lines = [f"\n{circumstances}.\n", f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS), *rows]
    found[runtime] = "\n".join(lines) + "\n\n"
    text = HEAD + "\n" + "".join(f"## {name}\n{found[name]}" for name in CASES if name in found)
    TABLE.write_text(text.rstrip("\n") + "\n")


def jvm() -> list[Case]:
    """Each with its own heap, which a collection would change."""

    def tickets(size: int, folder: Path) -> AbstractContextManager[Program]:
        return started([java(), "-Xmx2g", "-cp", classes(), "Held", "tickets", size], dict(os.environ))

    def arrays(size: int, folder: Path) -> AbstractContextManager[Program]:
        return started([java(), "-Xmx2g", "-cp", classes(), "Held", "arrays", size], dict(os.environ))

    ways = ("heap", "heap-all", "heap-gz", "histogram")
    return [Case(way, tickets) for way in ways] + [Case(way, arrays, "arrays", OTHERS_MIB) for way in ways]


def node() -> list[Case]:
    """Of maps with tickets; and shapes that cost more, or less."""

    def of(kind: str) -> Callable[[int, Path], AbstractContextManager[Program]]:
        clean = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
        command = [tool("node"), "--inspect-port=0", "--max-old-space-size=2000", HELD / "held.cjs", kind]
        return lambda size, folder: started([*command, size], clean)

    shapes = [Case("heap", of(kind), kind, OTHERS_MIB) for kind in ("array", "closures", "strings")]
    return [Case("heap", of("tickets")), *shapes, Case("profile", of("tickets"))]


def cpython() -> list[Case]:
    """By the probe, with a child and without one, and the traces of all that is allocated."""

    def of(kind: str, frames: int) -> Callable[[int, Path], AbstractContextManager[Program]]:
        told = {"PYTHONPATH": str(ROOT / "probe/src"), "PYTHONDONTWRITEBYTECODE": "1"}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        traced = {"PYTHONTRACEMALLOC": str(frames)} if frames else {}
        command = [os.path.realpath(sys.executable), HELD / "held.py", kind]
        return lambda size, folder: started([*command, size], {**clean, **told, **traced})

    return [
        Case("heap", of("tickets", 0), "child"),
        Case("heap", of("tickets", 0), "in place", is_cramped=True),
        Case("heap", of("strings", 0), "child, strings", OTHERS_MIB),
        Case("tracemalloc", of("tickets", 8)),
    ]


def go() -> list[Case]:
    """Of which goroutines are a matter of how many there are: 100 for each MiB."""

    def make(size: int, folder: Path) -> AbstractContextManager[Program]:
        return started([built("held.go"), size, size * 100], dict(os.environ))

    counts = "100 goroutines a MiB"
    return [Case("heap", make), Case("allocs", make), Case("goroutine", make, counts), Case("goroutine-profile", make)]


def envoy() -> list[Case]:
    """With as many clusters as fill its heap."""
    return [Case(way, _envoy) for way in ("heap", "allocs", "memory")]


def native() -> list[Case]:
    """With gperftools, which writes when a signal comes."""

    def make(size: int, folder: Path) -> AbstractContextManager[Program]:
        library = next(Path("/usr/lib").glob("*/libtcmalloc.so.4"))
        (folder / "dumps").mkdir()
        told = {"LD_PRELOAD": str(library), "HEAPPROFILE": f"{folder}/dumps/heap", "HEAPPROFILESIGNAL": "12"}
        return started([built("held.cc"), size], {**os.environ, **told})

    return [Case("heap", make)]


def _envoy(size: int, folder: Path) -> AbstractContextManager[Program]:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        port = link.getsockname()[1]
    (folder / "envoy.json").write_text(json.dumps(_configuration(21 * size, port)))
    options = ["--concurrency", "1", "--log-level", "off"]
    command = [tool("envoy"), "-c", folder / "envoy.json", *options, "--use-dynamic-base-id"]
    return proxy(command, port)


def _configuration(clusters: int, port: int) -> dict[str, object]:
    def at(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    def cluster(name: str) -> dict[str, object]:
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": at(9)}}]}]
        return {
            "name": name,
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        }

    http = "envoy.extensions.filters"
    router = {"@type": f"type.googleapis.com/{http}.http.router.v3.Router"}
    routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
    manager = {
        "@type": f"type.googleapis.com/{http}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "shop",
        "route_config": {"virtual_hosts": [{"name": "shop", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "admin": {"address": at(0)},
        "static_resources": {
            "listeners": [{"name": "shop", "address": at(port), "filter_chains": [chain]}],
            "clusters": [cluster(f"service-{number}-of-the-shop") for number in range(clusters)],
        },
    }


@cache
def built(source: str) -> Path:
    """A program, compiled once, below the home of this run."""
    program = Path(os.environ["CAULK_HOME"], Path(source).stem + Path(source).suffix.replace(".", "-"))
    compilers = {
        ".go": ["go", "build", "-o", program],
        ".cc": ["g++", "-O1", "-g", "-pthread", "-Wl,--build-id", "-o", program],
    }
    subprocess.run([*compilers[Path(source).suffix], HELD / source], check=True)
    return program


@cache
def classes() -> Path:
    """The folder of the compiled `Held`."""
    folder = Path(os.environ["CAULK_HOME"], "classes")
    subprocess.run([tool("javac"), "-d", folder, HELD / "Held.java"], check=True)
    return folder


def java() -> str:
    """The JVM to capture."""
    return os.environ.get("CAULK_BENCH_JAVA") or tool("java")


def tool(name: str) -> str:
    """The path of a program, beside this Python or on the way."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or sys.exit(f"{name} is not installed")


def version(runtime: str) -> str:
    """What was captured."""
    asked = {
        "jvm": [java(), "--version"],
        "node": [tool("node"), "--version"],
        "cpython": [sys.executable, "--version"],
        "go": ["go", "version"],
        "envoy": [tool("envoy"), "--version"],
        "native": ["g++", "--version"],
    }[runtime]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
    return said if runtime != "envoy" else f"Envoy {said.rpartition('version:')[2].strip().split('/')[1]}"


CASES: dict[str, Callable[[], list[Case]]] = {
    "jvm": jvm,
    "node": node,
    "cpython": cpython,
    "go": go,
    "envoy": envoy,
    "native": native,
}


if __name__ == "__main__":
    main()
