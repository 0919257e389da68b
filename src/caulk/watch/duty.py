"""Rules, workers and the listener together, for as long as the loop runs: what the loop hands its changes to."""

import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from caulk.config.schema import Config, Listen
from caulk.config.secrets import revealed
from caulk.model import metrics
from caulk.model.errors import UsageError
from caulk.model.incident import Incident, Moment
from caulk.model.target import Access
from caulk.store.captures import Captures
from caulk.store.incidents import Incidents
from caulk.watch import commands
from caulk.watch.actions import Doer, Worker
from caulk.watch.analysing import Analysing
from caulk.watch.archive import brief, opened
from caulk.watch.capturing import Capturing
from caulk.watch.exporter import OPENMETRICS, TEXT, Counters, Seen, exposition
from caulk.watch.fleet import Change
from caulk.watch.http import Handler, Request, Said, listening
from caulk.watch.inbox import Inbox
from caulk.watch.looking import Looking
from caulk.watch.notify import Notifying
from caulk.watch.opening import Rules
from caulk.watch.scraped import Kept, Watching, seen
from caulk.watch.telemetry import Telemetry
from caulk.watch.telling import headline

#: Changes that could not be written down wait for the store to be back; older ones make room.
_MOST_WAITING = 1000
#: How often it is looked whether what incidents wait for is there, or what they are about is gone.
_PULSE_S = 5.0


@dataclass(slots=True)
class Duty:
    """What the loop calls with each change; `url` is where it listens, empty where it does not."""

    rules: Rules
    say: Callable[[str], object]
    url: str = ""
    _waiting: deque[Change] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))
    _is_down: bool = False

    def consider(self, change: Change, now: float) -> None:
        """Tells the rules; what cannot be written down now is told again with the next."""
        self._waiting.append(change)
        try:
            while self._waiting:
                self.rules.consider(self._waiting[0], now)
                self._waiting.popleft()
            if self._is_down:
                self._is_down = False
                self.say("the store of incidents is there again")
        except SQLAlchemyError as error:
            if not self._is_down:
                self._is_down = True
                self.say(f"incidents cannot be written down: {brief(error)}; trying again")


@contextmanager
def on_duty(
    config: Config, home: Path, access: Access, watching: Watching, say: Callable[[str], object]
) -> Iterator[Duty]:
    """Rules in force, workers at work and the listener open, meanwhile; raises `UsageError` where they cannot be.

    `home` is where captures and incidents are kept; `say` hears, from any thread, what happens.
    """
    check_secrets(config)
    incidents = opened(config, home, f"{socket.gethostname()}:{home.resolve()}")
    # Who did steps under this name before has ended.
    incidents.let_go()
    captures, counters = Captures(home / "captures"), Counters()
    _settle_loans(say)
    rules = Rules(
        config.rules_in_force,
        incidents,
        tuple(config.notify),
        on_opened=lambda incident: _opened_one(incident, counters, say),
        on_quiet=say,
    )
    duty, kept = Duty(rules, say), Kept(home)
    inbox = Inbox(rules, watching.fleet.observations, _listener)
    with ExitStack() as stack:
        stack.callback(incidents.dispose)
        stop = threading.Event()
        for worker in _workers(config, incidents, captures, access, counters=counters, say=say):
            thread = threading.Thread(target=_work, args=(worker, stop, say), daemon=True, name="caulk-worker")
            thread.start()
            stack.callback(thread.join, 5.0)
        pulse = threading.Thread(target=_pulse, args=(rules, watching, stop), daemon=True, name="caulk-pulse")
        pulse.start()
        stack.callback(pulse.join, 5.0)
        stack.callback(stop.set)
        if config.listen.address:
            token = revealed(config.listen.token, config.listen.token_file)
            telemetry = Telemetry(watching.feed)
            watching.remember(telemetry)
            gets: dict[str, Handler] = {
                "/metrics": lambda request: _metrics(request, seen(watching, incidents, kept), counters),
                "/-/healthy": lambda _: Said(200, b"caulk is watching\n"),
            }
            posts: dict[str, Handler] = {
                "/api/v1/alerts": lambda request: _alerts(request, inbox),
                "/v1/metrics": telemetry.take,
            }
            try:
                duty.url = stack.enter_context(listening(config.listen.address, gets, posts, token))
            except UsageError as error:
                # Who asked for nothing must not be stopped by another user's caulk.
                if config.listen != Listen():
                    raise
                say(f"no metrics, no alerts in: {error}")
        yield duty


