"""What several profiles, or one, let caulk say, and what not."""

from datetime import UTC, datetime

import pytest
from stacks_dsl import heap

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.model.errors import UsageError
from caulk.model.records import Analysis

MB = 1 << 20


def judged(*texts: str, hours: tuple[float, ...] = (), period: int = 0) -> Analysis:
    times = hours or (None,) * len(texts)
    return analyse(
        [Dump(f"{i}.pb", heap(t, hour=h, period=period)) for i, (t, h) in enumerate(zip(texts, times, strict=True))]
    )


def growing(sizes: list[float], *, steady: float = 50, name: str = "main.newTicket") -> list[str]:
    return [
        f"main.main>main.serve>{name} {int(s * MB)}x{int(s * 256)}; main.main>main.load {int(steady * MB)}x9"
        for s in sizes
    ]


def test_steady_growth_over_four_profiles_is_a_leak_of_the_function_that_allocates():
    analysis = judged(*growing([10, 20, 30, 40, 50]))
    assert analysis.verdict.state == "leaking"
    first = analysis.findings[0]
    assert first.allocator == "main.newTicket"
    assert [frame.function for frame in first.stack] == ["main.main", "main.serve", "main.newTicket"]
    assert first.growth_bytes == 40 * MB
    assert first.shape == "rising"


def test_a_large_constant_is_no_finding_beside_a_small_leak():
    analysis = judged(*growing([1, 2, 3, 4, 5], steady=900))
    assert [finding.allocator for finding in analysis.findings] == ["main.newTicket"]


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([0, 39, 63, 78, 86, 91, 95], id="exponential"),
        pytest.param([10, 60, 95, 100, 100, 100], id="bounded cache, full"),
        pytest.param([0, 80, 96, 99, 100], id="fast warm-up"),
    ],
)
def test_growth_that_flattens_is_warming_not_leaking(sizes):
    analysis = judged(*growing(sizes))
    assert analysis.verdict.state == "warming"
    assert analysis.findings[0].shape == "flattening"


def test_a_leak_that_goes_on_after_warm_up_is_still_a_leak():
    assert judged(*growing([0, 50, 54, 58, 62, 66, 70])).verdict.state == "leaking"


def test_a_leak_in_steps_is_a_leak():
    assert judged(*growing([0, 0, 20, 20, 40, 40, 60])).verdict.state == "leaking"


def test_the_shape_is_unknown_below_four_profiles():
    for count in (2, 3):
        analysis = judged(*growing([10, 30, 50][:count]))
        assert analysis.findings[0].shape == "unknown"
        assert "cannot tell a leak from a cache" in analysis.verdict.sentence
        assert analysis.verdict.confidence <= 0.6


def test_nothing_that_grows_is_steady():
    assert judged(*growing([20, 21, 19, 20, 20])).verdict.state == "steady"
    assert judged(*growing([20, 20])).verdict.state == "steady"


def test_one_profile_is_at_most_suspect_and_not_confident():
    analysis = judged(*growing([500]))
    assert analysis.verdict.state == "suspect"
    assert analysis.verdict.confidence <= 0.5
    assert analysis.findings[0].growth_bytes is None


def test_a_profile_without_a_leader_is_unknown():
    text = "; ".join(f"main.main>main.f{i} 1000" for i in range(40))
    assert judged(text).verdict.state == "unknown"


def test_growth_is_per_hour_only_where_times_are_known():
    assert judged(*growing([10, 20, 30, 40])).findings[0].growth_bytes_per_hour is None
    timed = judged(*growing([10, 20, 30, 40]), hours=(0, 0.5, 1, 1.5))
    assert timed.findings[0].growth_bytes_per_hour == pytest.approx(20 * MB)


@pytest.mark.parametrize("hours", [(0, 0.001, 0.002, 0.003), (0, 0.1, 0.2, 0.49)])
def test_of_profiles_that_are_nearer_than_half_an_hour_nobody_is_told_a_rate(hours):
    near = judged(*growing([10, 20, 30, 40]), hours=hours)
    assert near.findings[0].growth_bytes_per_hour is None
    assert "/" not in near.findings[0].title.partition(" over ")[0].partition(": ")[2]
    far = judged(*growing([10, 20, 30, 40]), hours=(0, 0.1, 0.2, 0.5))
    assert "+30.0 MB (+" in far.findings[0].title
    assert "MB/h)" in far.verdict.sentence


