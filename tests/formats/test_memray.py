"""memray captures: read by memray, whatever is wrong with the file and with memray."""

import importlib.util
import random
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from memray_captures import captured

from caulk.formats import memray, memray_process, read_source
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump

KEPT = 40
PROGRAM = f"""
import os, signal, sys, time
kept = []
def keep(size):
    kept.append(bytearray(size))
def drop(size):
    bytearray(size)
for i in range({KEPT}):
    keep(100_000)
    drop(300_000)
    [bytearray(1000) for _ in range(200)]
    time.sleep(0.02)
{{end}}
"""
#: Allocations of sizes that pack badly.
MORE = "for i in range(40_000): bytearray(1000 + i * i % 5003)"
MUTANTS = 100


@pytest.fixture(scope="module")
def capture() -> bytes:
    return captured(PROGRAM.format(end=""), "--no-compress")


def by_function(profile, measure=0) -> dict[str, int]:
    """The bytes of each function that allocates, with all below it."""
    found: dict[str, int] = {}
    for node in range(1, len(profile.tree)):
        value = profile.tree.values[measure][node]
        for name in {profile.frames.function_name(f) for f in profile.tree.stack(node)}:
            found[name] = found.get(name, 0) + value
    return found


def error_of(data: bytes) -> MalformedDump:
    with pytest.raises(MalformedDump) as raised:
        memray.read(data)
    return raised.value


def test_what_was_never_freed_is_named_by_the_line_that_allocated_it(capture):
    profile = read_source(Source("capture", capture, len(capture)))
    assert (profile.format, profile.runtime, profile.kind) == ("memray", "cpython", "heap")
    assert by_function(profile)["keep"] >= KEPT * 100_000
    assert "drop" not in by_function(profile)
    assert by_function(profile, 1)["keep"] >= KEPT
    lines = {profile.frames.line[f] for f in range(len(profile.frames)) if profile.frames.function_name(f) == "keep"}
    assert lines == {PROGRAM.splitlines().index("    kept.append(bytearray(size))") + 1}
    assert profile.coverage == 1.0


def test_every_moment_of_a_capture_is_a_profile_that_grows_with_the_program(capture):
    moments = memray.over_time(capture, 4)
    assert len(moments) == 4
    times = [moment.taken_at for moment in moments]
    assert times == sorted(set(times))
    sizes = [by_function(moment).get("keep", 0) for moment in moments]
    assert sizes == sorted(set(sizes))
    assert KEPT * 50_000 < sizes[-1] <= by_function(memray.read(capture))["keep"]


def test_a_packed_capture_is_read_like_the_same_unpacked():
    packed = captured(PROGRAM.format(end=""))
    assert packed.startswith(b"\x04\x22\x4d\x18")
    assert by_function(memray.read(packed))["keep"] >= KEPT * 100_000


