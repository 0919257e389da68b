"""The inspector of a running Node.js: found, or opened by SIGUSR1, proven to be this process's, and closed again.

https://nodejs.org/api/debugger.html: SIGUSR1 opens it at 127.0.0.1:9229, or where `--inspect-port` says; the thread
that waits for the signal interrupts running JavaScript, so that an endless loop answers too. Two processes of one
network want the same port, and the second one gets none (https://github.com/nodejs/node/issues/16872).

`process._debugEnd()` holds the program up until every client has gone, and a client that goes at that very moment can
end the program with a segmentation fault (seen in Node.js 20, in one of five tries). So whoever closes the inspector
stays until it is told, and goes at once then.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from signal import SIGUSR1
from urllib.parse import urlsplit

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.target import Process
from caulk.ports import Reach
from caulk.runtimes.endpoint.http import Site, ask
from caulk.runtimes.endpoint.listeners import listeners
from caulk.runtimes.node.protocol import Line, evaluation
from caulk.runtimes.node.switches import HOST, inspector_address, stated
from caulk.wire.websocket import Closed, WebSocket

#: A program that caulk lost sight of closes its inspector itself after that time.
LEASE_S = 1800
_PROBE_S, _SETTLE_S, _WAKE_S, _AGAIN_S, _LOOK_S, _PROOF_S = 3.0, 2.0, 15.0, 3.0, 0.05, 10.0
#: How long one waits who gives up, or has done: V8 cannot be broken off in a snapshot.
_LAST_S, _CLOSE_S = 1.0, 60.0
_MOST_LIST = 1 << 20
_MOST_PORTS = 8

_STAYS = "its inspector at {} stays open"
# Timers may be faked by the program; those of the module are not.
_LEASE = f"""{{
  const key = Symbol.for('caulk.inspector');
  process[key] = require('timers').setTimeout(() => process._debugEnd(), {LEASE_S * 1000});
  process[key].unref();
  0;
}}"""
_END = "require('timers').clearTimeout(process[Symbol.for('caulk.inspector')]); process._debugEnd()"
# The number of a process is the same in many containers; when it started, in hundredths of a second, is not.
_WHO = r"""(() => {
  let started = 0;
  try {
    const read = (name) => require('fs').readFileSync(name, 'latin1');
    const ticks = read('/proc/self/stat').split(')').pop().trim().split(' ')[19];
    started = Number(/btime (\d+)/.exec(read('/proc/stat'))[1]) + ticks / 100;
  } catch {}
  return [process.pid, started];
})()"""


class Occupied(CaptureFailed):
    """Another program is where this one's inspector would be."""


class _Entry(msgspec.Struct):
    """One entry of `/json/list`."""

    webSocketDebuggerUrl: str = ""  # noqa: N815 - Node's own words
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Inspector:
    """An inspector that answers: `path` is that of its WebSocket."""

    host: str
    port: int
    path: str
    title: str

    @property
    def name(self) -> str:
        """Its `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True)
class Visit:
    """An open inspector. `warnings` are complete when the visit is over."""

    line: Line
    inspector: Inspector
    is_ours: bool
    warnings: list[str] = field(default_factory=list)


def found(reach: Reach, process: Process, port: int | None = None) -> Inspector | None:
    """The inspector of the process if it is open; raises `Occupied` if another program is where it would be."""
    for host, number in _addresses(reach, process, port):
        inspector = _settled(reach, host, number)
        if inspector:
            line = _joined(reach, inspector, process)
            line.close()
            return inspector
    return None


@contextmanager
def opened(reach: Reach, port: int | None = None) -> Iterator[Visit]:
    """The inspector of the process, open; it is closed again if it was not open before.

    Raises `CaptureFailed` if it does not open, or if another process has its port.
    """
    process = reach.process()
    inspector = found(reach, process, port)
    is_ours = inspector is None
    if inspector is None:
        inspector = _woken(reach, process, port)
    visit = Visit(_joined(reach, inspector, process, is_ours=is_ours), inspector, is_ours)
    try:
        if is_ours:
            visit.line.main.evaluate(_LEASE)
        yield visit
    except BaseException as error:
        left = _left(reach, visit)
        if left and isinstance(error, CaulkError):
            raise CaptureFailed(f"{error}; {left}", hint=error.hint) from error
        raise
    left = _left(reach, visit)
    if left:
        visit.warnings.append(left)


def _left(reach: Reach, visit: Visit) -> str:
    """Ends the visit, and says what is left of it in the target."""
    line, is_closed = visit.line, not visit.is_ours
    line.main.listener = lambda *_: None
    try:
        if visit.is_ours:
            line.main.send("Runtime.evaluate", **evaluation(_END))
            until = time.monotonic() + _CLOSE_S
            while time.monotonic() < until:
                line.hear(until)
    except Closed:
        is_closed = True
    except CaulkError:
        pass
    finally:
        line.close()
    if is_closed and visit.is_ours:
        _await_silence(reach, visit.inspector)
    if is_closed:
        return ""
    return (
        f"its inspector at {visit.inspector.name} may still be open: the program did not answer any more."
        f" It closes within {LEASE_S // 60} min, once the program runs again"
    )


def _await_silence(reach: Reach, inspector: Inspector) -> None:
    """Waits until nobody listens any more, which is a moment after the session has ended."""
    until = time.monotonic() + _SETTLE_S
    with suppress(CaulkError):
        while _listens(reach, inspector.host, inspector.port) and time.monotonic() < until:
            time.sleep(_LOOK_S)


def _addresses(reach: Reach, process: Process, port: int | None) -> list[tuple[str, int]]:
    """Where the inspector of the process may be."""
    if port is not None:
        return [(HOST, port)]
    host, number = inspector_address(stated(process))
    if number:
        return [(host, number)]
    return [(one.host, one.port) for one in listeners(reach, process) if process.sockets and one.is_own][:_MOST_PORTS]


def _settled(reach: Reach, host: str, port: int) -> Inspector | None:
    """As `_probe`, where an inspector may be about to close."""
    until = time.monotonic() + _SETTLE_S
    while True:
        try:
            return _probe(reach, host, port)
        except Occupied:
            if time.monotonic() > until:
                raise
        time.sleep(_LOOK_S)


def _probe(reach: Reach, host: str, port: int) -> Inspector | None:
    """The inspector at an address; None if nobody listens there, `Occupied` if something else does."""
    site = Site(lambda: reach.connect((host, port)), host, port)
    if not _listens(reach, host, port):
        return None
    try:
        answer = ask(site, "/json/list", timeout_s=_PROBE_S, most_bytes=_MOST_LIST)
        entries = decoded(answer.body, list[_Entry])
        path = urlsplit(entries[0].webSocketDebuggerUrl).path
    except Lacks:
        raise
    except (CaulkError, msgspec.MsgspecError, IndexError) as error:
        raise Occupied(
            f"something that is no inspector listens at {host}:{port}", hint=_elsewhere("the program")
        ) from error
    return Inspector(host, port, path, entries[0].title)


def _listens(reach: Reach, host: str, port: int) -> bool:
    try:
        reach.connect((host, port)).close()
    except (Unreachable, OSError):
        return False
    return True


def _joined(reach: Reach, inspector: Inspector, process: Process, *, is_ours: bool = False) -> Line:
    """A session with the inspector, if it is the process's own; raises `Occupied` if not."""
    try:
        return _proven(reach, inspector, process)
    except Unreachable as error:
        left = f"; {_STAYS.format(inspector.name)}" if is_ours else ""
        raise CaptureFailed(f"{error}{left}", hint=_closing(inspector.name) if is_ours else "") from error


