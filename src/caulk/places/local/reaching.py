"""The verbs on one local process: looking is done here, changing and connecting as its user by a hand of its own."""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from caulk.model.errors import CaptureFailed
from caulk.model.series import Reading
from caulk.model.target import FileStat, Patience, Process, Ran, Room, Target, Volume
from caulk.places.answers import as_error, as_process
from caulk.places.eye import Answer, Trouble
from caulk.places.hand import Hand, source
from caulk.places.hashing import alongside
from caulk.places.local.lending import lend, loans
from caulk.places.local.running import run
from caulk.ports import Hashed

_TIMEOUT_S = 60.0
# What a command needs to be found and to run; not what makes a second Java or Node act like the target.
_VARIABLES = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "JAVA_HOME"}


class LocalReach:
    """What can be done to one process. Files can still be reached after its end, once one was looked at before."""

    def __init__(self, target: Target, pid: int, state: Path | None = None) -> None:
        self.target = target
        self.state = state
        started = target.labels.get("started", "")
        with _said():
            self.hand = Hand(pid, int(started) if started.isdigit() else None)
            self.hand.alive()

    def process(self) -> Process:
        """The process as it is now, with the number that it has in its own namespace."""
        with _said():
            found = self.hand.process()
        return as_process(found)

    def reading(self) -> Reading:
        """Its memory now."""
        with _said():
            return Reading(**self.hand.reading())

    def room(self) -> Room:
        """What the tightest of the cgroups around it, and the machine, leave it."""
        with _said():
            return Room(**self.hand.room())

    def patience(self) -> Patience | None:
        """Nothing here looks whether a process answers."""
        return None

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """A command in the target's namespaces and root, as its user, with the rights that it has."""
        environ = {"PATH": os.defpath, **self.process().environ}
        chosen = {name: value for name, value in environ.items() if name in _VARIABLES}
        request = {"command": list(command), "environ": chosen}
        hear, speak = os.pipe()
        with _said(), os.fdopen(hear, "rb") as refusal:
            try:
                command = self._command("run", {**request, "over": speak})
                ran = run(command, (self.hand.root(), speak), stdin=stdin, timeout_s=timeout_s)
            finally:
                os.close(speak)
            if said := refusal.read(1 << 16):
                _heard(said, ran)
            return ran

    def stat(self, path: str) -> FileStat | None:
        """The file at `path`; None if there is none."""
        with _said():
            found = self.hand.stat(path)
        return FileStat(**found) if found else None

    def listing(self, directory: str) -> Sequence[FileStat]:
        """The files right in a directory, by name; none if it is not there."""
        with _said():
            return [FileStat(**found) for found in self.hand.listing(directory)]

    def volume(self, path: str) -> Volume:
        """Where a directory lies; where it is missing the nearest above it, and nothing can be written."""
        return Volume(**self._ask("volume", {"path": path}))

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        """Pieces of a file, up to the end that it has at first; it is hashed by another thread."""
        with _said(), alongside(lambda: self.digest(path, offset + (length or 0)), hashed):
            yield from self.hand.fetch(path, offset, length)

    def digest(self, path: str, length: int) -> str:
        """SHA-256 of the first `length` bytes of a file."""
        with _said():
            return self.hand.digest(path, length)

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """A new file of the target's user, whole or not at all; raises `CaptureFailed` if there is one."""
        self._ask("put", {"path": path, "mode": mode}, stdin=data)

    def remove(self, path: str) -> None:
        """Deletes a file; it may be gone already."""
        self._ask("remove", {"path": path})

    def move(self, path: str, to: str) -> None:
        """Renames a file, never onto another."""
        self._ask("move", {"path": path, "to": to})

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        """A connection to a port in the target's network, or to a Unix socket below its root; it times out in 60 s."""
        with _said():
            if not isinstance(address, str) and self.hand.shares_network():
                made = self.hand.connect(address)
            else:
                made = self._handed(address)
        made.settimeout(_TIMEOUT_S)
        return made

    def signal(self, signum: int) -> None:
        """Sends a signal, if the process catches it."""
        with _said():
            self.hand.signal(signum)

    def peek(self, address: int, length: int) -> bytes:
        """Bytes of its memory; raises `Lacks` without the right to trace it."""
        with _said():
            return bytes.fromhex(self.hand.peek(address, length))

    def poke(
        self,
        writes: Sequence[tuple[int, bytes]],
        bits: Sequence[tuple[int, int]] = (),
        expected: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """Writes into its memory while it stands still, for less than a millisecond."""
        changes, known = ([(address, data.hex()) for address, data in each] for each in (writes, expected))
        self._ask("poke", {"writes": changes, "bits": list(bits), "expected": known})

    def lend(self, size: int) -> AbstractContextManager[int]:
        """Raises the limits of its cgroups by `size` bytes; gives the new limit."""
        return _told(lend(self.hand, size, self.state or loans()))

    def close(self) -> None:
        """Lets go of the target's files."""
        self.hand.close()

    def _handed(self, address: tuple[str, int] | str) -> socket.socket:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            command = self._command("connect", {"address": address, "over": theirs.fileno()})
            ran = run(command, (self.hand.root(), theirs.fileno()))
            ours.setblocking(False)
            try:
                said, descriptors, _, _ = socket.recv_fds(ours, 1 << 16, 1)
            except BlockingIOError:
                said, descriptors = b"", []
            _heard(said, ran)
        return socket.socket(fileno=descriptors[0])

    def _ask(self, verb: str, request: Answer, stdin: bytes = b"") -> Any:
        """What a hand of its own answers."""
        with _said():
            ran = run(self._command(verb, request), (self.hand.root(),), stdin=stdin)
            return _heard(ran.out, ran)

    def _command(self, verb: str, request: Answer) -> list[str]:
        hand = self.hand
        known = {
            "pid": hand.pid,
            "started": hand.started,
            "ids": (hand.uid, hand.gid, hand.groups),
            "root": hand.root(),
        }
        asked = msgspec.json.encode({**known, **request}).decode()
        return [sys.executable, "-I", "-S", "-c", source(), verb, asked]


@contextmanager
def _said() -> Iterator[None]:
    """Says what went wrong in the terms of caulk."""
    try:
        yield
    except Trouble as trouble:
        raise as_error(trouble.kind, str(trouble), trouble.hint) from trouble


@contextmanager
def _told(lent: AbstractContextManager[int]) -> Iterator[int]:
    with _said(), lent as limit:
        yield limit


def _heard(said: bytes, ran: Ran) -> Any:
    """What the line of a hand says: its answer, or `Trouble`."""
    try:
        answer = msgspec.json.decode(said.partition(b"\n")[0])
    except msgspec.DecodeError as error:
        why = ran.err.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise CaptureFailed(f"The process that acts for the target's user ended with code {ran.code}: {why}") from error
    if "error" in answer:
        raise Trouble(answer["error"], answer["message"], answer["hint"])
    return answer["ok"]
