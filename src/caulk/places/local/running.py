"""A command that is watched: what it says is bounded, and so is how long it takes."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

from caulk.model.errors import CaptureFailed, Unreachable
from caulk.model.target import Ran

_MOST = 64 << 20
_PIECE = 1 << 16


def run(command: Sequence[str], kept: Collection[int] = (), *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
    """Runs a command with the descriptors that are `kept`; raises `Unreachable` if it does not end in time.

    What it leaves running ends with it, if it ran out of time or said more than 64 MB.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=kept,
        start_new_session=True,
    ) as process:
        try:
            out, err = _talk(process, stdin, time.monotonic() + timeout_s)
            return Ran(process.wait(max(timeout_s, 1.0)), out, err)
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise Unreachable(f"A command did not end within {timeout_s:g} s: {_brief(command)}.") from error
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _talk(process: subprocess.Popen[bytes], stdin: bytes, until: float) -> tuple[bytes, bytes]:
    assert process.stdin and process.stdout and process.stderr
    out, err = process.stdout.fileno(), process.stderr.fileno()
    said = {out: bytearray(), err: bytearray()}
    waiting = memoryview(stdin)
    with selectors.DefaultSelector() as selector:
        for descriptor in said:
            selector.register(descriptor, selectors.EVENT_READ)
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            ready = selector.select(max(until - time.monotonic(), 0))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if key.fd not in said:
                    waiting = _sent(key.fd, waiting)
                    if not waiting:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                elif piece := os.read(key.fd, _PIECE):
                    said[key.fd] += piece
                    if len(said[key.fd]) > _MOST:
                        raise CaptureFailed(f"A command says more than {_MOST >> 20} MB: {_brief(process.args)}.")
                else:
                    selector.unregister(key.fd)
    return bytes(said[out]), bytes(said[err])


def _sent(descriptor: int, waiting: memoryview) -> memoryview:
    try:
        return waiting[os.write(descriptor, waiting[:_PIECE]) :]
    except BlockingIOError:
        return waiting
    except BrokenPipeError:
        return waiting[:0]


def _brief(command: object) -> str:
    return " ".join(map(str, command))[:200] if isinstance(command, (list, tuple)) else str(command)[:200]
