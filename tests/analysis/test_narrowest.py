"""Growth that sampling hides in each place, but not in all of them together."""

import pytest
from stacks_dsl import heap

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.model.records import Analysis

MB = 1 << 20
PERIOD = 2 * MB


def judged(*texts: str, period: int = PERIOD) -> Analysis:
    return analyse([Dump(f"{i}.pb", heap(text, hour=i, period=period)) for i, text in enumerate(texts)])


def spread(places: int, size: float, *, over: str = "main.main>main.serve") -> str:
    """So many places of one size in MB, and one that is always there."""
    return "; ".join(
        [f"{over}>main.f{i} {int(size * MB)}x{int(size * 256)}" for i in range(places)] + [f"main.main {MB}x9"]
    )


def test_growth_in_many_places_is_pinned_to_the_call_that_they_have_in_common():
    analysis = judged(*(spread(20, size) for size in (2, 3, 4, 5, 6)))
    assert analysis.verdict.state == "suspect"
    [finding] = analysis.findings
    assert finding.allocator == "main.serve"
    assert [frame.function for frame in finding.stack] == ["main.main", "main.serve"]
    assert finding.growth_bytes == 80 * MB
    assert finding.bytes_error > 0
    assert "`main.serve` (main.go:10) and what it calls make objects that are not freed" in finding.title
    assert "too few samples" in analysis.verdict.sentence


def test_what_stands_out_by_itself_needs_no_wider_place():
    analysis = judged(*(spread(20, 2) + f"; main.main>main.leak {s * 40 * MB}x{s * 9999}" for s in range(1, 6)))
    assert [finding.allocator for finding in analysis.findings] == ["main.leak"]


def test_growth_of_everything_within_the_noise_is_steady():
    analysis = judged(*(spread(20, size) for size in (2, 2.1, 2.2, 2.3, 2.4)))
    assert analysis.verdict.state == "steady"
    assert not analysis.findings


def test_an_exact_profile_hides_nothing_so_its_floor_is_enough():
    texts = [spread(20, 0.01 + 0.0002 * i) for i in range(5)]
    assert judged(*texts, period=1).verdict.state == "steady"


def test_growth_in_many_places_that_flattens_out_is_warming():
    sizes = (0, 8, 12, 14, 15, 15.5)
    analysis = judged(*(spread(40, size) for size in sizes), period=PERIOD)
    assert analysis.verdict.state == "warming"


def test_growth_without_any_common_call_is_said_without_a_place():
    analysis = judged(*("; ".join(f"main.f{i} {s * MB}x{s * 256}" for i in range(20)) for s in (2, 3, 4, 5, 6)))
    assert analysis.verdict.state == "suspect"
    assert not analysis.findings
    assert "+80.0 MB" in analysis.verdict.sentence
    assert "too few to say in which code" in analysis.verdict.sentence


@pytest.mark.parametrize("count", [2, 3])
def test_few_profiles_say_it_too_and_no_more(count):
    analysis = judged(*[spread(20, size) for size in (2, 4, 6)][3 - count :])
    assert analysis.verdict.state in ("suspect", "steady")
    assert analysis.verdict.confidence <= 0.5
