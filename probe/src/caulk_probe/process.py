"""Whether this process is a worker: it is one once a server's worker has loaded the application, or has a request.

A server that loads the application before it forks its workers is none itself, and has no thread; its children become
workers as they are forked. A child of a worker is no worker before it has a request of its own.
"""

from __future__ import annotations

import _thread
import atexit
import os
import sys

from caulk_probe.settings import Settings
from caulk_probe.threads import allocate_lock
from caulk_probe.worker import Worker

#: Modules that run in workers only: what is loaded below one of them is not going to be forked.
_WORKERS = ("gunicorn.workers.", "uvicorn.server", "uvicorn.workers", "hypercorn.asyncio", "daphne.", "waitress.")

_worker = None
_starting = allocate_lock()
_armed = None
_is_hooked = False
_are_children_workers = False
#: Threads of the probe in this process, beside those of its control.
_threads = 1


def current(settings=None):
    """The worker that this process is; it becomes one by being asked."""
    global _worker  # a process is one worker
    if _worker is None:
        arm(settings)
        with _starting:
            if _worker is None:
                made = Worker(*_armed)
                _worker = made
                made.start()
    return _worker


def arm(settings=None, *, directory=""):
    """Remembers the settings for this process and its children. Children of a process that is no worker become one."""
    global _armed, _is_hooked  # as above
    if _armed is None or settings is not None or directory:
        _armed = (settings or (_armed[0] if _armed else Settings()), directory or (_armed[1] if _armed else ""))
    if not _is_hooked:
        _is_hooked = True
        os.register_at_fork(before=_before_fork, after_in_child=_in_child)
        atexit.register(_last)


def load(settings):
    """As `arm`, where an application is loaded; a worker of a server that is known is one from now on."""
    arm(settings)
    frame = sys._getframe(1)
    while settings.is_profiling and frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_WORKERS):
            current()
            return
        frame = frame.f_back


def join(settings=None):
    """Makes a process with a thread that listens a worker, and every child of it one as soon as it is forked."""
    global _are_children_workers, _threads  # as above
    _are_children_workers, _threads = True, _threads + 1
    found = current(settings)
    arm(directory=found.directory)


def settings():
    """The settings that this process was armed with."""
    return _armed[0] if _armed else Settings()


def _before_fork():
    """Keeps CPython 3.12 and later from blaming the program for threads that are the probe's."""
    try:
        if _worker is None or sys.version_info < (3, 12):
            return
        control = sys.modules.get("caulk_probe.control")
        others = 1 + len(control._control.clients) if control is not None and control._control is not None else 0
        if _thread._count() <= _threads + others:
            import warnings

            warnings.filterwarnings("ignore", "This process .* is multi-threaded, use of", DeprecationWarning)
    except Exception:  # fork as if there were no probe
        pass


def _in_child():
    """A child is another worker, or none: what it has of its parent's is the parent's."""
    global _worker, _starting, _threads  # as above
    try:
        dumper = sys.modules.get("caulk_probe.dumper")
        if dumper is not None and dumper.is_forking:
            return
        parents, _worker, _starting, _threads = _worker, None, allocate_lock(), 1
        if parents is not None:
            parents.is_running = False
            parents.statm.close()
            if parents.slot is not None:
                parents.slot.close()
        if (parents is None or _are_children_workers) and _armed is not None and _armed[0].is_profiling:
            current()
    except Exception:  # the child runs without
        pass


def _last():
    """What was counted since the last tick."""
    worker = _worker
    if worker is not None and worker.pid == os.getpid():
        try:
            worker.read()
            worker.growth.fold()
        except Exception:  # it ends anyway
            pass
