"""pprof profiles: every way that producers differ, and every way that a file can be wrong."""

import gzip
import random
import re
import subprocess
from datetime import UTC, datetime

import pytest
from pprof_bytes import Pprof, message, number, packed, unpacked, varint
from readable import rows, stacks

from caulk.formats import pprof, read
from caulk.formats.patterns import DumpPattern
from caulk.model.errors import MalformedDump
from caulk.model.label import Label
from caulk.model.measure import Measure


def heap(*lines: str) -> Pprof:
    """A profile of `"main;work 100"` lines, in bytes."""
    profile = Pprof("inuse_space/bytes")
    for line in lines:
        stack, _, value = line.rpartition(" ")
        profile.stack(stack, int(value))
    return profile


def test_raw_gzipped_and_multi_member_files_read_the_same(tmp_path):
    data = heap("main;a 1", "main;b 2").bytes()
    half = len(data) // 2
    forms = {"raw": data, "gz": gzip.compress(data), "members": gzip.compress(data[:half]) + gzip.compress(data[half:])}
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
        assert stacks(read(str(tmp_path / name))) == {("main", "a"): 1, ("main", "b"): 2}, name


def test_repeated_numbers_may_be_packed_or_not():
    def profile(how):
        p = Pprof("n/count", "b/bytes")
        return rows(pprof.read(p.sample([p.location("leaf"), p.location("main")], 3, 4, how=how).bytes()))

    assert profile(packed) == profile(unpacked)


@pytest.mark.parametrize("ident", [7, 2**31, 2**32 + 1, 2**63, 2**64 - 1])
def test_ids_are_names_and_not_positions(ident):
    profile = Pprof("b/bytes")
    function = profile.function("main", ident=ident)
    profile.sample([profile.location(function, ident=ident)], 5)
    assert stacks(pprof.read(profile.bytes())) == {("main",): 5}


def test_the_first_line_of_a_location_is_the_innermost_inlined_call():
    profile = Pprof("b/bytes")
    profile.sample([profile.location("inlined", "middle", "outer"), profile.location("main")], 1)
    assert stacks(pprof.read(profile.bytes())) == {("main", "outer", "middle", "inlined"): 1}


def test_a_location_without_symbols_keeps_its_module_and_address():
    profile = Pprof("b/bytes")
    library = profile.mapping("/lib/libz.so", 0x7000, 0x9000, offset=0x100)
    profile.sample([profile.location(address=0x7010, mapping=library), profile.location(address=0xABC)], 1)
    assert stacks(pprof.read(profile.bytes())) == {("0xabc", "libz.so+0x110"): 1}


def test_a_delta_has_negative_values_and_is_known_as_one():
    profile = pprof.read(heap("a -7", "b 3").bytes())
    assert stacks(profile) == {("a",): -7, ("b",): 3}
    assert profile.is_delta
    assert not pprof.read(heap("a 7").bytes()).is_delta


def test_labels_are_texts_or_numbers_and_the_tree_sums_over_them():
    profile = Pprof("b/bytes")
    where = profile.location("main")
    profile.sample([where], 1, labels=profile.label("bytes", value=48, unit="bytes"))
    profile.sample([where], 2, labels=profile.label("tenant", "acme") + profile.label("bytes", value=48))
    profile.sample([where], 4)
    answer = pprof.read(profile.bytes())
    assert [row[1] for row in rows(answer)] == [
        (Label("bytes", number=48, unit="bytes"),),
        (Label("tenant", "acme"), Label("bytes", number=48)),
        (),
    ]
    assert stacks(answer) == {("main",): 7}


@pytest.mark.parametrize(
    ("stack", "patterns", "left"),
    [
        ("main;work;malloc;internal", ["malloc"], "main;work"),
        ("main;work;malloc;internal", ["mal"], "main;work;malloc;internal"),  # the whole name has to match
        ("malloc;main;malloc", ["malloc"], "malloc;main"),  # never before the first user frame
        ("malloc;malloc", ["malloc"], "malloc;malloc"),
        ("main;malloc;callback;malloc", ["malloc"], "main"),  # the first below user code goes, with all it called
        ("main;my_malloc;x", [".*malloc", "my_malloc"], "main;my_malloc;x"),
        ("main;malloc(unsigned long);x", ["malloc"], "main"),  # argument lists do not count
        ("main;.malloc", ["malloc"], "main"),
        ("main;(anonymous namespace)::f(int)", [r"\(anonymous namespace\)::f"], "main"),
        ("main;A::operator()(int)", [r"A::operator\(\)"], "main"),
        ("main;a;b", ["a|b"], "main"),
    ],
)
def test_drop_and_keep_frames_mean_what_they_mean_in_pprof(tmp_path, go, stack, patterns, left):
    profile = Pprof("b/bytes").stack(stack, 9)
    for field, pattern in zip((7, 8), patterns, strict=False):
        profile.set(field, pattern)
    data = profile.bytes()
    assert stacks(pprof.read(data)) == {tuple(left.split(";")): 9}
    (tmp_path / "p").write_bytes(data)
    assert traces(go, tmp_path / "p") == {tuple(left.split(";")): 9}


