"""A capture that an agent sends becomes a private file when all of it is there, and none before."""

import queue
import socket

import pytest
from awaiting import PATIENCE_S, until

from caulk.run.wire import Switchboard


@pytest.fixture
def link(tmp_path):
    """An agent's end of the talk, and caulk's; the workspace is `tmp_path`."""
    joined = queue.SimpleQueue()
    switchboard = Switchboard(tmp_path, joined.put)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.connect(str(switchboard.path))
        end.sendall(f"hello cpython 3.11.2 main {tmp_path}/x.final\n".encode())
        yield end, joined.get(timeout=PATIENCE_S)
    switchboard.close()


def outcome_of(agent):
    found = []
    until(lambda: found.append(agent.outcome()) or found[-1])
    return found[-1]


def test_a_capture_that_was_sent_is_a_private_file_of_all_its_bytes(link, tmp_path):
    end, agent = link
    path = tmp_path / "c.tracemalloc"
    agent.begin(path)
    end.sendall(b"taken at=7.5 seconds=0.25 heap=9 size=3000000\n" + b"x\n" * 1_500_000 + b"memory heap=10\n")
    outcome = outcome_of(agent)
    assert (outcome.taken_at, outcome.seconds, outcome.memory) == (7.5, 0.25, {"heap": 9})
    assert outcome.files == (("heap", path),)
    assert path.read_bytes() == b"x\n" * 1_500_000
    assert path.stat().st_mode & 0o777 == 0o600
    until(lambda: agent.heap == 10)


def test_a_capture_that_ends_in_the_middle_leaves_no_file(link, tmp_path):
    end, agent = link
    agent.begin(tmp_path / "c.tracemalloc")
    end.sendall(b"taken at=7.5 size=100\n" + b"x" * 99)
    assert end.recv(4096).startswith(b"capture ")  # what was never read would make it a reset
    end.close()
    outcome = outcome_of(agent)
    assert (outcome.files, outcome.failure) == ((), "it hung up in the middle of a capture")
    assert not list(tmp_path.iterdir())


def test_a_capture_that_cannot_be_written_says_why_and_the_talk_goes_on(link, tmp_path):
    end, agent = link
    agent.begin(tmp_path / "gone" / "c.tracemalloc")
    end.sendall(b"taken at=7.5 size=6\n" + b"failed" + b"memory heap=10\n")
    outcome = outcome_of(agent)
    assert outcome.files == ()
    assert "No such file or directory" in outcome.failure
    until(lambda: agent.heap == 10)


def test_a_capture_that_nobody_asked_for_is_not_kept(link, tmp_path):
    end, agent = link
    end.sendall(b"taken at=7.5 size=6\n" + b"failed" + b"memory heap=10\n")
    until(lambda: agent.heap == 10)
    assert outcome_of(agent).files == ()
    assert not list(tmp_path.iterdir())
