"""Reading profiles: caulk beside the tools that people use for it. `make bench` runs this and writes the results.

Every row is a ratio of CPU seconds and of peak memory, measured side by side in this run; totals are held against the
peers' to the byte, so that nothing is fast by being wrong.
"""

import re
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

from measure import Pair, side_by_side

from caulk import formats

HERE = Path(__file__).resolve().parent
CAULK = str(Path(sys.executable).with_name("caulk"))
COMPARE = (
    "import sys, tracemalloc as t; a, b = (t.Snapshot.load(p) for p in sys.argv[1:]);"
    " print(len(b.compare_to(a, 'traceback')))"
)


def main() -> None:
    """Measure every row and write `bench/profiles.md`."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        go = work / "stacks"
        subprocess.run(["go", "build", "-o", go, HERE / "programs" / "stacks.go"], check=True)
        small, large, tiny = work / "small.pb.gz", work / "large.pb.gz", work / "tiny.pb.gz"
        for path, count in ((tiny, 800), (small, 4_000), (large, 40_000)):
            subprocess.run([go, path, str(count)], check=True)
        before, after = work / "before.tracemalloc", work / "after.tracemalloc"
        subprocess.run([sys.executable, HERE / "programs" / "traces.py", before, after, "260000", "24"], check=True)
        rows = [
            _row(
                f"top of a {_samples(large):,}-sample Go heap profile",
                "`go tool pprof -top`",
                side_by_side([CAULK, "top", str(large)], ["go", "tool", "pprof", "-top", str(large)]),
                bar=0.3,
                memory_bar=0.5,
            ),
            _row(
                f"a {tiny.stat().st_size:,}-byte Go heap profile, whole process",
                '`python -c "import numpy"`',
                side_by_side([CAULK, "top", str(tiny)], [sys.executable, "-c", "import numpy"], runs=15),
                bar=1.2,
            ),
            _row(
                f"growth over two tracemalloc snapshots, the second of {_traces(after):,} traces",
                "`tracemalloc` load + compare_to",
                side_by_side(
                    [CAULK, "analyze", "--exit-zero", str(before), str(after)],
                    [sys.executable, "-c", COMPARE, str(before), str(after)],
                    runs=3,
                ),
                bar=0.5,
            ),
            _row(
                f"top of {_samples(large):,} samples",
                f"itself, on {_samples(small):,} samples",
                side_by_side([CAULK, "top", str(large)], [CAULK, "top", str(small)]),
                bar=10,
                memory_bar=10,
            ),
            _row(
                "`caulk --version`",
                "`python -c pass`",
                side_by_side([CAULK, "--version"], [sys.executable, "-c", "pass"], runs=15),
                bar=3,
            ),
        ]
        checks = [_go_totals(large), _go_totals(tiny), _tracemalloc_totals(after)]
    lines = [
        "# Reading profiles, side by side",
        "",
        "Written by `make bench`. CPU and memory are the kernel's figures of whole processes; ratios are medians of",
        "neighbouring runs, ours to the peer's.",
        "",
        "| work | peer | CPU, ours | peer's | ratio | at most | peak memory, ours | peer's | ratio | at most |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        *checks,
        "",
    ]
    (HERE / "profiles.md").write_text("\n".join(lines))
    print("\n".join(lines))


def _row(work: str, peer: str, pair: Pair, *, bar: float, memory_bar: float | None = None) -> str:
    missed = "" if pair.cpu_ratio <= bar and pair.memory_ratio <= (memory_bar or 1e9) else " **missed**"
    return (
        f"| {work} | {peer} | {pair.ours.cpu_s:.3f} s | {pair.peers.cpu_s:.3f} s | {pair.cpu_ratio:.2f}{missed} | {bar}"
        f" | {pair.ours.peak_bytes >> 20} MB | {pair.peers.peak_bytes >> 20} MB | {pair.memory_ratio:.2f}"
        f" | {memory_bar or '–'} |"
    )


def _samples(path: Path) -> int:
    return len(formats.read(str(path)).samples)


def _traces(path: Path) -> int:
    return len(tracemalloc.Snapshot.load(str(path)).traces)


def _go_totals(path: Path) -> str:
    """Our totals against the sums of what `go tool pprof -raw` prints."""
    profile = formats.read(str(path))
    raw = subprocess.run(["go", "tool", "pprof", "-raw", path], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^ *((?:-?\d+ +)+-?\d+):", raw, re.MULTILINE)
    sums = [sum(column) for column in zip(*([int(n) for n in row.split()] for row in rows), strict=True)]
    ours = [profile.total(m) for m in range(len(profile.measures))]
    if ours != sums:
        sys.exit(f"totals differ: {ours} and, from go tool pprof -raw, {sums}")
    return f"- totals of all {len(ours)} measures equal to `go tool pprof -raw`: {ours}"


def _tracemalloc_totals(path: Path) -> str:
    """Our total against tracemalloc's own."""
    theirs = sum(trace.size for trace in tracemalloc.Snapshot.load(str(path)).traces)
    ours = formats.read(str(path)).total(0)
    if ours != theirs:
        sys.exit(f"totals differ: {ours} and, from tracemalloc, {theirs}")
    return f"- total equal to tracemalloc's own: {ours} bytes"


if __name__ == "__main__":
    main()
