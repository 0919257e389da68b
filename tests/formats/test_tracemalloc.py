"""tracemalloc snapshots of this very Python, read to the byte, and read in part where they are damaged."""

import gc
import os
import pickle
import random
import re
import subprocess
import sys
import tracemalloc as real
from pathlib import Path

import pytest

from caulk.formats import tracemalloc
from caulk.model.errors import MalformedDump

PROGRAM = """
import json.decoder, sys, tracemalloc

def leak(n):
    return list(map(bytearray, [1000 + n] * 50))

def deep(n):
    return leak(7) if n == 0 else deep(n - 1)

tracemalloc.start(int(sys.argv[1]))
kept = [leak(1), leak(2), deep(12), json.loads('{"a": [1.5, "xy"]}')]
exec(compile("kept.append([object(), object()])", "<generated \\xe9>", "exec"))
tracemalloc.take_snapshot().dump(sys.argv[2])
"""


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    """The path of a snapshot with that many frames a trace, written by a program of its own."""
    folder = tmp_path_factory.mktemp("tracemalloc")
    (folder / "leak.py").write_text(PROGRAM, encoding="utf-8")
    for frames in (1, 25):
        subprocess.run([sys.executable, folder / "leak.py", str(frames), folder / str(frames)], check=True)
    return folder


def rows(profile):
    """(bytes, blocks) of each stack, by its (file, line) from the outermost caller."""
    frames, found = profile.frames, {}
    for node in range(len(profile.tree)):
        if profile.tree.values[1][node]:
            stack = tuple((frames.file_name(f), frames.line[f]) for f in profile.tree.stack(node))
            assert stack not in found
            found[stack] = (profile.tree.values[0][node], profile.tree.values[1][node])
    return found


@pytest.mark.parametrize("limit", [1, 25])
def test_every_stack_has_the_bytes_and_blocks_that_tracemalloc_gives_it(dumps, limit):
    path = dumps / str(limit)
    profile = tracemalloc.read(path.read_bytes())
    # `Traceback` iterates from the oldest frame to the most recent one since Python 3.7.
    expected = {
        tuple((frame.filename, frame.lineno) for frame in statistic.traceback): (statistic.size, statistic.count)
        for statistic in real.Snapshot.load(str(path)).statistics("traceback")
    }
    assert rows(profile) == expected
    assert max(map(len, expected)) == (1 if limit == 1 else 15)
    assert profile.tree.total(0) == sum(size for size, _ in expected.values())
    assert len(profile.samples) == len(expected)
    assert (profile.runtime, profile.kind, profile.period, profile.coverage) == ("cpython", "heap", 1, 1.0)
    assert [measure.role for measure in profile.measures] == ["live", "live"]


def test_a_recursive_leak_is_told_from_a_direct_one_by_its_callers(dumps):
    leaks = [stack for stack in rows(tracemalloc.read((dumps / "25").read_bytes())) if stack[-1][1] == 5]
    assert {len(stack) for stack in leaks} >= {2, 15}
    assert all(Path(stack[0][0]).name == "leak.py" and stack[0][1] == 11 for stack in leaks)


def test_a_shallow_snapshot_says_how_to_see_the_callers(dumps):
    assert "keep only 1 frame of their stack" in tracemalloc.read((dumps / "1").read_bytes()).comments[0]
    assert tracemalloc.read((dumps / "25").read_bytes()).comments == ()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_snapshot_that_was_filtered_and_pickled_again_reads_the_same(dumps, protocol):
    snapshot = real.Snapshot.load(str(dumps / "25")).filter_traces([real.Filter(True, "*leak.py", all_frames=True)])
    profile = tracemalloc.read(pickle.dumps(snapshot, protocol))
    assert profile.tree.total(0) == sum(trace.size for trace in snapshot.traces) > 0


def made(traces):
    return pickle.dumps(real.Snapshot(traces, 1), 5)


def test_traces_of_three_values_from_before_python_3_9_are_read():
    profile = tracemalloc.read(made([(0, 10, (("a.py", 3), ("b.py", 4))), (0, 5, (("a.py", 3), ("b.py", 4)))]))
    assert rows(profile) == {(("b.py", 4), ("a.py", 3)): (15, 2)}


def test_equal_stacks_that_do_not_share_their_tuple_are_one_row():
    traces = [(0, 10, tuple(map(tuple, [[name, 3]])), 1) for name in ("a.py", "a.py", "b.py")]
    profile = tracemalloc.read(made(traces))
    assert rows(profile) == {(("a.py", 3),): (20, 2), (("b.py", 3),): (10, 1)}
    assert len(profile.samples) == 2


