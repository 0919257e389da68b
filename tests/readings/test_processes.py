"""Processes of this machine, as they come, go, and take each other's place."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caulk.model.watching import Observation
from caulk.readings.processes import Processes

HOLD = "import sys, time; held = bytearray(int(sys.argv[1]) << 20); print('ready', flush=True); time.sleep(600)"
#: A master that keeps two workers, each of which ends after its second task, as gunicorn's --max-requests has it.
POOL = """
import os, signal, sys, time
def worker():
    held = bytearray(8 << 20)
    signal.pause()
    os._exit(0)
def spawn():
    pid = os.fork()
    if not pid:
        worker()
    return pid
running = {spawn() for _ in range(2)}
print("ready", flush=True)
while True:
    pid, _ = os.wait()
    running.discard(pid)
    running.add(spawn())
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., int]]:
    begun: list[subprocess.Popen[str]] = []

    def run(code: str, *arguments: str, name: str = "server.py") -> int:
        (tmp_path / name).write_text(code)
        command = [sys.executable, str(tmp_path / name), *arguments]
        one = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=tmp_path)
        begun.append(one)
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
        return one.pid

    yield run
    for one in begun:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()
        assert one.stdout
        one.stdout.close()


def look(source: Processes) -> dict[str, Observation]:
    return {f"{seen.workload.name} {seen.replica}": seen for seen in asyncio.run(source.read())}  # type: ignore[arg-type]


def until(source: Processes, is_so: Callable[[dict[str, Observation]], bool]) -> dict[str, Observation]:
    """Looks until something is so; what happened meanwhile is in the observations of the last look alone."""
    for _ in range(400):
        found = look(source)
        if is_so(found):
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def test_a_process_is_named_by_its_program_and_measured(start: Callable[..., int]):
    pid = start(HOLD, "32")
    (seen,) = look(Processes(lambda: [pid])).values()
    assert seen.workload.name == "server.py"
    assert seen.reading.anonymous > 32 << 20
    assert seen.reading.rss >= seen.reading.anonymous
    assert seen.target
    assert seen.target.reference == f"pid:{pid}"


def test_its_start_is_told_once_and_lies_before_the_first_reading(start: Callable[..., int]):
    before = time.time()
    pid = start(HOLD, "1")
    source = Processes(lambda: [pid])
    (first,) = look(source).values()
    starts = [event for event in first.events if event.what == "restart"]
    assert len(starts) == 1
    # The kernel counts from a boot that is known to the second.
    assert before - 2 <= starts[0].at <= first.reading.at
    (second,) = look(source).values()
    assert second.events == ()


def test_workers_are_replicas_and_the_master_is_a_workload_of_its_own(start: Callable[..., int]):
    pid = start(POOL)
    seen = until(
        Processes(lambda: [pid]), lambda seen: sum(one.reading.anonymous > 8 << 20 for one in seen.values()) == 2
    )
    assert sorted(seen) == ["server.py (master) 0", "server.py 0", "server.py 1"]
    assert seen["server.py (master) 0"].reading.anonymous < 8 << 20


def test_a_recycled_worker_goes_on_in_its_slot(start: Callable[..., int]):
    pid = start(POOL)
    source = Processes(lambda: [pid])
    first = look(source)
    other = first["server.py 1"].target
    ended = first["server.py 0"].target
    assert ended
    os.kill(int(ended.reference.removeprefix("pid:")), signal.SIGUSR1)
    seen = until(source, lambda seen: "server.py 0" in seen and seen["server.py 0"].target != ended)
    assert sorted(seen) == ["server.py (master) 0", "server.py 0", "server.py 1"]
    assert seen["server.py 1"].target == other


def test_a_recycled_worker_is_told_as_a_restart(start: Callable[..., int]):
    pid = start(POOL)
    source = Processes(lambda: [pid])
    ended = look(source)["server.py 0"].target
    assert ended
    number = int(ended.reference.removeprefix("pid:"))
    os.kill(number, signal.SIGUSR1)
    while Path(f"/proc/{number}").exists() or len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()) < 2:
        time.sleep(0.01)
    seen = until(source, lambda seen: "server.py 0" in seen)
    assert [event.what for event in seen["server.py 0"].events] == ["restart"]


def test_what_has_ended_is_told_once_with_its_last_reading(start: Callable[..., int]):
    pid = start(HOLD, "16")
    source = Processes(lambda: [pid])
    (alive,) = look(source).values()
    os.kill(pid, signal.SIGKILL)
    (gone,) = until(source, lambda seen: any(one.is_over for one in seen.values())).values()
    assert gone.is_over
    assert gone.reading.anonymous == alive.reading.anonymous
    assert look(source) == {}


def test_the_slots_are_known_after_a_restart_of_caulk(start: Callable[..., int]):
    pid = start(POOL)
    source = Processes(lambda: [pid])
    before = {name: one.target for name, one in look(source).items()}
    again = Processes(lambda: [pid])
    again.restore(source.state())
    seen = look(again)
    assert {name: one.target for name, one in seen.items()} == before
    assert not any(event.what == "restart" for one in seen.values() for event in one.events)


def test_a_shell_that_only_waits_is_left_out(start: Callable[..., int], tmp_path: Path):
    (tmp_path / "server.py").write_text(HOLD)
    command = ["sh", "-c", f"{sys.executable} {tmp_path}/server.py 4; true"]
    shell = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert shell.stdout
        assert shell.stdout.readline() == "ready\n"
        assert list(look(Processes(lambda: [shell.pid]))) == ["server.py 0"]
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        shell.stdout.close()
