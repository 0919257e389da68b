"""Mutants of a sample of every format of object graphs, in numbers: `python bench/fuzz.py 100000` writes `fuzz.md`.

Each is read, examined and judged, by strong, soft and all references in turns. Of ten batches one is also measured,
counted, redacted and searched for equal strings, and all of that is done again by the kernels uncompiled, whose answers
must be the same. A failure is what `tests/fuzz/test_graph_mutants.py` fails for: an exception other than
`MalformedDump`, a graph that does not fit together, another answer from the other kernels; and a crash, memory beyond
4 GiB, and a mutant that takes a minute.

Every batch is a process of its own, at the lowest priority, and leaves a line in a file in the temporary directory. Who
starts again what was interrupted goes on after the last of them, unless the code has changed.
"""

import faulthandler
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "tests" / folder) for folder in ("fuzz", "graph", "formats")]

from graph_samples import SAMPLES  # noqa: E402
from mutation import mutant, uncompile  # noqa: E402
from test_graph_mutants import COVERAGE, REFERENCES, WARNINGS, others, outcome  # noqa: E402

import caulk  # noqa: E402

BATCH, THOROUGH, PROCESSES = 1000, 10, min(2, os.cpu_count() or 1)
LONGEST_S, MEMORY_BYTES = 60, 4 << 30
KINDS = ("whole", "in part", "refused", "failed")
HEAD = """# Damaged heap dumps

Written by `python bench/fuzz.py {count}`, which says what is done with each mutant: one to four things wrong with a
sample of 1 to 2 kB. `mutant` in `tests/fuzz/mutation.py` makes them, from seeds 0 to {last:,}.

Whole: the damage left a graph of which nothing is missing. In part: a graph that fits together and says what is
missing. Refused: an error with its reason. Failed: anything else, first of all an exception that nobody expects, a
crash, a mutant that takes {longest} seconds, and another answer from the kernels uncompiled, which were asked about one
in {thorough}. The slowest is CPU time, reading and analysis.

| sample | mutants | whole | in part | refused | failed | slowest |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
"""


class Batch(NamedTuple):
    """The mutants of a sample by the seeds from `first` up to `end`."""

    sample: str
    first: int
    end: int

    @property
    def is_thorough(self) -> bool:
        """Whether all is asked of its mutants, and of both forms of the kernels."""
        return self.first // BATCH % THOROUGH == 0


def main(count: int) -> int:
    """Read `count` mutants of each sample; returns how many failed."""
    done = Path(tempfile.gettempdir()) / f"caulk-fuzz-{count}-{code()}.jsonl"
    batches = [Batch(name, first, min(first + BATCH, count)) for first in range(0, count, BATCH) for name in SAMPLES]
    known = {(line["sample"], line["first"]) for line in lines(done)}
    left = [batch for batch in batches if (batch.sample, batch.first) not in known]
    print(f"{len(left):,} of {len(batches):,} batches to do; each is noted in {done}", file=sys.stderr, flush=True)
    start = time.monotonic()
    for number, batch in enumerate(in_processes(left, done), 1):
        per_batch = (time.monotonic() - start) / number
        print(f"{number:,}/{len(left):,} {batch.sample}; {per_batch * (len(left) - number) / 60:.1f} min left",
              file=sys.stderr, flush=True)  # fmt: skip
    failed = written(list(lines(done)), count)
    done.unlink()
    return failed


def written(found: list[dict[str, Any]], count: int) -> int:
    """Write `fuzz.md`; returns how many mutants failed."""
    text = HEAD.format(count=count, last=count - 1, longest=LONGEST_S, thorough=THOROUGH)
    failed = 0
    for name in SAMPLES:
        mine = [line for line in found if line["sample"] == name]
        numbers = [sum(line[kind] for line in mine) for kind in KINDS]
        slowest = max(line["slowest"] for line in mine)
        text += f"| {name} | {sum(numbers):,} | {' | '.join(f'{n:,}' for n in numbers)} | {slowest * 1000:.0f} ms |\n"
        failed += numbers[-1]
    (HERE / "fuzz.md").write_text(text)
    return failed


def lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        yield from map(json.loads, path.read_text().splitlines())


def code() -> str:
    """A hash of all that decides what becomes of a mutant."""
    digest = hashlib.sha256()
    for root in (Path(caulk.__file__).parent, HERE, *(HERE.parent / "tests" / name for name in ("fuzz", "graph"))):
        for path in sorted(root.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def in_processes(batches: list[Batch], done: Path) -> Iterator[Batch]:
    """Each batch as it ends, with its line in `done`."""
    # What was imported is there already, the kernels uncompiled too; a crash ends one batch.
    context = get_context("fork")
    running: dict[int, tuple[BaseProcess, Batch, Any]] = {}
    queue = iter(batches)
    while True:
        while len(running) < PROCESSES and (batch := next(queue, None)):
            at = context.RawValue("q", batch.first)
            process = context.Process(target=work, args=(batch, done, at))
            process.start()
            running[process.sentinel] = process, batch, at
        if not running:
            return
        for sentinel in wait(list(running)):
            process, batch, at = running.pop(sentinel)
            process.join()
            if process.exitcode:
                print(f"{batch.sample} {at.value}: ended with {process.exitcode}", file=sys.stderr, flush=True)
                note(done, batch, Counter(failed=1), 0.0)
            yield batch


def work(batch: Batch, done: Path, at: Any) -> None:
    """Do a batch; `at` is the seed of the mutant that is read, for whoever finds this process dead."""
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    found, slowest = answers(batch, at)
    again = found
    if batch.is_thorough:
        with pytest.MonkeyPatch.context() as patch:
            uncompile(patch)()
            again, _ = answers(batch, at)
    kinds: Counter[str] = Counter()
    for seed, one, other in zip(range(batch.first, batch.end), found, again, strict=True):
        if isinstance(one, Exception) or isinstance(other, Exception) or one != other:
            kinds["failed"] += 1
            print(f"{batch.sample} {seed}: {one!r:.300} {other!r:.300}", file=sys.stderr, flush=True)
        else:
            kinds[kind_of(one[0])] += 1
    note(done, batch, kinds, slowest)


def note(done: Path, batch: Batch, kinds: Counter[str], slowest: float) -> None:
    line = batch._asdict() | {kind: kinds[kind] for kind in KINDS} | {"slowest": slowest}
    with done.open("a") as file:
        file.write(json.dumps(line) + "\n")


def answers(batch: Batch, at: Any) -> tuple[list[Any], float]:
    """What each mutant of a batch gives, an exception too, and the seconds of the slowest."""
    found: list[object] = []
    slowest = 0.0
    for seed in range(batch.first, batch.end):
        at.value = seed
        data = mutant(SAMPLES, batch.sample, seed)
        # It ends the process, inside of a kernel too, and says where that was.
        faulthandler.dump_traceback_later(LONGEST_S, exit=True)
        start = time.process_time()
        try:
            seen = outcome(data, batch.sample, REFERENCES[seed % 3])
            slowest = max(slowest, time.process_time() - start)
            found.append((seen, others(data) if batch.is_thorough else []))
        except Exception as error:  # to count them is what this is for
            found.append(error)
    faulthandler.cancel_dump_traceback_later()
    return found, slowest


def kind_of(seen: tuple[object, ...]) -> str:
    if len(seen) == 2:
        return "refused"
    return "whole" if seen[COVERAGE] == 1 and not seen[WARNINGS] else "in part"


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if sys.argv[1:] else 100_000)))
