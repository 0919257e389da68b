"""speedscope files: both kinds of profiles are read, and what caulk writes reads back as it was."""

import json

import pytest
from readable import rows, stacks
from samples import SAMPLES, SPEEDSCOPE_EVENTED, SPEEDSCOPE_SAMPLED

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.analysis.filters import Filters, apply
from caulk.formats import read_source
from caulk.formats import speedscope as format
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump, UsageError
from caulk.views import speedscope


def document(profile, **rest) -> bytes:
    frames = [{"name": "main"}, {"name": "keep"}, {"name": "drop"}]
    return json.dumps({"shared": {"frames": frames}, "profiles": [profile], **rest}).encode()


def sampled(samples, weights, unit="bytes", name="held"):
    return {"type": "sampled", "name": name, "unit": unit, "samples": samples, "weights": weights}


def evented(*events, unit="milliseconds"):
    listed = [{"type": kind, "frame": frame, "at": at} for kind, frame, at in events]
    return {"type": "evented", "name": "thread", "unit": unit, "startValue": 0, "endValue": 9, "events": listed}


def test_samples_are_stacks_outermost_first_with_their_weights():
    profile = format.read(SPEEDSCOPE_SAMPLED)
    assert stacks(profile) == {("main", "keep"): 4096, ("main", "keep", "keep"): 96, ("main",): 4}
    assert (str(profile.measures[0]), profile.measures[0].unit, profile.kind) == ("live", "bytes", "heap")
    assert rows(profile)[0][0][0] == ("main", "/src/main.cc", 7)


def test_of_several_profiles_the_active_one_is_read_and_that_is_said():
    profile = format.read(SPEEDSCOPE_EVENTED)
    assert profile.total(0) == 3_500_000
    assert "profile 2 of 2 was read: idle, thread 1" in profile.comments


@pytest.mark.parametrize("active", [None, 7, -1, 1e300, "x"])
def test_an_active_profile_that_does_not_exist_is_the_nearest_one(active):
    data = document(sampled([[0]], [5]), activeProfileIndex=active)
    assert format.read(data).total(0) == 5


def test_between_two_events_time_belongs_to_the_stack_that_is_open():
    profile = format.read(SPEEDSCOPE_EVENTED)
    assert stacks(profile) == {("main",): 1_500_000, ("main", "wait"): 2_000_000}


@pytest.mark.parametrize(
    ("unit", "factor"), [("nanoseconds", 1), ("microseconds", 10**3), ("milliseconds", 10**6), ("seconds", 10**9)]
)
def test_times_are_kept_in_nanoseconds_and_are_no_evidence_of_a_leak(unit, factor):
    profile = format.read(document(sampled([[0, 1]], [2.5], unit=unit)))
    assert profile.total(0) == round(2.5 * factor)
    assert analyse([Dump("times", profile)]).verdict.state == "unknown"


def test_bare_numbers_are_taken_as_folded_stacks_are():
    profile = format.read(document(sampled([[0, 1]], [2], unit="none")))
    assert (profile.kind, profile.measures[0].role) == ("unknown", "unknown")


def test_a_unit_that_is_none_of_speedscope_s_is_an_error():
    with pytest.raises(MalformedDump, match="'parsecs'"):
        format.read(document(sampled([], [], unit="parsecs")))


@pytest.mark.parametrize(
    "events",
    [
        [("O", 0, 1), ("C", 1, 2)],
        [("C", 0, 1)],
        [("O", 0, 5), ("C", 0, 4)],
        [("X", 0, 1)],
    ],
)
def test_events_that_do_not_fit_together_are_an_error_that_says_where(events):
    with pytest.raises(MalformedDump, match=r"at byte \d+"):
        format.read(document(evented(*events)))


def test_a_sample_of_frames_that_do_not_exist_is_left_out_and_said():
    profile = format.read(document(sampled([[0, 9], [0, "x"], [0, 1]], [1, 2, 4])))
    assert stacks(profile) == {("main", "keep"): 4}
    assert profile.coverage == pytest.approx(1 / 3)
    assert any("2 samples name frames" in warning for warning in profile.warnings)


def test_a_file_that_was_cut_gives_the_samples_before_the_cut():
    data = document(sampled([[0]] * 50, [3] * 50))
    profile = format.read(data[: data.index(b"[3") + 61])
    assert profile.total(0) == 3 * 20
    assert 0 < profile.coverage < 1
    assert any("cut short at byte" in warning for warning in profile.warnings)


def test_calls_as_deep_as_the_file_is_long_are_read_in_linear_memory():
    depth = 50_000
    events = [("O", 1, at) for at in range(depth)] + [("C", 1, depth + at) for at in range(depth)]
    profile = format.read(document(evented(*events)))
    assert len(profile.tree) == depth + 1
    assert profile.total(0) == (2 * depth - 1) * 10**6


@pytest.mark.parametrize("weight", ["1e999", "9223372036854775808", "-1e300", "123456789012345678901234567890"])
def test_numbers_beyond_all_bounds_are_bounded(weight):
    data = document(sampled([[0]], ["WEIGHT"])).replace(b'"WEIGHT"', weight.encode())
    assert abs(format.read(data).total(0)) < 1 << 63


@pytest.mark.parametrize("name", [name for name in SAMPLES if not name.startswith("pprof")])
def test_a_profile_written_as_speedscope_reads_back_with_every_stack(name):
    profile = read_source(Source(name, SAMPLES[name], len(SAMPLES[name])))
    if name == "folded":
        profile = read_source(Source(name, SAMPLES[name].replace(b"-3", b"3"), len(SAMPLES[name])))
    for measure, about in enumerate(profile.measures):
        back = format.read(speedscope.render(profile.tree, measure))
        assert stacks(back, 0) == stacks(profile, measure)
        assert back.measures[0].role == about.role or about.role == "other"


def test_the_active_measure_comes_first_and_the_others_go_along():
    profile = read_source(Source("heap", SAMPLES["go_heap"], len(SAMPLES["go_heap"])))
    written = json.loads(speedscope.render(profile.tree, profile.default_measure))
    assert [p["name"] for p in written["profiles"]] == [str(m) for m in profile.measures]
    assert written["profiles"][written["activeProfileIndex"]]["name"] == "inuse_space"
    assert written["exporter"].startswith("caulk ")


def test_every_weight_has_its_sample_and_they_add_up_to_the_end():
    profile = format.read(SPEEDSCOPE_SAMPLED)
    [written] = json.loads(speedscope.render(profile.tree))["profiles"]
    assert len(written["samples"]) == len(written["weights"])
    assert (written["startValue"], written["endValue"]) == (0, sum(written["weights"]))


def test_the_same_tree_gives_the_same_bytes():
    assert speedscope.render(format.read(SPEEDSCOPE_SAMPLED).tree) == speedscope.render(
        format.read(SPEEDSCOPE_SAMPLED).tree
    )


def test_a_difference_is_refused_with_the_reason():
    profile = format.read(document(sampled([[0, 1]], [-5])))
    with pytest.raises(UsageError, match="below zero"):
        speedscope.render(profile.tree)


def test_a_frame_that_no_stack_has_any_more_is_not_listed():
    tree = apply(format.read(SPEEDSCOPE_SAMPLED).tree, Filters(hide="^keep$"))
    written = json.loads(speedscope.render(tree))
    assert [frame["name"] for frame in written["shared"]["frames"]] == ["main"]
    assert written["profiles"][0]["samples"] == [[0]]
