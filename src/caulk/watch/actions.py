"""The worker: it does what incidents owe, step by step, until each is done, or has failed for good.

A step is claimed, done, and finished with what came of it. Whoever is killed in between leaves it owed, and it is begun
again: what a step does must be the same, done twice. So a capture is known by the step that asked for it, a
notification carries the step's id as its key, and an analysis only reads.
"""

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from caulk.model.errors import CaulkError
from caulk.model.incident import Incident, Moment, Outgoing, What
from caulk.store.incidents import Incidents

#: A step is its worker's for so long; it is renewed as long as the worker lives.
LEASE_S = 60.0
#: What fails is tried again after 5 s, 10 s, 20 s … 15 minutes, and given up after a day.
_FIRST_S, _LONGEST_S, _GIVEN_UP = 5.0, 900.0, 100
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step: a moment's facts, and the steps that it leads to."""

    what: What
    text: str
    facts: Mapping[str, object] = field(default_factory=dict)
    following: Sequence[Outgoing] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """A step that waits: until a time, or until memory is at `wakes_at` bytes."""

    due_at: float
    wakes_at: int | None = None


class TryAgain(CaulkError):
    """It did not work now, but may later: nobody answered, somebody else is at it."""


#: How steps of one kind are done; raises `TryAgain`, or another `CaulkError` where that would not help.
Doer = Callable[[Outgoing, Incident], Done | Later]


@dataclass(slots=True)
class Worker:
    """Does steps of the kinds that it has doers for, one after the other; one thread runs it.

    `told` hears of each moment once it is written down.
    """

    store: Incidents
    doers: Mapping[str, Doer]
    told: Callable[[Incident, Moment], object] = lambda incident, moment: None
    clock: Callable[[], float] = time.time

    def run(self, stop: threading.Event) -> None:
        """Does what is due until `stop`; a step that is begun is ended."""
        while not stop.is_set():
            if not self.once():
                stop.wait(_LOOK_S)

    def once(self) -> bool:
        """Does one step that is due; False if there is none."""
        step = self.store.take(self.clock(), LEASE_S, tuple(self.doers))
        if step is None:
            return False
        # A notification tells what was known when its turn came, the same each time that it is sent.
        incident = self.store.get(step.incident, None if step.blocks else step.position)
        with self._kept(step):
            self._do(step, incident)
        return True

    def _do(self, step: Outgoing, incident: Incident) -> None:
        try:
            result = self.doers[step.kind](step, incident)
        except TryAgain as error:
            self._again(step, incident, error)
            return
        except CaulkError as error:
            result = _failed(step, str(error), error)
        except SQLAlchemyError:
            raise
        except Exception as error:
            # A bug in one step must not keep all others from being done.
            told = traceback.format_exc().splitlines()
            result = Done("failed", f"{step.kind}: a bug in caulk: {type(error).__name__}: {error}", {"details": told})
        if isinstance(result, Later):
            self.store.postpone(step, result.due_at, wakes_at=result.wakes_at, attempts=step.attempts + 1)
        else:
            self._finish(step, incident, result)

    def _again(self, step: Outgoing, incident: Incident, error: CaulkError) -> None:
        attempts = step.attempts + 1
        if attempts >= _GIVEN_UP:
            self._finish(step, incident, _failed(step, f"given up after {attempts} tries: {error}", error))
            return
        pause = min(_FIRST_S * 2 ** min(step.attempts, 20), _LONGEST_S)
        self.store.postpone(step, self.clock() + pause, attempts=attempts)

    def _finish(self, step: Outgoing, incident: Incident, done: Done) -> None:
        moment = Moment(self.clock(), done.what, done.text, step.id, step.position, **done.facts)  # type: ignore[arg-type]
        self.store.finish(step, moment, done.following)
        self.told(incident, moment)

    @contextmanager
    def _kept(self, step: Outgoing) -> Iterator[None]:
        """Renews the claim on a step for as long as it takes."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(LEASE_S / 3):
                self.store.renew(step, self.clock() + LEASE_S)

        thread = threading.Thread(target=renew, daemon=True, name="caulk-lease")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _failed(step: Outgoing, why: str, error: CaulkError) -> Done:
    return Done("failed", f"{step.kind}: {why}", {"details": tuple(error.hint.splitlines())})