def test_drop_frames_agree_with_pprof_on_random_stacks(tmp_path, go):
    chance = random.Random(2)
    profile = Pprof("b/bytes").set(7, "m.*|f").set(8, "mk")
    for i in range(60):
        profile.stack(";".join(chance.choices(["main", "a", "b", "m1", "mk", "f"], k=chance.randint(1, 7))), 1 + i)
    (tmp_path / "p").write_bytes(profile.bytes())
    assert stacks(pprof.read(profile.bytes())) == traces(go, tmp_path / "p")


def test_a_location_with_inlined_lines_may_be_cut_in_part():
    profile = Pprof("b/bytes").set(7, "malloc")
    profile.sample([profile.location("leaf"), profile.location("malloc", "work"), profile.location("main")], 1)
    assert stacks(pprof.read(profile.bytes())) == {("main", "work"): 1}


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+$", "(.*)*x", "(a?){64}b", "a?" * 64 + "b", "(?=a*)*b", "((((a*)*)*)*)*"]
)
def test_a_hostile_pattern_is_not_run(pattern):
    profile = Pprof("b/bytes").stack("main;" + "a" * 64, 1).set(7, pattern)
    answer = pprof.read(profile.bytes())
    assert stacks(answer) == {("main", "a" * 64): 1}
    assert "drop_frames were not applied" in answer.warnings[0]


def test_a_pattern_that_is_slow_on_many_names_is_given_up():
    pattern = DumpPattern(".*a.*a.*")
    with pytest.raises(ValueError, match="exponential"):
        for i in range(1000):
            pattern.matches(f"{'a' * 5000}{i}")


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "[z-a]", "x" * 5000, "(?P<n>a)(?P<n>b)"])
def test_a_pattern_that_is_none_is_a_warning(pattern):
    answer = pprof.read(Pprof("b/bytes").stack("main;a", 1).set(7, pattern).bytes())
    assert stacks(answer) == {("main", "a"): 1}
    assert "drop_frames were not applied" in answer.warnings[0]


@pytest.mark.parametrize(("wanted", "position"), [("alloc", 0), ("live", 1), ("other", 2), ("", 2), ("nonsense", 2)])
def test_the_default_sample_type_is_a_name_and_else_the_last(wanted, position):
    profile = Pprof("alloc/bytes", "live/bytes", "other/bytes").stack("main", 1, 2, 3)
    assert pprof.read(profile.set(14, wanted).bytes()).default_measure == position


def test_the_first_string_must_be_empty():
    profile = heap("main 1")
    profile.strings[0] = "surprise"
    with pytest.raises(MalformedDump, match="string table"):
        pprof.read(profile.bytes())


def test_two_profiles_in_one_file_are_an_error_that_says_so():
    data = heap("main 1").set(9, 10**18).bytes()
    with pytest.raises(MalformedDump, match="two pprof profiles are concatenated"):
        pprof.read(data + data)


def test_unknown_fields_are_skipped_wherever_they_are():
    extra = number(99, 5) + message(100, b"new") + varint(101 << 3 | 1) + bytes(8) + varint(102 << 3 | 5) + bytes(4)
    profile = Pprof("b/bytes")
    profile.sample([profile.location("main")], 7, labels=extra)
    data = extra + profile.bytes(number(15, profile.string("https://doc.example")), extra)
    assert stacks(pprof.read(data)) == {("main",): 7}


@pytest.mark.parametrize(
    ("types", "period", "kind"),
    [
        (["alloc_space/bytes", "inuse_space/bytes"], "space/bytes", "heap"),
        (["objects/count", "space/bytes"], "space/bytes", "heap"),
        (["samples/count", "cpu/nanoseconds"], "cpu/nanoseconds", "cpu"),
        (["sample/count", "wall/nanoseconds"], "wall/nanoseconds", "wall"),
        (["contentions/count", "delay/nanoseconds"], "contentions/count", "contention"),
        (["threadcreate/count"], "threadcreate/count", "threadcreate"),
        (["goroutine/count"], "goroutine/count", "goroutine"),
        (["widgets/count"], "", "unknown"),
    ],
)
def test_the_kind_of_profile_is_told_by_its_measures(types, period, kind):
    profile = Pprof(*types).stack("main", *[1] * len(types))
    more = message(11, *profile.pair(period)) if period else b""
    assert pprof.read(profile.bytes(more)).kind == kind


def test_the_period_is_kept_and_values_are_not_rescaled():
    profile = heap("main 1000").set(12, 524288).set(9, 1_700_000_000 * 10**9 + 5000).set(10, 3 * 10**9)
    answer = pprof.read(profile.bytes(message(11, *profile.pair("space/bytes"))))
    assert stacks(answer) == {("main",): 1000}
    assert (answer.period, answer.period_measure) == (524288, Measure("space", "bytes"))
    assert answer.taken_at == datetime(2023, 11, 14, 22, 13, 20, 5, tzinfo=UTC)
    assert answer.duration_s == 3.0


