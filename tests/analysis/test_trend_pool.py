"""A workload fed reading by reading: what it says as it goes, what it forgets, and what it is after a restart."""

import random

import msgspec
import pytest

from caulk.analysis.trend.pool import Pool
from caulk.model.judgement import Event
from caulk.model.series import Reading

MB = 1 << 20
HOUR = 3600
BEGIN = 1_767_225_600


def readings(rate, *, hours, step=300, begin=0, seed=1, heap=False):
    """Readings of 200 MB and `rate` MB an hour."""
    rng = random.Random(seed)
    for i in range(int(hours * HOUR / step)):
        held = int((200 + rate * i * step / HOUR + rng.gauss(0, 1)) * MB)
        yield Reading(BEGIN + begin * HOUR + i * step, held, heap=held // 2 if heap else None)


def test_a_judgement_comes_with_the_reading_that_changes_the_state_and_with_no_other():
    pool = Pool("api", 600 * MB)
    changes = []
    for reading in readings(3, hours=100):
        before = pool.state
        judgement = pool.add("a", reading)
        assert (judgement is not None) == (pool.state != before or reading.at == BEGIN)
        if judgement:
            changes.append((judgement.state, judgement.first_said == reading.at))
    assert changes[-1] == ("leaking", True)
    assert pool.judgement().growth_bytes_per_hour == pytest.approx(3 * MB, rel=0.1)


@pytest.mark.parametrize("codec", [msgspec.json, msgspec.msgpack])
def test_a_pool_that_was_saved_goes_on_as_if_it_had_not_been(codec):
    kept, saved = Pool("api", 600 * MB), Pool("api", 600 * MB)
    for i, reading in enumerate(readings(4, hours=90, heap=True)):
        events = [Event(reading.at, "restart")] if i in (100, 300) else []
        kept.add("a", reading, events)
        saved.add("a", reading, events)
        if i % 131 == 0:
            saved = Pool.from_state(codec.decode(codec.encode(saved.to_state())))
    assert saved.judgement() == kept.judgement()
    assert saved.state == "leaking"


def test_the_state_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version"):
        Pool.from_state(Pool("api").to_state() | {"version": 0})


def test_a_replica_that_is_gone_has_no_opinion_any_more():
    pool = Pool("api", 400 * MB)
    for reading in readings(3, hours=60):
        pool.add("old", reading)
    assert pool.state == "leaking"
    for reading in readings(0, hours=30, begin=60):
        pool.add("new", reading, [Event(reading.at, "deploy")] if reading.at == BEGIN + 60 * HOUR else [])
    assert list(pool.replicas) == ["new"]
    assert pool.state == "steady"


def aged(rate, hours, *, shape=lambda age: age):
    """A pool that is read for ten minutes, whose replicas were started so many hours ago."""
    pool = Pool("api", 900 * MB)
    rng = random.Random(5)
    for i in range(40):
        for k, age in enumerate(hours):
            held = 200 + rate * shape(age) + rng.gauss(0, 1)
            started = [Event(BEGIN - age * HOUR, "restart")] if i == 0 else []
            pool.add(f"r{k}", Reading(BEGIN + i * 15, int(held * MB)), started)
    return pool.judgement()


def test_replicas_of_many_ages_show_a_leak_within_minutes():
    found = aged(8, [2, 6, 11, 20, 31, 44, 52])
    assert found.state == "leaking"
    assert found.growth_bytes_per_hour == pytest.approx(8 * MB, rel=0.1)
    assert any("older replicas" in line for line in found.evidence)


@pytest.mark.parametrize(
    ("hours", "shape"),
    [
        ([2, 6, 11, 20, 31, 44, 52], lambda age: min(age, 12)),
        ([50, 50, 50, 51, 51, 52, 2], lambda age: age),
        ([2, 30, 50], lambda age: age),
    ],
    ids=["a cache that the older have filled", "two deploys", "three replicas"],
)
def test_ages_that_do_not_show_a_leak_are_no_leak(hours, shape):
    assert aged(8, hours, shape=shape).state != "leaking"


def test_a_replica_that_takes_the_place_of_one_that_leaked_is_believed_to_leak_unless_it_came_with_a_deploy():
    def after(events):
        pool = Pool("api", 400 * MB)
        for reading in readings(3, hours=60):
            pool.add("old", reading)
        assert pool.state == "leaking"
        for reading in readings(3, hours=6, begin=60):
            pool.add("new", reading, events if reading.at == BEGIN + 60 * HOUR else [])
        return pool.replicas["new"].state

    assert after([]) == "leaking"
    assert after([Event(BEGIN + 60 * HOUR, "deploy")]) != "leaking"
