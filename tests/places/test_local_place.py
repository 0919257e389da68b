"""The local place: real processes, of this user and of others, in our namespaces and in their own."""

import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from caulk.model.errors import CaptureFailed, Lacks, Unreachable
from caulk.model.target import Target
from caulk.places import local
from caulk.places.local import LocalReach

OTHER = 54321  # a user that nobody is
AS_OTHER = ("setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups")

#: A program with a port, a Unix socket and a handler for USR1; what came is said on standard output.
PROGRAM = """
import fcntl, os, signal, socket, struct, sys, threading
directory = sys.argv[1]
os.chdir(directory)
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"caught\\n"))  # print is not for handlers
if "--lo" in sys.argv:  # a network of its own has its loopback down
    fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x49))
def serve(server):
    while True:
        peer, _ = server.accept()
        if server.family == socket.AF_UNIX:
            peer.sendall(struct.pack("3i", *struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, 17, 12))))
        else:
            peer.sendall(b"hello from inside")
        peer.close()
port = socket.create_server(("127.0.0.1", 0))
door = socket.socket(socket.AF_UNIX)
door.bind("door" * 20)
os.chmod("door" * 20, 0o600)
door.listen()
for server in (port, door):
    threading.Thread(target=serve, args=(server,), daemon=True).start()
print("ready", os.getpid(), port.getsockname()[1], flush=True)
while True:
    signal.pause()
"""


class Running:
    """A program that was started: its number here and in its own namespace, and its port."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.popen = process
        assert process.stdout
        self.out = process.stdout
        word, inner, port = self.out.readline().split()
        assert word == "ready"
        self.inner, self.port = int(inner), int(port)
        self.pid = process.pid
        while children := Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            self.pid = int(children[0])

    def reach(self) -> LocalReach:
        return local.reach(local.targets(f"pid:{self.pid}")[0])


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts the program, below other commands, and ends it."""
    started: list[Running | subprocess.Popen[str]] = []

    def begin(*before: str, options: tuple[str, ...] = (), directory: Path = tmp_path) -> Running:
        command = [*before, sys.executable, "-I", "-S", "-c", PROGRAM, str(directory), *options]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True))
        started[-1] = Running(started[-1])
        return started[-1]

    yield begin
    for running in started:
        process = running.popen if isinstance(running, Running) else running
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that another user gets to, unlike pytest's; skips where there cannot be another user."""
    if os.geteuid() != 0:
        pytest.skip("unobtainable: only root can become another user")
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        tried = [*AS_OTHER, sys.executable, "-c", "import msgspec, caulk.places.local"]
        if subprocess.run(tried, env={**os.environ, **paths}, check=False, timeout=60).returncode:
            pytest.skip(f"unobtainable: {sys.executable} is closed to other users")
        yield Path(directory)


def test_a_number_a_name_or_nothing_find_a_process(launch):
    running = launch()
    found = local.targets(f"pid:{running.pid}")
    assert found == local.targets(str(running.pid))
    assert (found[0].place, found[0].reference) == ("local", f"pid:{running.pid}")
    name = Path(sys.executable).name
    assert found[0] in local.targets(f"pid:{name}")
    assert found[0] in local.targets("")
    assert local.targets("pid:nothing-that-runs") == []


def test_of_a_name_that_several_commands_have_all_are_candidates(launch, tmp_path: Path):
    (tmp_path / "leaky.py").write_text(PROGRAM)
    numbers = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        arguments = (sys.executable, str(tmp_path / "leaky.py"), str(tmp_path / name))
        numbers.append(launch("env", *arguments).pid)
    found = local.targets("leaky.py")
    assert [target.reference for target in found] == [f"pid:{pid}" for pid in sorted(numbers)]
    assert {target.name for target in found} == {"leaky.py"}
    assert local.targets("leaky") == found


def test_a_number_that_no_process_has_is_unreachable():
    with pytest.raises(Unreachable, match="no process 4000000"):
        local.targets("4000000")


def test_a_process_is_described_in_its_own_terms(launch, tmp_path: Path):
    running = launch()
    process = running.reach().process()
    assert (process.pid, process.uid, process.directory) == (running.pid, os.geteuid(), str(tmp_path))
    assert process.command[-1] == str(tmp_path)
    assert process.catches(signal.SIGUSR1)
    assert not process.catches(signal.SIGQUIT)
    assert abs(process.started - time.time()) < 60
    assert process.threads == 3
    assert process.environ["PATH"] == os.environ["PATH"]
    assert len(process.sockets) == 2


def test_memory_and_what_is_left_of_it_are_known(launch):
    reach = launch().reach()
    reading, room = reach.reading(), reach.room()
    assert 1 << 20 < reading.rss < 1 << 30
    assert reading.anonymous < reading.rss
    assert room.used > 0
    assert room.free
    assert reach.patience() is None


