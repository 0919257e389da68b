"""The fleet: what rules hear, and what people see."""

from caulk.model.judgement import Event
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Appeared, Observation, Workload
from caulk.watch.fleet import Change, Fleet

SHOP = Workload("k:shop", "shop")
NOON = 1_800_000_000.0
MB = 1 << 20


def seen(at: float, size: int = 100 * MB, *events: Event, replica: str = "0", **more: object) -> Observation:
    return Observation(SHOP, replica, Reading(NOON + at, size, size), events, **more)  # type: ignore[arg-type]


def fed(fleet: Fleet, *observations: Observation) -> list[Change]:
    return [change for one in observations if (change := fleet.add(one))]


def test_figures_are_told_each_minute_and_not_with_each_reading():
    changes = fed(Fleet(), *(seen(at) for at in range(0, 301, 15)))
    assert [change.observations[0].reading.at - NOON for change in changes] == [0, 60, 120, 180, 240, 300]


def test_near_the_limit_they_are_told_with_each_reading():
    changes = fed(Fleet(), *(seen(at, 80 * MB, limit=100 * MB) for at in range(0, 61, 15)))
    assert len(changes) == 5


def test_a_change_of_state_is_told_with_what_it_was_before():
    changes = fed(Fleet(), *(seen(at) for at in range(0, 3600, 15)))
    moved = [(c.previous_state, c.judgement.state) for c in changes if c.previous_state != c.judgement.state]
    assert moved == [("unknown", "warming"), ("warming", "steady")]


def test_what_happens_is_told_at_once_but_not_what_was_before_the_first_sight():
    start = Event(NOON - 60, "restart")
    again = Event(NOON + 20, "oom")
    changes = fed(Fleet(), seen(0, 100 * MB, start), seen(15), seen(30, 50 * MB, again))
    assert [change.events for change in changes] == [(), (again,)]
    assert changes[1].observations[0].reading.rss == 50 * MB


def test_all_replicas_come_along_the_one_it_is_about_first():
    fleet = Fleet()
    fed(fleet, seen(0), seen(0, replica="1"))
    (change,) = fed(fleet, seen(15, 100 * MB, Event(NOON + 15, "restart"), replica="1"))
    assert [one.replica for one in change.observations] == ["1", "0"]


def test_an_end_is_news_but_no_reading():
    fleet = Fleet()
    fed(fleet, seen(0))
    (change,) = fed(fleet, seen(15, 100 * MB, Event(NOON + 15, "oom"), is_over=True))
    assert [event.what for event in change.events] == ["oom"]
    assert fleet.rows() == []
    assert fleet.observations() == []


def test_small_programs_are_not_judged_until_they_have_grown():
    fleet = Fleet(minimum=16 * MB)
    assert fed(fleet, seen(0, 5 * MB)) == []
    assert len(fleet) == 0
    fed(fleet, seen(15, 17 * MB), seen(30, 5 * MB))
    assert [row.memory for row in fleet.rows()] == [5 * MB]


def test_who_is_excluded_by_name_or_key_is_not_judged():
    for pattern in ("shop", "sh*", "k:*"):
        assert fed(Fleet(exclude=["other", pattern]), seen(0)) == []
    assert len(fed(Fleet(exclude=["SHOP", "s"]), seen(0))) == 1


def test_a_row_has_the_memory_of_all_and_the_limit_of_the_fullest():
    fleet = Fleet()
    fed(fleet, seen(0, 50 * MB, limit=100 * MB), seen(0, 90 * MB, replica="1", limit=100 * MB))
    (row,) = fleet.rows()
    assert (row.replicas, row.memory, row.limit, row.share) == (2, 140 * MB, 100 * MB, 0.9)


def test_page_cache_fills_no_limit():
    fleet = Fleet()
    reading = Reading(NOON, 95 * MB, 20 * MB, 75 * MB)
    fleet.add(Observation(SHOP, "0", reading, limit=100 * MB))
    (row,) = fleet.rows()
    assert (row.memory, row.share) == (20 * MB, 0.2)


def test_a_dump_is_told_with_the_replica_that_wrote_it():
    fleet = Fleet()
    one, other = seen(0), seen(0, replica="1")
    fed(fleet, one, other)
    dump = Appeared(NOON, Target("local", "pid:7", "shop"), "/dumps/a.hprof", 5, "hprof")
    change = fleet.appeared(other, dump)
    assert change.dumps == (dump,)
    assert [seen.replica for seen in change.observations] == ["1", "0"]
    assert change.workload_key == "k:shop"


def test_who_is_not_seen_for_an_hour_is_forgotten():
    fleet = Fleet()
    fed(fleet, seen(0))
    fleet.forget(NOON + 3599)
    assert len(fleet) == 1
    fleet.forget(NOON + 3601, interval_s=600)
    assert len(fleet) == 1
    fleet.forget(NOON + 3601)
    assert len(fleet) == 0


def test_what_is_kept_is_asked_for_once_and_gone_on_from():
    first = Fleet()
    fed(first, *(seen(at) for at in range(0, 3600, 15)))
    state = first.state(SHOP.key)
    asked: list[str] = []

    def restore(key: str) -> dict[str, object] | None:
        asked.append(key)
        return state

    again = Fleet(restore)
    (change,) = fed(again, seen(3600), seen(3615))
    assert asked == [SHOP.key]
    assert change.judgement.state == "steady"
    assert change.previous_state == "steady"