def _proven(reach: Reach, inspector: Inspector, process: Process) -> Line:
    link = reach.connect((inspector.host, inspector.port))
    try:
        line = Line(WebSocket(link, inspector.name, inspector.path))
    except BaseException:
        link.close()
        raise
    try:
        pid, started = line.main.evaluate(_WHO, timeout_s=_PROOF_S)
        if pid != process.pid or not _is_same(started, process.started):
            raise Occupied(
                f"the inspector at {inspector.name} is that of process {pid} ({inspector.title}), not of {process.pid}",
                hint=_elsewhere(f"process {process.pid}"),
            )
    except BaseException:
        line.close()
        raise
    return line


def _is_same(said: float, seen: float) -> bool:
    """Whether two times of start, in seconds since the epoch, are of one process; 0 where it could not be read."""
    if not said or not seen:
        return True
    # What was seen in whole seconds is compared as such.
    return math.isclose(said, seen, abs_tol=1.5 if seen == int(seen) else 0.05)


def _woken(reach: Reach, process: Process, port: int | None) -> Inspector:
    """Opens the inspector by a signal, and waits until it listens."""
    if not process.catches(SIGUSR1):
        raise CaptureFailed("the process has no handler for SIGUSR1, which would end it", hint="See `caulk doctor`.")
    before = set(_addresses(reach, process, port))
    reach.signal(SIGUSR1)
    try:
        return _awaited(reach, process, port, before, _WAKE_S)
    except CaulkError:
        raise
    except BaseException:
        # It opens any moment; whoever ends us now must not leave it open.
        with suppress(CaulkError):
            inspector = _awaited(reach, process, port, before, _LAST_S)
            _left(reach, Visit(_joined(reach, inspector, process), inspector, is_ours=True))
        raise


def _awaited(
    reach: Reach, process: Process, port: int | None, before: set[tuple[str, int]], seconds: float
) -> Inspector:
    began, is_repeated = time.monotonic(), False
    fixed = inspector_address(stated(process))[1] if port is None else port
    while time.monotonic() < began + seconds:
        now = process if fixed else reach.process()
        for host, number in _addresses(reach, now, port):
            if fixed or (host, number) not in before:
                # What listened there has been seen to be gone: until it answers, it is about to open.
                with suppress(Occupied):
                    if inspector := _probe(reach, host, number):
                        return inspector
        if not is_repeated and time.monotonic() > began + _AGAIN_S:
            # One that has been closed this very moment does not hear the first.
            reach.signal(SIGUSR1)
            is_repeated = True
        time.sleep(_LOOK_S)
    where = f"{HOST}:{fixed}" if fixed else "a free port"
    raise CaptureFailed(
        f"the inspector did not open within {seconds:.0f} s of SIGUSR1: the main thread is held up in native code,"
        f" or the program handles SIGUSR1 itself. Once that thread runs again the inspector opens at {where},"
        " and stays open",
        hint=_closing(where),
    )


def _closing(where: str) -> str:
    return f"To close it: `node inspect {where}`, and there exec('setTimeout(process._debugEnd, 1000)') and .exit."


def _elsewhere(who: str) -> str:
    return f"Start {who} with NODE_OPTIONS=--inspect-port=0, which takes a free port, or end what has the port."
