"""HotSpot's attach protocol: the requests that `jcmd` sends, over the Unix socket that a JVM opens when it is woken.

A JVM has no listener until it gets SIGQUIT while the trigger file `.attach_pidN` of its own user lies in its /tmp;
without that file the signal prints a thread dump. The listener serves one request at a time, and only its own user or
root. Requests: https://github.com/openjdk/jdk/blob/master/src/hotspot/share/services/attachListener.cpp; waking:
.../src/hotspot/os/posix/attachListener_posix.cpp. Version 1 has exactly three arguments of at most 1024 bytes;
version 2 (JDK 24 and later, told by `getversion`) any number, up to 256 KiB in all.
"""

import contextlib
import signal
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Process
from caulk.ports import Reach

#: The directory is part of the protocol: `java.io.tmpdir` does not change it.
DIRECTORY = "/tmp"  # noqa: S108 - the target's, and no other will do

_WAKING_S = 10.0
_PING_S = 5.0
_TICK_S = 0.5
_MOST_BYTES = 64 << 20
_MOST_V1_BYTES = 1024
_MOST_V2_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Listener:
    """The listener of a JVM that has just answered, and the newest version of the protocol that it knows."""

    reach: Reach
    pid: int
    version: int

    def ask(self, *words: str, timeout_s: float = 60.0, tick: Callable[[], object] = lambda: None) -> bytes:
        """What the JVM answers to a command with its arguments; `tick` is called while it works, and may raise.

        Raises `CaptureFailed` if the JVM refuses, or does not answer within `timeout_s`.
        """
        request, wait = _request(words, self.version), _Wait(words[0], timeout_s, tick)
        status, text = _exchange(self.reach, self.pid, request, wait)
        if status != b"0":
            said = text[:400].decode(errors="replace").strip() or f"status {status.decode(errors='replace')}"
            raise CaptureFailed(f"the JVM refused {words[0]}: {said}")
        return text


def listener(reach: Reach) -> Listener:
    """The JVM's listener, woken if need be; raises `CaptureFailed` if it does not open, or does not answer."""
    process = reach.process()
    if not is_awake(reach, process):
        _wake(reach, process)
    return greet(reach, process)


def greet(reach: Reach, process: Process) -> Listener:
    """A listener that is there, asked for its version: one that hangs is found out before anything costly."""
    # JDKs before 24 do not know the request, and have version 1 only.
    status, text = _exchange(reach, process.pid, _request(("getversion",), 1), _Wait("getversion", _PING_S))
    digits = text.split()[:1] if status == b"0" else []
    return Listener(reach, process.pid, 2 if digits and digits[0].isdigit() and int(digits[0]) >= 2 else 1)


def is_awake(reach: Reach, process: Process) -> bool:
    """Whether the JVM's listener is there."""
    found = reach.stat(socket_path(process.pid))
    return found is not None and stat.S_ISSOCK(found.mode)


def socket_path(pid: int) -> str:
    """Where the JVM of this number, in its own namespace, listens."""
    return f"{DIRECTORY}/.java_pid{pid}"


def _wake(reach: Reach, process: Process) -> None:
    """Has the JVM open its listener; the trigger file is gone afterwards, however that ends."""
    if not process.catches(signal.SIGQUIT):
        raise CaptureFailed(
            "the JVM is not ready to be attached to: it has no handler for SIGQUIT yet",
            hint="It may still be starting. With -Xrs it listens from its start, or not at all.",
        )
    trigger = f"{DIRECTORY}/.attach_pid{process.pid}"
    if reach.stat(trigger) is None:
        reach.put(trigger, b"", 0o600)
    try:
        reach.signal(signal.SIGQUIT)
        until, pause = time.monotonic() + _WAKING_S, 0.02
        while not is_awake(reach, process):
            if time.monotonic() > until:
                raise CaptureFailed(
                    f"the JVM did not open its listener within {_WAKING_S:.0f} s: it hangs, or is stopped",
                    hint="`kill -CONT` continues a stopped process. A JVM that swaps, or waits for a safepoint, hangs.",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _TICK_S)
    finally:
        with contextlib.suppress(CaulkError):
            reach.remove(trigger)


@dataclass(frozen=True, slots=True)
class _Wait:
    """How long an answer is waited for, and what is done meanwhile."""

    command: str
    timeout_s: float
    tick: Callable[[], object] = lambda: None


def _exchange(reach: Reach, pid: int, request: bytes, wait: _Wait) -> tuple[bytes, bytes]:
    """One request and its answer: the status in digits, and the text behind it."""
    with reach.connect(socket_path(pid)) as link:
        try:
            link.settimeout(_TICK_S)
            link.sendall(request)
            answer = _answer(link, wait)
        except ConnectionError as error:
            raise CaptureFailed(f"the JVM broke off the answer to {wait.command}: {error.strerror}") from error
    if not answer:
        reach.process()  # says so if it has ended
        raise CaptureFailed(
            "the JVM closed the connection without an answer",
            hint="It accepts its own user and group, by their effective ids, and root.",
        )
    status, _, text = answer.partition(b"\n")
    return status, text


def _answer(link: socket.socket, wait: _Wait) -> bytes:
    until, answer = time.monotonic() + wait.timeout_s, bytearray()
    while len(answer) <= _MOST_BYTES:
        try:
            part = link.recv(1 << 16)
        except TimeoutError:
            wait.tick()
            if time.monotonic() > until:
                raise CaptureFailed(
                    f"the JVM did not answer {wait.command} within {wait.timeout_s:.0f} s: its one listener is busy"
                    " with another request, or the JVM hangs or is stopped",
                    hint="Wait until another dump or jcmd is done; `kill -CONT` continues a stopped process.",
                ) from None
            continue
        if not part:
            return bytes(answer)
        answer += part
    raise CaptureFailed(f"the JVM's answer to {wait.command} has more than {_MOST_BYTES >> 20} MiB")


def _request(words: tuple[str, ...], version: int) -> bytes:
    encoded = [word.encode() for word in words]
    if version == 1:
        encoded += [b""] * (4 - len(encoded))
    body = b"".join(word + b"\0" for word in encoded)
    is_long = max(map(len, encoded)) > _MOST_V1_BYTES if version == 1 else len(body) > _MOST_V2_BYTES
    if is_long or body.count(b"\0") != len(encoded):
        raise CaptureFailed(f"a request of {len(body):,} bytes does not fit into the attach protocol")
    return b"1\0" + body if version == 1 else b"2\0%d\0%b" % (len(body), body)