def check_secrets(config: Config) -> None:
    """Reads every file that holds a secret, so that a missing one is told at the start; raises `UsageError`."""
    for table in (config.listen, config.store, *config.watch.sources, *config.notify.values()):
        for name in type(table).__struct_fields__:
            if name.endswith("_file"):
                revealed("", getattr(table, name))


def _workers(
    config: Config,
    incidents: Incidents,
    captures: Captures,
    access: Access,
    *,
    counters: Counters,
    say: Callable[[str], object],
) -> list[Worker]:
    """One for what takes long, one for what others wait for."""

    def took(incident: Incident, outcome: str, seconds: float, capture: str) -> None:
        key, runtime = incident.workload.key, incident.workload.runtime
        counters.count(metrics.CAPTURES, (key, runtime, outcome), ("capture", capture))
        counters.observe(metrics.CAPTURE_DURATION, (runtime,), seconds, ("capture", capture))

    rules = {rule.name: rule for rule in config.rules_in_force}
    capturing = Capturing(captures, access, rules, config.keep, took)
    told = _Told(say)
    heavy: dict[str, Doer] = {
        "capture": capturing.capture,
        "collect": capturing.collect,
        "look": Looking(access),
        "analyse": Analysing(incidents, captures, access),
    }
    light: dict[str, Doer] = {"notify": Notifying(config.notify), "run": commands.run}
    return [Worker(incidents, heavy, told), Worker(incidents, light, told)]


@dataclass(frozen=True, slots=True)
class _Told:
    say: Callable[[str], object]

    def __call__(self, incident: Incident, moment: Moment) -> None:
        self.say(f"{incident.workload.name}: {moment.what}: {moment.text}")


def _work(worker: Worker, stop: threading.Event, say: Callable[[str], object]) -> None:
    """A worker that outlives its store."""
    while not stop.is_set():
        try:
            worker.run(stop)
        except SQLAlchemyError as error:
            say(f"what incidents owe cannot be read: {brief(error)}; trying again")
            stop.wait(5.0)


def _pulse(rules: Rules, watching: Watching, stop: threading.Event) -> None:
    """Memory that grows without being any change wakes captures too."""
    while not stop.wait(_PULSE_S):
        with suppress(SQLAlchemyError):
            now = time.time()
            rules.wake(watching.fleet.observations(), now)
            rules.sweep(now)


def _opened_one(incident: Incident, counters: Counters, say: Callable[[str], object]) -> None:
    counters.count(metrics.INCIDENTS, (incident.workload.key, incident.rule), ("incident", incident.id))
    say(f"incident {incident.id}: {headline(incident)}")


def _metrics(request: Request, now: Seen, counters: Counters) -> Said:
    is_open = "application/openmetrics-text" in request.accept
    return Said(200, exposition(now, counters, is_open=is_open), OPENMETRICS if is_open else TEXT)


def _alerts(request: Request, inbox: Inbox) -> Said:
    opened = inbox.take(request.body, time.time())
    return Said(200, "".join(f"{incident.id}\n" for incident in opened).encode())


def _listener(port: int) -> int | None:
    """The process here that listens on a port."""
    if sys.platform != "linux":
        return None
    from caulk.places.local import proc  # noqa: PLC0415 - only there

    return proc.listener(port, [process.pid for process in proc.processes()])


def _settle_loans(say: Callable[[str], object]) -> None:
    """Takes back the memory that a caulk lent here, and was killed before it could."""
    if sys.platform == "linux":
        from caulk.places import local  # noqa: PLC0415 - only there

        for sentence in local.undo_loans():
            say(sentence)
