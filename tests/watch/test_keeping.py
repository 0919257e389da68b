"""A loop that was ended, however, goes on as if it had not."""

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from caulk.model.judgement import Event
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.store.history import History
from caulk.watch.fleet import Fleet
from caulk.watch.keeping import Keeping

NOON = 1_800_000_000
LEAK = Workload("k:leak", "leak")
MB = 1 << 20


def observations(seconds: int, *, begin: int = 0) -> Iterator[Observation]:
    chance = random.Random(7)
    for at in range(0, seconds, 15):
        for replica in ("0", "1"):
            size = round((100 + at / 300 + chance.random() * 5) * 1024) << 10
            events = (Event(NOON - 60.0, "restart"),) if at == 0 else ()
            if at >= begin:
                reading = Reading(float(NOON + at), size, size)
                yield Observation(LEAK, replica, reading, events, limit=None)


def run(fleet: Fleet, keeping: Keeping, seen: Iterator[Observation]) -> None:
    for one in seen:
        change = fleet.add(one)
        keeping.note(one, change)


def judged(fleet: Fleet) -> dict[str, object]:
    return fleet.state(LEAK.key) or {}


@pytest.mark.parametrize("kept_at", [3600, 6000, 7000])
def test_a_restart_changes_nothing_that_is_said(tmp_path: Path, kept_at: int):
    whole = Fleet()
    for one in observations(9000):
        whole.add(one)

    history = History(tmp_path)
    keeping = Keeping(history)
    fleet = Fleet(keeping.restore)
    run(fleet, keeping, (one for one in observations(kept_at)))
    keeping.keep(fleet, (), NOON + kept_at, all_=True)
    # Then it runs on, and is killed before it keeps anything again.
    run(fleet, keeping, (one for one in observations(7200, begin=kept_at)))
    history.close()

    again = History(tmp_path)
    keeping = Keeping(again)
    fleet = Fleet(keeping.restore)
    run(fleet, keeping, observations(9000, begin=7200))
    # When silent replicas were looked for last is not kept: nothing is said by it.
    assert {**judged(fleet), "swept_at": 0} == {**judged(whole), "swept_at": 0}
    again.close()


def test_a_state_of_another_version_is_made_anew_from_the_readings(tmp_path: Path):
    history = History(tmp_path)
    keeping = Keeping(history)
    fleet = Fleet(keeping.restore)
    run(fleet, keeping, observations(1800))
    history.put_state(LEAK.key, NOON + 1800, {"version": -1})
    history.close()

    again = History(tmp_path)
    restored = Keeping(again).restore(LEAK.key)
    assert restored
    assert set(restored["replicas"]) == {"0", "1"}
    again.close()


def test_what_is_said_is_kept_when_it_changes(tmp_path: Path):
    history = History(tmp_path)
    keeping = Keeping(history)
    fleet = Fleet(keeping.restore)
    run(fleet, keeping, observations(5 * 3600))
    states = [judgement.state for _, judgement in history.judgements(LEAK.key)]
    assert states[0] == "unknown"
    assert len(states) > 1
    assert all(a != b for a, b in pairwise(states))
    history.close()


def test_nobody_is_restored_who_was_never_seen(tmp_path: Path):
    history = History(tmp_path)
    assert Keeping(history).restore("k:nobody") is None
    history.close()
