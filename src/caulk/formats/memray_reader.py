"""What runs beside caulk to read a memray capture: memray's own reader, which damaged files crash.

    python -P memray_reader.py CAPTURE POINTS ALLOCATIONS MEMORY_BYTES CPU_S > ANSWER

Imports nothing of caulk. The answer is one JSON object of bounded size; `caulk.formats.memray_process` checks it.
"""

import gc
import json
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

_ANSWER_BYTES = 512 << 20
#: Twice what a block of memray's LZ4 frames holds, so that the head of a packed capture has a whole one.
_HEAD_BYTES = 128 << 10
_REFUSALS = (OSError, ValueError, RuntimeError, NotImplementedError, AssertionError)


def main(path: str, points: int, allocations: int, memory_bytes: int, cpu_s: int) -> None:
    """Writes what is live at the end of the capture, or at that many moments of it, by stack.

    `allocations` is how many there are as the capture's head has it, 0 where that does not say.
    """
    _limit(memory_bytes, cpu_s)
    gc.disable()  # Nothing here is cyclic.
    try:
        memray: Any = import_module("memray")  # within the limits, and its absence is an answer
    except ImportError as error:
        answer: dict[str, Any] = {"problem": "missing", "detail": str(error)}
    else:
        memray.set_log_level(100)
        try:
            answer = _read(memray, path, points, allocations)
        except _REFUSALS as error:
            answer = {"problem": "refused", "detail": f"{type(error).__name__}: {error}"}
        except MemoryError:
            answer = {"problem": "memory"}
    sys.stdout.write(json.dumps(answer, separators=(",", ":")))


def _limit(memory_bytes: int, cpu_s: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, _ANSWER_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


_Row = tuple[Any, list[int], list[int]]


def _read(memray: Any, path: str, points: int, allocations: int) -> dict[str, Any]:
    leaked = None if points else _in_one_pass(memray, path, allocations)
    if leaked:
        return _answer(leaked[0].metadata, allocations, [], _at_the_end(leaked[1]))
    # memray halves its snapshots when there are more than this: at least half as many are left.
    reader = memray.FileReader(path, max_memory_records=max(4 * points, 2))
    about = reader.metadata
    times: list[int] = []
    if points and about.file_format == memray.FileFormat.ALL_ALLOCATIONS:
        # At the first snapshot nothing has been allocated yet.
        times = [snapshot.time for snapshot in reader.get_memory_snapshots()][1:]
    chosen = sorted({len(times) * (i + 1) // points for i in range(points)} - {0}) if times else []
    if chosen:
        rows = _over_time(reader.get_temporal_allocation_records(merge_threads=True), chosen)
    else:
        rows = _at_the_end(reader.get_leaked_allocation_records(merge_threads=True))
    return _answer(about, about.total_allocations, [times[i - 1] for i in chosen], rows)


def _in_one_pass(memray: Any, path: str, allocations: int) -> tuple[Any, Iterator[Any]] | None:
    """The reader and its records of what was not freed; None where only memray's own way leads to them.

    memray reads a capture twice, first for the peak and the snapshots, of which nothing is asked here. Shown the head
    alone at first, it does without. That needs what it keeps to itself, so it counts only if every allocation that the
    head declares was read; the rest, and another memray, pay for both passes.
    """
    if not allocations:
        return None
    progress = _Progress()
    try:
        memray._memray.Progress = progress
        shown = os.memfd_create("head")
        with Path(path).open("rb") as capture:
            os.write(shown, capture.read(_HEAD_BYTES))
            reader = memray.FileReader(shown, report_progress=True, max_memory_records=2)
            os.dup2(capture.fileno(), shown)
        records = reader._aggregate_allocations(sys.maxsize, True)
        first = next(records, None)
    except (*_REFUSALS, AttributeError, TypeError):
        return None
    if progress.completed != allocations:
        return None
    return reader, chain([] if first is None else [first], records)


class _Progress:
    """In the place of rich's class of progress bars, which alone are told how many allocations were read."""

    completed = 0

    def __call__(self, *columns: object, **options: object) -> "_Progress":
        return self

    def get_default_columns(self) -> tuple[()]:
        return ()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def add_task(self, *about: object, **options: object) -> int:
        return 0

    def update(self, task: int, completed: int) -> None:
        self.completed = completed

    def refresh(self) -> None:
        pass


def _answer(about: Any, allocations: int, times_ms: list[int], rows: Iterable[_Row]) -> dict[str, Any]:
    frames: dict[tuple[str, str, int], int] = {}
    stacks = []
    for record, sizes, counts in rows:
        stack = _hybrid(record) if about.has_native_traces else record.stack_trace()
        stacks.append(([frames.setdefault(tuple(frame), len(frames)) for frame in stack], sizes, counts))
    return {
        "allocations": allocations,
        "started_ms": int(about.start_time.timestamp() * 1000),
        "ended_ms": int(about.end_time.timestamp() * 1000),
        "has_native": about.has_native_traces,
        "times_ms": times_ms,
        "frames": list(frames),
        "stacks": stacks,
    }


def _hybrid(record: Any) -> list[tuple[str, str, int]]:
    """The frames of C and of Python, the innermost first."""
    hybrid, python = record.hybrid_stack_trace(), record.stack_trace()
    if len(hybrid) > len(python):
        return hybrid  # type: ignore[no-any-return]
    # In a forked child memray hides as many frames as its parent had when it began: all of C, as a rule.
    return [*takewhile(_is_c, record.native_stack_trace()), *python]


def _is_c(frame: tuple[str, str, int]) -> bool:
    """Whether this is no code of the interpreter, which is where Python's frames go on."""
    return frame[:2] != ("<unknown>", "<unknown>") and not frame[0].startswith(("Py", "_Py"))


def _at_the_end(records: Iterable[Any]) -> Iterator[_Row]:
    for record in records:
        yield record, [record.size], [record.n_allocations]


def _over_time(records: Iterable[Any], chosen: list[int]) -> Iterator[_Row]:
    """Bytes and blocks that were live at each of the `chosen` snapshots, by number from 1."""
    for record in records:
        sizes, counts = [0] * len(chosen), [0] * len(chosen)
        for i, at in enumerate(chosen):
            for interval in _live(record.intervals, at):
                sizes[i] += interval.n_bytes
                counts[i] += interval.n_allocations
        if any(counts):
            yield record, sizes, counts


def _live(intervals: Iterable[Any], at: int) -> Iterator[Any]:
    for interval in intervals:
        freed = interval.deallocated_before_snapshot
        if interval.allocated_before_snapshot <= at and (freed is None or freed > at):
            yield interval


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:6]))
