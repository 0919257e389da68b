"""One question to one tool: bounded in time, in what it may say, and where the system can, in memory."""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

_MAX_OUTPUT = 256 << 20
_PIECE = 1 << 16
_MEMORY = 8 << 30


def answers(command: Sequence[str], question: bytes, *, timeout_s: float = 60.0) -> tuple[list[str], bool]:
    """The lines that `command` prints when given `question`, and whether it came to its end by itself.

    A tool that takes too long or prints too much is killed, and its whole lines so far are the answer.
    """
    with tempfile.TemporaryFile() as stdin:
        # A file rather than a pipe: a tool that answers before it has read all cannot block on us, nor we on it.
        stdin.write(question)
        stdin.seek(0)
        try:
            process = subprocess.Popen(
                command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": "", "LC_ALL": "C"}
            )
        except OSError:
            return [], False
    _limit_memory(process.pid)
    timer = threading.Timer(timeout_s, process.kill)
    timer.start()
    pieces, total = [], 0
    stdout: Any = process.stdout
    try:
        while total <= _MAX_OUTPUT and (piece := stdout.read1(_PIECE)):
            pieces.append(piece)
            total += len(piece)
    finally:
        timer.cancel()
        if total > _MAX_OUTPUT:
            process.kill()
        stdout.close()
        ended = process.wait() == 0
    whole, _, _ = b"".join(pieces).rpartition(b"\n")
    return whole.decode("utf-8", "replace").split("\n") if whole else [], ended


def _limit_memory(pid: int) -> None:
    """A damaged debug section may claim any size; the tool may not take it from everybody else."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  # Linux only

        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