def test_profiles_with_times_are_put_in_their_order():
    shuffled = judged(*growing([30, 10, 40, 20]), hours=(2, 0, 3, 1))
    assert shuffled.findings[0].series == tuple(int(s * MB) for s in (10, 20, 30, 40))


def test_given_times_must_be_one_for_each_file():
    with pytest.raises(UsageError, match="1 times for 2 files"):
        analyse([Dump("a", heap("main.f 1")), Dump("b", heap("main.f 2"))], at=[datetime.now(UTC)])


def test_growth_within_the_sampling_error_is_not_a_finding():
    # At a period of 512 KiB a megabyte is two samples: noise.
    noisy = judged(*growing([2, 3], steady=4), period=512 << 10)
    assert noisy.verdict.state == "steady"
    assert noisy.smallest_growth_bytes == 9 * (512 << 10)
    exact = judged(*growing([2, 3], steady=4))
    assert exact.verdict.state == "leaking"


def test_objects_that_pile_up_without_bytes_are_a_finding_too():
    texts = [f"main.main>main.blob {100 * MB}x1; main.main>main.tiny {100 + n}x{n}" for n in (100, 2000, 4000, 6000)]
    finding = judged(*texts).findings[0]
    assert finding.allocator == "main.tiny"
    assert finding.growth_count == 5900


def test_objects_of_one_sample_are_no_finding_of_one_profile():
    sampled = f"main.main>main.keep {200 * MB}x10000; main.main>main.small {2 * MB}x90000"
    assert [finding.allocator for finding in judged(sampled, period=2 * MB).findings] == ["main.keep"]
    assert [finding.allocator for finding in judged(sampled, period=1).findings] == ["main.keep", "main.small"]


def test_the_application_is_blamed_for_what_libraries_allocate_for_it():
    texts = [f"main.main>main.parse>lib.Decode>fmt.Sprint {n * MB}x{n}" for n in (10, 20, 30, 40)]
    finding = judged(*texts).findings[0]
    assert finding.allocator == "main.parse"
    assert [frame.function for frame in finding.stack][-1] == "fmt.Sprint"


def test_a_library_is_blamed_where_the_application_has_no_frame():
    texts = [f"lib.Serve>fmt.Sprint {n * MB}x{n}" for n in (10, 20, 30, 40)]
    assert judged(*texts).findings[0].allocator == "lib.Serve"


def test_renaming_every_function_leaves_the_order_unchanged():
    def texts(names: dict[str, str]) -> list[str]:
        return [
            "; ".join(
                f"{names['main']}>{names[f]} {(size + n * grow) * MB}x{n * grow + 1}"
                for f, size, grow in (("leak", 1, 9), ("slow", 5, 2), ("cache", 400, 0), ("fast", 2, 20))
            )
            for n in range(5)
        ]

    plain = {name: name for name in ("main", "leak", "slow", "cache", "fast")}
    renamed = {"main": "z.Zz", "leak": "malloc_cache", "slow": "leak.Leaker", "cache": "grow", "fast": "a.Const"}
    back = {v: k for k, v in renamed.items()}
    first = [f.allocator for f in judged(*texts(plain)).findings]
    second = [back[f.allocator] for f in judged(*texts(renamed)).findings]
    assert first == ["fast", "leak", "slow"]
    assert second == first


def test_what_was_ever_allocated_is_never_evidence():
    from caulk.formats.builder import ProfileBuilder
    from caulk.model.measure import Measure

    dumps = []
    for n in range(1, 6):
        builder = ProfileBuilder(Measure("alloc_space", "bytes"))
        builder.add([builder.frame("main.f", "/srv/app/main.go", 1)], (n * 100 * MB,))
        dumps.append(Dump(f"{n}", builder.build(format="test", runtime="go", kind="heap")))
    analysis = analyse(dumps)
    assert analysis.verdict.state == "unknown"
    assert not analysis.findings


def test_a_fingerprint_survives_lines_rebuilds_and_other_pods():
    here = judged(*growing([10, 20, 30, 40])).findings[0]
    there = analyse(
        [Dump("x", heap(t.replace("main.load", "main.other"), line=99)) for t in growing([100, 220, 330, 440])]
    ).findings[0]
    other = judged(*growing([10, 20, 30, 40], name="main.newOrder")).findings[0]
    assert here.fingerprint == there.fingerprint
    assert here.fingerprint != other.fingerprint


