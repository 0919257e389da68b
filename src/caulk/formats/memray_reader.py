"""What runs beside caulk to read a memray capture: memray's own reader, which damaged files crash.

    python -P memray_reader.py CAPTURE POINTS MEMORY_BYTES CPU_S > ANSWER

Imports nothing of caulk. The answer is one JSON object of bounded size; `caulk.formats.memray` checks it.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import takewhile
from typing import Any

_ANSWER_BYTES = 512 << 20


def main(path: str, points: int, memory_bytes: int, cpu_s: int) -> None:
    """Writes what is live at the end of the capture, or at that many moments of it, by stack."""
    _limit(memory_bytes, cpu_s)
    try:
        memray: Any = import_module("memray")  # within the limits, and its absence is an answer
    except ImportError as error:
        answer: dict[str, Any] = {"problem": "missing", "detail": str(error)}
    else:
        memray.set_log_level(100)
        try:
            answer = _read(memray, path, points)
        except (OSError, ValueError, RuntimeError, NotImplementedError, AssertionError) as error:
            answer = {"problem": "refused", "detail": f"{type(error).__name__}: {error}"}
        except MemoryError:
            answer = {"problem": "memory"}
    json.dump(answer, sys.stdout, separators=(",", ":"))


def _limit(memory_bytes: int, cpu_s: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, _ANSWER_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _read(memray: Any, path: str, points: int) -> dict[str, Any]:
    # memray halves its snapshots when there are more than this: at least half as many are left.
    reader = memray.FileReader(path, max_memory_records=max(4 * points, 2))
    about = reader.metadata
    times: list[int] = []
    if points and about.file_format == memray.FileFormat.ALL_ALLOCATIONS:
        # At the first snapshot nothing has been allocated yet.
        times = [snapshot.time for snapshot in reader.get_memory_snapshots()][1:]
    chosen = sorted({len(times) * (i + 1) // points for i in range(points)} - {0}) if times else []
    rows = _over_time(reader, chosen) if chosen else _at_the_end(reader)
    frames: dict[tuple[str, str, int], int] = {}
    stacks = []
    for record, sizes, counts in rows:
        stack = _hybrid(record) if about.has_native_traces else record.stack_trace()
        stacks.append(([frames.setdefault(tuple(frame), len(frames)) for frame in stack], sizes, counts))
    return {
        "allocations": about.total_allocations,
        "started_ms": int(about.start_time.timestamp() * 1000),
        "ended_ms": int(about.end_time.timestamp() * 1000),
        "has_native": about.has_native_traces,
        "times_ms": [times[i - 1] for i in chosen],
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


_Row = tuple[Any, list[int], list[int]]


def _at_the_end(reader: Any) -> Iterator[_Row]:
    for record in reader.get_leaked_allocation_records(merge_threads=True):
        yield record, [record.size], [record.n_allocations]


def _over_time(reader: Any, chosen: list[int]) -> Iterator[_Row]:
    """Bytes and blocks that were live at each of the `chosen` snapshots, by number from 1."""
    for record in reader.get_temporal_allocation_records(merge_threads=True):
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
    main(sys.argv[1], *map(int, sys.argv[2:5]))
