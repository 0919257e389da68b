"""An allocator linked into a stripped program has no name, and is not blamed; a function that has none is."""

from datetime import UTC, datetime, timedelta

import pytest

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.profile import Profile
from caulk.model.records import Analysis
from caulk.model.tree import Mapping

MB = 1 << 20
ANNOUNCED = "malloc|tcmalloc::.*"
START = datetime(2026, 1, 1, tzinfo=UTC)
#: What is done with 100 MB in each of these places, whatever grows beside them.
PLACES = tuple(f"0x1 0x{i:x}" for i in range(0x100, 0x110))


def stripped(stacks: dict[str, int], *, end: str = "", hour: int = 0, drop: str = "", library: str = "") -> Profile:
    """Stacks of addresses and names in one program, each with `end` as its innermost frames; sizes in MB."""
    builder = ProfileBuilder(Measure("objects", "count"), Measure("space", "bytes"))
    program = builder.mapping(Mapping(0, 1 << 40, 0, "/opt/proxy"))
    if library:
        builder.mapping(Mapping(1 << 40, 1 << 41, 0, library))
    for text, size in stacks.items():
        frames = [
            builder.frame("", mapping=program, address=int(word, 16))
            if word.startswith("0x")
            else builder.frame(word, mapping=program)
            for word in f"{text} {end}".split()
        ]
        builder.add(frames, (size, size * MB))
    return builder.build(
        format="test",
        runtime="native",
        kind="heap",
        default_measure=1,
        taken_at=START + timedelta(hours=hour),
        drop_frames=drop,
    )


def judged(*profiles: Profile) -> Analysis:
    return analyse([Dump(f"{i}.pb", profile) for i, profile in enumerate(profiles)])


def leaking(end: str, *, places: tuple[str, ...] = PLACES, **how: str) -> Analysis:
    """Five profiles in which one place, 0x200, grows and the others stay."""
    steady = dict.fromkeys(places, 100)
    return judged(*(stripped(steady | {"0x1 0x2 0x200": 50 * h}, end=end, hour=h, **how) for h in range(5)))


def said(analysis: Analysis) -> str:
    return " ".join(analysis.findings[0].evidence)


@pytest.mark.parametrize("end", ["0xa00", "0xa00 0xb00", "0xa00 0xb00 0xc00"])
def test_frames_without_a_name_that_all_stacks_end_in_are_passed_over(end):
    analysis = leaking(end, drop=ANNOUNCED)
    assert [finding.allocator for finding in analysis.findings] == ["proxy+0x200"]
    assert " → ".join(f"proxy+{address}" for address in end.split()) in said(analysis)
    assert "passed over as the allocator's own" in said(analysis)
    assert "not certain" not in said(analysis)


def test_a_caller_that_makes_most_of_the_stacks_is_not_taken_for_the_allocator():
    callers = {f"0x1 0x{i:x} 0x200": 10 for i in range(0x300, 0x310)} | dict.fromkeys(PLACES, 1)
    analysis = judged(*(stripped({s: n * (h + 1) for s, n in callers.items()}, end="0xa00", hour=h, drop=ANNOUNCED)
                        for h in range(5)))  # fmt: skip
    assert analysis.findings[0].allocator == "proxy+0x200"


@pytest.mark.parametrize("another", ["0x1 0x3 0xc00 0xb00", "0x1 0x3 0xc00"])
@pytest.mark.parametrize("places", [PLACES, PLACES[:4]], ids=["many", "few"])
def test_a_stack_that_came_through_another_entrance_changes_nothing(places, another):
    stacks = {f"{place} 0xa00 0xb00": 100 for place in places} | {another: 1}
    growing = "0x1 0x2 0x200 0xa00 0xb00"
    profiles = [stripped(stacks | {growing: 50 * hour}, hour=hour, drop=ANNOUNCED) for hour in range(5)]
    assert [finding.allocator for finding in judged(*profiles).findings] == ["proxy+0x200"]


def test_unless_the_profile_says_that_it_has_such_frames_passing_them_over_is_not_certain():
    analysis = leaking("0xa00")
    assert analysis.findings[0].allocator == "proxy+0x200"
    assert "not certain" in said(analysis)


def test_few_stacks_prove_no_allocator_and_leave_a_doubtful_suspect():
    for places in ((), PLACES[:2]):
        analysis = leaking("0xa00", places=places, drop=ANNOUNCED)
        assert analysis.findings[0].allocator == "proxy+0xa00"
        assert "may be the allocator's own" in said(analysis)


def test_a_long_way_that_all_stacks_share_is_one_of_the_program():
    analysis = leaking(" ".join(f"0x{i:x}" for i in range(0xA00, 0xA08)), drop=ANNOUNCED)
    assert analysis.findings[0].allocator == "proxy+0xa07"


def test_where_the_allocator_is_a_library_the_innermost_frame_of_a_stripped_program_is_to_blame():
    analysis = leaking("0xa00", drop=ANNOUNCED, library="/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4")
    assert [finding.allocator for finding in analysis.findings] == ["proxy+0xa00"]
    assert "allocator" not in said(analysis)


@pytest.mark.parametrize("name", ["malloc", "tcmalloc::allocate_full", "tc_newarray"])
def test_where_the_allocator_has_its_name_nothing_else_is_passed_over(name):
    assert leaking(f"0xa00 {name}", drop=ANNOUNCED).findings[0].allocator == "proxy+0xa00"


def test_frames_with_names_are_never_passed_over_for_where_they_stand():
    assert leaking("make_node", drop=ANNOUNCED).findings[0].allocator == "make_node"


def test_a_function_in_part_of_the_stacks_is_not_the_allocator():
    stacks = {f"{place} 0xa00": 100 for place in PLACES} | dict.fromkeys(PLACES[:4], 1)
    profiles = [stripped({s: n * h for s, n in stacks.items()}, hour=h, drop=ANNOUNCED) for h in range(1, 6)]
    assert judged(*profiles).findings[0].allocator == "proxy+0xa00"


def test_one_profile_blames_callers_too():
    findings = judged(stripped(dict.fromkeys(PLACES, 10) | {"0x1 0x200": 900}, end="0xa00", drop=ANNOUNCED)).findings
    assert findings[0].allocator == "proxy+0x200"
    assert "proxy+0xa00" not in {finding.allocator for finding in findings}
