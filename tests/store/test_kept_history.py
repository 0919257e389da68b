"""The history: bounded, downsampled, and there after any end."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from caulk.model.judgement import Event, Judgement
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.store import history as module
from caulk.store.history import Busy, History

SHOP = Workload("local:0:/srv:shop", "shop", "jvm")
NOON = 1_800_000_000.0
MB = 1 << 20


def seen(at: float, size: int, replica: str = "0", workload: Workload = SHOP, **more: object) -> Observation:
    return Observation(workload, replica, Reading(at, size, size, 0, 0, size // 2), **more)  # type: ignore[arg-type]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    kept = History(tmp_path / "history")
    yield kept
    kept.close()


def fill(history: History, seconds: int, step: int = 15) -> None:
    for at in range(0, seconds, step):
        history.note(seen(NOON + at, (100 + at % 300) * MB))


def test_the_last_hour_is_kept_as_it_was_read(history: History):
    fill(history, 1800)
    found = history.readings(SHOP.key, "0")
    assert [reading.at for reading in found] == [NOON + at for at in range(0, 1800, 15)]
    assert [reading.rss for reading in found] == [(100 + at % 300) * MB for at in range(0, 1800, 15)]
    assert found[0].heap == 50 * MB


def test_before_that_there_are_floors_of_five_minutes_and_then_of_an_hour(history: History):
    fill(history, 3 * 86400)
    found = history.readings(SHOP.key, "0")
    apart = [round(b.at - a.at) for a, b in pairwise(found)]
    # Where two begin, the stretch that holds the beginning is there as a floor too.
    assert {3600, 300, 15} <= set(apart)
    assert all(0 < gap <= 3600 for gap in apart)
    assert apart[:20] == [3600] * 20
    assert apart[-239:] == [15] * 239
    assert len(found) < 240 + 576 + 30
    old = [reading for reading in found if reading.at < NOON + 2 * 86400]
    assert {reading.rss for reading in old} == {100 * MB}


def test_nothing_is_older_than_90_days_and_the_file_does_not_grow(history: History, tmp_path: Path):
    fill(history, 95 * 86400, step=1800)
    ring = tmp_path / "history" / "readings-000.ring"
    size = ring.stat().st_size
    found = history.readings(SHOP.key, "0")
    assert NOON + 95 * 86400 - found[0].at <= 90 * 86400
    fill(history, 100 * 86400, step=1800)
    assert ring.stat().st_size == size


def test_replicas_do_not_share_readings(history: History):
    for replica in ("0", "1"):
        for at in range(0, 600, 15):
            history.note(seen(NOON + at, (int(replica) + 1) * 100 * MB, replica))
    assert {reading.rss for reading in history.readings(SHOP.key, "1")} == {200 * MB}
    assert history.replicas(SHOP.key) == ["0", "1"]


def test_a_series_that_makes_room_leaves_nothing_to_the_next(history: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_SERIES", 2)
    fill(history, 600)
    other, third = Workload("k:b", "b"), Workload("k:c", "c")
    history.note(seen(NOON + 700, MB, workload=other))
    history.note(seen(NOON + 800, MB, workload=third))
    assert history.readings(SHOP.key, "0") == []
    assert [reading.at for reading in history.readings(third.key, "0")] == [NOON + 800]


def test_what_happened_and_what_was_said_are_kept_by_workload(tmp_path: Path):
    kept = History(tmp_path)
    kept.note(seen(NOON, MB, events=(Event(NOON - 5, "restart"), Event(NOON, "limit", 512 * MB))))
    kept.said(Judgement("shop", "leaking", "it grows", evidence=("a", "b")), SHOP.key, NOON)
    kept.put_source("docker:", {"kills": {"a": 1}})
    kept.put_state(SHOP.key, NOON, {"version": 1})
    kept.close()
    again = History(tmp_path)
    assert again.events(SHOP.key) == {"0": [Event(NOON - 5, "restart"), Event(NOON, "limit", 512 * MB)]}
    assert again.judgements(SHOP.key) == [(NOON, Judgement("shop", "leaking", "it grows", evidence=("a", "b")))]
    assert again.workloads() == [SHOP]
    assert again.source("docker:") == {"kills": {"a": 1}}
    assert again.state(SHOP.key) == (NOON, {"version": 1})
    again.close()


def test_what_is_old_is_forgotten_and_events_are_bounded(history: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_EVENTS", 3)
    for number in range(6):
        at = NOON + number
        history.note(seen(at, MB, events=(Event(at, "restart"),)))
    history.prune(NOON + 10)
    assert [event.at for event in history.events(SHOP.key)["0"]] == [NOON + 3, NOON + 4, NOON + 5]
    history.prune(NOON + 91 * 86400)
    assert history.workloads() == []
    assert history.readings(SHOP.key, "0") == []


def test_a_kill_loses_no_reading_of_a_series_that_was_committed(tmp_path: Path):
    code = """
import os, signal, sys
from pathlib import Path
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.store.history import History
history = History(Path(sys.argv[1]))
for at in range(0, 600, 15):
    history.note(Observation(Workload("k", "shop"), "0", Reading(1_800_000_000 + at, at << 20)))
    if at == 300:
        history.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ}, timeout=60, check=False)
    assert ran.returncode == -signal.SIGKILL
    history = History(tmp_path)
    found = history.readings("k", "0")
    # What was seen after the commit is looked for for two minutes beyond it.
    assert [reading.at for reading in found] == [NOON + at for at in range(0, 300 + 121, 15)]
    history.close()


def test_two_cannot_keep_the_same_history(history: History, tmp_path: Path):
    with pytest.raises(Busy, match="another caulk keeps"):
        History(tmp_path / "history")


def test_sizes_beyond_the_cell_are_cut_and_not_wrapped(history: History):
    history.note(seen(NOON, 1 << 50))
    (found,) = history.readings(SHOP.key, "0")
    assert found.rss == 0xFFFFFFFE << 10


def test_threads_may_ask_while_another_notes(history: History):
    history.note(seen(NOON, MB, events=(Event(NOON, "restart"),)))
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            found = history.readings(SHOP.key, "0")
            times = [reading.at for reading in found]
            if times != sorted(times) or not found or history.replicas(SHOP.key) != ["0"]:
                wrong.append(times)
            if [event.what for event in history.events(SHOP.key).get("0", [])] != ["restart"]:
                wrong.append(["events"])

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    for number in range(1, 400):
        history.note(seen(NOON + number * 15, MB))
        history.said(Judgement("shop", "steady", ""), SHOP.key, NOON + number)
        history.commit()
    stop.set()
    for thread in asking:
        thread.join()
    assert not wrong
    assert len(history.judgements(SHOP.key)) == 399
