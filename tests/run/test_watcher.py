"""Whoever reports is watched, at whatever moment that comes."""

import os
import socket
import subprocess

from awaiting import end, until

from caulk.places import local
from caulk.run.watcher import Watcher
from caulk.run.wire import Agent


def test_a_process_that_is_born_and_reports_while_the_others_are_listed_is_captured(tmp_path, monkeypatch):
    watcher, born, link = Watcher(tmp_path, endpoint=None), [], socket.socketpair()
    watcher.root = os.getpid()

    def listed_too_early():
        found = listed()
        if not born:
            born.append(subprocess.Popen(["sleep", "600"], start_new_session=True))
            link[1].sendall(b"hello cpython 3.11.2 main /nowhere\n")
            agent = Agent(link[0], born[0].pid, tmp_path)
            assert agent.greet()
            watcher.joined(agent)
        return found

    listed = local.processes
    monkeypatch.setattr(local, "processes", listed_too_early)
    link[1].setblocking(False)
    heard = bytearray()
    until(lambda: (watcher.look() and heard.extend(_waiting(link[1]))) or b"capture " in heard)
    end(born[0])
    for one in link:
        one.close()


def _waiting(link: socket.socket) -> bytes:
    try:
        return link.recv(4096)
    except BlockingIOError:
        return b""
