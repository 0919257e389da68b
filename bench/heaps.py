"""Reading heap dumps: caulk beside VisualVM's library and memlab, on dumps that the real runtimes write here.

Run as `python bench/heaps.py [WORK]`; it writes `bench/heaps.md`. WORK keeps the dumps (some 5 GB) between runs. Memory
is the peak of anonymous pages (the dump's own mapped pages do not count), read every few milliseconds. The figures of
Eclipse MAT and DevTools were measured once, on a machine of this kind.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from array import array
from dataclasses import dataclass, replace
from pathlib import Path

from caulk import formats
from caulk.analysis.objects.dominators import dominators
from caulk.formats.source import open_source
from caulk.model.graph import LABEL_MASK, NEVER, STRENGTH_SHIFT

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
CAULK = [sys.executable, "-m", "caulk"]


@dataclass(frozen=True, slots=True)
class Cost:
    """A whole process with its children: CPU seconds, peak of anonymous memory in bytes."""

    cpu_s: float
    anonymous: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked for: CPU seconds, bytes, and a ratio to the peer that runs beside."""

    cpu_s: float
    anonymous: int
    ratio: float | None = None


def main() -> None:
    """Make the dumps that are missing, measure, write `bench/heaps.md`."""
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as scratch:
        work = kept or Path(scratch)
        work.mkdir(exist_ok=True, parents=True)
        rows = [
            _row("hprof", java(work, 6_000_000), Bar(3, 400 << 20, 0.05), visualvm(work)),
            _row("hprof", java(work, 29_000_000), Bar(18, 1600 << 20), None),
            _row("heapsnapshot", node(work, 2_300_000), Bar(1.2, 300 << 20, 0.07), memlab(work)),
            _row("heapsnapshot", node(work, 10_500_000), Bar(6, 900 << 20), None),
        ]
        rows.append(_growth_row(work))
        reopened = [_reopen_row(java(work, 6_000_000)), _reopen_row(node(work, 10_500_000))]
        scaling = [_scaling_row(java(work, 1_500_000), java(work, 6_000_000))]
        pause = _pause(work)
        equal = _equal_to_memlab(work)
    lines = [
        "# Reading heap dumps, side by side",
        "",
        "Written by `python bench/heaps.py`. CPU is the kernel's figure of whole processes; memory is the peak of",
        "anonymous pages. caulk starts without an index and writes one. Eclipse MAT took 41 CPU-s and 2.0 GB for a",
        "dump like the first, 142 CPU-s and 4.1 GB for one like the second; DevTools' engine 14 CPU-s and 0.8 GB, and",
        "59 CPU-s and 2.6 GB, for snapshots like the third and the fourth.",
        "",
        "| full report of | CPU | at most | anonymous peak | at most | peer's CPU | ratio | at most |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        "| the second question about an analysed dump | wall time | at most |",
        "| --- | --- | --- |",
        *reopened,
        "",
        "| size × 4 | time | at most | memory | at most |",
        "| --- | --- | --- | --- | --- |",
        *scaling,
        "",
        pause,
        equal,
    ]
    (HERE / "heaps.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def java(work: Path, objects: int) -> Path:
    """A JVM heap of about that many objects."""
    dump = work / f"java-{objects}.hprof"
    if not dump.exists():
        classes = work / "classes"
        subprocess.run(["javac", "-d", classes, PROGRAMS / "HeapMaker.java"], check=True)
        maker = ["java", "-Xmx8g", "-cp", classes, "com.example.HeapMaker", "size"]
        subprocess.run([*maker, dump, str(objects)], check=True, stdout=subprocess.DEVNULL)
    return dump


def node(work: Path, nodes: int) -> Path:
    """A V8 heap of about that many nodes."""
    dump = work / f"node-{nodes}.heapsnapshot"
    if not dump.exists():
        maker = ["node", "--max-old-space-size=12000", PROGRAMS / "heap_maker.mjs", "size"]
        subprocess.run([*maker, dump, str(nodes)], check=True, stdout=subprocess.DEVNULL)
    return dump


def visualvm(work: Path) -> list[str]:
    """The command that does with VisualVM's library what a report needs: the 20 objects that retain the most."""
    jars = [
        Path("/usr/share/visualvm/visualvm/modules/org-graalvm-visualvm-lib-jfluid-heap.jar"),
        *Path("/usr/share/maven-repo/org/netbeans/api").glob("org-openide-util*/debian/*.jar"),
    ]
    if not jars[0].exists():
        sys.exit("bench/heaps.py needs VisualVM: apt-get install visualvm")
    path = ":".join(map(str, [work / "peer", *jars]))
    source = PROGRAMS / "VisualVmPeer.java"
    subprocess.run(["javac", "-d", work / "peer", "-cp", path, source], check=True)
    return ["java", "-Xmx8g", "-cp", path, "VisualVmPeer"]


def memlab(work: Path) -> list[str]:
    """The list of what retains the most by memlab, from npm."""
    home = work / "memlab"
    program = home / "node_modules" / "memlab" / "bin" / "memlab"
    if not program.exists():
        home.mkdir(exist_ok=True)
        install = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", home, "memlab@2"]
        subprocess.run(install, check=True, stdin=subprocess.DEVNULL)
    return ["node", "--max-old-space-size=12000", str(program), "analyze", "object-size", "--snapshot"]


def cost_of(command: list[str], **environment: str) -> Cost:
    """Run a command to its end; its verdict's exit code is no failure."""
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    peak = 0
    status = Path(f"/proc/{child.pid}/status")
    while True:
        ended, code, usage = os.wait4(child.pid, os.WNOHANG)
        if ended:
            child.returncode = os.waitstatus_to_exitcode(code)
            break
        peak = max(peak, _anonymous(status))
        time.sleep(0.004)
    if child.returncode not in (0, 1) or usage.ru_utime < 0.2:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, peak)


