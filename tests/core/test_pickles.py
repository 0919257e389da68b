"""The pickle machine holds data, and only data; both forms of the kernel agree on every input."""

import io
import os
import pickle
import random
import tracemalloc
from collections.abc import Callable

import pytest

from caulk._core import pickles, snapshots, uncompiled

plain_pickles = uncompiled.load("pickles")
plain_snapshots = uncompiled.load("snapshots")


def snapshot(protocol: int = 5) -> bytes:
    """A small snapshot: five traces of two stacks, one number of each width."""
    near = (("/app/leak.py", 3), ("/app/main.py", 70_000))
    far = (("/app/main.py", 2),)
    traces = [(0, 1, near, 2), (0, 300, near, 2), (7, 70_000, near, 9), (0, 1 << 33, far, 1), (0, 0, far, 1)]
    return pickle.dumps(tracemalloc.Snapshot(traces, 2), protocol)


def answer(data: bytes, pickle_kernel: object = pickles, snapshot_kernel: object = snapshots) -> object:
    """All that a pair of kernels says of some bytes: its columns, or its error."""
    try:
        values = pickle_kernel.read(data)
        return values["scalar"], snapshot_kernel.read(data, values)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_gives_the_same_rows(protocol):
    data = snapshot(protocol)
    values = pickles.read(data)
    found = snapshots.read(data, values)
    rows = list(zip(found["row_stack"], found["row_domain"], found["row_bytes"], found["row_blocks"], strict=True))
    assert rows == [(0, 0, 301, 2), (0, 7, 70_000, 1), (1, 0, 1 << 33, 2)]
    assert list(found["scalar"]) == [2, 5, 1]
    assert list(values["scalar"]) == [len(data), 1]


def test_frames_run_from_the_outermost_caller():
    data = snapshot()
    values = pickles.read(data)
    found = snapshots.read(data, values)
    strings = [data[s : s + n].decode() for s, n in zip(values["string_start"], values["string_length"], strict=True)]
    first = found["stack_frame"][found["stack_start"][0] : found["stack_start"][1]]
    frames = [(strings[found["frame_file"][f]], found["frame_line"][f]) for f in first]
    assert frames == [("/app/main.py", 70_000), ("/app/leak.py", 3)]


class Runs:
    """An object whose pickle calls a function."""

    def __init__(self, function: Callable[..., object], argument: str) -> None:
        self.call = function, (argument,)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("function", [os.system, eval])
def test_a_pickle_that_runs_code_is_refused_by_the_name_of_what_it_imports(tmp_path, protocol, function):
    mark = tmp_path / "ran"
    code = f"touch {mark}" if function is os.system else f"open({str(mark)!r}, 'w').close()"
    data = pickle.dumps([tracemalloc.Snapshot([], 1), Runs(function, code)], protocol)
    module = "__builtin__" if (protocol, function) == (2, eval) else function.__module__
    with pytest.raises(ValueError, match=rf"asks to import {module}\.{function.__name__}, at byte \d+$"):
        pickles.read(data)
    assert not mark.exists()
    pickle.loads(data)
    assert mark.exists(), "the pickle would not have run anything in the first place"


@pytest.mark.parametrize("asked", [b"cos\nsystem\n", b"\x8c\2os\x8c\6system\x93"])
def test_what_a_pickle_wants_imported_is_named_as_it_wrote_it(asked):
    with pytest.raises(ValueError, match=r"asks to import os\.system"):
        pickles.read(b"\x80\4" + asked + b".")


@pytest.mark.parametrize("name", ["Trace", "start", "Snapshot.load", "_Traces.x"])
def test_nothing_else_of_tracemalloc_may_be_imported(name):
    with pytest.raises(ValueError, match=f"asks to import tracemalloc.{name}"):
        pickles.read(b"\x80\2ctracemalloc\n" + name.encode() + b"\n.")


@pytest.mark.parametrize(
    ("opcode", "name"), [(b"R", "REDUCE"), (b"\x92", "NEWOBJ_EX"), (b"o", "OBJ"), (b"\x82\1", "EXT1"), (b"Q", "PERSID")]
)
def test_an_opcode_that_can_run_code_is_refused_by_name_and_position(opcode, name):
    with pytest.raises(ValueError, match=rf"run code \(opcode \w*{name}\), at byte 4$"):
        pickles.read(b"\x80\4))" + opcode + b".")


