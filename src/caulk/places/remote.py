"""A target that a hand reaches from beside it: the script `hand.py` is sent there, verb by verb, over a channel.

Docker and Kubernetes give the channel (an exec into the container, or into a helper that shares its namespaces).
"""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.series import Reading
from caulk.model.target import FileStat, Patience, Process, Ran, Room, Target, Volume
from caulk.places.answers import as_error, as_process
from caulk.ports import Hashed

_LONGEST_LINE = 32 << 20
_PIECE, _GATHERED = 1 << 20, 1 << 18


class Channel(Protocol):
    """A command that runs there. Every method raises `Unreachable` when the connection drops."""

    def read(self) -> bytes:
        """The next of its standard output; empty at the end."""

    def write(self, data: bytes) -> None:
        """More for its standard input."""

    def end(self) -> None:
        """No more for its standard input."""

    def code(self) -> int:
        """How it ended, after the end of its output."""

    @property
    def errors(self) -> bytes:
        """What it said on standard error so far."""

    def close(self) -> None:
        """Ends it, if it runs."""


class Transport(Protocol):
    """How commands are started beside a target."""

    def start(self, command: Sequence[str], *, has_stdin: bool = False) -> Channel:
        """Starts a command there; raises `Lacks` where that is not allowed, or there is no such program."""