def _anonymous(status: Path) -> int:
    try:
        line = next(line for line in status.read_text().splitlines() if line.startswith("RssAnon"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) << 10


def analysed(*dumps: Path) -> Cost:
    """A full report without an index to begin with: the median of three runs by CPU."""
    costs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(dir=dumps[0].parent) as home:
            costs.append(cost_of([*CAULK, "analyze", "-o", "json", *map(str, dumps)], CAULK_HOME=home))
    return sorted(costs, key=lambda cost: cost.cpu_s)[1]


def _row(what: str, dump: Path, bar: Bar, peer: list[str] | None) -> str:
    ours = analysed(dump)
    size = f"{what}, {dump.stat().st_size / 1e6:,.0f} MB ({dump.stem.split('-')[1]} objects asked for)"
    cells = [
        size,
        *_against(ours.cpu_s, bar.cpu_s, "{:.2f} s"),
        *_against(ours.anonymous / 2**20, bar.anonymous / 2**20, "{:,.0f} MiB"),
    ]
    if peer and bar.ratio:
        # VisualVM keeps an index beside the dump; a link in a directory of its own is analysed anew.
        with tempfile.TemporaryDirectory(dir=dump.parent) as fresh:
            link = Path(fresh) / dump.name
            link.hardlink_to(dump)
            theirs = cost_of([*peer, str(link)])
        cells += [f"{theirs.cpu_s:.1f} s", *_against(ours.cpu_s / theirs.cpu_s, bar.ratio, "{:.3f}")]
    else:
        cells += ["", "", ""]
    return f"| {' | '.join(cells)} |"


def _against(value: float, bar: float, form: str) -> tuple[str, str]:
    return form.format(value) + ("" if value <= bar else " **missed**"), form.format(bar)


def _growth_row(work: Path) -> str:
    pattern = work / "growing-%.heapsnapshot"
    dumps = [work / f"growing-{i}.heapsnapshot" for i in (1, 2, 3)]
    if not all(dump.exists() for dump in dumps):
        maker = ["node", "--max-old-space-size=12000", PROGRAMS / "heap_maker.mjs", "growing"]
        subprocess.run([*maker, pattern, "125000"], check=True, stdout=subprocess.DEVNULL)
    ours = analysed(*dumps)
    sizes = " + ".join(f"{dump.stat().st_size / 1e6:,.0f}" for dump in dumps)
    cells = [f"growth over heapsnapshots of {sizes} MB", *_against(ours.cpu_s, 4, "{:.2f} s")]
    return f"| {' | '.join(cells)} | {ours.anonymous / 2**20:,.0f} MiB | | | | |"


def _reopen_row(dump: Path) -> str:
    with tempfile.TemporaryDirectory(dir=dump.parent) as home:
        environment = os.environ | {"CAULK_HOME": home}
        subprocess.run([*CAULK, "types", str(dump)], check=True, stdout=subprocess.DEVNULL, env=environment)
        slowest = 0.0
        for question in (["types"], ["dominators"], ["paths", "--limit", "5", "Order"], ["roots"], ["analyze"]):
            verb, *rest = question
            began = time.perf_counter()
            command = [*CAULK, verb, str(dump), *rest]
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=False)
            slowest = max(slowest, time.perf_counter() - began)
    cells = [
        f"{dump.name}: the slowest of types, dominators, paths, roots, analyze",
        *_against(slowest, 0.5, "{:.2f} s"),
    ]
    return f"| {' | '.join(cells)} |"


