"""jemalloc heap profiles: real programs under Debian's jemalloc beside `jeprof`, and the grammar of their text."""

import json
import re
import subprocess
from itertools import pairwise

import native
import pytest
from readable import rows, stacks
from samples import JEMALLOC, MAPS, SYMBOLS

from caulk.cli import carry_out as run
from caulk.formats import jemalloc, read
from caulk.model.errors import MalformedDump

SAMPLE = 14


@pytest.fixture(scope="module")
def profiled(gcc, tmp_path_factory):
    """A program with the profiles of one run, the last one of its end; every fourth megabyte makes one."""
    folder = tmp_path_factory.mktemp("jemalloc")
    program = native.build(gcc, folder, "server")
    options = f"prof:true,lg_prof_sample:{SAMPLE},lg_prof_interval:24,prof_accum:true,prof_final:true"
    native.run(
        [program, "14000"],
        LD_PRELOAD=native.library("libjemalloc.so.2"),
        MALLOC_CONF=f"{options},prof_prefix:{folder}/run",
    )
    files = sorted(folder.glob("run.*.heap"), key=lambda path: int(path.name.split(".")[2]))
    assert files, "this jemalloc was built without profiling"
    return program, files


def jeprof(require, *arguments) -> str:
    command = [require("jeprof"), "--text", "--show_bytes", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measured(profile) -> dict[str, int]:
    return {measure.name: profile.total(i) for i, measure in enumerate(profile.measures)}


@pytest.mark.parametrize("measure", ["inuse_space", "alloc_space", "inuse_objects", "alloc_objects"])
def test_totals_are_those_of_jeprof(profiled, require, measure):
    program, files = profiled
    theirs = native.total(jeprof(require, f"--{measure}", program, files[-1]))
    assert theirs > 0
    # jeprof cuts the fraction off, which is rounded here.
    assert 0 <= measured(read(str(files[-1])))[measure] - theirs <= 1


def test_what_is_kept_is_found_within_the_error_of_sampling(profiled):
    _, files = profiled
    profile = read(str(files[-1]))
    # jemalloc counts what it takes for a record: the next larger size of its own.
    truth = 2 * 14000 * (1024 + 2 * 1280 + 3 * 1536 + 1792) // 7
    assert profile.period == 1 << SAMPLE
    assert abs(profile.total(profile.default_measure) - truth) < 6 * (truth * profile.period) ** 0.5


def test_the_profiles_of_one_run_are_growth_of_the_place_that_keeps(profiled, capsys):
    _, files = profiled
    assert len(files) > 3
    assert run(["analyze", "-o", "json", *map(str, files)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"]["state"] == "leaking"
    first = answer["findings"][0]
    assert re.match(r"server\+0x|keep_record$", first["allocator"])
    assert {re.match(r"libjemalloc|malloc|_rjem|je_|prof_", f["allocator"]) for f in answer["findings"]} == {None}


def test_no_stack_ends_in_the_allocators_own_library(profiled):
    program, files = profiled
    profile = read(str(files[-1]))
    modules = {profile.frames.module_name(frame) for frame in range(len(profile.frames))}
    assert str(program) in modules
    assert not {module for module in modules if "libjemalloc" in module}


def test_names_that_jeprof_writes_are_the_frames(profiled, require, tmp_path):
    program, files = profiled
    # It ends with an error: for a profile that is a file it writes the names, and not the profile.
    raw = subprocess.run([require("jeprof"), "--raw", program, files[-1]], capture_output=True, check=False).stdout
    names = raw[: raw.index(b"--- heap\n")] + b"--- heap\n"
    (tmp_path / "named").write_bytes(names + files[-1].read_bytes())
    profile = read(str(tmp_path / "named"))
    assert profile.format == "jemalloc"
    assert measured(profile) == measured(read(str(files[-1])))
    frames = {pair for stack in stacks(profile) for pair in pairwise(stack)}
    assert ("serve", "keep_record") in frames


def test_names_longer_than_the_head_do_not_hide_what_the_profile_is(tmp_path):
    many = b"".join(b"0x%016x function_%d\n" % (n, n) for n in range(1000))
    data = SYMBOLS.replace(b"---\n--- heap", many + b"---\n--- heap") + JEMALLOC
    (tmp_path / "named").write_bytes(data)
    profile = read(str(tmp_path / "named"))
    assert (profile.format, profile.total(0)) == ("jemalloc", jemalloc.read(JEMALLOC).total(0))


def test_the_sum_of_threads_stands_in_for_all_and_is_never_added_to_it():
    without = re.sub(rb"  t\*: (473|1):.*\n", b"", JEMALLOC)
    assert without.count(b"t*") == 1
    assert rows(jemalloc.read(without)) == rows(jemalloc.read(JEMALLOC))


def test_contexts_are_scaled_one_by_one():
    small = b"@ 0x10\n  t*: 1: 64 [0: 0]\n"
    large = b"@ 0x20\n  t*: 1: 1048576 [0: 0]\n"
    profile = jemalloc.read(b"heap_v2/65536\n  t*: 2: 1048640 [0: 0]\n" + small + large + MAPS)
    assert list(profile.samples.values[0]) == [1025, 1]
    assert list(profile.samples.values[1]) == [65568, 1048576]


def test_accumulated_numbers_are_measures_only_where_they_are_kept():
    names = [measure.name for measure in jemalloc.read(JEMALLOC).measures]
    assert names == ["inuse_objects", "inuse_space"]
    kept = JEMALLOC.replace(b"[0: 0]", b"[900: 900000]")
    assert len(jemalloc.read(kept).measures) == 4


def test_named_threads_are_in_the_comments():
    assert jemalloc.read(JEMALLOC).comments == ("thread 0 is 'main loop'",)


def test_data_is_no_mapping_of_code():
    frames = jemalloc.read(JEMALLOC).frames
    assert {mapping.file for mapping in frames.mappings} == {"/app/server", "/usr/lib/libc.so.6", "[vsyscall]"}


@pytest.mark.parametrize("end", [b"  t*: 1: 2460", b"@ 0x55cda8001207 0x55", b"@ 0x55cda8001207"])
def test_a_text_that_was_cut_gives_the_contexts_before_the_cut(end):
    profile = jemalloc.read(JEMALLOC[: JEMALLOC.index(end) + len(end)])
    assert len(profile.samples) == 1
    assert profile.coverage == pytest.approx(473 / 474)
    assert any("no memory map" in warning for warning in profile.warnings)


def test_a_map_that_was_cut_is_said():
    cut = JEMALLOC[: JEMALLOC.index(b"libc.so.6")]
    assert any("memory map was cut" in warning for warning in jemalloc.read(cut).warnings)


def test_lines_that_make_no_sense_are_counted():
    profile = jemalloc.read(JEMALLOC.replace(b"  t7: 1: 2461 [0: 0]", b"  t7: many"))
    assert any("1 lines make no sense" in w and "t7: many" in w for w in profile.warnings)
    assert rows(profile) == rows(jemalloc.read(JEMALLOC))


def test_huge_numbers_and_lines_are_read():
    numbers = b"9223372036854775808: 9223372036854775808 [0: 0]"
    row = b"@" + b" 0x10" * 10**6 + b"\n  t*: " + numbers + b"\n" + b"  t1: " + numbers + b"\n"
    profile = jemalloc.read(b"heap_v2/1\n  t*: 1: 1 [0: 0]\n" + row + MAPS)
    assert len(profile.samples.stacks.frames) == 10**6
    assert profile.samples.values[0][0] == 2**63 - 1


def test_a_text_without_the_header_is_an_error_that_says_so():
    with pytest.raises(MalformedDump, match="without its header"):
        jemalloc.read(b"heap_v2/many\n  t*: 1: 1 [0: 0]\n")
