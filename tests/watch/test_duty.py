"""Everything on duty together: steps are tried until they are done, the store may be away, and readings come in."""

import gzip
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from alerting_stack import until
from receiver import receiving
from sqlalchemy.exc import OperationalError

from caulk.config import Config
from caulk.config.rules import Limits, Notify, Rule, Trigger
from caulk.config.schema import Listen, Watch, Webhook
from caulk.config.schema import Store as Database
from caulk.config.values import Secret, Span
from caulk.model.errors import CaulkError, MalformedDump, UsageError
from caulk.model.incident import Incident, Outgoing
from caulk.model.judgement import Event, Judgement
from caulk.model.series import Reading
from caulk.model.target import Access
from caulk.model.watching import Observation, Workload
from caulk.store.incidents import Incidents
from caulk.watch.actions import Done, TryAgain, Worker
from caulk.watch.duty import Duty, on_duty
from caulk.watch.fleet import Change, Fleet
from caulk.watch.telemetry import Telemetry, unpacked

API = Workload("local:api", "api", "go")
OOM = Rule(name="oom", trigger=Trigger(event=("oom",)), actions=(Notify(),), limits=Limits(cooldown=Span(0)))


class Watching:
    """What is needed of a loop."""

    def __init__(self) -> None:
        self.fleet, self.health, self.fed = Fleet(), [], []

    def remember(self, one) -> None:
        self.remembered = one

    def feed(self, seen) -> None:
        self.fed += seen


def killed(at: float = 900.0) -> Change:
    seen = Observation(API, "0", Reading(at, 100, 100))
    return Change(API, Judgement("api", "steady", ""), "steady", (seen,), (Event(at, "oom"),))


@contextmanager
def duty(home: Path, said: list[str], *, watching: Watching | None = None, **tables) -> Iterator[Duty]:
    settings = {"rules": (OOM,), "watch": Watch(default_rules=False), "listen": Listen(address="127.0.0.1:0")}
    with on_duty(Config(**settings | tables), home, Access(), watching or Watching(), said.append) as made:
        yield made


def test_what_happens_is_written_down_and_told(tmp_path):
    said: list[str] = []
    with receiving() as receiver, duty(tmp_path, said, notify={"hook": Webhook(url=receiver.url)}) as made:
        receiver.answers = [503]
        made.consider(killed(), 1000.0)
        until(lambda: len(receiver.got) == 2, "the second try")
        until(lambda: "api: notified: hook was told" in said, "what was said")
        page = urllib.request.urlopen(f"{made.url}/metrics", timeout=10).read().decode()
    assert receiver.got[0].body == receiver.got[1].body
    assert any("was killed for lack of memory" in sentence for sentence in said)
    assert 'caulk_incidents_total{workload="local:api",rule="oom"} 1' in page


def test_a_restart_goes_on_with_what_is_owed(tmp_path):
    with duty(tmp_path, [], rules=(OOM,), notify={"hook": Webhook(url="http://127.0.0.1:9")}) as made:
        made.consider(killed(), 1000.0)
        store = Incidents(f"sqlite:///{tmp_path}/incidents.db")
        until(lambda: any("attempts" for _ in store.find()), "the incident")
    with receiving() as receiver, duty(tmp_path, [], notify={"hook": Webhook(url=receiver.url)}):
        until(lambda: receiver.got, "the notification")
    store.dispose()


def test_incidents_are_private(tmp_path):
    with duty(tmp_path, []) as made:
        made.consider(killed(), 1000.0)
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_file()}
    assert set(modes.values()) == {0o600}
    assert "incidents.db" in modes


class Away:
    """Rules whose store fails so often."""

    def __init__(self, times: int) -> None:
        self.times, self.heard = times, []

    def consider(self, change: Change, now: float) -> None:
        if self.times:
            self.times -= 1
            raise OperationalError("insert", {}, Exception("it is away"))
        self.heard.append(change.events[0].at)


def test_what_cannot_be_written_down_is_told_again_in_its_order():
    said: list[str] = []
    rules = Away(2)
    made = Duty(rules, said.append)
    for at in (1.0, 2.0, 3.0):
        made.consider(killed(at), at)
    assert rules.heard == [1.0, 2.0, 3.0]
    assert len(said) == 2
    assert "cannot be written down" in said[0]
    assert "there again" in said[1]


def test_a_store_that_cannot_be_opened_is_said_without_its_password(tmp_path):
    database = Database(url=Secret("postgresql+psycopg://caulk:T0@127.0.0.1:9/none"))
    with pytest.raises(UsageError) as error, duty(tmp_path, [], store=database):
        pass
    assert "cannot be opened" in str(error.value)
    assert "T0" not in f"{error.value}{error.value.hint}"


def test_a_secret_that_is_missing_is_said_at_the_start(tmp_path):
    with (
        pytest.raises(UsageError, match="cannot be read"),
        duty(tmp_path, [], listen=Listen(token_file=str(tmp_path / "none"))),
    ):
        pass


