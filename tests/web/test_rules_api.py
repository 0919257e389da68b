"""Rules over HTTP: those in force in sentences, and what one would have done in the last days."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fleet_site import API, HOUR, Watched

from caulk.config.rules import Capture, Filters, Limits, Rule, Trigger
from caulk.config.schema import Config, Watch
from caulk.config.values import Share, Size, Span
from caulk.model.judgement import Event

NEAR = Rule(
    name="near",
    filters=Filters(workload="*/api/*", runtime="go"),
    trigger=Trigger(state=("leaking",), share_of_limit=Share(0.5), held=Span(600)),
    actions=(Capture(ways=("heap",), grown=Share(0.2)),),
    limits=Limits(cooldown=Span(60), per_workload=9, count=9),
)
KILLED = Rule(name="killed", trigger=Trigger(event=("oom",)), limits=Limits(cooldown=Span(0), count=9, per_workload=9))
OFF = Rule(name="oom", enabled=False, trigger=Trigger(event=("oom",)))
PLACED = Rule(name="placed", filters=Filters(place="docker"), trigger=Trigger(growth=Size(1)))


@pytest.fixture
def ruled(home: Path) -> Iterator[Watched]:
    with Watched(home, Config(rules=(NEAR, KILLED, OFF, PLACED))) as one:
        yield one


def tried(watched: Watched, name: str, days: float = 1) -> Any:
    began = watched.send("POST", f"/api/rules/{name}/test", {"days": days}, 202)
    assert began["kind"] == "rule"
    job = watched.job(began)
    assert job["state"] == "done", job
    return job["result"]


def test_rules_in_force_are_the_default_ones_and_those_of_the_settings(ruled: Watched):
    rules = {rule["name"]: rule for rule in ruled.get("/api/rules")["rules"]}
    assert set(rules) == {"leak", "undersized", "limit-near", "oom", "dump", "alert", "near", "killed", "placed"}
    assert (rules["leak"]["is_default"], rules["leak"]["enabled"], rules["leak"]["whom"]) == (
        True,
        True,
        "every workload",
    )
    assert (rules["oom"]["is_default"], rules["oom"]["enabled"]) == (False, False)
    near = rules["near"]
    assert near["when"] == "it is judged leaking and it holds 50 % of its limit, for 10 min without a break"
    assert near["whom"] == "workloads called */api/*, of the runtime go"
    assert near["does"] == ["takes a capture (heap) when memory has grown by 20 %, or after 24 h"]
    assert near["limits"].startswith("9 times in 24 h at most, 9 for one workload, 60 s apart")
    assert near["trigger"]["share_of_limit"] == 0.5
    assert rules["alert"]["when"] == "Alertmanager sends an alert"


def test_default_rules_that_are_switched_off_are_shown_as_that(home: Path):
    with Watched(home, Config(watch=Watch(default_rules=False))) as one:
        assert {rule["enabled"] for rule in one.get("/api/rules")["rules"]} == {False}


def test_every_kind_of_rule_has_a_sentence(watched: Watched):
    for rule in watched.get("/api/rules")["rules"]:
        assert rule["when"], rule["name"]
        assert rule["does"], rule["name"]


def test_a_rule_tried_on_the_past_fires_where_it_would_have(ruled: Watched):
    ruled.leak(20, limit=1 << 30)
    ruled.see(50, key="k:web")
    found = tried(ruled, "near")
    assert (found["schema"], found["rule"], found["workloads"]) == ("caulk.rule-test/1", "near", 1)
    (fired,) = found["firings"]
    assert fired["workload"] == {"key": API, "name": "app"}
    assert "it is leaking" in fired["why"]
    assert fired["until"] is None
    assert fired["really"] == "it goes on"
    assert found["begin"] < fired["at"] < found["end"]


def test_the_trial_opens_nothing_and_tells_nobody(ruled: Watched):
    ruled.leak(20, limit=1 << 30)
    assert tried(ruled, "near")["firings"]
    assert ruled.get("/api/incidents")["incidents"] == []
    assert ruled.incidents.owed() == {}


def test_the_trial_says_what_really_happened(ruled: Watched):
    for minute in range(120):
        kill = (Event(ruled.now - 30 * 60, "oom"),) if minute == 90 else ()
        ruled.see(100, (120 - minute) * 60.0, events=kill)
    ruled.incident("shop", opened_at=ruled.now - 29 * 60)
    (fired,) = tried(ruled, "killed")["firings"]
    assert "killed for lack of memory" in fired["why"]
    assert "incident 20260101T000000Z-shop-abcdef was opened by the rule leak" in fired["really"]
    missed = tried(ruled, "near")
    assert missed["firings"] == []
    assert any("1 kill for lack of memory" in note for note in missed["notes"])


def test_what_happened_before_the_days_that_are_asked_for_is_no_firing(ruled: Watched):
    for minute in range(120):
        kill = (Event(ruled.now - 30 * HOUR, "oom"),) if minute == 60 else ()
        ruled.see(100, 31 * HOUR - minute * 60.0, events=kill)
    assert tried(ruled, "killed", 1)["firings"] == []
    assert len(tried(ruled, "killed", 2)["firings"]) == 1


def test_what_a_trial_cannot_know_it_says(ruled: Watched):
    ruled.see(100)
    assert any("Alerts" in note for note in tried(ruled, "alert")["notes"])
    assert any("Dumps" in note for note in tried(ruled, "dump")["notes"])
    assert any("floors of an hour" in note for note in tried(ruled, "leak", 7)["notes"])
    placed = tried(ruled, "placed")
    assert placed["workloads"] == 0
    assert any("Places" in note for note in placed["notes"])


def test_a_trial_that_takes_too_long_says_what_it_left_out(ruled: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("caulk.web.replay._PATIENCE_S", -1.0)
    ruled.see(100)
    found = tried(ruled, "killed")
    assert found["workloads"] == 0
    assert any("1 workloads were left out" in note for note in found["notes"])


def test_only_rules_that_there_are_can_be_tried_for_as_long_as_is_kept(ruled: Watched):
    assert "no-such-rule" in ruled.send("POST", "/api/rules/no-such-rule/test", {}, 404)["what"]
    for days in (0, -1, 91, "7", None):
        assert ruled.send("POST", "/api/rules/leak/test", {"days": days}, 400)["what"]


def test_a_trial_may_be_asked_for_by_those_who_only_look():
    from caulk.web.routes.rules import Try
    from caulk.web.security.rules import RULES

    assert next(rule.role for rule in RULES if "rules" in rule.path) == "read"
    assert msgspec.convert({}, Try).days == 7