def test_a_signal_is_sent_only_where_it_is_caught(launch):
    running = launch()
    reach = running.reach()
    with pytest.raises(CaptureFailed, match="no handler for SIGQUIT"):
        reach.signal(signal.SIGQUIT)
    reach.signal(signal.SIGUSR1)
    assert running.out.readline() == "caught\n"
    assert running.popen.poll() is None


def test_files_are_made_read_moved_and_removed(launch, tmp_path: Path):
    reach = launch().reach()
    path, moved = str(tmp_path / "f"), str(tmp_path / "g")
    reach.put(path, b"0123456789", 0o640)
    found = reach.stat(path)
    assert found
    assert (found.size, stat.S_IMODE(found.mode)) == (10, 0o640)
    assert b"".join(reach.fetch(path, 3, 4)) == b"3456"
    assert reach.digest(path, 10) == hashlib.sha256(b"0123456789").hexdigest()
    reach.move(path, moved)
    assert moved in [file.path for file in reach.listing(str(tmp_path))]
    reach.remove(moved)
    assert reach.stat(moved) is None
    with pytest.raises(CaptureFailed, match="No such file"):
        reach.digest(moved, 10)


def test_a_relative_path_begins_at_the_directory_of_the_target(launch, tmp_path: Path):
    reach = launch().reach()
    (tmp_path / "java_pid1.hprof").write_bytes(b"dump")
    assert b"".join(reach.fetch("java_pid1.hprof")) == b"dump"


def test_a_volume_has_its_kind_and_room_and_a_missing_directory_takes_nothing(launch, tmp_path: Path):
    reach = launch().reach()
    here = reach.volume(str(tmp_path))
    space = os.statvfs(tmp_path)
    assert here.is_writable
    assert abs(here.free_bytes - space.f_bavail * space.f_frsize) < 1 << 30
    missing = reach.volume(str(tmp_path / "none/below"))
    assert (missing.kind, missing.is_writable) == (here.kind, False)
    assert reach.volume("/proc").kind == "proc"
    assert reach.volume("/dev/shm").is_memory


def test_a_command_gets_its_input_and_says_how_it_ended(launch, tmp_path: Path):
    reach = launch().reach()
    ran = reach.run(["sh", "-c", "pwd; cat; echo bad >&2; exit 3"], stdin=b"given")
    assert (ran.code, ran.out, ran.err) == (3, f"{tmp_path}\ngiven".encode(), b"bad\n")
    assert reach.run(["no-such-command"]).code == 127
    with pytest.raises(Unreachable, match="did not end within"):
        reach.run(["sleep", "60"], timeout_s=0.2)


def test_a_command_that_says_too_much_is_ended(launch):
    with pytest.raises(CaptureFailed, match="more than"):
        launch().reach().run(["cat", "/dev/zero"])


def test_a_port_and_a_unix_socket_with_a_long_path_answer(launch, tmp_path: Path):
    running = launch(directory=tmp_path)
    reach = running.reach()
    with reach.connect(("127.0.0.1", running.port)) as connection:
        assert connection.recv(100) == b"hello from inside"
        assert connection.gettimeout()
    with reach.connect(str(tmp_path / ("door" * 20))) as connection:
        assert connection.recv(100, socket.MSG_WAITALL)[4:8] == os.geteuid().to_bytes(4, sys.byteorder)
    with pytest.raises(Unreachable):
        reach.connect(str(tmp_path / "no-door"))


def test_a_target_that_has_ended_is_unreachable_but_its_files_are_not(launch, tmp_path: Path):
    running = launch()
    reach = running.reach()
    (tmp_path / "dump").write_bytes(b"dump")
    assert reach.stat(str(tmp_path / "dump"))
    running.popen.kill()
    running.popen.wait()
    for verb in (reach.process, reach.reading, reach.room, lambda: reach.signal(signal.SIGUSR1)):
        with pytest.raises(Unreachable):
            verb()
    assert b"".join(reach.fetch(str(tmp_path / "dump"))) == b"dump"
    reach.remove(str(tmp_path / "dump"))
    assert not (tmp_path / "dump").exists()
    with pytest.raises(Unreachable):
        local.reach(reach.target)


def test_a_later_process_of_the_same_number_is_not_reached(launch):
    target = local.targets(str(launch().pid))[0]
    earlier = {**target.labels, "started": str(int(target.labels["started"]) - 1)}
    with pytest.raises(Unreachable, match="another one now"):
        local.reach(Target(target.place, target.reference, target.name, earlier))


