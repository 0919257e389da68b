"""Python's own door for debuggers: the offsets of a real 3.14 are understood, and a real one runs what it is told to.

The table below was read from CPython 3.14.3 for x86-64 (`org.bytedeco:cpython` on Maven Central). Where the machine has
a Python 3.14 (on PATH, under pyenv or uv, or named by CAULK_PYTHON_3_14), it is captured too.
"""

import base64
import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from held_pythons import BUSY, HOLD, PAUSE, SAY, TICKETS, Kept, awaited, living, types_in

from caulk.formats import cpython_graph
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Access, Process
from caulk.runtimes.cpython import injected
from caulk.runtimes.cpython.offsets import offsets, version_of
from caulk.runtimes.cpython.remote_exec import RemoteExec

TABLE = zlib.decompress(
    base64.b64decode(
        b"eNqrSElNKk0vqPzAzMfMgAQWXGEB0wJQUQ0orVAEYRTIQPgZUHoDlD4ApT/AaFkI/QBKv4DSAlB7AuQYUEAClB8BpRXkUeUtmFH5"
        b"HAyo5nlA6Rkwf0DpF1BaAUpHoOmHmw9zF5T2gtIOaOpuQOkCKF0BpRugdAeUdoHSJjD/QekMKH0BzVwBNHctYITQEmjuXgGlNdD8"
        b"JYAmLoEmfgJNHF2/ARoflzno9qGbh67OgYA7P0DpA2jxJoEWr84M2OMfps4AGl4laOmGBcZgglAA/wIhtw=="
    )
)


def test_the_offsets_of_a_real_python_are_those_of_its_headers():
    found = offsets(TABLE + bytes(2048))
    assert found.version == (3, 14)
    assert (found.is_final, found.is_free_threaded, found.is_known) == (True, False, True)
    assert (found.interpreters_head, found.threads_head) == (808, 7344)
    assert (found.next_thread, found.interpreter) == (8, 16)
    assert (found.enabled, found.eval_breaker) == (8052, 24)
    assert (found.pending, found.path, found.path_size) == (304, 308, 512)


def test_a_newer_version_is_found_by_what_its_table_says_and_called_inferred():
    newer = TABLE[:8] + struct.pack("<Q", 0x030F00F0) + TABLE[16:240] + bytes(range(64)) + TABLE[240:] + bytes(2048)
    found = offsets(newer)
    assert (found.version, found.is_known) == ((3, 15), False)
    assert (found.enabled, found.eval_breaker, found.pending, found.path) == (8052, 24, 304, 308)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (bytes(2048), "does not say where"),
        (TABLE[:8] + struct.pack("<Q", 0x030D00F0) + TABLE[16:], "3.13 has no door"),
        (TABLE[:8] + struct.pack("<Q", 0x030F00F0) + TABLE[16:600], "does not know how this version"),
        (TABLE[:712] + bytes(48), "makes no sense"),
    ],
)
def test_what_is_no_table_of_a_python_with_the_door_is_refused(table: bytes, why: str):
    with pytest.raises(CaptureFailed, match=why):
        offsets(table)


def test_the_version_is_in_the_names_of_its_files():
    def process(*libraries: str, executable: str = "", command: tuple[str, ...] = ()) -> Process:
        return Process(1, 0, 0, 0.0, command, executable, libraries=frozenset(libraries))

    assert version_of(process("/lib/libc.so.6", "/usr/lib/libpython3.14.so.1.0")) == (3, 14)
    assert version_of(process(executable="/usr/bin/python3.9")) == (3, 9)
    assert version_of(process(executable="/usr/bin/uwsgi")) is None


