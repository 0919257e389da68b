"""Killed at any moment, caulk loses no incident, and what is done again has no second effect.

`crashing.py` kills real processes, at each boundary between two steps there is; here is what must be so afterwards.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver, receiving

PROGRAM = Path(__file__).with_name("crashing.py")
#: Memory keeps what was written over the end of a process as a disk does, and does not make a hundred rounds wait.
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest.fixture(scope="module")
def ran() -> Iterator[tuple[list[dict[str, Any]], Receiver]]:
    with receiving() as receiver, tempfile.TemporaryDirectory(prefix="caulk-crash-", dir=FAST) as home:
        command = [sys.executable, str(PROGRAM), f"{home}/rounds", receiver.url]
        source = str(Path(__file__).parents[2] / "src")
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": source}, check=False
        )
        assert done.returncode == 0, done.stderr
        yield [json.loads(line) for line in done.stdout.splitlines()], receiver


def test_processes_were_killed_at_every_boundary_until_one_reached_the_end(ran):
    rounds, _ = ran
    assert [one["killed"] for one in rounds[1:-1]] == [signal.SIGKILL] * (len(rounds) - 2)
    assert (rounds[0]["killed"], rounds[-1]["killed"]) == (0, 0)
    assert len(rounds) > 80


def test_however_it_was_killed_it_ends_as_if_it_had_not_been(ran):
    (undisturbed, *others), _ = ran
    told = {key: value for key, value in undisturbed.items() if key not in ("at", "killed", "ids")}
    assert told["incidents"] == 1
    assert told["closed"] == [True]
    assert [what for _, what in told["moments"]].count("captured") == 2
    for other in others:
        assert {key: other[key] for key in told} == told, f"killed at boundary {other['at']}"


def test_each_capture_is_taken_once_and_nothing_is_left_in_the_target(ran):
    rounds, _ = ran
    for one in rounds:
        assert one["captures"] == [["INCIDENT/100", True], ["INCIDENT/300", True]]
        assert one["known"] == [2]
        assert one["left"] == []


def test_a_notification_that_is_sent_again_is_the_same_under_the_same_key(ran):
    rounds, receiver = ran
    for one in rounds:
        sent: dict[str, set[bytes]] = {}
        for got in receiver.got:
            if got.path == f"/{one['at']}":
                sent.setdefault(got.headers["idempotency-key"].partition("/")[2], set()).add(got.body)
        assert sent.keys() == {"200/hook", "600/hook", "1000000/hook"}
        assert [len(bodies) for bodies in sent.values()] == [1, 1, 1]


def test_a_command_that_is_run_again_is_told_the_same_key(ran):
    rounds, _ = ran
    assert {tuple(one["ran"]) for one in rounds} == {("INCIDENT/500",)}