def test_memory_of_an_extension_is_a_row_of_its_own_with_the_domain_as_label():
    profile = tracemalloc.read(made([(0, 10, (("a.py", 3),), 1), (389047, 20, (("a.py", 3),), 1)]))
    assert profile.samples.values[0].tolist() == [10, 20]
    labels = [[(label.key, label.number) for label in profile.label_sets[i]] for i in profile.samples.labels]
    assert labels == [[], [("domain", 389047)]]
    assert profile.tree.values[0].tolist() == [0, 30]


def test_a_snapshot_without_traces_is_an_empty_profile():
    assert tracemalloc.read(made([])).tree.total(1) == 0


def test_a_snapshot_is_told_by_its_content(dumps):
    assert tracemalloc.sniff((dumps / "1").read_bytes()[:4096])
    assert not tracemalloc.sniff(pickle.dumps([1, 2], 5))
    assert not tracemalloc.sniff(b"import tracemalloc")
    assert not tracemalloc.sniff(b"")


def test_a_snapshot_with_code_in_it_is_refused_and_does_not_run(tmp_path):
    class Runs:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    for traces in ([Runs()], [(0, 1, (("a.py", Runs()),), 1)]):
        with pytest.raises(MalformedDump, match=rf"asks to import {os.mkdir.__module__}\.mkdir") as raised:
            tracemalloc.read(made(traces))
        assert "Nothing in it was run" in raised.value.hint
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "traces", [[1], [(0, 1)], [(0, -1, ())], [(0, 1, "a")], [(0, 1, (("a", "b"),))], [("0", 1, ())], [(0, 1, (1, 2))]]
)
def test_a_list_that_is_not_of_traces_is_an_error(traces):
    with pytest.raises(MalformedDump, match=re.escape("trace 0 is not (domain, size, frames)")):
        tracemalloc.read(made(traces))


@pytest.mark.parametrize("value", [[], {"traces": []}, real._Traces([]), "tracemalloc"])
def test_a_pickle_of_something_else_is_an_error(value):
    with pytest.raises(MalformedDump, match=r"^not a tracemalloc snapshot: the pickle is not of"):
        tracemalloc.read(pickle.dumps(value, 4))


def test_what_follows_a_snapshot_is_said_and_not_read(dumps):
    data = (dumps / "1").read_bytes()
    profile = tracemalloc.read(data + data)
    assert profile.tree.total(0) == tracemalloc.read(data).tree.total(0)
    assert profile.warnings == (f"{len(data):,} bytes after the end of the snapshot were not read",)
    assert profile.coverage == 0.5


def test_a_snapshot_that_was_cut_gives_the_traces_before_the_cut_and_says_so(dumps):
    data = (dumps / "25").read_bytes()
    whole, blocks = rows(tracemalloc.read(data)), []
    for end in [*range(12, len(data) - 1, 37), len(data) - 1]:
        try:
            profile = tracemalloc.read(data[:end])
        except MalformedDump as error:
            assert not blocks
            assert re.search(r"cut short at byte [\d,]+, before its first trace", str(error))
            continue
        assert 0 < profile.coverage < 1
        assert "was cut short at byte" in profile.warnings[0]
        assert all(found <= whole[stack] for stack, found in rows(profile).items())
        blocks.append(profile.tree.total(1))
    assert blocks == sorted(blocks)
    assert blocks[-1] == sum(count for _, count in whole.values())


def test_damage_is_an_error_or_an_answer_and_never_anything_else(dumps):
    data = (dumps / "25").read_bytes()[:3000]
    pick = random.Random(3)
    answers = 0
    for _ in range(400):
        mutant = bytearray(data)
        for _ in range(pick.randint(1, 4)):
            mutant[pick.randrange(2, len(data))] = pick.randrange(256)
        try:
            profile = tracemalloc.read(bytes(mutant))
        except MalformedDump as error:
            assert error.hint
        else:
            answers += 1
            assert profile.tree.total(1) == sum(profile.samples.values[1])
    assert 0 < answers < 400


def test_memory_is_linear_in_the_file():
    def peak(count):
        data = made([(0, 10, (("a.py", i % 50),), 1) for i in range(count)])
        gc.collect()
        real.start()
        try:
            tracemalloc.read(data)
            return real.get_traced_memory()[1] / len(data)
        finally:
            real.stop()

    assert peak(40_000) < 3 * peak(4_000)
