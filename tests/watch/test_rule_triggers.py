"""Which rules fire, by whom they are about, what holds, and how often they fired."""

import pytest

from caulk.config.rules import Filters, Limits, Trigger
from caulk.config.values import Share, Size, Span
from caulk.model.judgement import Event, Judgement
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Appeared, Observation, Workload
from caulk.watch.fleet import Change
from caulk.watch.rules import Firing, causes, concerns, throttled, worst

API = Workload("k8s:shop/api", "api", "jvm")
POD = Target("kubernetes", "k8s:shop/pod/api-0", "api-0", {"namespace": "shop", "pod": "api-0"})
MB = 1 << 20


def seen(replica: str = "0", memory: int = 100 * MB, *, limit: int | None = None, target: Target | None = POD, **more):
    return Observation(API, replica, Reading(5.0, memory, memory), target=target, limit=limit, **more)


def change(state: str = "leaking", *observations: Observation, events=(), dumps=(), **judged) -> Change:
    return Change(
        API, Judgement("api", state, "it grows", **judged), "steady", observations or (seen(),), events, dumps
    )


def fires(trigger: Trigger, told: Change) -> list[str]:
    return [cause.why for cause in causes(trigger, told)]


@pytest.mark.parametrize(
    ("filters", "is_meant"),
    [
        (Filters(), True),
        (Filters(workload="a*"), True),
        (Filters(workload="k8s:shop/*"), True),
        (Filters(workload="web"), False),
        (Filters(runtime="jvm", place="kubernetes", labels={"namespace": "sh?p"}), True),
        (Filters(runtime="go"), False),
        (Filters(place="docker"), False),
        (Filters(labels={"namespace": "shop", "container": "x"}), False),
    ],
)
def test_a_rule_is_about_those_whom_all_of_its_filters_match(filters, is_meant):
    assert concerns(filters, API, POD) == is_meant


def test_who_has_no_target_is_meant_only_by_rules_that_ask_for_none():
    assert concerns(Filters(workload="api"), API, None)
    assert not concerns(Filters(place="local"), API, None)


def test_a_state_is_a_cause_as_long_as_it_is_judged():
    trigger = Trigger(state=("leaking", "suspect"))
    assert fires(trigger, change("leaking")) == ["it is leaking: it grows"]
    assert fires(trigger, change("steady")) == []


def test_growth_must_be_certain():
    trigger = Trigger(growth=Size(10 * MB))
    assert fires(trigger, change(growth_bytes_per_hour=20 * MB, growth_interval=(15 * MB, 25 * MB)))
    assert not fires(trigger, change(growth_bytes_per_hour=20 * MB, growth_interval=(-1 * MB, 40 * MB)))
    assert not fires(trigger, change(growth_bytes_per_hour=5 * MB, growth_interval=(4 * MB, 6 * MB)))
    assert not fires(trigger, change())


def test_the_fullest_replica_decides_the_share_of_the_limit():
    trigger = Trigger(share_of_limit=Share(0.8))
    near = seen("1", 90 * MB, limit=100 * MB)
    assert fires(trigger, change("steady", seen(limit=1000 * MB), near)) == ["it holds 90 % of its limit"]
    assert not fires(trigger, change("steady", seen(limit=1000 * MB)))
    assert not fires(trigger, change("steady", seen()))


def test_page_cache_is_not_held():
    cached = Observation(API, "0", Reading(5.0, 95 * MB, anonymous=20 * MB, file=75 * MB), limit=100 * MB)
    assert not fires(Trigger(share_of_limit=Share(0.5)), change("steady", cached))


def test_all_conditions_must_hold_at_once():
    trigger = Trigger(state=("leaking",), time_to_limit=Span(1800))
    assert fires(trigger, change(time_to_limit_s=600.0)) == ["it is leaking: it grows; it is at its limit in 10 min"]
    assert not fires(trigger, change(time_to_limit_s=6000.0))
    assert not fires(trigger, change("steady", time_to_limit_s=600.0))
    assert not fires(trigger, change())


def test_each_event_is_a_cause_of_its_own():
    events = (Event(100.0, "oom"), Event(100.5, "restart"))
    found = list(causes(Trigger(event=("oom", "restart")), change("steady", events=events)))
    assert [cause.key for cause in found] == ["oom@100.000", "restart@100.500"]
    assert found[0].why == "0 was killed for lack of memory at 00:01:40 UTC"
    assert not list(causes(Trigger(event=("deploy",)), change("steady", events=events)))


def test_each_dump_is_a_cause_and_comes_along():
    dump = Appeared(50.0, POD, "/dumps/java_pid1.hprof", 9 * MB, "hprof")
    (cause,) = causes(Trigger(event=("dump",)), change("steady", dumps=(dump,)))
    assert cause.dump == dump
    assert cause.why == "it wrote a dump: /dumps/java_pid1.hprof, 9.00 MB"


def test_an_event_counts_only_where_the_conditions_beside_it_hold():
    trigger = Trigger(event=("restart",), state=("leaking",))
    events = (Event(100.0, "restart"),)
    assert list(causes(trigger, change("leaking", events=events)))
    assert not list(causes(trigger, change("steady", events=events)))


def test_a_trigger_on_alerts_is_nothing_to_a_change():
    assert not list(causes(Trigger(alert="*"), change()))


def test_the_one_that_pays_holds_most_of_those_that_live_and_can_be_reached():
    most = seen("2", 300 * MB)
    replicas = [seen("0"), seen("1", 900 * MB, target=None), most, seen("3", 800 * MB, is_over=True)]
    assert worst(replicas) == most
    assert worst(replicas[1:2]) == replicas[1]
    assert worst([]) is None


LIMITS = Limits(count=3, per_workload=2, window=Span(100), cooldown=Span(10))


@pytest.mark.parametrize(
    ("firings", "until"),
    [
        ([], None),
        ([Firing("api", 95.0)], 105.0),
        ([Firing("api", 85.0)], None),
        ([Firing("web", 99.0)], None),
        ([Firing("api", 60.0), Firing("api", 85.0)], 160.0),
        ([Firing("web", 50.0), Firing("web", 60.0), Firing("db", 70.0)], 150.0),
        ([Firing("web", -50.0), Firing("web", 60.0), Firing("db", 70.0)], None),
    ],
)
def test_limits_say_until_when_a_rule_keeps_quiet(firings, until):
    found = throttled(LIMITS, firings, "api", 100.0)
    assert (found.until if found else None) == until
