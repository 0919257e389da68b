"""What caulk writes, it and `go tool pprof` read back as the same."""

import gzip
import re
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pprof_bytes import Pprof
from readable import rows, stacks
from samples import SAMPLES

from caulk.formats import folded as folded_format
from caulk.formats import pprof as pprof_format
from caulk.formats import read, read_source
from caulk.formats.builder import ProfileBuilder
from caulk.formats.source import Source
from caulk.model.label import Label
from caulk.model.measure import Measure
from caulk.model.tree import Mapping
from caulk.views import folded, pprof


def sample(name: str):
    return read_source(Source(name, SAMPLES[name], len(SAMPLES[name])))


def rich():
    """A profile that has everything that a pprof profile can hold."""
    builder = ProfileBuilder(Measure("alloc_space", "bytes"), Measure("inuse_space", "bytes"))
    binary = builder.mapping(Mapping(0x400000, 0x500000, 0x1000, "/app/server", "abc123"))
    kernel = builder.mapping(Mapping(0xFFFFFFFF80000000 - (1 << 64), -1, 0, "[kernel]", ""))
    main = builder.frame("main", "/src/main.go", 41, mapping=binary)
    bare = builder.frame("", mapping=binary, address=0x400123)
    high = builder.frame("", mapping=kernel, address=-4096)
    builder.add([main, bare], (10, -5), labels=(Label("bytes", number=48, unit="bytes"), Label("tenant", "acmé")))
    builder.add([main, bare], (2**62, 1), labels=(Label("tenant", "other"),))
    builder.add([main, main, high], (0, -(2**63)))
    return builder.build(
        format="test",
        runtime="go",
        kind="heap",
        default_measure=0,
        period=524288,
        period_measure=Measure("space", "bytes"),
        taken_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        duration_s=1.5,
        comments=("first", "zweiter"),
    )


