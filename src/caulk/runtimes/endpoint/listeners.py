"""The TCP ports that a process listens at, from the kernel's tables of its network.

Format: https://docs.kernel.org/networking/proc_net_tcp.html. A table is of a whole network namespace, which other
processes share; the inodes of a process's sockets tell which rows are its own.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from caulk.model.errors import CaulkError
from caulk.model.target import Process
from caulk.ports import Reach

_LISTENS = "0A"
_MOST_BYTES = 4 << 20
_MOST_PORTS = 32


@dataclass(frozen=True, slots=True)
class Listener:
    """An address to connect to, and whether it is known to be the process's own."""

    host: str
    port: int
    is_own: bool


def listeners(reach: Reach, process: Process) -> list[Listener]:
    """Where the process listens, loopback first; where its sockets cannot be seen, where anything of its user does."""
    found = [
        (Listener(host, port, inode in process.sockets), uid)
        for table in ("tcp", "tcp6")
        for host, port, uid, inode in _rows(_table(reach, process, table))
    ]
    chosen = [one for one, _ in found if one.is_own]
    if not chosen and not process.sockets:
        # Even one that is alone may be another's: a process may have no sockets at all.
        chosen = [one for one, uid in found if uid == process.uid]
    # A socket of both families answers at either loopback; of what is said twice, the first is kept.
    unique = dict.fromkeys(sorted(chosen, key=lambda one: (one.host != "127.0.0.1", one.port)))
    return list(unique)[:_MOST_PORTS]


def _table(reach: Reach, process: Process, name: str) -> str:
    # /proc/net is that of whoever looks; the target's own may be another.
    for path in (f"/proc/{process.pid}/net/{name}", f"/proc/net/{name}"):
        try:
            if text := b"".join(reach.fetch(path, 0, _MOST_BYTES)):
                return text.decode("ascii", "replace")
        except CaulkError:
            continue
    return ""


def _rows(table: str) -> Iterator[tuple[str, int, int, int]]:
    """Host, port, user and inode of each socket that listens."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTENS:
            address, _, port = fields[1].partition(":")
            try:
                for host in _hosts(address):
                    yield host, int(port, 16), int(fields[7]), int(fields[9])
            except ValueError:
                continue


def _hosts(address: str) -> tuple[str, ...]:
    """Where to connect for an address that is listened at: words of 32 bits in the machine's order."""
    words = [int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8)]
    host = ip_address(b"".join(words))
    if not host.is_unspecified:
        return (str(getattr(host, "ipv4_mapped", None) or host),)
    return ("127.0.0.1",) if host.version == 4 else ("127.0.0.1", "::1")
