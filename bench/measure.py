"""Whole processes side by side: CPU seconds and peak memory of two commands, run in turn, as ratios pair by pair.

Machines drift and are shared; a ratio of neighbours holds where a time does not. Figures are the kernel's own (wait4).
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: CPU seconds (user and system), peak resident bytes."""

    cpu_s: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The median of our cost, of the peer's, and of the ratios of neighbouring runs."""

    ours: Cost
    peers: Cost
    cpu_ratio: float
    memory_ratio: float


def cost_of(command: Sequence[str], *, may_fail: bool = False) -> Cost:
    """Run once, output thrown away."""
    with Path(os.devnull).open("wb") as null:
        child = subprocess.Popen(command, stdout=null, stderr=null, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode and not may_fail:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def side_by_side(ours: Sequence[str], peer: Sequence[str], *, runs: int = 5, may_fail: bool = False) -> Pair:
    """Both commands in turn, after one warm-up of each; `may_fail` allows ours to end with a verdict's exit code.

    A process of its own does the measuring: Linux counts the memory of whoever starts a program to that program's peak,
    so it must be smaller than anything that is measured.
    """
    order = json.dumps({"ours": list(map(str, ours)), "peer": list(map(str, peer)), "runs": runs, "may_fail": may_fail})
    done = subprocess.run([sys.executable, "-S", __file__], input=order, text=True, check=True, stdout=subprocess.PIPE)
    pairs = [(Cost(*a), Cost(*b)) for a, b in json.loads(done.stdout)]
    return Pair(
        ours=_median([a for a, _ in pairs]),
        peers=_median([b for _, b in pairs]),
        cpu_ratio=statistics.median(a.cpu_s / b.cpu_s for a, b in pairs),
        memory_ratio=statistics.median(a.peak_bytes / b.peak_bytes for a, b in pairs),
    )


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.cpu_s for cost in costs), round(statistics.median(cost.peak_bytes for cost in costs))
    )


def _measure(order: dict[str, Any]) -> list[list[list[float]]]:
    pairs = []
    for i in range(order["runs"] + 1):
        pair = [astuple(cost_of(order["ours"], may_fail=order["may_fail"])), astuple(cost_of(order["peer"]))]
        if i:
            pairs.append([list(cost) for cost in pair])
    return pairs


if __name__ == "__main__":
    print(json.dumps(_measure(json.load(sys.stdin))))