def test_a_taken_port_stops_only_who_asked_for_it(tmp_path):
    said: list[str] = []
    with duty(tmp_path / "a", []) as first:
        taken = first.url.removeprefix("http://")
        second = duty(tmp_path / "b", [], listen=Listen(address=taken))
        with pytest.raises(UsageError, match="cannot be listened on"), second:
            pass
    with duty(tmp_path / "c", said, listen=Listen(address="")) as silent:
        assert silent.url == ""


EXPORT = {
    "resourceMetrics": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]},
            "scopeMetrics": [
                {
                    "metrics": [
                        {
                            "name": "process.memory.usage",
                            "sum": {
                                "aggregationTemporality": 2,
                                "dataPoints": [{"timeUnixNano": "1767225600000000000", "asInt": "104857600"}],
                            },
                        }
                    ]
                }
            ],
        }
    ]
}


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_otlp_metrics_are_fed_to_the_loop(tmp_path, encoding):
    watching = Watching()
    body = json.dumps(EXPORT).encode()
    with duty(tmp_path, [], watching=watching) as made:
        request = urllib.request.Request(f"{made.url}/v1/metrics", gzip.compress(body) if encoding else body)
        request.add_header("Content-Type", "application/json")
        if encoding:
            request.add_header("Content-Encoding", encoding)
        assert urllib.request.urlopen(request, timeout=10).read() == b"{}"
        bad = urllib.request.Request(f"{made.url}/v1/metrics", b"{", {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(bad, timeout=10)
        error.value.close()
    assert error.value.code == 400
    assert [(seen.workload.name, seen.reading.rss) for seen in watching.fed] == [("cart", 100 << 20)]
    again = Telemetry(watching.feed)
    again.restore(json.loads(json.dumps(watching.remembered.state())))
    assert again.state() == watching.remembered.state() != Telemetry(watching.feed).state()


def test_a_body_that_unpacks_to_too_much_is_refused():
    with pytest.raises(MalformedDump, match="too long"):
        unpacked(gzip.compress(bytes(65 << 20)))
    with pytest.raises(MalformedDump, match="no gzip"):
        unpacked(b"hello")
    with pytest.raises(MalformedDump, match="was cut"):
        unpacked(gzip.compress(os.urandom(100))[:50])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Incidents]:
    made = Incidents(f"sqlite:///{tmp_path}/incidents.db", "here")
    made.open(Incident("i1", "k", "r", "", API, 1.0), [Outgoing("i1/100", "i1", 100, "run", "{}")])
    yield made
    made.dispose()


def working(store: Incidents, clock: list[float], *ends: Exception | Done) -> Worker:
    left = list(ends)

    def run(*_: object) -> Done:
        end = left.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    return Worker(store, {"run": run}, clock=lambda: clock[0])


def test_pauses_between_tries_grow(store):
    clock, tried = [100.0], []
    worker = working(store, clock, *[TryAgain("not now")] * 4, Done("ran", "it ran"))
    while store.owed():
        if worker.once():
            tried.append(clock[0])
        clock[0] += 1.0
    assert [round(b - a) for a, b in pairwise(tried)] == [5, 10, 20, 40]
    assert store.get("i1").moments[0].text == "it ran"


def test_what_fails_for_good_is_told_with_its_reasons(store):
    assert working(store, [100.0], CaulkError("it is refused", hint="heap: no room\nprofile: off")).once()
    failed, closed = store.get("i1").moments
    assert (failed.what, failed.text) == ("failed", "run: it is refused")
    assert failed.details == ("heap: no room", "profile: off")
    assert closed.what == "closed"


def test_a_bug_in_one_step_keeps_no_other_from_being_done(store):
    store.open(Incident("i2", "k2", "r", "", API, 2.0), [Outgoing("i2/100", "i2", 100, "run", "{}")])
    worker = working(store, [100.0], ZeroDivisionError("oh"), Done("ran", ""))
    assert worker.once()
    assert worker.once()
    assert store.get("i1").moments[0].text == "run: a bug in caulk: ZeroDivisionError: oh"
    assert any("ZeroDivisionError" in line for line in store.get("i1").moments[0].details)
    assert store.get("i2").moments[0].what == "ran"


def test_a_step_that_takes_longer_than_its_lease_is_still_its_workers(store, monkeypatch):
    monkeypatch.setattr("caulk.watch.actions.LEASE_S", 0.3)
    other = Incidents(str(store._engine.url), "there")
    begun, end = threading.Event(), threading.Event()

    def run(*_: object) -> Done:
        begun.set()
        end.wait(30)
        return Done("ran", "")

    worker = Worker(store, {"run": run})
    thread = threading.Thread(target=worker.once)
    thread.start()
    begun.wait(30)
    first = time.time()
    # Longer than two leases: who looks in between finds nothing.
    until(lambda: time.time() - first > 0.8 or other.take(time.time(), 60.0), "time to pass")
    assert other.take(time.time(), 60.0) is None
    end.set()
    thread.join()
    other.dispose()
