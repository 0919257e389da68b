"""Reading native profiles: caulk beside `google-pprof`, `jeprof` and memray, on what real allocators wrote.

Run as `python bench/native.py`; it writes `bench/native.md`. Both sides start from the files alone: caulk's cache of
names is emptied for every run. Totals are held against the peers' to the byte.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Pair, side_by_side

from caulk import formats

HERE = Path(__file__).resolve().parent
CAULK = f"{sys.executable} -m caulk"
STACKS = 40_000
BAR = 0.5


def main() -> None:
    """Measure both formats and write `bench/native.md`."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        program = work / "stacks"
        flags = ["-g", "-O1", "-fno-optimize-sibling-calls"]
        subprocess.run(["g++", *flags, "-o", program, HERE / "programs" / "stacks.cc"], check=True)
        tcmalloc = _profiled(
            program,
            work / "tcmalloc",
            LD_PRELOAD="libtcmalloc.so.4",
            HEAPPROFILE=str(work / "tcmalloc"),
            HEAP_PROFILE_ALLOCATION_INTERVAL=str(1 << 40),
        )
        jemalloc = _profiled(
            program,
            work / "jemalloc",
            LD_PRELOAD="libjemalloc.so.2",
            MALLOC_CONF=f"prof:true,lg_prof_sample:8,prof_final:true,prof_prefix:{work / 'jemalloc'}",
        )
        rows = [
            _row(tcmalloc, "google-pprof", program),
            _row(jemalloc, "jeprof", program),
            _memray_row(work, "Python frames", 100),
            _memray_row(work, "Python frames", 60_000),
            _memray_row(work, "Python frames, not packed", 60_000, "--no-compress"),
            _memray_row(work, "Python and native frames", 100, "--native"),
            _memray_row(work, "Python and native frames", 60_000, "--native"),
        ]
        checks = [_totals(tcmalloc, "google-pprof", program), _totals(jemalloc, "jeprof", program)]
    lines = [
        "# Reading native profiles, side by side",
        "",
        "Written by `bench/native.py`. CPU is the kernel's figure of whole processes and their children; ratios are",
        "medians of neighbouring runs, ours to the peer's. Both name every address, without a cache. memray reads its",
        "captures for both; `memray table` has it go over them twice, caulk once where they are whole.",
        "",
        "| work | peer | CPU, ours | peer's | ratio | at most |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        *checks,
        "",
    ]
    (HERE / "native.md").write_text("\n".join(lines))
    print("\n".join(lines))


def _profiled(program: Path, prefix: Path, **environment: str) -> Path:
    """The profile that an allocator writes at the end of the program."""
    subprocess.run([program, str(STACKS)], env=os.environ | environment, check=True, capture_output=True)
    return next(prefix.parent.glob(f"{prefix.name}.*.heap"))


def _row(path: Path, peer: str, program: Path) -> str:
    with tempfile.TemporaryDirectory() as home:
        # A command line of its own, so that no run finds what the one before it kept.
        ours = ["sh", "-c", f"rm -rf {home}/*; CAULK_HOME={home} {CAULK} top {path}"]
        pair: Pair = side_by_side(ours, [peer, "--text", "--show_bytes", str(program), str(path)], runs=3)
    missed = "" if pair.cpu_ratio <= BAR else " **missed**"
    profile = formats.read(str(path))
    return (
        f"| top of {len(profile.samples):,} {profile.format} stacks, {path.stat().st_size >> 10:,} kB | `{peer} --text`"
        f" | {pair.ours.cpu_s:.2f} s | {pair.peers.cpu_s:.2f} s | {pair.cpu_ratio:.2f}{missed} | {BAR} |"
    )


def _memray_row(work: Path, what: str, count: int, *flags: str) -> str:
    """Both sides read with memray's own reader, which is where nearly all of the time goes."""
    capture, memray = work / "capture.bin", [sys.executable, "-m", "memray"]
    traced = [HERE / "programs" / "traces.py", work / "a", work / "b", str(count), "1"]
    run = [*memray, "run", "-q", "-f", *flags, "--trace-python-allocators", "-o", capture, *traced]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    table = [*memray, "table", "--leaks", "-f", "-o", str(work / "table.html"), str(capture)]
    pair = side_by_side([*CAULK.split(), "top", str(capture)], table, runs=5)
    missed = "" if pair.cpu_ratio <= 1 else " **missed**"
    return (
        f"| top of a memray capture, {what}, {capture.stat().st_size >> 10:,} kB | `memray table --leaks`"
        f" | {pair.ours.cpu_s:.2f} s | {pair.peers.cpu_s:.2f} s | {pair.cpu_ratio:.2f}{missed} | 1 |"
    )


def _totals(path: Path, peer: str, program: Path) -> str:
    """Our total against the peer's, which cuts off the fraction of a byte that sampling leaves."""
    command = [peer, "--text", "--show_bytes", str(program), str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    theirs = int(next(line for line in said.splitlines() if line.startswith("Total:")).split()[1])
    profile = formats.read(str(path))
    ours = profile.total(profile.default_measure)
    if not 0 <= ours - theirs <= 1:
        sys.exit(f"totals differ: {ours} and, from {peer}, {theirs}")
    return f"- total of the {profile.format} profile equal to `{peer}`: {theirs:,} bytes"


if __name__ == "__main__":
    main()
