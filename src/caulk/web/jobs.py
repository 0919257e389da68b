"""Jobs: work that takes longer than a request, in threads, with progress, a log, and an end that can be asked for."""

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from caulk.analysis.objects.plan import Plan
from caulk.app import Talk
from caulk.model.errors import CaulkError
from caulk.model.units import iso
from caulk.web.events import Events

State = Literal["waiting", "running", "done", "failed", "cancelled"]
#: Jobs that have ended are remembered up to this many.
_REMEMBERED = 200
#: How often progress is told.
_TOLD_EACH_S = 0.2
_AT_ONCE = 2
_LONGEST_LOG = 200
#: All is done only when the job is: what follows the last step may take its time.
_NEARLY = 0.99


class Cancelled(Exception):
    """Ends a job that was cancelled."""


@dataclass(slots=True)
class Job:
    """A piece of work and what is known of it; of any thread."""

    id: str
    kind: str
    title: str
    key: str = ""
    state: State = "waiting"
    progress: float = 0.0
    step: str = ""
    seconds: float = 0.0
    """As planned; 0 where nobody knows."""
    began_at: float | None = None
    ended_at: float | None = None
    log: list[str] = field(default_factory=list)
    what: str = ""
    hint: str = ""
    result: dict[str, Any] | None = None
    is_cancelled: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in ("waiting", "running")

    @property
    def eta_s(self) -> float | None:
        """Seconds until it is done; None where nobody knows."""
        if self.began_at is None or self.is_over:
            return None
        took = time.time() - self.began_at
        whole = took / self.progress if self.progress > 0.05 else self.seconds
        # What took longer than it should have has an end that nobody knows.
        return whole - took if whole > took else None

    def record(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "schema": "caulk.job/1",
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "state": self.state,
            "progress": round(self.progress, 4),
            "step": self.step,
            "eta_s": self.eta_s,
            "began_at": iso(self.began_at),
            "ended_at": iso(self.ended_at),
            "log": self.log[-_LONGEST_LOG:],
            "what": self.what,
            "hint": self.hint,
            "result": self.result,
        }


class Jobs:
    """All jobs, those that have ended too, up to a number."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._pool = ThreadPoolExecutor(_AT_ONCE, "caulk-job")
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def begin(self, kind: str, title: str, task: Callable[[Talk, Job], dict[str, Any] | None], *, key: str = "") -> Job:
        """Begins a job, or gives the one that does the same already (`key`)."""
        with self._lock:
            for job in self._jobs.values():
                if key and job.key == key and not job.is_over and not job.is_cancelled:
                    return job
            job = Job(str(next(self._numbers)), kind, title, key)
            self._jobs[job.id] = job
            for old in [number for number, one in self._jobs.items() if one.is_over][:-_REMEMBERED]:
                del self._jobs[old]
        self._pool.submit(self._run, job, task)
        self._events.tell("job", job.record())
        return job

    def all(self) -> list[Job]:
        """The newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def get(self, number: str) -> Job | None:
        """The job of that id."""
        return self._jobs.get(number)

    def cancel(self, job: Job) -> None:
        """Asks a job to end; it does at its next step."""
        job.is_cancelled = True
        if job.state == "waiting":
            self._end(job, "cancelled")

    def close(self) -> None:
        """Asks all to end, and does not wait for those that hang."""
        for job in self.all():
            job.is_cancelled = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, job: Job, task: Callable[[Talk, Job], dict[str, Any] | None]) -> None:
        if job.is_cancelled:
            return
        job.state, job.began_at = "running", time.time()
        told = 0.0

        def progress(done: float, total: float, step: str) -> None:
            nonlocal told
            if job.is_cancelled:
                raise Cancelled
            if step and step != job.step:
                job.log.append(step)
            job.progress, job.step = max(job.progress, min(done / total if total else 0.0, _NEARLY)), step
            if time.monotonic() - told >= _TOLD_EACH_S:
                told = time.monotonic()
                self._events.tell("job", job.record())

        def planned(_: str, plan: Plan) -> None:
            job.seconds += plan.seconds
            job.log.append(str(plan))

        try:
            job.result = task(Talk(planned, progress), job)
        except Cancelled:
            self._end(job, "cancelled")
        except CaulkError as error:
            job.what, job.hint = str(error), error.hint
            self._end(job, "failed")
        except MemoryError:
            job.what, job.hint = (
                "there was not enough memory for this",
                "Close other dumps, or allow less: --max-memory.",
            )
            self._end(job, "failed")
        except Exception as error:
            # A page must be told that something broke, whatever it was.
            job.what, job.hint = f"this failed inside caulk: {type(error).__name__}: {error}", "Please report this."
            self._end(job, "failed")
        else:
            job.progress = 1.0
            self._end(job, "done")

    def _end(self, job: Job, state: State) -> None:
        job.state, job.ended_at = state, time.time()
        job.ended.set()
        self._events.tell("job", job.record())
