"""Incidents and what they owe, in SQLite and in PostgreSQL by the same statements."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from caulk.model.incident import Incident, Moment, Outgoing
from caulk.model.judgement import Judgement
from caulk.model.records import Finding, Verdict
from caulk.model.watching import Workload
from caulk.store.incidents import Incidents

SHOP = Workload("local:shop", "shop", "node")
FINDING = Finding(1, "collection", "`ORDERS` grows", 5 << 40, 0, 1.0, 3, fingerprint="sha256:ab")


@pytest.fixture
def store(url: str) -> Iterator[Incidents]:
    made = Incidents(url, "here")
    yield made
    made.dispose()


def incident(number: int = 1, **changes: object) -> Incident:
    made = Incident(f"i{number}", f"key {number}", "leak", "it leaks", SHOP, opened_at=float(number), lasts=True)
    return replace(made, memory=5 << 40, **changes)


def step(position: int, number: int = 1, **changes: object) -> Outgoing:
    return Outgoing(f"i{number}/{position}", f"i{number}", position, "capture", "{}", **changes)


def moment(owed: Outgoing, what: str = "captured", **facts: object) -> Moment:
    return Moment(50.0, what, "it was", owed.id, owed.position, **facts)


def test_an_incident_comes_back_as_it_was_opened(store):
    opened = incident(judgement=Judgement("shop", "leaking", "it grows", growth_interval=(1.0, 2.0)))
    assert store.open(opened, [])
    assert store.get("i1") == opened
    assert store.find() == [opened]


def test_the_same_cause_opens_nothing_twice_and_owes_nothing_twice(store):
    assert store.open(incident(), [step(100)])
    assert not store.open(replace(incident(2), key="key 1"), [step(100, 2)])
    assert [found.id for found in store.find()] == ["i1"]
    assert store.owed() == {"capture": 1}


def test_an_incident_whose_steps_cannot_be_written_is_not_written_either(store):
    store.open(incident(), [step(100)])
    assert not store.open(incident(2), [step(100)])
    assert [found.id for found in store.find()] == ["i1"]


def test_steps_come_in_their_order_and_wait_for_those_that_block(store):
    last = step(300)
    store.open(incident(), [last, step(100), replace(step(200), blocks=False)])
    first = store.take(10.0, 60.0)
    assert first.position == 100
    assert store.take(10.0, 60.0) is None
    store.finish(first, moment(first))
    assert {store.take(10.0, 60.0).position, store.take(10.0, 60.0).position} == {200, 300}
    assert store.take(10.0, 60.0) is None


def test_a_step_whose_worker_died_is_somebodys_when_its_lease_ends_and_its_owners_at_once(store, url):
    store.open(incident(), [step(100)])
    assert store.take(10.0, 60.0)
    other = Incidents(url, "there")
    assert other.take(69.0, 60.0) is None
    assert other.take(71.0, 60.0).id == "i1/100"
    store.let_go()
    assert store.take(72.0, 60.0) is None
    other.let_go()
    assert store.take(72.0, 60.0).id == "i1/100"
    other.dispose()


def test_workers_of_several_processes_never_have_the_same_step(store, url):
    store.open(incident(), [replace(step(at), blocks=False) for at in range(1, 41)])
    stores = [Incidents(url, f"worker {number}") for number in range(4)]

    def take(one: Incidents) -> list[str]:
        taken = []
        while found := one.take(10.0, 60.0):
            taken.append(found.id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [number for some in pool.map(take, stores) for number in some]
    # Who saw only what others were taking looks again.
    while left := store.take(10.0, 60.0):
        taken.append(left.id)
    assert sorted(taken) == sorted(f"i1/{at}" for at in range(1, 41))
    for one in stores:
        one.dispose()


def test_what_came_of_a_step_is_told_once_however_often_it_is_finished(store):
    store.open(incident(), [step(100)])
    taken = store.take(10.0, 60.0)
    store.finish(taken, moment(taken, capture="c1"), [step(101)])
    store.finish(taken, moment(taken, capture="c2"), [step(101)])
    assert store.get("i1").captures == ("c1",)
    assert store.owed() == {"capture": 1}


def test_findings_are_found_again_by_their_fingerprint(store):
    store.open(incident(), [step(100)])
    store.open(incident(2), [])
    taken = store.take(10.0, 60.0)
    store.finish(taken, moment(taken, "analysed", verdict=Verdict("leaking", "It leaks.", 0.9), findings=(FINDING,)))
    assert [found.id for found in store.find(fingerprint="sha256:ab")] == ["i1"]
    assert store.get("i1").findings == (FINDING,)


def test_a_step_waits_for_memory_until_it_is_woken_or_its_time_comes(store):
    store.open(incident(), [step(100)])
    taken = store.take(10.0, 60.0)
    store.postpone(taken, 500.0, wakes_at=6 << 40, attempts=1)
    assert store.take(11.0, 60.0) is None
    ((whose, waiting),) = store.waiting()
    assert (whose.id, waiting.wakes_at, waiting.attempts) == ("i1", 6 << 40, 1)
    store.wake(waiting, 12.0)
    assert store.waiting() == []
    assert store.take(12.0, 60.0).id == "i1/100"


def test_an_incident_that_does_not_last_is_closed_with_its_last_step(store):
    store.open(incident(lasts=False), [step(100), step(200)])
    first = store.take(10.0, 60.0)
    store.finish(first, moment(first))
    assert store.get("i1").closed_at is None
    last = store.take(10.0, 60.0)
    store.finish(last, moment(last))
    assert store.get("i1").closed_at == 50.0
    assert store.find(is_open=True) == []


def test_one_that_lasts_is_open_until_somebody_closes_it_and_then_once(store):
    store.open(incident(), [step(100)])
    taken = store.take(10.0, 60.0)
    store.finish(taken, moment(taken))
    assert [found.id for found in store.find(is_open=True)] == ["i1"]
    closing = Moment(60.0, "closed", "it is steady now", "closed", 999)
    assert store.add("i1", closing, [step(1000)])
    assert not store.add("i1", replace(closing, at=70.0), [step(2000)])
    assert store.get("i1").closed_at == 60.0
    assert store.owed() == {"capture": 1}


def test_a_step_is_told_what_was_known_before_it_however_late_it_runs(store):
    store.open(incident(), [step(100), step(300)])
    for _ in range(2):
        taken = store.take(10.0, 60.0)
        store.finish(taken, moment(taken, capture=f"c{taken.position}"))
    assert store.get("i1", before=200).captures == ("c100",)
    assert store.get("i1").captures == ("c100", "c300")


def test_incidents_are_found_by_the_ends_of_their_names_the_newest_first(store):
    for number in (1, 2, 12):
        store.open(incident(number), [])
    assert [found.id for found in store.find(name="i1")] == ["i12", "i1"]
    assert [found.id for found in store.find(limit=2)] == ["i12", "i2"]
    assert store.find(name="%") == []
    assert store.find(workload="other") == []


def test_firings_are_counted_from_a_time_on(store):
    for number in (1, 2, 3):
        store.open(incident(number), [])
    assert store.fired("leak", 2.0) == [("local:shop", 2.0), ("local:shop", 3.0)]
    assert store.fired("oom", 0.0) == []


def test_an_incident_that_is_not_there_is_a_key_error(store):
    with pytest.raises(KeyError):
        store.get("i9")
    assert store.keyed("key 9") is None
