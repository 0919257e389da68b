"""Programs of which there is only an address: `http://…` or `https://…`, as `curl` on this machine would reach them.

Nothing is known of such a program but what it answers; its runtime is told by that.
"""

import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NoReturn
from urllib.parse import urlsplit

from caulk.model.errors import Lacks, Unreachable, UsageError
from caulk.model.series import Reading
from caulk.model.target import Access, FileStat, Patience, Process, Ran, Room, Target, Volume
from caulk.ports import Hashed

NAME = "endpoint"
SCHEMES = ("http", "https")

_CONNECT_S = 10.0
_USUAL = {"http": 80, "https": 443}
#: What programs serve their profiles below; what comes before is the prefix.
_SERVED = ("/debug/pprof", "/heap_dump")


def targets(wanted: str, access: Access) -> Sequence[Target]:
    """The one target that an address is; raises `UsageError`. Whether anybody is there is seen when it is asked."""
    try:
        parts = urlsplit(wanted)
        port = parts.port or _USUAL[parts.scheme]
    except (KeyError, ValueError):
        raise UsageError("that is not an http address", hint="For example: http://127.0.0.1:6060") from None
    if not parts.hostname:
        raise UsageError(f"{wanted!r} has no host", hint="For example: http://127.0.0.1:6060")
    if parts.username or parts.password:
        raise UsageError(
            "an address with a name and a password in it would be written down", hint="Say them with --user."
        )
    prefix = parts.path
    for served in _SERVED:
        prefix = prefix.partition(served)[0]
    prefix = prefix.rstrip("/")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    labels = {"scheme": parts.scheme, "host": parts.hostname, "port": str(port), "prefix": prefix}
    return [Target(NAME, f"{parts.scheme}://{host}:{port}{prefix}", parts.hostname, labels)]


def reach(target: Target, access: Access) -> "EndpointReach":
    """Connections to the address, and no other verb."""
    return EndpointReach(target)


class EndpointReach:
    """What an address allows: to be connected to."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._address = (target.labels["host"], int(target.labels["port"]))

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        """A connection to the address; raises `Lacks` for every other."""
        if isinstance(address, str) or address[1] != self._address[1]:
            raise Lacks(
                f"only {self.target.reference} can be reached of this target",
                hint="Name the address itself, or the process, container or pod.",
            )
        try:
            return socket.create_connection(self._address, _CONNECT_S)
        except OSError as error:
            raise Unreachable(f"{self.target.reference} does not answer: {error.strerror or error}") from error

    def room(self) -> Room:
        """Nobody knows; raises nothing, since no limit is known to be in the way."""
        return Room(used=0)

    def patience(self) -> Patience | None:
        """Nobody knows."""
        return None

    def process(self) -> Process:
        """Raises `Lacks`, as all that follow."""
        self._lacks("its process can be seen")

    def reading(self) -> Reading:
        """Raises `Lacks`."""
        self._lacks("its memory can be read")

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """Raises `Lacks`."""
        self._lacks("a command can be run beside it")

    def stat(self, path: str) -> FileStat | None:
        """Raises `Lacks`."""
        self._lacks("its files can be seen")

    def listing(self, directory: str) -> Sequence[FileStat]:
        """Raises `Lacks`."""
        self._lacks("its files can be seen")

    def volume(self, path: str) -> Volume:
        """Raises `Lacks`."""
        self._lacks("its files can be seen")

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        """Raises `Lacks`."""
        self._lacks("its files can be read")

    def digest(self, path: str, length: int) -> str:
        """Raises `Lacks`."""
        self._lacks("its files can be read")

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """Raises `Lacks`."""
        self._lacks("a file can be put there")

    def remove(self, path: str) -> None:
        """Raises `Lacks`."""
        self._lacks("a file can be removed there")

    def move(self, path: str, to: str) -> None:
        """Raises `Lacks`."""
        self._lacks("a file can be moved there")

    def signal(self, signum: int) -> None:
        """Raises `Lacks`."""
        self._lacks("a signal can be sent to it")

    def peek(self, address: int, length: int) -> bytes:
        """Raises `Lacks`."""
        self._lacks("its memory can be read")

    def poke(
        self,
        writes: Sequence[tuple[int, bytes]],
        bits: Sequence[tuple[int, int]] = (),
        expected: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """Raises `Lacks`."""
        self._lacks("its memory can be written")

    def lend(self, size: int) -> AbstractContextManager[int]:
        """Raises `Lacks`."""
        self._lacks("its memory limit can be raised")

    def close(self) -> None:
        """Nothing is kept open."""

    def _lacks(self, what: str) -> NoReturn:
        raise Lacks(
            f"{self.target.reference} is only an address: it does not say how {what}",
            hint="Name the process, container or pod itself: pid:…, docker:…, k8s:….",
        )
