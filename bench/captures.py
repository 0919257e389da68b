"""How fast a finished dump comes out of a container, beside `docker cp` and `kubectl exec cat`.

A file of 1 GB lies in a container of the engine at DOCKER_HOST, and in a pod of the cluster at KUBECONFIG (the image
by CAULK_BENCH_IMAGE, with Python, made by tests/e2e). caulk fetches it as a capture does: hashed at both ends, written
and synced to disk. Writes bench/captures.md.
"""

import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGE = os.environ.get("CAULK_BENCH_IMAGE", "docker.io/local/caulk-cpython-full:1")
SIZE = int(os.environ.get("CAULK_BENCH_BYTES", "1000000000"))
FILE = "/dumps/heap.bin"
HEAD = """# Fetching a dump, side by side

Written by `python bench/captures.py`. A file of 1 GB comes out of a container, hashed at both ends and synced to disk
by caulk, only copied by the peers (`docker cp`, `kubectl exec cat`). Medians of {rounds} pairs, each pair one after the
other and every second one in reverse; {machine}.
What hashes nothing and syncs nothing, `docker exec cat`, is there to show what any exec can have beside `docker cp`.

| from | caulk | peer | ratio | at least | memory | at most |
| --- | --- | --- | --- | --- | --- | --- |
"""
ROUNDS = int(os.environ.get("CAULK_BENCH_ROUNDS", "3"))
MAKE = f"""
import os
with open({FILE!r}, "wb") as file:
    block = os.urandom(1 << 20)
    left = {SIZE}
    while left:
        left -= file.write(block[:left])
    file.flush()
    os.fsync(file)  # or whoever syncs first pays for it
import time
print("ready", flush=True)
time.sleep(3600)
"""
FETCH = """
import resource, sys, time
from pathlib import Path
from caulk.capture import places, transfer
from caulk.model.capture import Captured, Manifest, Remote
from caulk.model.target import Access
from caulk.store.captures import Captures
target, path, size, home, how = sys.argv[1:]
reach = places.reach(places.target(target, Access()), Access())
if how == "exec":
    reach._here = lambda: None
reach.stat(path)
began = time.monotonic()
draft = Captures(Path(home)).begin(Manifest(target=Captured("", "", "bench")), ".bin")
transfer.fetch(reach, Remote(path, int(size)), draft, lambda *_: None)
draft.keep()
print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)
reach.close()
"""


def ours(target: str, how: str) -> tuple[float, int]:
    """Seconds, and the most resident memory in bytes."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CAULK_BENCH_TMP")) as home:
        said = subprocess.check_output([sys.executable, "-c", FETCH, target, FILE, str(SIZE), home, how], text=True)
    seconds, peak = said.split()
    return float(seconds), int(peak)


def theirs(command: list[str]) -> float:
    """Seconds of a command that writes the file to its last argument, or to standard output."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CAULK_BENCH_TMP")) as home:
        to = Path(home, "heap.bin")
        began = time.monotonic()
        if command[-1] == "TO":
            subprocess.run([*command[:-1], str(to)], check=True, capture_output=True)
        else:
            with to.open("wb") as file:
                subprocess.run(command, check=True, stdout=file)
        seconds = time.monotonic() - began
        assert to.stat().st_size == SIZE, to.stat().st_size
        return seconds


def compared(name: str, target: str, how: str, peer: list[str]) -> str:
    """A row of the table: medians of paired rounds."""
    mine, others = [], []
    for turn in range(ROUNDS):
        if turn % 2:
            others.append(theirs(peer))
        mine.append(ours(target, how))
        if not turn % 2:
            others.append(theirs(peer))
    seconds, other = statistics.median(one[0] for one in mine), statistics.median(others)
    peak = max(one[1] for one in mine)
    ratio = other / seconds
    verdict = "" if ratio >= 0.9 and peak <= 80_000_000 else " **missed**"
    row = (
        f"| {name} | {SIZE / seconds / 1e6:,.0f} MB/s | {SIZE / other / 1e6:,.0f} MB/s | {ratio:.2f}{verdict} | 0.90"
        f" | {peak / 1e6:.0f} MB | 80 MB |"
    )
    print(row, flush=True)
    return row


def bare(name: str, command: list[str], peer: list[str]) -> str:
    """A row of the table, of two commands that only copy."""
    pairs = [(theirs(command), theirs(peer)) for _ in range(ROUNDS)]
    seconds, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    row = (
        f"| {name} | {SIZE / seconds / 1e6:,.0f} MB/s | {SIZE / other / 1e6:,.0f} MB/s | {other / seconds:.2f} | | | |"
    )
    print(row, flush=True)
    return row


def docker() -> list[str]:
    """The rows of the engine."""
    name = "caulk-bench"
    run = [
        "docker",
        "run",
        "-d",
        "--pull=never",
        "--network=none",
        "--name",
        name,
        IMAGE,
        "/usr/bin/python3",
        "-c",
        MAKE,
    ]
    subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)
    subprocess.run(run, check=True, capture_output=True)
    try:
        awaited(lambda: subprocess.check_output(["docker", "logs", name]))
        copy = ["docker", "cp", f"{name}:{FILE}", "TO"]
        return [
            compared("docker, engine on this machine", f"docker:{name}", "here", copy),
            compared("docker, engine elsewhere (exec)", f"docker:{name}", "exec", copy),
            bare("`docker exec cat`, for comparison", ["docker", "exec", name, "cat", FILE], copy),
        ]
    finally:
        subprocess.run(["docker", "rm", "-f", "-v", name], capture_output=True, check=False)


def kubernetes() -> list[str]:
    """The row of the cluster."""
    kubectl = shlex.split(os.environ.get("CAULK_E2E_KUBECTL", "kubectl"))
    name = "caulk-bench"
    start = [
        *kubectl,
        "run",
        name,
        f"--image={IMAGE}",
        "--image-pull-policy=Never",
        "--restart=Never",
        "--command",
        "--",
    ]
    subprocess.run([*kubectl, "delete", "pod", name, "--force", "--grace-period=0"], capture_output=True, check=False)
    subprocess.run([*start, "/usr/bin/python3", "-c", MAKE], check=True, capture_output=True)
    try:
        awaited(lambda: subprocess.run([*kubectl, "logs", name], capture_output=True, check=False).stdout)
        cat = [*kubectl, "exec", name, "--", "cat", FILE]
        return [compared("kubernetes (exec)", f"k8s:default/{name}", "", cat)]
    finally:
        subprocess.run(
            [*kubectl, "delete", "pod", name, "--force", "--grace-period=0"], capture_output=True, check=False
        )


def awaited(logs: Callable[[], bytes]) -> None:
    """Until the file is there."""
    end = time.monotonic() + 120
    while b"ready" not in logs():
        if time.monotonic() > end:
            raise SystemExit("the container did not make its file")
        time.sleep(0.2)


def main() -> None:
    """Measure what there is."""
    rows, before = [], os.getloadavg()[0]
    if os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists():
        rows += docker()
    if os.environ.get("KUBECONFIG"):
        rows += kubernetes()
    machine = f"{os.cpu_count()} processors, with a load of {before:.0f} at the beginning"
    head = HEAD.format(rounds=ROUNDS, machine=machine)
    (ROOT / "bench/captures.md").write_text(head + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
