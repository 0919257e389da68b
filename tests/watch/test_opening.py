"""Rules at work: what fires is written down once, with its steps; what ends is closed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from caulk.config.rules import DEFAULT_RULES, Capture, Limits, Notify, Rule, Trigger
from caulk.config.values import Share, Span
from caulk.model.incident import Alert, Moment
from caulk.model.judgement import Event, Judgement
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.store.incidents import Incidents
from caulk.watch.fleet import Change
from caulk.watch.opening import Rules
from caulk.watch.steps import action_of

API = Workload("local:api", "api", "go")
MB = 1 << 20
LEAK = Rule(
    name="leak",
    trigger=Trigger(state=("leaking",)),
    actions=(Capture(), Notify(), Capture(grown=Share(0.1)), Notify(to=("ops",))),
    limits=Limits(cooldown=Span(100), per_workload=3),
)
OOM = Rule(name="oom", trigger=Trigger(event=("oom",)), actions=(Notify(),), limits=Limits(cooldown=Span(0)))
ALERT = Rule(
    name="alert",
    trigger=Trigger(alert="Memory*"),
    actions=(Capture(),),
    limits=Limits(cooldown=Span(0), per_workload=9),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Incidents]:
    made = Incidents(f"sqlite:///{tmp_path}/incidents.db", "here")
    yield made
    made.dispose()


def change(state: str, memory: int = 100 * MB, *, pid: int = 7, events=(), is_over: bool = False) -> Change:
    target = Target("local", f"pid:{pid}", "api")
    seen = Observation(API, "0", Reading(5.0, memory, memory), target=target, limit=500 * MB, is_over=is_over)
    return Change(API, Judgement("api", state, "it grows"), "steady", (seen,), events)


def rules(store: Incidents, *which: Rule, **more) -> Rules:
    return Rules(which or (LEAK,), store, ("hook", "ops"), **more)


def replace_limits(rule: Rule, **limits: object) -> Rule:
    return msgspec.structs.replace(rule, limits=msgspec.structs.replace(rule.limits, **limits))


def other(key: str) -> Change:
    """A leak of another workload."""
    return replace(change("leaking"), workload=Workload(key, key, "go"))


def do(store: Incidents, now: float) -> list[str]:
    """Ends what is due, as a worker that succeeds at once would; what it was."""
    ended = []
    while step := store.take(now, 60.0):
        what = "captured" if step.kind == "capture" else "notified"
        store.finish(step, Moment(now, what, "", step.id, step.position))
        ended.append(step.id.partition("/")[2])
    return ended


def test_a_leak_is_written_down_with_all_its_steps_before_anybody_hears_of_it(store):
    heard = []
    opened = rules(store, on_opened=lambda incident: heard.append(store.get(incident.id)))
    (incident,) = opened.consider(change("leaking"), 1000.0)
    assert heard == [incident]
    assert (incident.why, incident.replica, incident.target.reference) == ("it is leaking: it grows", "0", "pid:7")
    assert (incident.memory, incident.limit, incident.judgement.state) == (100 * MB, 500 * MB, "leaking")
    assert do(store, 1000.0) == ["100", "200/hook", "200/ops", "300", "400/ops"]


def test_what_goes_on_is_one_incident_also_after_a_restart(store):
    first = rules(store)
    assert first.consider(change("leaking"), 1000.0)
    assert not first.consider(change("leaking"), 2000.0)
    assert not rules(store).consider(change("leaking"), 3000.0)
    assert len(store.find()) == 1


def test_what_ends_is_closed_and_those_who_were_told_hear_of_it(store):
    one = rules(store)
    (incident,) = one.consider(change("leaking"), 1000.0)
    do(store, 1000.0)
    one.consider(change("steady"), 2000.0)
    closed = store.get(incident.id)
    assert (closed.closed_at, closed.later.state) == (2000.0, "steady")
    assert sorted(do(store, 2000.0)) == ["1000000/hook", "1000000/ops"]


def test_what_comes_back_fires_again_when_the_cooldown_is_over(store):
    quiet = []
    one = rules(store, on_quiet=quiet.append)
    assert one.consider(change("leaking"), 1000.0)
    one.consider(change("steady"), 1010.0)
    assert not one.consider(change("leaking"), 1020.0)
    assert not one.consider(change("leaking"), 1030.0)
    assert len(quiet) == 1
    assert "less than 100 s ago" in quiet[0]
    assert one.consider(change("leaking"), 1101.0)


def test_a_rule_that_fired_often_enough_says_once_that_it_keeps_quiet(store):
    quiet = []
    one = rules(store, replace_limits(LEAK, count=2), on_quiet=quiet.append)
    opened = [one.consider(other(f"local:{number}"), 1000.0 + number) for number in range(5)]
    assert [len(some) for some in opened] == [1, 1, 0, 0, 0]
    assert quiet == ["rule leak keeps quiet: it fired 2 times within 24 h"]


def test_a_condition_that_must_hold_for_a_while_begins_anew_after_each_break(store):
    rule = Rule(name="leak", trigger=Trigger(state=("leaking",), held=Span(60)))
    one = rules(store, rule)
    assert not one.consider(change("leaking"), 1000.0)
    assert not one.consider(change("steady"), 1030.0)
    assert not one.consider(change("leaking"), 1050.0)
    assert not one.consider(change("leaking"), 1100.0)
    assert one.consider(change("leaking"), 1110.0)


def test_an_event_opens_one_incident_however_often_it_is_told(store):
    events = (Event(900.0, "oom"),)
    one = rules(store, OOM)
    assert one.consider(change("steady", events=events), 1000.0)
    assert not one.consider(change("steady", events=events), 1001.0)
    assert not rules(store, OOM).consider(change("steady", events=events), 1002.0)
    assert one.consider(change("steady", events=(Event(950.0, "oom"),)), 1003.0)


def waiting(store: Incidents, one: Rules) -> None:
    """An incident whose second capture waits for 150 MB."""
    one.consider(change("leaking"), 1000.0)
    while step := store.take(1000.0, 60.0):
        if step.position == 300:
            store.postpone(step, 90_000.0, wakes_at=150 * MB, attempts=1)
            return
        store.finish(step, Moment(1000.0, "captured", "", step.id, step.position))


def test_a_capture_that_waits_for_growth_is_woken_by_it(store):
    one = rules(store)
    waiting(store, one)
    one.consider(change("leaking", 149 * MB), 1100.0)
    assert do(store, 1100.0) == []
    one.consider(change("leaking", 151 * MB), 1200.0)
    assert do(store, 1200.0) == ["300", "400/ops"]


@pytest.mark.parametrize("other", [change("leaking", 200 * MB, pid=8), change("leaking", 200 * MB, is_over=True)])
def test_a_replica_that_began_anew_is_compared_with_nothing(store, other):
    one = rules(store)
    waiting(store, one)
    one.consider(other, 1100.0)
    assert do(store, 1100.0) == ["400/ops"]
    (incident,) = store.find()
    assert [moment.text for moment in incident.moments if moment.what == "skipped"] == [
        "no second capture: 0 began anew since"
    ]


def test_growth_that_ends_is_waited_for_no_longer(store):
    one = rules(store)
    waiting(store, one)
    one.consider(change("steady"), 1100.0)
    assert "400/ops" in do(store, 1100.0)
    assert store.waiting() == []


def test_who_is_gone_for_an_hour_has_no_open_incident_and_neither_has_a_rule_that_is_gone(store):
    one = rules(store)
    (incident,) = one.consider(change("leaking"), 1000.0)
    one.sweep(2000.0)
    assert store.get(incident.id).closed_at is None
    one.sweep(4700.0)
    assert store.get(incident.id).closed_at == 4700.0
    (again,) = one.consider(change("leaking"), 5000.0)
    rules(store, OOM).sweep(5001.0)
    assert store.get(again.id).closed_at == 5001.0


def alert(**changes: object) -> Alert:
    return replace(Alert("MemoryHigh", "f1", "2026-01-01T00:00:00Z"), **changes)


def test_an_alert_opens_one_incident_by_its_fingerprint_and_start(store):
    one = rules(store, ALERT)
    (incident,) = one.alerted(alert(), API, 1000.0, reference="docker:api")
    assert (incident.reference, incident.alert.fingerprint) == ("docker:api", "f1")
    assert not one.alerted(alert(), API, 1001.0)
    assert not rules(store, ALERT).alerted(alert(), API, 1002.0)
    assert one.alerted(alert(starts_at="2026-01-02T00:00:00Z"), API, 1003.0)
    assert one.alerted(alert(fingerprint="f2"), API, 1004.0)


def test_an_alert_that_goes_on_is_not_closed_by_a_restart_nor_by_silence(store):
    (incident,) = rules(store, ALERT).alerted(alert(), API, 1000.0)
    again = rules(store, ALERT)
    again.sweep(1001.0)
    again.sweep(9000.0)
    assert store.get(incident.id).closed_at is None


def test_an_alert_of_another_name_opens_nothing(store):
    assert not rules(store, ALERT).alerted(alert(name="DiskFull"), API, 1000.0)


def test_an_alert_that_is_resolved_closes_what_it_opened(store):
    one = rules(store, ALERT)
    (incident,) = one.alerted(alert(), API, 1000.0)
    # By then nobody may know whom it was about.
    assert not one.alerted(alert(is_resolved=True), Workload("alert:MemoryHigh", "MemoryHigh"), 2000.0)
    assert store.get(incident.id).closed_at == 2000.0
    assert not one.alerted(alert(is_resolved=True, fingerprint="f9"), API, 2000.0)


def test_the_default_rules_take_two_captures_of_a_leak_and_then_look_for_what_grew(store):
    one = rules(store, *DEFAULT_RULES)
    (incident,) = one.consider(change("leaking"), 1000.0)
    assert incident.rule == "leak"
    steps = []
    while step := store.take(1000.0, 60.0):
        steps.append((step.kind, getattr(action_of(step), "grown", 0.0)))
        store.finish(step, Moment(1000.0, "note", "", step.id, step.position))
    kinds = [step for step in steps if step[0] in ("capture", "analyse")]
    assert kinds == [("capture", 0.0), ("capture", 0.1), ("analyse", 0.0)]
    assert [kind for kind, _ in steps].count("notify") == 2 * 2
