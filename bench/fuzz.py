"""Mutants of a sample of every format of object graphs, in numbers: `python bench/fuzz.py 100000`.

Each is read, examined and judged in strong, soft and all references by turns, with the kernels as they are installed
and again uncompiled. A failure is whatever `tests/fuzz/test_graph_mutants.py` fails for: an exception other than
`MalformedDump`, a graph that does not fit together, or another answer from the uncompiled kernels.
"""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests" / folder) for folder in ("fuzz", "graph", "formats")]

from graph_samples import SAMPLES  # noqa: E402
from mutation import mutant, uncompile  # noqa: E402
from test_graph_mutants import COVERAGE, REFERENCES, WARNINGS, outcome  # noqa: E402

BATCH = 1000


def kind_of(found: tuple[object, ...]) -> str:
    if len(found) == 2:
        return "refused"
    return "whole" if found[COVERAGE] == 1 and not found[WARNINGS] else "partial"


def answers(name: str, first: int) -> tuple[list[object], float]:
    """What each mutant of a batch gives, an exception too, and the seconds of the slowest."""
    found: list[object] = []
    slowest = 0.0
    for seed in range(first, first + BATCH):
        data = mutant(SAMPLES, name, seed)
        start = time.process_time()
        try:
            found.append(outcome(data, name, REFERENCES[seed % 3]))
        except Exception as error:  # to count them is what this is for
            found.append(error)
        slowest = max(slowest, time.process_time() - start)
    return found, slowest


def batch(name: str, first: int) -> tuple[Counter[str], float]:
    found, slowest = answers(name, first)
    with pytest.MonkeyPatch.context() as patch:
        uncompile(patch)()
        others, _ = answers(name, first)
    kinds: Counter[str] = Counter()
    for seed, one, other in zip(range(first, first + BATCH), found, others, strict=True):
        if isinstance(one, Exception) or isinstance(other, Exception) or one != other:
            kinds["failed"] += 1
            print(f"{name} {seed}: {one!r:.300}", file=sys.stderr)
        else:
            kinds[kind_of(one)] += 1  # type: ignore[arg-type]
    return kinds, slowest


def main(count: int) -> None:
    print("| sample | mutants | refused | in part | whole | failures | slowest, compiled |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in SAMPLES:
            kinds: Counter[str] = Counter()
            slowest = 0.0
            for found, seconds in pool.map(partial(batch, name), range(0, count, BATCH)):
                kinds += found
                slowest = max(slowest, seconds)
            numbers = [kinds.total(), kinds["refused"], kinds["partial"], kinds["whole"], kinds["failed"]]
            print(f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} | {slowest * 1000:.0f} ms |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