class Memory:
    """A `Reach` to memory that is made of pieces by address."""

    def __init__(self) -> None:
        self.pieces: dict[int, bytearray] = {}

    def peek(self, address: int, length: int) -> bytes:
        for start, piece in self.pieces.items():
            if start <= address < start + len(piece):
                return bytes(piece[address - start : address - start + length])
        raise CaptureFailed(f"nothing is at {address:x}")

    def poke(
        self,
        writes: Sequence[tuple[int, bytes]],
        bits: Sequence[tuple[int, int]] = (),
        expected: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        if any(self.peek(address, len(data)) != data for address, data in expected):
            raise CaptureFailed("it is not as it was")
        for address, data in writes:
            self.put(address, data)
        for address, mask in bits:
            word = int.from_bytes(self.peek(address, 8), "little") | mask
            self.put(address, word.to_bytes(8, "little"))

    def put(self, address: int, data: bytes) -> None:
        start = next(start for start, piece in self.pieces.items() if start <= address < start + len(piece))
        self.pieces[start][address - start : address - start + len(data)] = data

    def point(self, address: int, to: int) -> None:
        self.poke([(address, to.to_bytes(8, "little"))])


@pytest.fixture
def memory() -> Memory:
    """A runtime at 0x10000 with two interpreters; the main one, at 0x30000, has threads at 0x40000 and 0x50000."""
    made = Memory()
    made.pieces = {0x10000: bytearray(TABLE + bytes(2048))}
    made.pieces.update({at: bytearray(16384) for at in (0x20000, 0x30000, 0x40000, 0x50000)})
    made.point(0x10000 + 808, 0x20000)
    made.point(0x20000 + struct.unpack_from("<Q", TABLE, 64)[0], 0x30000)
    made.point(0x30000 + 7344, 0x40000)
    made.point(0x30000 + 7360, 0x50000)
    made.point(0x40000 + 8, 0x50000)
    for thread in (0x40000, 0x50000):
        made.point(thread + 16, 0x30000)
        made.point(thread + 24, 0x1002)
    made.poke([(0x30000 + 8052, b"\1\0\0\0")])
    return made


def door(memory: Memory) -> RemoteExec:
    made = RemoteExec(memory, Access())  # type: ignore[arg-type]
    made._runtime = 0x10000  # type: ignore[misc]
    return made


def test_all_threads_of_the_main_interpreter_are_told_and_those_that_did_not_run_it_forget_it(memory: Memory):
    with door(memory)._run("/tmp/x.py"):
        for thread in (0x40000, 0x50000):
            assert memory.peek(thread + 304, 4) == b"\1\0\0\0"
            assert memory.peek(thread + 308, 11) == b"/tmp/x.py\0\0"
            # What was set before stays set.
            assert memory.peek(thread + 24, 8) == struct.pack("<Q", 0x1022)
        memory.poke([(0x50000 + 304, bytes(4))])
    assert [memory.peek(thread + 304, 4) for thread in (0x40000, 0x50000)] == [bytes(4)] * 2


def test_nothing_is_written_where_the_door_is_shut_or_memory_is_not_as_it_should_be(memory: Memory):
    before = {at: bytes(piece) for at, piece in memory.pieces.items()}
    memory.poke([(0x30000 + 8052, bytes(4))])
    with pytest.raises(CaptureFailed, match="switched off"), door(memory)._run("/tmp/x.py"):
        pass
    memory.poke([(0x30000 + 8052, b"\1\0\0\0")])
    memory.point(0x50000 + 16, 0x20000)
    with pytest.raises(CaptureFailed, match="too fast"), door(memory)._run("/tmp/x.py"):
        pass
    memory.point(0x50000 + 16, 0x30000)
    with pytest.raises(CaptureFailed, match="too long"), door(memory)._run("/tmp/" + 600 * "x"):
        pass
    assert {at: bytes(piece) for at, piece in memory.pieces.items()} == before


def test_where_threads_come_and_go_too_fast_the_main_one_alone_is_told(memory: Memory, monkeypatch: pytest.MonkeyPatch):
    poke, listed = memory.poke, []

    def late(writes: Sequence[tuple[int, bytes]], *rest: Sequence[tuple[int, int]]) -> None:
        # The thread at 0x40000 has ended by now, and another one has its place.
        listed.append(len(writes))
        poke([(0x40000 + 8, bytes(8)), (0x30000 + 7344, (0x50000).to_bytes(8, "little"))])
        try:
            poke(writes, *rest)
        finally:
            poke([(0x40000 + 8, (0x50000).to_bytes(8, "little")), (0x30000 + 7344, (0x40000).to_bytes(8, "little"))])

    before = bytes(memory.pieces[0x40000])
    monkeypatch.setattr(memory, "poke", late)
    with door(memory)._run("/tmp/x.py"):
        assert listed == [4, 4, 2]
        assert bytes(memory.pieces[0x40000]) == before
        assert memory.peek(0x50000 + 304, 4) == b"\1\0\0\0"


def test_a_python_before_3_14_has_no_such_door():
    with living(HOLD + BUSY) as program:
        check = program.ways()["remote-exec:graph"].check()
    assert check.standing == "impossible"
    assert "3.14 is the first" in check.why


def _python_3_14() -> str | None:
    home = Path.home()
    places = (Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions", home / ".local/share/uv/python")
    known = [str(path) for place in places for path in sorted(place.glob("*3.14*/bin/python3.14"))]
    return next(filter(None, [os.environ.get("CAULK_PYTHON_3_14"), shutil.which("python3.14"), *known]), None)


@pytest.fixture
def python() -> str:
    """A real Python 3.14; skips where there is none."""
    found = _python_3_14()
    if found is None:
        pytest.skip("unobtainable: there is no Python 3.14 here: CAULK_PYTHON_3_14 may name one")
    return found


def leftovers() -> list[Path]:
    return [path for folder in ("/tmp", "/var/tmp", "/dev/shm") for path in Path(folder).glob(".caulk_injected_*")]


def test_a_real_one_shows_who_holds_the_leak_and_is_as_before(python: str):
    source = HOLD + SAY + "before = set(sys.modules), len(os.listdir('/proc/self/fd'))\n" + """
while True:
    time.sleep(0.01)
    if sys.stdin in __import__("select").select([sys.stdin], [], [], 0)[0]:
        sys.stdin.readline()
        now = set(sys.modules), len(os.listdir("/proc/self/fd"))
        print(sorted(now[0] - before[0] - {"select"}), now[1] - before[1], flush=True)
"""  # fmt: skip
    with living("import select\n" + source, python=python) as program:
        for _ in range(2):
            way, sink = program.ways()["remote-exec:graph"], Kept()
            assert way.check().standing == "ready"
            cost, taken = way.cost(), way.take(sink)
            assert (taken.remote, len(sink.left)) == ("", 1)
            assert len(sink.written) <= cost.size_bytes
            assert types_in(cpython_graph.read(bytes(sink.written)))["__main__.Ticket"] == TICKETS
            assert not Path(sink.left[0]).exists()
        assert program.popen.stdin

        def said() -> str:
            assert program.popen.stdin
            program.popen.stdin.write("\n")
            program.popen.stdin.flush()
            return program.says()

        awaited(lambda: "caulk" not in said())
        assert program.popen.poll() is None


def test_a_real_one_whose_main_thread_waits_runs_it_in_another(python: str):
    threads = "import threading\nthreading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)]).start()\n"
    with living(HOLD + threads + PAUSE, python=python) as program:
        sink = Kept()
        program.ways()["remote-exec:graph"].take(sink)
    assert types_in(cpython_graph.read(bytes(sink.written)))["__main__.Ticket"] == TICKETS


def test_a_real_one_that_waits_in_c_forgets_what_it_was_told(python: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(injected, "_RUNS_S", 0.5)
    with living(HOLD + PAUSE, python=python) as program:
        sink = Kept()
        with pytest.raises(CaptureFailed, match="wait in C code"):
            program.ways()["remote-exec:graph"].take(sink)
        assert not Path(sink.left[0]).exists()
        entered = RemoteExec(program.reach, Access())
        (state,) = entered._threads().states
        assert program.reach.peek(state + entered._offsets.pending, 4) == bytes(4)


def test_a_real_one_that_was_told_to_let_no_debugger_in_says_so(python: str):
    with living(HOLD + BUSY, python=python, PYTHON_DISABLE_REMOTE_DEBUG="1") as program:
        check = program.ways()["remote-exec:graph"].check()
    assert (check.standing, "PYTHON_DISABLE_REMOTE_DEBUG" in check.fix) == ("impossible", True)


NUMBERS = SAY.replace("os.getpid()", "os.getpid(), flush=True)\nprint(ctypes.addressof(word)")
WORD = "import ctypes, threading\nword = ctypes.create_string_buffer(b'abcdefgh' + bytes(8))\n"


def test_memory_is_written_while_a_program_stands_still_and_its_signals_reach_it():
    source = WORD + HOLD + NUMBERS + """
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
print("set", flush=True)
for _ in range(3):
    threading.Thread(target=lambda: [time.sleep(0.0005) for _ in iter(int, 1)], daemon=True).start()
while not sys.stdin in __import__("select").select([sys.stdin], [], [], 0.0005)[0]:
    pass
print(word.raw, len(heard), flush=True)
"""  # fmt: skip
    with living("import select\n" + source) as program:
        address = int(program.says())
        assert program.says() == "set"
        assert program.reach.peek(address, 8) == b"abcdefgh"
        with pytest.raises(CaptureFailed, match="not any more as it was"):
            program.reach.poke([(address, b"Z")], (), [(address + 4, b"efgx")])
        for number in range(5):
            os.kill(program.pid, 10)
            program.reach.poke([(address, bytes([65 + number]))], [(address + 8, 1 << number)])
        assert program.popen.stdin
        program.popen.stdin.write("\n")
        program.popen.stdin.flush()
        said, heard = program.says().rsplit(" ", 1)
        assert said == repr(b"Ebcdefgh\x1f" + bytes(8))
        assert int(heard) >= 1


def test_memory_that_is_not_there_is_an_error_and_not_written():
    with living(HOLD + BUSY) as program:
        with pytest.raises(CaulkError):
            program.reach.peek(0, 8)
        with pytest.raises(CaulkError):
            program.reach.poke([(0, b"x")])
        assert program.popen.poll() is None


def test_another_users_memory_is_closed_to_who_is_not_root():
    if os.geteuid():
        pytest.skip("unobtainable: only root can become another user")
    with living(HOLD + BUSY) as program:
        code = (
            "from caulk.places.hand import Hand; import sys\n"
            "try:\n Hand(int(sys.argv[1])).peek(4096, 8)\n"
            "except Exception as error:\n print(error.kind)"
        )
        source = str(Path(__file__).parents[2] / "src")
        command = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "/usr/bin/python3", "-c", code]
        ran = subprocess.run(
            [*command, str(program.pid)], env={"PYTHONPATH": source}, capture_output=True, text=True, check=False
        )
    assert ran.stdout.strip() == "lacks", ran.stderr