def raw(go, data, path) -> str:
    path.write_bytes(data)
    return subprocess.run([go, "tool", "pprof", "-raw", str(path)], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", SAMPLES)
def test_a_profile_written_as_pprof_reads_back_with_every_row(name):
    profile = sample(name)
    again = pprof_format.read(decompressed(pprof.encode(profile)))
    assert rows(again) == rows(profile)
    assert again.measures == profile.measures
    assert (again.default_measure, again.period, again.period_measure) == (
        profile.default_measure,
        profile.period,
        profile.period_measure,
    )
    assert again.taken_at == profile.taken_at


def decompressed(data: bytes) -> bytes:
    return gzip.decompress(data)


def test_everything_that_the_schema_has_survives():
    profile = rich()
    again = pprof_format.read(decompressed(pprof.encode(profile)))
    assert rows(again) == rows(profile)
    assert again.frames.mappings == profile.frames.mappings
    assert (again.taken_at, again.duration_s, again.comments) == (profile.taken_at, 1.5, ("first", "zweiter"))
    assert (again.default_measure, again.period, again.kind) == (0, 524288, "heap")


def test_frames_to_be_dropped_once_they_have_names_stay_so():
    data = Pprof("space/bytes").stack("main", 1).set(7, "malloc|new").set(8, "keep").bytes()
    again = pprof_format.read(decompressed(pprof.encode(pprof_format.read(data))))
    assert (again.drop_frames, again.keep_frames) == ("malloc|new", "keep")


def test_the_same_profile_gives_the_same_bytes():
    assert pprof.encode(rich()) == pprof.encode(rich())


def test_go_tool_pprof_reads_what_was_written(go, tmp_path):
    text = raw(go, pprof.encode(rich()), tmp_path / "p.pb.gz")
    assert "PeriodType: space bytes\nPeriod: 524288\nTime: 2026-01-02 03:04:05.678901 +0000 UTC\nDuration: 1.5" in text
    assert "Comment: first\nComment: zweiter\n" in text
    assert "alloc_space/bytes[dflt] inuse_space/bytes\n" in text
    assert re.search(r"         10         -5: 2 1 \n +tenant:\[acmé\]\n +bytes:\[48 bytes\]", text)
    assert re.search(r"4611686018427387904          1: 2 1 \n", text)
    assert re.search(r" 1: 0x0 M=1 main /src/main.go:41:0 s=0\n", text)
    assert re.search(r" 2: 0x400123 M=1 \n", text)
    assert "1: 0x400000/0x500000/0x1000 /app/server abc123" in text


@pytest.mark.parametrize("name", SAMPLES)
def test_go_tool_pprof_sees_the_same_totals(name, go, tmp_path):
    profile = sample(name)
    text = raw(go, pprof.encode(profile), tmp_path / "p.pb.gz").partition("Locations")[0]
    values = [row.split() for row in re.findall(r"^ +(-?\d[-\d ]*): [\d ]*$", text, re.MULTILINE)]
    assert [sum(map(int, column)) for column in zip(*values, strict=True)] == [
        profile.tree.total(m) for m in range(len(profile.measures))
    ]


def test_a_real_heap_profile_written_again_is_the_same_to_go_tool_pprof(go, go_dumps, tmp_path):
    theirs = (go_dumps / "heap.pb.gz").read_bytes()
    ours = pprof.encode(read(str(go_dumps / "heap.pb.gz")))

    def top(data):
        (tmp_path / "p").write_bytes(data)
        command = [go, "tool", "pprof", "-top", "-nodecount=100000", str(tmp_path / "p")]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        # Which calls were inlined is not kept: every frame is written as a call.
        return text.replace(" (inline)", "")

    assert top(ours) == top(theirs)


def test_a_bare_tree_can_be_written():
    tree = sample("folded").tree
    again = pprof_format.read(decompressed(pprof.render(tree)))
    assert stacks(again) == stacks(sample("folded"))


def test_a_pprof_profile_of_another_producer_survives_folding_and_back():
    profile = pprof_format.read(Pprof("b/bytes").stack("main;a;b", 3).stack("main;a", 4).stack("x", -2).bytes())
    assert stacks(folded_format.read(folded.render(profile.tree).encode())) == stacks(profile)


NAMES = some.text(some.characters(exclude_categories=["Cc", "Cs"], exclude_characters=";"), min_size=1).filter(
    lambda name: not name.startswith("#")
)


@given(some.dictionaries(some.lists(NAMES, min_size=1).map(tuple), some.integers(-(2**63), 2**63 - 1), min_size=1))
def test_folded_stacks_read_and_written_are_the_same_up_to_order(given_stacks):
    lines = [f"{';'.join(stack)} {value}" for stack, value in given_stacks.items() if ";".join(stack).strip()]
    text = "\n".join([*lines, ""]).encode()
    written = folded.render(folded_format.read(text).tree)
    assert sorted(written.split("\n")) == sorted(["", *(line for line in lines if not line.endswith(" 0"))])


def test_folded_lines_come_in_one_order():
    assert folded.render(folded_format.read(b"b 1\na;c 2\na;b 3\n").tree) == "a;b 3\na;c 2\nb 1\n"


def test_names_that_would_end_a_name_or_a_line_are_made_harmless():
    builder = ProfileBuilder(Measure("n", "count"))
    builder.add([builder.frame("#comment"), builder.frame("a;b\nc\x00d 7")], (5,))
    builder.add([], (3,))
    text = folded.render(builder.build(format="t", runtime="go", kind="heap").tree)
    assert text == " #comment;a:b c d 7 5\n(no stack) 3\n"
    assert len(folded_format.read(text.encode()).samples) == 2


def test_one_measure_is_folded_at_a_time():
    profile = pprof_format.read(Pprof("n/count", "b/bytes").stack("main", 3, 300).stack("other", 0, 7).bytes())
    assert folded.render(profile.tree) == "main 3\n"
    assert folded.render(profile.tree, 1) == "main 300\nother 7\n"
