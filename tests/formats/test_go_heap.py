"""Go heap profiles as text: scaled as Go scales, with the symbols that the text has."""

import math

import pytest
from readable import rows, stacks
from samples import GO_HEAP

from caulk.formats import go_heap, read
from caulk.formats.source import Source
from caulk.model.label import Label
from caulk.model.measure import Measure


def text(*rows: str, header: str = "0: 0 [0: 0]", n: int = 2) -> bytes:
    """A profile of such rows; a rate of 1 (N = 2) leaves the numbers as they are."""
    return f"heap profile: {header} @ heap/{n}\n{''.join(rows)}\n# runtime.MemStats\n# Sys = 1\n".encode()


def test_the_text_of_a_real_program_says_what_its_protobuf_says(go_dumps):
    proto, debug = read(str(go_dumps / "heap.pb.gz")), read(str(go_dumps / "heap.txt"))
    assert debug.measures == proto.measures
    assert (debug.period, debug.period_measure, debug.kind) == (proto.period, proto.period_measure, proto.kind)
    assert debug.default_measure == proto.default_measure
    for measure in range(4):
        ours, theirs = stacks(debug, measure), stacks(proto, measure)
        # The writing of the first allocates a little before the second is written: only live numbers are the same.
        for stack in theirs if measure >= 2 else ():
            assert ours[stack] == pytest.approx(theirs[stack], abs=2), stack
    assert {row[0] for row in rows(proto)} <= {row[0] for row in rows(debug)}
    assert (debug.warnings, debug.coverage) == ((), 1.0)
    assert debug.memory["HeapInuse"] > 20_000_000
    assert debug.memory["NumGC"] >= 2
    assert debug.taken_at and proto.taken_at
    assert debug.taken_at <= proto.taken_at


def test_symbols_are_frames_outermost_first():
    profile = go_heap.read(GO_HEAP)
    assert [row[0] for row in rows(profile)] == [
        (("main.main", "/src/main.go", 41), ("main.(*Book).fill", "/src/book.go", 24)),
        (("main.main", "/src/main.go", 42),),
    ]
    assert rows(profile)[0][1] == (Label("bytes", number=1024),)


def test_the_period_is_half_of_what_the_header_says():
    assert go_heap.read(GO_HEAP).period == 1024


def test_rows_are_scaled_by_the_chance_that_they_were_seen():
    # Objects as large as the rate are seen with 1 - 1/e.
    profile = go_heap.read(text("10: 10240 [20: 20480] @ 0x1\n#\t0x1\tmain.f+0x1\t/f.go:1\n\n", n=2048))
    scale = 1 / (1 - math.exp(-1))
    assert [profile.tree.total(m) for m in range(4)] == [int(raw * scale) for raw in (20, 20480, 10, 10240)]


def test_a_rate_of_one_saw_everything():
    profile = go_heap.read(text("10: 160 [20: 320] @ 0x1\n"))
    assert [profile.tree.total(m) for m in range(4)] == [20, 320, 10, 160]


@pytest.mark.parametrize("row", ["0: 500 [0: 500]", "5: 0 [5: 0]"])
def test_a_row_without_count_or_bytes_is_nothing(row):
    assert not any(map(any, go_heap.read(text(row + " @ 0x1\n", n=2048)).tree.values))


def test_negative_numbers_are_kept():
    profile = go_heap.read(text("-10: -160 [20: 320] @ 0x1\n"))
    assert profile.tree.total(3) == -160


def test_tiny_objects_under_a_huge_rate_do_not_divide_by_zero():
    profile = go_heap.read(text("9000000000000000000: 1 [1: 1] @ 0x1\n", n=10**17))
    assert profile.tree.total(2) > 0


def test_a_row_without_symbols_keeps_its_addresses():
    assert stacks(go_heap.read(text("1: 8 [1: 8] @ 0xa1 0xb2\n\n"))) == {("0xb2", "0xa1"): 8}


def test_allocation_frames_of_the_runtime_are_cut_unless_there_are_no_others():
    row = "1: 8 [1: 8] @ 0x1 0x2\n#\t0x1\tinternal/runtime/maps.grow+0x1\t/m.go:1\n"
    user = "#\t0x2\tmain.f+0x1\t/f.go:1\n#\t0x3\truntime.main+0x1\t/proc.go:1\n"
    assert stacks(go_heap.read(text(row, user, "\n"))) == {("runtime.main", "main.f"): 8}
    assert stacks(go_heap.read(text(row, "\n"))) == {("internal/runtime/maps.grow",): 8}


def test_memstats_have_their_names_in_go():
    memory = go_heap.read(GO_HEAP).memory
    assert memory["StackInuse"] == 425984
    assert memory["StackSys"] == 425999
    assert memory["HeapInuse"] == 43188224
    assert "PauseNs" not in memory


def test_a_text_that_was_cut_is_answered_in_part_with_its_coverage():
    cut = GO_HEAP[: GO_HEAP.index(b"1: 1024")]
    profile = go_heap.read(cut)
    assert profile.coverage == 3072 / 5120
    assert "cut short, 60%" in profile.warnings[0]
    assert len(profile.samples) == 1


def test_damaged_lines_are_counted_and_passed_over():
    profile = go_heap.read(GO_HEAP.replace(b"1: 1024 [2", b"1: ?024 [2"))
    assert profile.coverage == 3072 / 5120
    assert "the first is '1: ?024 [2" in " ".join(profile.warnings)


GPERFTOOLS = b"heap profile:   3:  3072 [   5:   5120] @ heapprofile\n   2: 2048 [  3:  3072] @ 0x47c3ec\n"
OLD_CPP = GO_HEAP[: GO_HEAP.index(b"\n\n# runtime")] + b"\nMAPPED_LIBRARIES:\n00400000-00500000 r-xp 00000000 /app\n"


@pytest.mark.parametrize("data", [GPERFTOOLS, GPERFTOOLS.replace(b"heapprofile", b"heap_v2/524288"), OLD_CPP])
def test_a_heap_profile_of_cpp_is_not_taken_for_go_s(data, tmp_path):
    assert not go_heap.sniff(data)
    (tmp_path / "cpp.heap").write_bytes(data)
    profile = read(str(tmp_path / "cpp.heap"))
    assert (profile.format, profile.runtime) == ("gperftools", "native")


def test_a_map_of_libraries_beyond_the_head_is_seen_too():
    rows = b"2: 2048 [3: 3072] @ 0x47c3ec\n" * 300
    data = OLD_CPP[: OLD_CPP.index(b"2: ")] + rows + OLD_CPP[OLD_CPP.index(b"\nMAPPED") :]
    assert go_heap.sniff(data[:4096])
    assert read_bytes(data).format == "gperftools"


def read_bytes(data):
    from caulk.formats import read_source

    return read_source(Source("x", data, len(data)))


def test_the_measures_are_those_of_the_protobuf_form():
    assert go_heap.read(GO_HEAP).measures == (
        Measure("alloc_objects", "count"),
        Measure("alloc_space", "bytes"),
        Measure("inuse_objects", "count"),
        Measure("inuse_space", "bytes"),
    )