def _scaling_row(small: Path, large: Path) -> str:
    first, second = analysed(small), analysed(large)
    factor = large.stat().st_size / small.stat().st_size
    cells = [
        f"hprof × {factor:.1f}",
        *_against(second.cpu_s / first.cpu_s, 4.5, "{:.2f}"),
        *_against(second.anonymous / first.anonymous, 4, "{:.2f}"),
    ]
    return f"| {' | '.join(cells)} |"


def _equal_to_memlab(work: Path) -> str:
    """Retained sizes of every node beside memlab's. memlab lets a WeakMap's table hold its values: so do we here."""
    dump = work / "leaks.heapsnapshot"
    if not dump.exists():
        maker = ["node", PROGRAMS / "heap_maker.mjs", "leaks", dump]
        subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)
    memlab(work)
    answer = work / "memlab.sizes"
    command = ["node", "--max-old-space-size=12000", PROGRAMS / "memlab_sizes.cjs", dump.resolve(), answer.resolve()]
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=work / "memlab", check=True, stdin=quiet, stdout=quiet, stderr=quiet)
    theirs = [int(line) for line in answer.read_text().split()]
    graph = formats.snapshot(open_source(str(dump)))
    label = array("I", graph.label)
    values = {number for number, name in enumerate(graph.labels) if name.name == "value in WeakMap"}
    for edge, word in enumerate(label):
        if word >> STRENGTH_SHIFT == NEVER and word & LABEL_MASK in values:
            label[edge] = word & LABEL_MASK
    ours = dominators(replace(graph, label=label)).retained
    different = sum(mine != other for mine, other in zip(ours, theirs, strict=True))
    return f"- retained sizes of {len(theirs):,} nodes of a V8 snapshot: {different:,} differ from memlab's"


def _pause(work: Path) -> str:
    """How long `fork()` mode stops a program, beside a walk over what the collector tracks: the median of five."""
    maker = [sys.executable, PROGRAMS / "py_heap_maker.py", HERE.parent / "probe" / "src", work / "python.cgraph"]
    runs = []
    for _ in range(5):
        said = subprocess.run([*maker, "1000000", "fork"], check=True, capture_output=True, text=True).stdout
        runs.append(json.loads(said))
    run = sorted(runs, key=lambda run: run["pause_s"] / run["walk_s"])[2]
    ratio, bar = _against(run["pause_s"] / run["walk_s"], 0.05, "{:.3f}")
    return (
        f"- CPython, {run['blocks']:,} objects of which the collector tracks {run['tracked']:,}: `fork()` mode stops"
        f" the program for {1000 * run['pause_s']:.1f} ms, a `gc.get_objects()` walk in place for"
        f" {1000 * run['walk_s']:.0f} ms: {ratio} (at most {bar})"
    )


if __name__ == "__main__":
    main()