@pytest.mark.parametrize(("end", "is_within_its_first_block"), [("", True), (MORE, False)])
def test_a_packed_capture_that_was_cut_short_is_answered_in_part_and_says_how_much(end, is_within_its_first_block):
    packed = captured(PROGRAM.format(end=end))
    cut = packed[: len(packed) * 3 // 4]
    assert (int.from_bytes(packed[7:11], "little") + 11 > len(cut)) == is_within_its_first_block
    profile = memray.read(cut)
    assert 0 < profile.coverage < 1
    assert sum(by_function(profile).values()) > 0
    assert any("cut short" in warning for warning in profile.warnings)


def test_the_more_of_a_packed_capture_is_there_the_more_is_told():
    packed = captured("kept = [bytearray(3000 + i) for i in range(9)]")
    lengths = range(400, len(packed), len(packed) // 12)
    coverages = [memray.read(packed[:length]).coverage for length in lengths]
    assert coverages == sorted(coverages)
    assert len(set(coverages)) > len(lengths) // 2
    assert coverages[-1] < memray.read(packed).coverage == 1.0


def test_an_aggregated_capture_has_only_its_end():
    data = captured(PROGRAM.format(end=""), "--aggregate")
    [profile] = memray.over_time(data, 4)
    assert by_function(profile)["keep"] >= KEPT * 100_000
    assert profile.coverage == 1.0
    assert not any("killed" in warning for warning in profile.warnings)


def reader_after(folder: Path, change: str) -> Path:
    """The reader, in a process in which something is changed about memray first."""
    script = folder / "changed.py"
    run = f"runpy.run_path({str(memray_process._READER)!r}, run_name='__main__')"
    script.write_text(f"import runpy, memray\n{change}\n{run}\n")
    return script


def test_a_capture_is_told_from_one_pass_as_from_the_two_that_another_memray_may_need(capture, monkeypatch, tmp_path):
    told = by_function(memray.read(capture)), by_function(memray.read(capture), 1)
    monkeypatch.setattr(memray_process, "_READER", reader_after(tmp_path, "del memray._memray"))
    assert (by_function(memray.read(capture)), by_function(memray.read(capture), 1)) == told


def test_only_a_whole_capture_is_read_in_one_pass(capture, monkeypatch, tmp_path):
    no_second = "real = memray.FileReader\nmemray.FileReader = lambda file, **rest: real(file + 0, **rest)"
    script = reader_after(tmp_path, no_second)
    monkeypatch.setattr(memray_process, "_READER", script)
    assert by_function(memray.read(capture))["keep"] >= KEPT * 100_000
    for damaged in (capture[: len(capture) // 2], capture[:17] + bytes(8) + capture[25:]):
        assert "its own reader ended with 1" in str(error_of(damaged))


def test_a_program_that_was_killed_shows_what_was_live_then():
    profile = memray.read(captured(PROGRAM.format(end="os.kill(os.getpid(), signal.SIGKILL)")))
    assert by_function(profile)["keep"] >= KEPT * 100_000
    assert any("killed" in warning for warning in profile.warnings)


def test_a_capture_that_was_cut_short_is_answered_in_part_and_says_how_much(capture):
    profile = memray.read(capture[: len(capture) // 2])
    assert 0 < profile.coverage < 1
    assert 0 < by_function(profile)["keep"] < KEPT * 100_000
    assert any("cut short" in warning for warning in profile.warnings)


def test_a_capture_without_native_frames_says_that_it_lacks_them(capture):
    assert any("--native" in warning for warning in memray.read(capture).warnings)


def test_the_command_line_in_a_capture_is_not_kept():
    data = captured("import sys; kept = bytearray(5000)")
    assert b"program.py" in data[:300]
    profile = memray.read(data)
    assert not profile.comments
    assert not profile.memory


def test_another_version_of_the_layout_is_an_error_with_the_command_that_converts_it(capture):
    error = error_of(capture[:7] + struct.pack("<I", 4711) + capture[11:])
    assert "version 4711" in str(error)
    assert "python -m memray transform speedscope --leaks" in error.hint


def test_what_memray_converts_to_speedscope_is_read(capture, tmp_path):
    import subprocess
    import sys

    (tmp_path / "capture.bin").write_bytes(capture)
    command = [sys.executable, "-m", "memray", "transform", "speedscope", "--leaks", "capture.bin"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    [converted] = tmp_path.glob("*.speedscope.json")
    data = converted.read_bytes()
    profile = read_source(Source(converted.name, data, len(data)))
    assert profile.format == "speedscope"
    assert by_function(profile)["keep"] >= KEPT * 100_000


def test_without_memray_the_error_says_what_to_install(capture, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "caulk[memray]" in error_of(capture).hint


@pytest.mark.parametrize("length", [7, 20, 24])
def test_a_file_that_ends_in_its_head_is_an_error(capture, length):
    assert str(error_of(capture[:length]))


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "died of SIGSEGV"),
        ("import os; os.abort()", "died of SIGABRT"),
        ("import time; time.sleep(60)", "was stopped after"),
        ("print('no answer')", "and no answer"),
        ('print(\'{"frames":[],"stacks":[[[7],[1],[1]]]}\')', "contradicts itself"),
        ('print(\'{"frames":[],"stacks":[[[],[1,2],[1]]]}\')', "contradicts itself"),
    ],
)
def test_a_reader_that_fails_is_an_error_that_says_how(capture, monkeypatch, tmp_path, reader, said):
    script = tmp_path / "reader.py"
    script.write_text(reader)
    monkeypatch.setattr(memray_process, "_READER", script)
    if "sleep" in reader:
        monkeypatch.setattr(memray_process, "_CPU_S", 1)
    assert said in str(error_of(capture))


def test_a_reader_that_needs_too_much_memory_is_stopped(capture, monkeypatch):
    monkeypatch.setattr(memray_process, "_MEMORY_BYTES", 32 << 20)
    assert str(error_of(capture))


def test_a_mutant_is_a_profile_or_an_error():
    whole = captured("kept = [bytearray(3000 + i) for i in range(9)]", "--native", "--no-compress")

    def outcome(seed: int) -> str:
        chance = random.Random(seed)
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(7 if seed % 4 else len(whole) // 2, len(data))
            data[at : at + chance.choice((0, 1, 4))] = chance.randbytes(chance.choice((0, 1, 1, 4, 8)))
        try:
            profile = memray.read(bytes(data))
        except MalformedDump as error:
            return str(error)
        assert 0 <= profile.coverage <= 1
        assert len(profile.tree) >= 1
        return ""

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, range(MUTANTS)))
    assert "" in outcomes
    assert any(outcomes)
