"""Signals on their way through caulk: what was meant for the program reaches it, once.

Ctrl-C on a terminal goes to every process of the foreground group, so the program has it already; the kernel marks such
signals as its own. Those that a process sent to caulk alone are passed on.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import TracebackType

_PASSED = {
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM", "SIGCONT")
}
# si_code of a signal that the kernel made (asm-generic/siginfo.h).
_FROM_KERNEL = 0x80


class Passing:
    """Holds caulk's signals back while a program runs, and passes them on; `on_child` is called when a child changes.

    To be entered in the main thread before any other is started: the mask of a thread is that of its maker.
    `is_below(pid)` says whether a sender is the program itself, which signals its group and means all of it.
    """

    def __init__(self, *, on_child: Callable[[], None], is_below: Callable[[int], bool]) -> None:
        self._on_child, self._is_below = on_child, is_below
        self._child = 0
        self._has_ended = False
        self._lock = threading.Lock()

    def __enter__(self) -> "Passing":
        self.mask_before = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED | {signal.SIGCHLD})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask_before)

    def start(self, child: int) -> None:
        """Passes on to this child from now on; what came in between was held back, not lost."""
        self._child = child
        self._thread = threading.Thread(target=self._pass_on, name="caulk signals", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Before the child is reaped, since its number may then be another process's. Twice does no harm."""
        with self._lock:
            if not self._child or self._has_ended:
                return
            self._has_ended = True
        signal.pthread_kill(self._thread.ident or 0, signal.SIGCHLD)
        self._thread.join()

    def _pass_on(self) -> None:
        while True:
            came = signal.sigwaitinfo(_PASSED | {signal.SIGCHLD})
            with self._lock:
                if self._has_ended:
                    return
                if came.si_signo != signal.SIGCHLD and came.si_code != _FROM_KERNEL and not self._is_below(came.si_pid):
                    os.kill(self._child, came.si_signo)
            if came.si_signo == signal.SIGCHLD:
                self._on_child()
