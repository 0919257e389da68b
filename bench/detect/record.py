"""Records real programs: Go, JVM, Node, CPython and C, leaking and healthy, under a load with days and nights.

    python bench/detect/record.py [NAME…]

A second of a program counts as an hour: a day is 24 seconds, and a run of 72 to 120 seconds is three to five days. Each
100 ms its memory is read from /proc, and the heap that it says on its standard output where its runtime knows one. The
recordings are CSV as `caulk judge` reads it; `index.json` holds the truth of each: whether it leaks, its limit, which a
leak meets as the recording ends, and the times.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
RECORDINGS = HERE / "recordings"
EPOCH = 1767225600
#: Seconds of a recording for each of a program.
FASTER = 3600
_EACH_S = 0.1
_LEAKS = ("leak", "night", "steps", "native", "direct", "buffers", "mmap")


@dataclass(frozen=True)
class Plan:
    """A program in a mode, for how long, how much it leaks or needs, and how often it is started again."""

    runtime: str
    mode: str
    seconds: int = 84
    megabytes: int = 60
    lives: int = 1
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The recording's."""
        tail = ("-recycled" if self.lives > 1 else "") + ("-lazy" if self.options else "")
        return f"{self.runtime}-{self.mode}{tail}"


PLANS = (
    *(Plan(runtime, "steady") for runtime in ("go", "jvm", "node", "cpython", "c")),
    *(Plan(runtime, "leak", megabytes=size) for runtime, size in (
        ("go", 80), ("jvm", 130), ("node", 90), ("cpython", 50), ("c", 60))),
    *(Plan(runtime, "cache") for runtime in ("go", "jvm", "node", "cpython")),
    *(Plan(runtime, "batch") for runtime in ("go", "jvm", "node", "cpython", "c")),
    *(Plan(runtime, "night", 120, size) for runtime, size in (("go", 100), ("node", 120), ("cpython", 60), ("c", 60))),
    Plan("cpython", "steps"), Plan("c", "steps"),
    Plan("go", "mmap", megabytes=80), Plan("jvm", "direct", megabytes=90), Plan("node", "buffers", megabytes=90),
    Plan("cpython", "native"),
    Plan("go", "steady", options=("GOGC=500",)), Plan("jvm", "steady", options=("-Xmn120m",)),
    Plan("cpython", "cycles", megabytes=60), Plan("cpython", "imports"), Plan("cpython", "files"), Plan("node", "jit"),
    Plan("c", "fragmentation", 120),
    Plan("cpython", "leak", 120, 60, lives=5), Plan("go", "leak", 120, 80, lives=5), Plan("c", "leak", 96, 60, lives=4),
    Plan("cpython", "cache", 120, 40, lives=4), Plan("node", "steady", 96, 60, lives=4),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="those to record; all if none is named")
    parser.add_argument("--at-once", type=int, default=3)
    options = parser.parse_args()
    RECORDINGS.mkdir(exist_ok=True)
    index_file = RECORDINGS / "index.json"
    index = json.loads(index_file.read_text()) if index_file.exists() else {}
    plans = [plan for plan in PLANS if not options.names or plan.name in options.names]
    with tempfile.TemporaryDirectory() as built, ThreadPoolExecutor(options.at_once) as pool:
        build(Path(built))
        for plan, truth in zip(plans, pool.map(lambda plan: record(plan, Path(built)), plans), strict=True):
            index[plan.name] = truth
            index_file.write_text(json.dumps(dict(sorted(index.items())), indent=1) + "\n")
            print(plan.name, truth, flush=True)


def build(into: Path) -> None:
    programs = HERE / "programs"
    subprocess.run(["go", "build", "-o", into / "go", programs / "program.go"], check=True)
    subprocess.run(["gcc", "-O1", "-o", into / "c", programs / "program.c", "-lm"], check=True)
    subprocess.run(["javac", "-d", into, programs / "Program.java"], check=True)


def command(plan: Plan, built: Path) -> list[str]:
    programs = HERE / "programs"
    start = {
        "go": ["env", *plan.options, str(built / "go")],
        "jvm": ["java", "-Xms32m", "-Xmx300m", "-XX:+UseSerialGC", *plan.options, "-cp", str(built), "Program"],
        "node": ["node", str(programs / "program.js")],
        "cpython": [sys.executable, str(programs / "program.py")],
        "c": [str(built / "c")],
    }[plan.runtime]
    return [*start, plan.mode, str(plan.seconds / plan.lives), str(plan.megabytes)]


def record(plan: Plan, built: Path) -> dict[str, object]:
    """Run the program and write what was read of it; the truth about it."""
    begun, lines, lives, held = time.monotonic(), [], [], []
    for life in range(plan.lives):
        for i, (at, row) in enumerate(readings(command(plan, built))):
            event = "restart" if life and not i else ""
            if not i:
                lives.append(at - begun)
            hour = EPOCH + round((at - begun) * FASTER)
            rss, anonymous, file, shared, heap = row
            held.append((at - begun, anonymous + shared))
            lines.append(f"{hour},{rss},{event},{anonymous},{file},{shared},{heap or ''}")
    text = "time,bytes,event,anon,file,shmem,heap\n" + "\n".join(lines) + "\n"
    (RECORDINGS / f"{plan.name}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    is_leak = plan.mode in _LEAKS
    most = max(size for _, size in held)
    # A leak meets its limit in its first life.
    first = [at for at, _ in held if len(lives) < 2 or at < lives[1]]
    return asdict(Truth(is_leak, int(most) if is_leak else int(most / 0.7), EPOCH, EPOCH + round(first[-1] * FASTER)))


@dataclass(frozen=True)
class Truth:
    """What the index says of a recording; times in seconds since 1970."""

    is_leak: bool
    limit: int
    starts: int
    reaches: int


def readings(arguments: list[str]) -> Iterator[tuple[float, tuple[int, int, int, int, int]]]:
    """The time, and resident, anonymous, file, shared and heap bytes of a program until it ends."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        heap = [0]

        def listen() -> None:
            for line in process.stdout or ():
                # A JVM that was kept waiting says so too.
                if line.strip().isdigit():
                    heap[0] = int(line)

        threading.Thread(target=listen, daemon=True).start()
        time.sleep(0.3)
        due = time.monotonic()
        while process.poll() is None:
            kinds = status(process.pid)
            if kinds:
                yield due, (*kinds, heap[0])
            due += _EACH_S
            time.sleep(max(due - time.monotonic(), 0))


def status(pid: int) -> tuple[int, int, int, int] | None:
    """Resident, anonymous, file and shared bytes of a process; None once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    fields = {name: value for name, _, value in (line.partition(":") for line in lines)}
    try:
        rss, anonymous, file, shared = (
            int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem")
        )
    except KeyError:
        return None
    return rss, anonymous, file, shared


if __name__ == "__main__":
    main()
