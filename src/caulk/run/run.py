"""`caulk run`: a command from its start to its end, with the profiles and the memory of every process below it.

The command line is the user's: runtimes are made to answer by variables alone, all of them for every command, since
nobody can know what a shell, a launcher or npm will start. Linux only.
"""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from caulk.model.series import Reading, Series
from caulk.ports import Runtime
from caulk.run.preloaded import Preloaded
from caulk.run.signals import Passing
from caulk.run.subject import Subject
from caulk.run.watcher import Watcher
from caulk.run.wire import Switchboard
from caulk.runtimes import cpython, go, jvm, native, node
from caulk.runtimes.endpoint import Endpoint

#: Whatever a command may start: all of them are made to answer.
_RUNTIMES: tuple[Runtime, ...] = (cpython, node, jvm, go)
#: As a shell says it.
_NOT_FOUND, _NOT_EXECUTABLE, _SIGNALLED = 127, 126, 128
# A quarter of a second is what a person sees as live; after a minute nobody looks that closely.
_LOOK_S, _LATER_LOOK_S, _LATER = 0.25, 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Moment:
    """How a run stands: memory of the whole tree, how many processes it has, how many captures are kept."""

    reading: Reading
    elapsed_s: float
    processes: int
    captures: int


@dataclass(frozen=True, slots=True)
class Run:
    """A command that has ended. `exit_code` is a shell's: 128 + N for signal N, 127 for a command that is not there.

    `series` sums the resident memory of all its processes: what they share counts in each. `notes` are sentences for
    people about what could not be watched.
    """

    exit_code: int
    series: Series
    subjects: tuple[Subject, ...]
    notes: tuple[str, ...]
    started_at: float
    elapsed_s: float


def run(
    command: Sequence[str],
    *,
    workspace: Path,
    pprof_url: str | None = None,
    on_reading: Callable[[Moment], None] | None = None,
    frames: int = 16,
    is_native: bool = False,
) -> Run:
    """Runs `command` to its end and leaves its captures in `workspace`, a directory of the caller's with mode 0700.

    Standard streams, arguments and exit code are untouched; signals sent to caulk reach the command. `on_reading` is
    called in this thread, up to four times a second. `frames` is how deep the stacks of CPython are. With `is_native`
    the allocations of C, C++ and Rust are recorded, by memray in CPython and by a preloaded allocator elsewhere.
    To be called in the main thread before any other thread is started, which signals ask for; raises `UsageError` for
    an address that is none.
    """
    workspace = workspace.resolve()
    started_at = time.time()
    wake = threading.Event()
    preload = native.preload() if is_native else None
    variables = _native_environment(preload, workspace) if is_native else {}
    notes = [] if preload or not is_native else [native.MISSING]
    if is_native and native.is_static(Path(shutil.which(command[0]) or command[0])):
        notes.append(f"{command[0]}: {native.STATIC}")
    watcher = Watcher(
        workspace,
        endpoint=Endpoint(pprof_url) if pprof_url else None,
        is_native=is_native,
        preloaded=Preloaded(workspace) if preload else None,
    )
    with Passing(on_child=wake.set, is_below=watcher.has_seen) as passing:
        switchboard = Switchboard(workspace, watcher.joined)
        try:
            environ = _environment(workspace, switchboard.path, frames) | variables
            # The child has the signal mask that caulk was started with, and the default for what Python ignores.
            child = os.posix_spawnp(
                command[0],
                list(command),
                environ,
                setsigmask=passing.mask_before,
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            )
        except OSError as error:
            switchboard.close()
            code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
            note = f"{command[0]}: {error.strerror or error}"
            return Run(code, Series("all processes"), (), (note,), started_at, 0.0)
        passing.start(child)
        watcher.root = child
        try:
            while not _has_ended(child):
                moment = watcher.look()
                if on_reading and moment:
                    on_reading(Moment(moment, time.time() - started_at, watcher.size, watcher.captures))
                wake.wait(_LOOK_S if time.time() - started_at < _LATER else _LATER_LOOK_S)
                wake.clear()
            watcher.end()
        finally:
            passing.stop()
            switchboard.close()
        status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    return Run(
        code if code >= 0 else _SIGNALLED - code,
        watcher.series,
        watcher.subjects(),
        (*watcher.notes(refused=switchboard.refused), *notes),
        started_at,
        time.time() - started_at,
    )


def _environment(workspace: Path, socket: Path, frames: int) -> dict[str, str]:
    environ = dict(os.environ)
    for runtime in _RUNTIMES:
        environ.update(runtime.environment(environ, workspace))
    environ["CAULK_RUN_SOCKET"] = str(socket)
    environ["CAULK_RUN_WORKSPACE"] = str(workspace)
    environ["CAULK_RUN_FRAMES"] = str(frames)
    return environ


def _native_environment(preload: native.Preload | None, workspace: Path) -> dict[str, str]:
    return native.recording() | (preload.environment(os.environ, workspace) if preload else {})


def _has_ended(child: int) -> bool:
    """Without reaping it: until then its number is not given to another process."""
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return True