def test_shares_are_of_the_growth_and_never_above_all_of_it():
    analysis = judged("main.a 1; main.b 1", f"main.a {30 * MB}; main.b {10 * MB}")
    assert [f.growth_share for f in analysis.findings] == [0.75, 0.25]


def test_the_same_profiles_give_the_same_bytes():
    from caulk.views.json import render

    assert render(judged(*growing([10, 20, 30, 40]))) == render(judged(*growing([10, 20, 30, 40])))


def test_files_that_count_different_things_do_not_go_together():
    from caulk.formats.builder import ProfileBuilder
    from caulk.model.measure import Measure

    builder = ProfileBuilder(Measure("space", "bytes"))
    builder.add([builder.frame("f")], (1,))
    other = builder.build(format="test", runtime="native", kind="heap")
    with pytest.raises(UsageError, match="count different things"):
        analyse([Dump("a", heap("main.f 1")), Dump("b", other)])


def test_a_small_cache_that_fills_up_is_not_listed_beside_a_leak():
    full = (1, 39, 63, 78, 86, 90)
    texts = [f"main.main>main.leak {n * 50 * MB}; main.main>main.cache {full[n] * MB // 20}" for n in range(1, 6)]
    assert [f.allocator for f in judged(*texts).findings] == ["main.leak"]


def test_the_way_to_a_leak_ends_at_the_function_to_blame():
    texts = [f"main.main>main.parse>lib.Decode>fmt.Sprint {n * MB}x{n}" for n in (10, 20, 30, 40)]
    assert judged(*texts).verdict.sentence.endswith("The calls that get there: main.main → main.parse.")


def test_of_types_the_applications_own_come_before_what_they_are_made_of():
    from caulk.formats.builder import ProfileBuilder
    from caulk.model.measure import Measure

    dumps = []
    for n in range(1, 6):
        builder = ProfileBuilder(Measure("live", "bytes"), Measure("instances", "count"))
        builder.add([builder.frame("byte[]", "java.base@17")], (n * 90 * MB, n * 1000))
        builder.add([builder.frame("com.example.Ticket")], (n * 10 * MB, n * 1000))
        dumps.append(Dump(f"{n}", builder.build(format="test", runtime="jvm", kind="histogram")))
    analysis = analyse(dumps)
    assert [f.type for f in analysis.findings] == ["com.example.Ticket", "byte[]"]
    assert "Objects of type `com.example.Ticket` are not freed" in analysis.verdict.sentence


def test_the_way_is_told_in_the_applications_own_frames():
    texts = [f"lib.Run>lib.Serve>main.handle>lib.Do>main.put {n * MB}x{n}" for n in (10, 20, 30, 40)]
    assert judged(*texts).verdict.sentence.endswith("The calls that get there: main.handle → main.put.")


def test_modules_that_are_being_loaded_are_no_leak_of_a_program_that_starts():
    from caulk.formats.builder import ProfileBuilder
    from caulk.model.measure import Measure

    dumps = []
    for n in (1, 3):
        builder = ProfileBuilder(Measure("live", "bytes"), Measure("blocks", "count"))
        loader = builder.frame("", "<frozen importlib._bootstrap_external>", 729)
        builder.add([builder.frame("<module>", "/srv/app.py", 1), loader], (n * MB, n * 1000))
        dumps.append(Dump(f"{n}", builder.build(format="test", runtime="cpython", kind="heap")))
    assert analyse(dumps).verdict.state == "steady"


def test_a_delta_profile_is_told_as_change_and_its_shares_are_of_the_growth():
    from dataclasses import replace

    profile = replace(heap(f"main.a {30 * MB}x9; main.b {10 * MB}x9; main.c -{39 * MB}x9"), is_delta=True)
    analysis = analyse([Dump("delta.pb.gz", profile)])
    first = analysis.findings[0]
    assert (first.allocator, first.share) == ("main.a", 0.75)
    assert "30.0 MB more than before" in first.title
    assert "75 % of the growth" in first.title
    assert any("delta profile" in note for note in analysis.notes)
