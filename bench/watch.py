"""What the loop costs for 10,000 targets at 15 s: 1,000 pages scraped, 1,000 processes read, 8,000 pods by PromQL.

    python bench/watch.py [--seconds 120] [--out bench/watch.md]

`caulk watch` runs as users run it, with a caulk.toml, and its rules on. Its history is that of a loop that has run for
three days: every workload is judged by what such a time leaves, so that memory is what it would be then. The pages are
those of a Go program (38 kB), the processes are sleeping ones with cgroups as they are here, and the server of PromQL
answers with new values each time. CPU and memory are the kernel's figures of the process of `caulk watch` alone; the
first minute, in which it starts and meets all targets, is given apart.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from multiprocessing import Process
from pathlib import Path
from urllib.request import urlopen

import caulk
from caulk.analysis.trend.pool import Pool
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.store.history import History

PAGES = PROCESSES = 1000
PODS = 8000
INTERVAL_S, BEFORE_S = 15, 3 * 86400
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--start", type=int, default=60, help="seconds that belong to the start")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        server = Process(target=serve, args=(home / "port",), daemon=True)
        server.start()
        sleepers = [subprocess.Popen([f"target-{n:04}", "3600"], executable="/bin/sleep") for n in range(PROCESSES)]
        try:
            report = measure(home, [one.pid for one in sleepers], asked)
        finally:
            server.terminate()
            for one in sleepers:
                one.kill()
            for one in sleepers:
                one.wait()
    print(report)
    if asked.out:
        asked.out.write_text(report)


def measure(home: Path, pids: list[int], asked: argparse.Namespace) -> str:
    port = waited(home / "port")
    configure(home / "caulk.toml", pids, port)
    begin = time.monotonic()
    remember(home / "home" / "history", port)
    prepared = time.monotonic() - begin
    command = [sys.executable, "-m", "caulk", "watch", "--config", str(home / "caulk.toml"), "-o", "json"]
    source = str(Path(caulk.__file__).resolve().parents[1])
    environ = {**os.environ, "CAULK_HOME": str(home / "home"), "PYTHONPATH": source}
    with (home / "said").open("w") as said:
        loop = subprocess.Popen(command, env=environ, stdout=said, stderr=said, cwd=home)
    try:
        listening = await_line(home / "said", "metrics at ").split("metrics at ")[1].split("/metrics")[0]
        time.sleep(asked.start)
        first_cpu, first_wall = cpu(loop.pid), time.monotonic()
        before = readings(listening)
        peak = 0
        for _ in range(asked.seconds):
            time.sleep(1)
            peak = max(peak, memory(loop.pid, "VmRSS"))
        used, wall = cpu(loop.pid) - first_cpu, time.monotonic() - first_wall
        taken = readings(listening)
        highest = memory(loop.pid, "VmHWM")
    finally:
        loop.send_signal(signal.SIGTERM)
        code = loop.wait(60)
    size = sum(file.stat().st_blocks * 512 for file in (home / "home" / "history").iterdir())
    figures = {
        "start_cpu_s": first_cpu,
        "cpu": used / wall,
        "rss_mb": peak / 1e6,
        "peak_mb": highest / 1e6,
        "taken": {name: (taken[name] - before.get(name, 0)) / wall * INTERVAL_S for name in taken},
        "prepared_s": prepared,
        "history_mb": size / 1e6,
        "code": code,
    }
    return written(figures, asked, (home / "said").read_text())


def written(found: dict, asked: argparse.Namespace, said: str) -> str:
    by_kind = {"processes": 0.0, "pages": 0.0, "pods by PromQL": 0.0}
    for name, count in found["taken"].items():
        kind = "pods by PromQL" if "container_memory_rss" in name else "pages" if "/metrics" in name else "processes"
        by_kind[kind] += count
    wrong = [line for line in said.splitlines() if line.startswith("caulk:") and "metrics at" not in line]
    lines = [
        "# What the loop costs",
        "",
        f"`python bench/watch.py --seconds {asked.seconds}` on {os.cpu_count()} cores: one `caulk watch`, 10,000"
        f" targets each {INTERVAL_S} s, rules on, with the history of three days.",
        "",
        "| | measured | asked for |",
        "| --- | --- | --- |",
        f"| CPU, of one core | {found['cpu']:.0%} | ≤ 100 % |",
        f"| resident memory, highest in that time | {found['rss_mb']:.0f} MB | ≤ 400 MB |",
        f"| resident memory, highest ever | {found['peak_mb']:.0f} MB | |",
        f"| CPU time of the first {asked.start} s | {found['start_cpu_s']:.0f} s | |",
        f"| history on disk | {found['history_mb']:.0f} MB | |",
        "",
        "Readings taken each 15 s:",
        "",
        *(f"- {kind}: {count:,.0f}" for kind, count in by_kind.items()),
        "",
        f"It said {len(wrong)} things went wrong." if wrong else "Nothing went wrong.",
        *(f"- `{line}`" for line in wrong[:5]),
        "",
    ]
    return "\n".join(lines)


def configure(path: Path, pids: list[int], port: int) -> None:
    targets = ", ".join(f'"pid:{pid}"' for pid in pids)
    text = (
        f'[watch]\ninterval = "{INTERVAL_S}s"\nminimum = 0\ntargets = [{targets}]\n[listen]\naddress = "127.0.0.1:0"\n'
    )
    for number in range(PAGES):
        text += f'[[watch.sources]]\nkind = "metrics"\nurl = "http://127.0.0.1:{port}/{number}/metrics"\n'
    text += (
        f'[[watch.sources]]\nkind = "prometheus"\nurl = "http://127.0.0.1:{port}"\n'
        'query = "container_memory_rss"\nlimit_query = "limits"\n'
    )
    path.write_text(text)


def remember(directory: Path, port: int) -> None:
    """A history as three days leave it."""
    now = time.time()
    states = {heap: mature(now, heap=heap) for heap in (False, True)}
    history = History(directory)
    keys = [(f"metrics:http://127.0.0.1:{port}/{n}/metrics", True) for n in range(PAGES)]
    keys += [(f"local:{os.getuid()}:{Path.cwd()}:target-{n:04}", False) for n in range(PROCESSES)]
    keys += [(f"prometheus:shop/w{n}/app", False) for n in range(PODS)]
    for key, heap in keys:
        replica = "" if heap else "0"
        seen = Observation(
            Workload(key, key), replica, Reading(now - 20, 1 << 28, 1 << 28, 0, 0, 1 << 27 if heap else None)
        )
        history.note(seen)
        states[heap]["replicas"] = {replica: next(iter(states[heap]["replicas"].values()))}
        history.put_state(key, now, states[heap])
    history.close()


def mature(now: float, *, heap: bool) -> dict:
    chance = random.Random(1)
    pool = Pool("x")
    for at in range(int(now) - BEFORE_S, int(now), INTERVAL_S):
        size = int(2e8 + chance.random() * 5e7)
        pool.add("0", Reading(float(at), size, size, 0, 0, size // 2 if heap else None))
    return pool.to_state()


def serve(ready: Path) -> None:
    """Pages of a Go program, and a server of PromQL, in a process of their own."""
    page = (Path(__file__).parent / "programs" / "go.metrics").read_bytes()
    chance = random.Random(2)

    def pods(limits: bool) -> bytes:
        now, result = time.time(), []
        for n in range(PODS):
            labels = {
                "namespace": "shop",
                "workload": f"w{n}",
                "container": "app",
                "pod": f"w{n}-0",
                "id": f"/kubepods/{n:x}",
            }
            value = 1 << 29 if limits else int(2e8 + chance.random() * 5e7)
            result.append({"metric": labels, "value": [now, str(value)]})
        return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await respond(reader, writer)
        writer.close()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        if path.startswith("/api/"):
            body = await asyncio.to_thread(pods, "limits" in path)
        else:
            live = b"go_memstats_heap_alloc_bytes %d\n" % chance.randrange(10**8, 2 * 10**8)
            body = page.replace(b"go_memstats_heap_alloc_bytes 8.123688e+06\n", live)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
        ready.write_text(str(server.sockets[0].getsockname()[1]))
        await server.serve_forever()

    asyncio.run(run())


def waited(path: Path) -> int:
    for _ in range(300):
        if path.exists() and (text := path.read_text()):
            return int(text)
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def await_line(path: Path, wanted: str) -> str:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for line in path.read_text().splitlines():
            if wanted in line:
                return line
        time.sleep(0.2)
    raise SystemExit(f"caulk watch did not start:\n{path.read_text()[-2000:]}")


def readings(listening: str) -> dict[str, int]:
    """Readings so far, by source, from the loop's own metrics; to ask for them costs the loop something too."""
    found = {}
    for line in urlopen(f"{listening}/metrics", timeout=60).read().decode().splitlines():
        if line.startswith("caulk_readings_total{"):
            name, _, value = line.removeprefix('caulk_readings_total{source="').rpartition('"} ')
            found[name] = int(float(value))
    return found


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) << 10
    return 0


if __name__ == "__main__":
    main()
