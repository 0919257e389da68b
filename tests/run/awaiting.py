"""What a test of a run waits for, in place of a length of time: captures, readings, anything that can be seen.

The programs of these tests run until there is a file `enough` in their working directory, which the test makes.
"""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

#: Far beyond what a busy machine needs: only what would never come meets it.
PATIENCE_S = 180.0
_POLL_S = 0.03
_CAPTURE = re.compile(r"([a-z]+-\d+-\d+)-\d{4}\.(?!.*\.part$)")


def captures_in(workspace: Path) -> dict[str, list[Path]]:
    """The files that lie in a workspace by the process (or worker) that they are of, oldest first."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(workspace.iterdir()) if workspace.exists() else ():
        if match := _CAPTURE.match(path.name):
            found.setdefault(match[1], {}).setdefault(path.name.partition(".")[0], path)
    return {name: list(files.values()) for name, files in found.items()}


def most_captures_in(workspace: Path) -> int:
    """How many captures there are of the process that has the most."""
    return max(map(len, captures_in(workspace).values()), default=0)


def until(condition: Callable[[], object]) -> None:
    """Wait for it; fail when patience is over."""
    ends = time.monotonic() + PATIENCE_S
    while not _holds(condition):
        if time.monotonic() > ends:
            pytest.fail(f"what the test waits for did not come in {PATIENCE_S:.0f} s")
        time.sleep(_POLL_S)


def await_enough(process: subprocess.Popen, folder: Path, *, when: Callable[[], object]) -> None:
    """Make the file `enough` once `when()` holds, or the process has ended without it."""
    until(lambda: _holds(when) or process.poll() is not None)
    (folder / "enough").touch()


def end(process: subprocess.Popen) -> None:
    """End a process that leads a session of its own, and whatever is left of it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Ports that nobody else is given while they are held, and a server that reuses addresses can listen at."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            # Bound and not listening, it leaves the port to whoever asks for it by number with the same option.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
        yield [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except FileNotFoundError:  # a capture that has just been thinned out
        return False
