"""The schedule keeps five to ten captures, evenly spread, and stays cheap."""

from itertools import pairwise

import pytest

from caulk.run.schedule import MOST, Schedule

MB = 1 << 20


def captures(*, length_s: float, cost_s: float = 0.0, rss=lambda now: 100 * MB, fill=lambda now: 0.0):
    """Moments of the captures that are kept of a simulated run, of all that were taken, and the time they took."""
    schedule = Schedule(0.0)
    kept, taken, now = [], [], 0.0
    while now < length_s:
        if schedule.is_due(now, rss=rss(now), fill=fill(now)):
            kept.append(now)
            taken.append(now)
            for index in reversed(schedule.took(now, seconds=cost_s, rss=rss(now), fill=fill(now))):
                del kept[index]
            now += cost_s
        now += 0.25
    return kept, taken, cost_s * len(taken)


@pytest.mark.parametrize("length_s", [3, 8, 60, 600, 7_200, 86_400])
def test_five_to_ten_captures_are_kept_of_a_run_of_any_length(length_s):
    kept, _, _ = captures(length_s=length_s)
    assert 5 <= len(kept) < MOST


@pytest.mark.parametrize("length_s", [60, 3_600])
def test_captures_are_evenly_spread_to_the_end_of_the_run(length_s):
    kept, _, _ = captures(length_s=length_s)
    gaps = [b - a for a, b in pairwise(kept)]
    assert max(gaps) <= 2 * min(gaps)
    assert length_s - kept[-1] <= 2 * max(gaps)


def test_start_up_is_forgotten_first():
    early, _, _ = captures(length_s=3)
    later, _, _ = captures(length_s=60)
    assert early[0] < 1 <= later[0]


@pytest.mark.parametrize("cost_s", [0.05, 0.5, 3.0])
def test_captures_take_at_most_a_twentieth_of_the_time_and_a_second_more(cost_s):
    _, taken, spent_s = captures(length_s=3_600, cost_s=cost_s)
    assert len(taken) > 1
    assert spent_s <= 3_600 * 0.05 + 1 + cost_s


def test_a_dear_capture_of_a_short_program_still_comes_five_times():
    kept, _, _ = captures(length_s=8, cost_s=0.2)
    assert len(kept) >= 5


def test_growth_by_a_quarter_is_captured_between_two_others():
    def rss(now):
        return 100 * MB if now < 1_990 else 130 * MB

    _, quiet, _ = captures(length_s=2_000)
    _, grown, _ = captures(length_s=2_000, rss=rss)
    assert [moment for moment in grown if moment not in quiet] == [pytest.approx(1_990, abs=1)]


@pytest.mark.parametrize("share", [0.8, 0.9])
def test_coming_near_the_limit_is_captured_once(share):
    _, quiet, _ = captures(length_s=3_000)
    _, full, _ = captures(length_s=3_000, fill=lambda now: 0.1 if now < 2_990 else share + 0.01)
    assert [moment for moment in full if moment not in quiet] == [pytest.approx(2_990, abs=1)]


def test_a_failed_attempt_is_not_repeated_at_once():
    schedule = Schedule(0.0)
    assert schedule.is_due(0.5, rss=MB)
    schedule.failed(0.5, seconds=0.0)
    assert not schedule.is_due(0.75, rss=MB)
    assert schedule.is_due(1.0, rss=MB)
