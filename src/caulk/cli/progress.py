"""Long work on the command line: its plan is said, a terminal shows how far it is, and Ctrl-C ends it at once.

The work runs in a thread: kernels let go of the interpreter, so this one can draw, and hear of Ctrl-C, while they run.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from caulk.analysis.objects.plan import Plan
from caulk.app import Talk
from caulk.model.units import format_duration

#: A plan is said from so many seconds of work on, progress shown after so many, and drawn anew so often.
_SAID, _SHOWN, _EVERY = 3.0, 1.0, 0.1
_BAR = 20
T = TypeVar("T")


class Cancelled(Exception):
    """What ends work that nobody waits for any more."""


def attended(task: Callable[[Talk], T], *, is_long: bool, is_undone: bool = False) -> T:
    """The result of `task`, which may take long; what it raises is raised here. Short work is simply done.

    Work that `is_undone` when it is cancelled, in another program say, is waited for; a second Ctrl-C is not.
    """
    work = _Work(task, is_undone=is_undone)
    return work.attend() if is_long else task(Talk(work.planned))


class _Work(Generic[T]):
    """One piece of work, and what is known of its end."""

    def __init__(self, task: Callable[[Talk], T], *, is_undone: bool) -> None:
        self._task, self._is_undone = task, is_undone
        self._seconds = 0.0
        self._began = time.monotonic()
        self._step = ("", 0.0, self._began)
        """What is being done, the share that was done before it, and when it began."""
        self._share = 0.0
        self._is_cancelled = False
        self._is_shown = False
        self._results: list[T] = []
        self._errors: list[BaseException] = []

    def attend(self) -> T:
        thread = threading.Thread(target=self._run, daemon=True)
        try:
            thread.start()
            while thread.is_alive():
                thread.join(_EVERY)
                self._draw()
        except KeyboardInterrupt:
            self._is_cancelled = True
            # A kernel is not waited for: nothing that it makes outlives the process. A file that is written does.
            while thread.is_alive() and (self._is_undone or self._step[0] == "index"):
                thread.join(_EVERY)
            raise
        finally:
            self._erase()
        if self._errors:
            raise self._errors[0]
        return self._results[0]

    def planned(self, path: str, plan: Plan) -> None:
        """Say what will be done, if it is much or not all that could be."""
        self._seconds += plan.seconds
        if plan.seconds >= _SAID or plan.mode != "exact":
            self._erase()
            print(f"caulk: {path}: {plan}", file=sys.stderr)

    def _run(self) -> None:
        try:
            self._results.append(self._task(Talk(self.planned, self._progress)))
        except BaseException as error:
            # Whatever it is, who waits raises it again.
            self._errors.append(error)

    def _progress(self, done: float, total: float, step: str) -> None:
        if self._is_cancelled:
            raise Cancelled
        if (step, done / total) != self._step[:2]:
            self._step = (step, done / total, time.monotonic())

    def _draw(self) -> None:
        now = time.monotonic()
        if (
            now - self._began < _SHOWN
            or not self._step[0]
            or not sys.stderr.isatty()
            or os.environ.get("TERM") == "dumb"
        ):
            return
        share, left = ahead(self._step[1], self._step[2] - self._began, now - self._step[2], self._seconds)
        # A step that took longer than it should have is no reason to go back.
        self._share = share = max(self._share, share)
        filled = round(share * _BAR)
        line = f" {'━' * filled}{'╌' * (_BAR - filled)} {share:4.0%}  {self._step[0]}, {format_duration(left)} left"
        import shutil  # noqa: PLC0415  # only a terminal has a width

        sys.stderr.write(f"\r\x1b[2K{line[: shutil.get_terminal_size((80, 24)).columns - 1]}")
        sys.stderr.flush()
        self._is_shown = True

    def _erase(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._is_shown = False


def ahead(done: float, took_s: float, since_s: float, planned_s: float) -> tuple[float, float]:
    """The share of the work that is done now, and the seconds that are left.

    `done` was done after `took_s` seconds, `since_s` seconds ago; before anything is, the plan is believed.
    """
    whole = took_s / done if done and took_s else max(planned_s, since_s * 1.1, 1.0)
    share = min(done + since_s / whole, max(done, 0.99))
    return share, whole * (1 - share)