def answer(transport: Transport, command: Sequence[str], stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
    """A command carried out to its end; after `timeout_s` seconds it is given up."""
    channel = transport.start(command, has_stdin=bool(stdin))
    late = threading.Timer(timeout_s, channel.close)
    late.daemon = True
    late.start()
    try:
        if stdin:
            channel.write(stdin)
            channel.end()
        out = b"".join(iter(channel.read, b""))
        return Ran(channel.code(), out, channel.errors)
    except Unreachable:
        if late.is_alive():
            raise
        raise Unreachable(f"{command[0]} did not end within {timeout_s:.0f} s") from None
    finally:
        late.cancel()
        channel.close()


def gathered(channel: Channel, have: bytes, left: int) -> tuple[bytes, bytes]:
    """The next piece of `left` bytes to come, large enough to be worth the handling; and what came behind them."""
    parts, size = [have] if have else [], len(have)
    while size < min(left, _GATHERED) and (part := channel.read()):
        parts.append(part)
        size += len(part)
    whole = b"".join(parts)
    return (whole, b"") if size <= left else (whole[:left], whole[left:])


class HandReach:
    """The verbs on the process `pid`, as the hand numbers it; `begin` is the command that a verb is added to."""

    def __init__(self, target: Target, transport: Transport, pid: int, begin: Sequence[str]) -> None:
        self.target = target
        self.transport = transport
        self._pid, self._begin = pid, list(begin)
        self._started: int | None = None

    def process(self) -> Process:
        """The process as it is now."""
        found = self._ask("process")
        self._started = found["started"]
        return as_process(found)

    def processes(self) -> list[dict[str, Any]]:
        """The programs that the hand sees beside the target."""
        ran = answer(self.transport, [*self._begin, "processes"])
        found = self._heard(ran.out.partition(b"\n")[0], None, ran)
        return [process for process in found if "processes" not in process["command"][-1:]]

    def reading(self) -> Reading:
        """Its memory now."""
        return Reading(**self._ask("reading"))

    def room(self) -> Room:
        """What its limits leave it."""
        return Room(**self._ask("room"))

    def patience(self) -> Patience | None:
        """The place knows."""
        return None

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """A command beside it."""
        return answer(self.transport, command, stdin, timeout_s)

    def stat(self, path: str) -> FileStat | None:
        """The file at `path`."""
        found = self._ask("stat", path=path)
        return FileStat(**found) if found else None

    def listing(self, directory: str) -> Sequence[FileStat]:
        """The files right in a directory."""
        return [FileStat(**found) for found in self._ask("listing", path=directory)]

    def volume(self, path: str) -> Volume:
        """Where a directory lies."""
        return Volume(**self._ask("volume", path=path))

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        """Pieces of a file; the hand hashes what it reads, and says so behind it."""
        asked = {"hashed": True} if hashed else {}
        channel = self._start("fetch", path=path, offset=offset, length=length, **asked)
        try:
            line, rest = self._line(channel)
            left = int(self._heard(line, channel))
            while left:
                piece, rest = gathered(channel, rest, left)
                if not piece:
                    raise Unreachable(f"{path} of {self.target.reference} was cut with {left:,} bytes to come")
                yield piece
                left -= len(piece)
            if hashed:
                hashed(str(self._heard(self._line(channel, rest)[0], channel)))
        finally:
            channel.close()

    def digest(self, path: str, length: int) -> str:
        """SHA-256 of the first `length` bytes, computed there."""
        return str(self._ask("digest", timeout_s=1800.0, path=path, length=length))

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """A new file of its user."""
        self._ask("put", stdin=data, path=path, mode=mode, length=len(data))

    def remove(self, path: str) -> None:
        """Deletes a file."""
        self._ask("remove", path=path)

    def move(self, path: str, to: str) -> None:
        """Renames a file."""
        self._ask("move", path=path, to=to)

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        """A connection there, pumped over a channel."""
        channel = self._start("connect", has_stdin=True, address=address)
        try:
            line, rest = self._line(channel)
            self._heard(line, channel)
        except CaulkError:
            channel.close()
            raise
        return joined(channel, rest)

    def signal(self, signum: int) -> None:
        """Sends a signal that it catches."""
        self._ask("signal", signum=signum)

    def peek(self, address: int, length: int) -> bytes:
        """Bytes of its memory."""
        return bytes.fromhex(self._ask("peek", address=address, length=length))

    def poke(
        self,
        writes: Sequence[tuple[int, bytes]],
        bits: Sequence[tuple[int, int]] = (),
        expected: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """Writes into its memory while it stands still."""
        changes, known = ([(address, data.hex()) for address, data in each] for each in (writes, expected))
        self._ask("poke", writes=changes, bits=list(bits), expected=known)

    def lend(self, size: int) -> AbstractContextManager[int]:
        """From beside it no limit can be changed."""
        raise Lacks("Its memory limit cannot be changed from within its container.")

    def close(self) -> None:
        """Nothing stays open."""

    def _request(self, verb: str, asked: dict[str, Any]) -> list[str]:
        known = {"pid": self._pid, **({} if self._started is None else {"started": self._started})}
        text = msgspec.json.encode({**known, **asked}).decode()
        return [*self._begin, verb, text]

    def _start(self, verb: str, *, has_stdin: bool = False, **asked: Any) -> Channel:
        return self.transport.start(self._request(verb, asked), has_stdin=has_stdin)

    def _ask(self, verb: str, *, stdin: bytes = b"", timeout_s: float = 60.0, **asked: Any) -> Any:
        ran = answer(self.transport, self._request(verb, asked), stdin, timeout_s)
        return self._heard(ran.out.partition(b"\n")[0], None, ran)

    def _line(self, channel: Channel, said: bytes = b"") -> tuple[bytes, bytes]:
        """The next line, of which `said` is here already, and what came behind it."""
        while b"\n" not in said and len(said) < _LONGEST_LINE and (piece := channel.read()):
            said += piece
        line, _, rest = said.partition(b"\n")
        return line, rest

    def _heard(self, line: bytes, channel: Channel | None, ran: Ran | None = None) -> Any:
        try:
            said = msgspec.json.decode(line)
        except msgspec.DecodeError:
            errors = ran.err if ran else channel.errors if channel else b""
            why = errors.decode(errors="replace").strip().rpartition("\n")[2][:200] or "it ended without an answer"
            raise CaptureFailed(f"what was sent to {self.target.reference} failed there: {why}") from None
        if "error" in said:
            raise as_error(said["error"], said["message"], said["hint"])
        return said["ok"]


def joined(channel: Channel, first: bytes = b"") -> socket.socket:
    """A channel as a socket: what is written comes to the command, what it writes can be read."""
    ours, theirs = socket.socketpair()

    def up() -> None:
        with contextlib.suppress(OSError, CaulkError):
            while piece := theirs.recv(_PIECE):
                channel.write(piece)
            channel.end()

    def down() -> None:
        try:
            with contextlib.suppress(OSError, CaulkError):
                if first:
                    theirs.sendall(first)
                while piece := channel.read():
                    theirs.sendall(piece)
        finally:
            with contextlib.suppress(OSError):
                theirs.shutdown(socket.SHUT_RDWR)
            channel.close()
            theirs.close()

    for work in (up, down):
        threading.Thread(target=work, name="caulk connection", daemon=True).start()
    return ours
