"""What is leaking and what only looks like it, on series that are drawn by hand."""

import math
import random

import pytest

from caulk.analysis.trend.pool import judge
from caulk.model.judgement import Event, History, Judgement
from caulk.model.series import Reading

MB = 1 << 20
HOUR = 3600
DAY = 24 * HOUR
BEGIN = 1_767_225_600


def history(shape, *, days=6.0, step=600, replica="", events=(), columns=None):
    """A history whose memory is `shape(seconds since the start)` in MB, with a little noise; `columns` beside it."""
    rng = random.Random(7)
    readings = []
    for i in range(int(days * DAY / step)):
        age = i * step
        extra = {name: int(column(age) * MB) for name, column in (columns or {}).items()}
        readings.append(Reading(BEGIN + age, int((shape(age) + rng.gauss(0, 1)) * MB), **extra))
    return History("api", replica, tuple(readings), tuple(events))


def said(*histories, limit=0) -> Judgement:
    (one,) = judge(histories, limit=limit * MB)
    return one


def load(age):
    return 0.5 + 0.5 * math.cos((age - 14 * HOUR) / DAY * 2 * math.pi)


def test_a_constant_leak_is_leaking_at_its_rate_with_its_time_to_the_limit():
    found = said(history(lambda age: 200 + 2 * age / HOUR), limit=600)
    assert found.state == "leaking"
    assert found.growth_bytes_per_hour == pytest.approx(2 * MB, rel=0.05)
    low, high = found.growth_interval
    assert low <= found.growth_bytes_per_hour <= high
    left = (600 - 200 - 2 * 24 * 6) / 2 * HOUR
    assert found.time_to_limit_s == pytest.approx(left, rel=0.1)


def test_a_leak_under_days_and_nights_is_found_and_days_and_nights_alone_are_not():
    busy = said(history(lambda age: 200 + 60 * load(age) + 1.5 * age / HOUR, days=8), limit=700)
    assert busy.state == "leaking"
    assert said(history(lambda age: 200 + 60 * load(age), days=8), limit=400).state == "steady"


def test_a_leak_below_a_collectors_teeth_is_found_and_teeth_alone_are_not():
    def teeth(age):
        return 80 * ((age / (5 * HOUR)) % 1)

    assert said(history(lambda age: 200 + teeth(age) + 2 * age / HOUR), limit=700).state == "leaking"
    assert said(history(lambda age: 200 + teeth(age)), limit=500).state == "steady"


@pytest.mark.parametrize("hours", [1, 6, 20])
def test_a_cache_that_has_filled_is_steady(hours):
    found = said(history(lambda age: 200 + 150 * (1 - math.exp(-age / (hours * HOUR)))), limit=600)
    assert found.state == "steady"


def test_page_cache_is_no_growth():
    def cached(age):
        return min(age / HOUR * 5, 500)

    grown = history(lambda age: 200 + cached(age), columns={"anonymous": lambda age: 200, "file": cached})
    found = said(grown, limit=800)
    assert (found.state, found.kind) == ("steady", "page-cache")


def test_a_steady_program_at_its_limit_is_undersized():
    assert said(history(lambda age: 480), limit=500).state == "undersized"


def test_what_is_undersized_is_told_a_limit_that_would_fit():
    found = said(history(lambda age: 480), limit=500)
    assert found.recommended_limit_bytes is not None
    assert 480 * 1.25 * MB <= found.recommended_limit_bytes <= 480 * 1.6 * MB
    assert said(history(lambda age: 480), limit=2000).recommended_limit_bytes is None


def test_a_larger_limit_ends_undersized():
    events = [Event(BEGIN, "limit", 500 * MB), Event(BEGIN + 2 * DAY, "limit", 1000 * MB)]
    assert said(history(lambda age: 480, events=events)).state == "steady"