def test_an_unknown_opcode_is_refused_with_its_position():
    with pytest.raises(ValueError, match=r"opcode 0xff, which no snapshot needs, at byte 2$"):
        pickles.read(b"\x80\4\xff")


def test_a_memo_number_that_the_file_cannot_have_reached_is_refused_before_it_takes_memory():
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"memo has a number .* at byte 3"):
            pickles.read(b"\x80\4Nr\xff\xff\xff\x7f.")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_memos_that_multiply_cost_what_their_bytes_cost():
    # Each tuple holds the one before it twice: 2^60 values to whoever follows them.
    bomb = b"\x80\4)" + b"\x94h\x00h\x00\x86" + b"".join(b"\x94h%ch%c\x86" % (i, i) for i in range(1, 60)) + b"."
    values = pickles.read(bomb)
    assert len(values["items"]) < len(bomb)
    assert answer(bomb) == "the pickle is not of a tracemalloc snapshot"


def test_nesting_as_deep_as_the_file_is_no_matter():
    deep = b"\x80\4" + b"(" * 100_000 + b"t" * 100_000 + b"."
    assert len(pickles.read(deep)["stack"]) == 1
    assert answer(deep) == "the pickle is not of a tracemalloc snapshot"


def test_a_list_that_holds_itself_ends():
    loop: list[object] = []
    loop.append(loop)
    data = pickle.dumps(tracemalloc.Snapshot(loop, 1), 4)
    assert answer(data) == "trace 0 is not (domain, size, frames)"


@pytest.mark.parametrize("value", [1 << 60, -(1 << 61), 1 << 70])
def test_a_number_beyond_any_heap_is_refused(value):
    with pytest.raises(ValueError, match="number is larger"):
        pickles.read(pickle.dumps(value, 4))


@pytest.mark.parametrize("value", [0, 1, -1, 255, 256, 65_535, 65_536, 1 << 31, -(1 << 31), (1 << 60) - 1, -(1 << 60)])
def test_numbers_of_every_width_keep_their_value(value):
    assert pickles.read(pickle.dumps(value, 4))["stack"][0] == value * 8


def test_values_below_a_mark_cannot_be_taken():
    with pytest.raises(ValueError, match="empty stack, at byte 5"):
        pickles.read(b"\x80\4NN(\x86.")


def test_both_forms_agree_on_every_cut():
    for protocol in (2, 5):
        data = snapshot(protocol)
        for end in range(len(data)):
            assert answer(data[:end]) == answer(data[:end], plain_pickles, plain_snapshots), end


def test_a_cut_never_gives_more_traces_than_there_are_nor_fewer_than_a_shorter_cut():
    data = snapshot()
    counts = [answer(data[:end])[1]["scalar"][1] for end in range(2, len(data) + 1)]
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3, 4, 5}


def test_both_forms_agree_on_mutants():
    pick = random.Random(6)
    differ = 0
    for _ in range(600):
        data = bytearray(snapshot(pick.choice((2, 4))))
        for _ in range(pick.randint(1, 3)):
            at = pick.randrange(2, len(data))
            match pick.randrange(3):
                case 0:
                    data[at] = pick.randrange(256)
                case 1:
                    data[at : at + 1] = pick.choice((b"", b"(", b"t", b"\x86", b"e", b"h\x03", b"u", b"b", b"0"))
                case 2:
                    data[at:at] = data[at : at + pick.randint(1, 12)]
        mutant = bytes(data)
        said = answer(mutant)
        assert said == answer(mutant, plain_pickles, plain_snapshots), mutant
        differ += said != answer(snapshot())
    assert differ > 300


def test_a_pickle_in_frames_reads_like_one_without():
    traces = [(0, i, ((f"/app/{i}.py", i),), 1) for i in range(9000)]
    stream = io.BytesIO()
    pickle.Pickler(stream, 5).dump(tracemalloc.Snapshot(traces, 1))
    data = stream.getvalue()
    assert data.count(b"\x95") > 1
    found = snapshots.read(data, pickles.read(data))
    assert list(found["row_bytes"]) == list(range(9000))