def test_what_root_does_to_the_program_of_a_user_is_done_as_that_user(launch, open_directory: Path):
    home = open_directory / "home"
    home.mkdir(mode=0o700)
    os.chown(home, OTHER, OTHER)
    running = launch(*AS_OTHER, directory=home)
    reach = running.reach()
    assert (reach.process().uid, reach.process().directory) == (OTHER, str(home))
    reach.put(str(home / "trigger"), b"")
    assert ((home / "trigger").stat().st_uid, (home / "trigger").stat().st_gid) == (OTHER, OTHER)
    assert reach.volume(str(home)).is_writable
    assert not reach.volume(str(open_directory)).is_writable
    with pytest.raises(Lacks, match="Permission denied"):
        reach.put(str(open_directory / "closed"), b"")
    assert reach.run(["id", "-u"]).out == f"{OTHER}\n".encode()
    with reach.connect(str(home / ("door" * 20))) as connection:
        peer = connection.recv(100, socket.MSG_WAITALL)
    assert peer[4:] == OTHER.to_bytes(4, sys.byteorder) * 2
    assert os.geteuid() == 0


def test_a_user_learns_what_it_may_not_do_to_the_program_of_another(launch, open_directory: Path):
    running = launch()
    code = (
        "import os\nfrom caulk.places import local\nfrom caulk.model.errors import Lacks\n"
        f"reach = local.reach(local.targets('{running.pid}')[0])\nprint(reach.process().uid)\n"
        f"with reach.connect(('127.0.0.1', {running.port})) as made: print(made.recv(99))\n"
        "for verb in (lambda: reach.stat('/'), lambda: reach.put('/tmp/x', b''), lambda: reach.signal(10)):\n"
        "    try: verb()\n    except Lacks as error: print(error, '|', error.hint)\n"
    )
    command = [sys.executable, "-c", code]
    paths = os.pathsep.join(path for path in sys.path if path)
    became = {"user": OTHER, "group": OTHER, "extra_groups": []}
    try:
        ran = subprocess.run(
            command, env={"PYTHONPATH": paths}, capture_output=True, text=True, timeout=60, check=False, **became
        )
    except PermissionError:
        pytest.skip(f"unobtainable: {sys.executable} is closed to other users")
    assert ran.returncode == 0, ran.stderr
    uid, hello, *refused = ran.stdout.splitlines()
    assert (uid, hello) == ("0", "b'hello from inside'")
    assert len(refused) == 3
    for line in refused:
        assert line.startswith(f"User {OTHER} may not ")
        assert "runs as user 0" in line
        assert "Run as user 0 or as root" in line


@pytest.fixture
def apart() -> tuple[str, ...]:
    """The command before a program that gives it namespaces of its own: of users too, if we are not root."""
    command = ("unshare", *(() if os.geteuid() == 0 else ("-Ur",)), "-nmpf", "--kill-child", "--mount-proc")
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=60, check=False)
    if tried.returncode:
        pytest.skip(f"unobtainable: this machine gives no namespaces: {tried.stderr.strip()}")
    return command


def test_a_program_in_namespaces_of_its_own_is_reached_there(launch, apart, tmp_path: Path):
    running = launch(*apart, options=("--lo",))
    reach = running.reach()
    assert (reach.process().pid, running.inner) == (1, 1)
    assert not reach.hand.shares_network()
    with reach.connect(("127.0.0.1", running.port)) as connection:
        assert connection.recv(100) == b"hello from inside"
    with reach.connect(str(tmp_path / ("door" * 20))) as connection:
        assert len(connection.recv(100, socket.MSG_WAITALL)) == 12
    with pytest.raises(Unreachable):
        reach.connect(("127.0.0.1", 1))
    said = reach.run(["sh", "-c", "readlink /proc/self/ns/net /proc/self/ns/mnt; cat /proc/1/comm"]).out.decode()
    theirs = [str(Path(f"/proc/{running.pid}/ns/{name}").readlink()) for name in ("net", "mnt")]
    assert said.splitlines() == [*theirs, Path(f"/proc/{running.pid}/comm").read_text().strip()]
    assert reach.run(["sh", "-c", "exit 5"]).code == 5


def test_what_is_mounted_in_its_namespace_only_is_seen_there(launch, apart, tmp_path: Path):
    (tmp_path / "own").mkdir()
    mount = f'mount -t tmpfs -o size=1m none {tmp_path / "own"} && exec "$@"'
    running = launch(*apart, "sh", "-c", mount, "sh", directory=tmp_path)
    reach = running.reach()
    reach.put(str(tmp_path / "own/dump"), b"inside")
    assert not list((tmp_path / "own").iterdir())
    assert b"".join(reach.fetch(str(tmp_path / "own/dump"))) == b"inside"
    volume = reach.volume(str(tmp_path / "own"))
    assert (volume.kind, volume.is_memory, volume.free_bytes <= 1 << 20) == ("tmpfs", True, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="unobtainable: only root has capabilities to lose")
def test_a_command_beside_a_root_without_capabilities_has_none_either(launch):
    running = launch("setpriv", "--bounding-set=-all,+kill", "--inh-caps=-all")
    shown = running.reach().run(["grep", "-E", "CapEff|CapBnd|NoNewPrivs", "/proc/self/status"]).out.decode().split()
    assert shown == ["CapEff:", f"{1 << 5:016x}", "CapBnd:", f"{1 << 5:016x}", "NoNewPrivs:", "1"]