@pytest.mark.parametrize("time", [0, -1, -(2**63)])
def test_a_time_that_no_clock_says_is_no_time(time):
    assert pprof.read(heap("main 1").set(9, time).bytes()).taken_at is None


def test_a_missing_location_is_left_out_with_a_warning():
    profile = Pprof("b/bytes")
    profile.sample([profile.location("leaf"), 4711, profile.location("main")], 1)
    answer = pprof.read(profile.bytes())
    assert stacks(answer) == {("main", "leaf"): 1}
    assert "locations that the file does not have" in answer.warnings[0]


@pytest.mark.parametrize("index", [999, -1, 2**31, 2**62])
@pytest.mark.parametrize("field", [1, 2])
def test_a_string_that_the_table_does_not_have_is_an_error(index, field):
    with pytest.raises(MalformedDump, match="names string"):
        pprof.read(heap("main 1").bytes(message(1, number(field, index))))


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3]])
def test_a_sample_has_a_value_for_each_type(values):
    profile = Pprof("a/count", "b/bytes").stack("main", *values)
    with pytest.raises(MalformedDump, match="do not have 2 values each"):
        pprof.read(profile.bytes())


def test_a_truncated_profile_is_an_error_that_says_where():
    data = heap("main;a 100", "main;b 200").set(9, 10**18).bytes()
    reads = 0
    for length in range(1, len(data)):
        try:
            pprof.read(data[:length])
            reads += 1
        except MalformedDump as error:
            assert re.search(r"at byte \d+|string", str(error)), error
    # Only a cut between two entries of the string table that nobody names could pass.
    assert reads == 0


def test_stacks_that_multiply_are_cut_off_with_their_coverage():
    profile = Pprof("b/bytes")
    wide = profile.location(*["f"] * 5000)
    profile.sample([wide], 1)
    for _ in range(200):
        profile.sample([wide] * 100, 1)
    answer = pprof.read(profile.bytes())
    assert 0 < answer.coverage < 1
    assert "stacks expand" in answer.warnings[0]


def test_types_that_multiply_with_stacks_are_refused():
    profile = Pprof(*["b/bytes"] * 3000)
    profile.sample([profile.location(*[f"f{i}" for i in range(3000)])], *[1] * 3000)
    with pytest.raises(MalformedDump, match="3,000 values for each"):
        pprof.read(profile.bytes())


def test_a_real_go_heap_profile_has_the_totals_and_stacks_of_go_tool_pprof(go_dumps, go):
    profile = read(str(go_dumps / "heap.pb.gz"))
    assert [profile.tree.total(m) for m in range(4)] == raw_sums(go, go_dumps / "heap.pb.gz")
    assert (profile.runtime, profile.kind, profile.period) == ("go", "heap", 4096)
    assert profile.measures[profile.default_measure] == Measure("inuse_space", "bytes")
    assert stacks(profile) == traces(go, go_dumps / "heap.pb.gz")
    assert any("main.hold" in stack for stack in stacks(profile))


def raw_sums(go, path) -> list[int]:
    """The sum of each measure over all samples, as `go tool pprof -raw` prints them."""
    text = subprocess.run([go, "tool", "pprof", "-raw", str(path)], capture_output=True, text=True, check=True).stdout
    samples = re.findall(r"^ +(-?\d[-\d ]*): [\d ]*$", text.partition("Locations")[0], re.MULTILINE)
    return [sum(column) for column in zip(*(map(int, row.split()) for row in samples), strict=True)]


def traces(go, path) -> dict[tuple[str, ...], int]:
    """Stacks and values of the default measure, as `go tool pprof -raw` prints them after its drop_frames."""
    text = subprocess.run([go, "tool", "pprof", "-raw", str(path)], capture_output=True, text=True, check=True).stdout
    head, _, tail = text.partition("Locations\n")
    names: dict[int, list[str]] = {}
    current = 0
    for line in tail.partition("Mappings")[0].splitlines():
        ident, name = re.match(r"\s*(?:(\d+): 0x[0-9a-f]+ (?:M=\d+ )?)?(?:(.*?) \S*:\d+:\d+ s=)?", line).groups()
        current = int(ident or current)
        names.setdefault(current, []).extend([name] if name else [])
    types = re.search(r"Samples:\n(.*)", head)[1].split()
    position = next((i for i, kind in enumerate(types) if kind.endswith("[dflt]")), len(types) - 1)
    found: dict[tuple[str, ...], int] = {}
    for values, ids in re.findall(r"^ +(-?\d[-\d ]*): ([\d ]*)$", head, re.MULTILINE):
        stack = tuple(n for i in reversed(ids.split()) for n in reversed(names[int(i)]))
        found[stack] = found.get(stack, 0) + int(values.split()[position])
    return {stack: value for stack, value in found.items() if value}
