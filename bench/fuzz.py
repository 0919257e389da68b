"""Mutants of a sample of every format of object graphs, in numbers: `python bench/fuzz.py 100000` writes `fuzz.md`.

Each is read, examined and judged, by strong, soft and all references in turns. Of ten batches one is also measured,
counted, redacted and searched for equal strings, and all of that is done again by the kernels uncompiled, whose answers
must be the same. A failure is what `tests/fuzz/test_graph_mutants.py` fails for: an exception other than
`MalformedDump`, a graph that does not fit together, another answer from the other kernels.
"""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "tests" / folder) for folder in ("fuzz", "graph", "formats")]

from graph_samples import SAMPLES  # noqa: E402
from mutation import mutant, uncompile  # noqa: E402
from test_graph_mutants import COVERAGE, REFERENCES, WARNINGS, others, outcome  # noqa: E402

BATCH, THOROUGH = 1000, 10
HEAD = """# Damaged heap dumps

Written by `python bench/fuzz.py {count}`, which says what is done with each mutant (one to four things wrong with a
sample of 1 to 2 kB; `tests/fuzz/mutation.py`). Refused means an error with its reason; in part, a graph that fits
together and says what is missing. The slowest is CPU time, reading and analysis.

| sample | mutants | refused | in part | whole | failures | slowest |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
"""


def main(count: int) -> None:
    """Read `count` mutants of each sample, on all processors."""
    text = HEAD.format(count=count)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in SAMPLES:
            kinds: Counter[str] = Counter()
            slowest = 0.0
            for found, seconds in pool.map(partial(batch, name), range(0, count, BATCH)):
                kinds += found
                slowest = max(slowest, seconds)
            numbers = [kinds.total(), kinds["refused"], kinds["in part"], kinds["whole"], kinds["failed"]]
            text += f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} | {slowest * 1000:.0f} ms |\n"
            (HERE / "fuzz.md").write_text(text)


def batch(name: str, first: int) -> tuple[Counter[str], float]:
    """How often each kind of answer came, and the seconds of the slowest."""
    is_thorough = first // BATCH % THOROUGH == 0
    found, slowest = answers(name, first, is_thorough)
    again = found
    if is_thorough:
        with pytest.MonkeyPatch.context() as patch:
            uncompile(patch)()
            again, _ = answers(name, first, is_thorough)
    kinds: Counter[str] = Counter()
    for seed, one, other in zip(range(first, first + BATCH), found, again, strict=True):
        if isinstance(one, Exception) or isinstance(other, Exception) or one != other:
            kinds["failed"] += 1
            print(f"{name} {seed}: {one!r:.300}", file=sys.stderr)
        else:
            kinds[kind_of(one[0])] += 1
    return kinds, slowest


def answers(name: str, first: int, is_thorough: bool) -> tuple[list[object], float]:
    """What each mutant of a batch gives, an exception too, and the seconds of the slowest."""
    found: list[object] = []
    slowest = 0.0
    for seed in range(first, first + BATCH):
        data = mutant(SAMPLES, name, seed)
        start = time.process_time()
        try:
            seen = outcome(data, name, REFERENCES[seed % 3])
            slowest = max(slowest, time.process_time() - start)
            found.append((seen, others(data) if is_thorough else []))
        except Exception as error:  # to count them is what this is for
            found.append(error)
    return found, slowest


def kind_of(seen: tuple[object, ...]) -> str:
    if len(seen) == 2:
        return "refused"
    return "whole" if seen[COVERAGE] == 1 and not seen[WARNINGS] else "in part"


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