def test_a_leak_that_came_with_a_deploy_says_so():
    deploy = Event(BEGIN + 3 * DAY, "deploy")
    found = said(history(lambda age: 200 + 3 * max(age - 3 * DAY, 0) / HOUR, days=8, events=[deploy]), limit=900)
    assert (found.state, found.since_event) == ("leaking", "deploy")
    assert abs(found.since - deploy.at) < 12 * HOUR


def test_a_leak_in_a_program_that_is_restarted_each_day_is_leaking_in_each_life():
    restarts = [Event(BEGIN + k * DAY, "restart") for k in range(1, 6)]
    found = said(history(lambda age: 200 + 12 * (age % DAY) / HOUR, events=restarts), limit=500)
    assert found.state == "leaking"
    assert any("earlier" in line for line in found.evidence)


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"anonymous": lambda age: 190 + 2 * age / HOUR, "heap": lambda age: 100 + 2 * age / HOUR}, "managed"),
        ({"anonymous": lambda age: 190 + 2 * age / HOUR, "heap": lambda age: 100}, "native"),
        ({"anonymous": lambda age: 190, "shared": lambda age: 5 + 2 * age / HOUR}, "shmem"),
    ],
)
def test_what_grows_is_told_from_the_columns(columns, kind):
    found = said(history(lambda age: 200 + 2 * age / HOUR, columns=columns), limit=600)
    assert (found.state, found.kind) == ("leaking", kind)


def test_a_heap_that_leaks_inside_memory_that_was_reserved_is_leaking():
    found = said(history(lambda age: 900, columns={"heap": lambda age: 100 + 3 * age / HOUR}), limit=1200)
    assert (found.state, found.kind) == ("leaking", "managed")


def test_one_leaking_replica_of_many_is_a_suspicion_and_three_of_four_are_a_leak():
    def leak(age):
        return 200 + 2 * age / HOUR

    def pool(leaking, of):
        return [history(leak if i < leaking else lambda age: 200, replica=f"r{i}") for i in range(of)]

    assert said(*pool(1, 5), limit=600).state == "suspect"
    assert said(*pool(3, 4), limit=600).state == "leaking"


def test_first_said_never_looks_ahead():
    whole = history(lambda age: 200 + 2 * age / HOUR)
    found = said(whole, limit=600)
    until = tuple(reading for reading in whole.readings if reading.at <= found.first_said)
    assert said(History("api", "", until), limit=600).state == "leaking"
    assert said(History("api", "", until[:-1]), limit=600).state != "leaking"


def test_too_little_to_tell_is_unknown():
    assert said(history(lambda age: 200, days=0.004, step=60)).state == "unknown"


def rising(rate, minutes, limit=0.0, wobble=1.0):
    """Readings each 15 s of a program that begins with 50 MB and grows by `rate` MB a minute."""
    return said(
        History(
            "shop",
            "",
            tuple(
                Reading(BEGIN + 15 * i, round((50 + rate * i / 4 + wobble * (i * 7 % 5)) * MB))
                for i in range(minutes * 4)
            ),
        ),
        limit=limit,
    )


def test_a_leak_that_has_less_than_an_hour_is_suspected_within_minutes_and_with_its_time_to_the_limit():
    found = rising(30, 20, limit=2000)
    assert found.state == "suspect"
    assert found.time_to_limit_s is not None and 40 * 60 < found.time_to_limit_s < 60 * 60


def test_what_rises_to_its_limit_is_not_undersized():
    assert rising(30, 63, limit=2000).state in ("suspect", "leaking")


def test_without_a_limit_memory_that_soon_doubles_is_suspected():
    assert rising(5, 25).state == "suspect"
    assert rising(0.05, 35).state == "steady"


def test_what_warms_up_is_no_fast_leak():
    readings = tuple(Reading(BEGIN + 15 * i, round((50 + 400 * (1 - 0.97 ** (i / 4))) * MB)) for i in range(4 * 40))
    assert said(History("shop", "", readings), limit=2000).state != "suspect"


def test_an_hour_of_steadiness_is_less_sure_than_a_day_of_it():
    assert said(history(lambda age: 200, days=0.05)).confidence < said(history(lambda age: 200, days=3)).confidence
