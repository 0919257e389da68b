"""The agent in a Python program has one descriptor, and touches no other, whatever the program does with it."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pytest
from awaiting import PATIENCE_S, captures_in, end, until

from caulk.runtimes import cpython

#: The program's own descriptors have the numbers of those that it closed, the agent's among them.
TAKES_ALL = """
os.closerange(3, 4096)
files = [os.open('mine', os.O_CREAT | os.O_RDWR) for _ in range(500)]
pairs = [[end.detach() for end in socket.socketpair()] for _ in range(300)]
for a, b in pairs:
    os.write(a, b'a')
    os.write(b, b'b')
def is_untouched():
    return os.stat('mine').st_size == 0 and all((os.read(b, 9), os.read(a, 9)) == (b'a', b'b') for a, b in pairs)
"""
#: No thread but this one runs until it gives way by itself.
ALONE = "import os, socket, sys, time\nsys.setswitchinterval(60)\n"
WAIT = "while not os.path.exists('enough') and time.process_time() < 60: time.sleep(0.02)\n"


class Caulk:
    """A caulk by hand: the test answers the agent of `program`, or does not."""

    def __init__(self, folder: Path, socket_folder: str, program: str) -> None:
        self.folder = folder
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._links: list[socket.socket] = []
        self._server.settimeout(PATIENCE_S)
        self._server.bind(f"{socket_folder}/s")
        self._server.listen()
        (folder / "program.py").write_text(program)
        told = {"CAULK_RUN_SOCKET": f"{socket_folder}/s", "CAULK_RUN_WORKSPACE": str(folder), "CAULK_RUN_FRAMES": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "program.py"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
            env=os.environ | told | cpython.environment({}, folder),
        )  # fmt: skip

    def greeted(self) -> socket.socket:
        """The next connection, of which the hello has been read."""
        link, _ = self._server.accept()
        self._links.append(link)
        link.settimeout(PATIENCE_S)
        assert self.line(link).startswith(b"hello cpython ")
        return link

    def line(self, link: socket.socket) -> bytes:
        said = b""
        while not said.endswith(b"\n"):
            part = link.recv(1)
            assert part, "the agent has hung up"
            said += part
        return said

    def close(self) -> None:
        for each in (self._server, *self._links):
            each.close()
        end(self.process)

    def says_at_its_end(self) -> tuple[int, str, str]:
        (self.folder / "enough").touch()
        stdout, stderr = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, stdout, stderr


@pytest.fixture
def caulk(tmp_path):
    """`caulk(program)` runs a program with the agent in it."""
    # The path of a Unix socket has at most 107 bytes.
    folder, started = tempfile.mkdtemp(prefix="caulk-", dir="/tmp"), []

    def start(program: str) -> Caulk:
        started.append(Caulk(tmp_path, folder, program))
        return started[-1]

    yield start
    for each in started:
        each.close()
    shutil.rmtree(folder)


FORKS = "if os.fork(): os._exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"


@pytest.mark.parametrize("forks", ["", FORKS], ids=["at-start", "after-fork"])
def test_a_daemon_that_closes_every_descriptor_is_captured_and_gets_nothing_into_its_own(watch, tmp_path, forks):
    says = "open('daemon.pid', 'w').write(str(os.getpid()))\n"
    (tmp_path / "daemon.py").write_text(ALONE + forks + TAKES_ALL + says + WAIT + "print(is_untouched(), flush=True)\n")

    def is_captured(now):
        pid = (tmp_path / "daemon.pid").read_text()
        return any(name.split("-")[1] == pid for name in captures_in(now.workspace))

    ran = watch(sys.executable, "daemon.py", until=is_captured)
    assert (ran.stdout, ran.stderr) == ("True\n", "")
    pid = int((tmp_path / "daemon.pid").read_text())
    assert any(subject.captures for subject in ran.of("cpython") if subject.pid == pid)


def test_a_capture_on_its_way_goes_to_caulk_alone_though_its_descriptor_becomes_another(caulk):
    waits = "while not os.path.exists('close'): time.sleep(0.02)\n"
    kept = "kept = [bytes(100) for _ in range(100_000)]\nopen('ready', 'w').close()\n"
    ran = caulk(ALONE + kept + waits + TAKES_ALL + "open('closed', 'w').close()\n" + WAIT + "print(is_untouched())\n")
    link = ran.greeted()
    until((ran.folder / "ready").exists)
    link.sendall(b"capture /nowhere\n")
    until(lambda: _unread(link) > 65536)  # the agent cannot go on before somebody reads
    (ran.folder / "close").touch()
    until((ran.folder / "closed").exists)
    assert ran.line(link).startswith(b"taken ")
    while link.recv(1 << 20):
        pass
    again = ran.greeted()
    again.sendall(b"memory\n")
    assert ran.line(again).startswith(b"memory heap=")
    assert ran.says_at_its_end() == (0, "True\n", "")


def _unread(link: socket.socket) -> int:
    return struct.unpack("i", fcntl.ioctl(link, termios.FIONREAD, bytes(4)))[0]


def test_an_answer_that_nobody_reads_any_more_ends_no_program_that_would_die_of_sigpipe(caulk):
    kept = "kept = [bytes(100) for _ in range(100_000)]\nopen('ready', 'w').close()\n"
    dies = "import signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
    ran = caulk(ALONE + dies + kept + WAIT + "print('done')\n")
    link = ran.greeted()
    until((ran.folder / "ready").exists)
    link.sendall(b"capture /nowhere\n")
    until(lambda: _unread(link) > 65536)
    link.close()
    assert ran.says_at_its_end() == (0, "done\n", "")


def test_a_time_out_that_the_program_sets_for_its_sockets_is_not_the_agents(caulk):
    ran = caulk(ALONE + "socket.setdefaulttimeout(0.05)\n" + FORKS + WAIT)
    ran.greeted()
    child = ran.greeted()
    time.sleep(0.2)  # the program's time-out would be over
    child.sendall(b"memory\n")
    assert ran.line(child).startswith(b"memory heap=")
    assert ran.says_at_its_end() == (0, "", "")
