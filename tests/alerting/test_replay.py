from dataclasses import replace
from pathlib import Path

import pytest

from caulk.alerting import documents
from caulk.alerting.promql.parsing import parse, selectors
from caulk.alerting.replay.judging import replay
from caulk.alerting.replay.scenarios import MB, SCENARIOS
from caulk.alerting.replay.series import asked, lines
from caulk.alerting.rule import Group, Rule
from caulk.alerting.rules.build import build
from caulk.alerting.rules.thresholds import Thresholds
from caulk.model.errors import UsageError

PUBLISHED = Path(__file__).parent / "published" / "memory-leak-alerts.yml"
NAMED = {each.name: each for each in SCENARIOS}
GROWTH = {"HighMemoryGrowthRate", "CriticalMemoryGrowthRate"}


def replayed(require, groups, **hours):
    scenarios = [replace(NAMED[name.replace("_", "-")], hours=long) for name, long in hours.items()]
    return replay(groups, tool=require("promtool"), scenarios=scenarios)


def test_the_published_rules_are_silent_on_a_leak_of_500_mb_an_hour_and_loud_on_noise(require):
    groups = documents.read(PUBLISHED.read_text(), name="published")
    found = replayed(require, groups, leak_500=3, flat=4, recycled_pool=4)
    assert found.unheard == ["leak-500"]
    assert {each.alert for each in found.outcomes if each.scenario == "leak-500" and each.first_s} == {
        "HighMemoryUsage", "CriticalMemoryUsage", "ContainerHighMemoryUsage"
    }  # fmt: skip
    loud = {(each.scenario, each.alert) for each in found.false_alarms}
    assert loud >= {("flat", "HighMemoryGrowthRate"), ("recycled-pool", "HighMemoryGrowthRate")}
    firing = next(
        each for each in found.false_alarms if (each.scenario, each.alert) == ("flat", "HighMemoryGrowthRate")
    )
    # From the moment that the hour and `for` have passed, it never stops.
    assert firing.first_s + firing.firing_s == pytest.approx(4 * 3600, abs=120)


def test_the_rules_that_caulk_writes_see_both_leaks_and_nothing_else(require):
    found = replayed(require, build(["go"], Thresholds()), leak_500=3, leak_50=5, flat=5, sawtooth=5, deploy=10)
    assert found.unheard == []
    assert found.false_alarms == []
    first = {
        (each.scenario, each.alert): each.first_s for each in found.outcomes if each.alert in GROWTH and each.first_s
    }
    assert first["leak-500", "CriticalMemoryGrowthRate"] < 90 * 60
    assert first["leak-50", "HighMemoryGrowthRate"] < 4 * 3600


def test_rules_that_promtool_refuses_are_said(require):
    groups = [Group("a", (Rule("A", "holt_winters(up[5m], 2, 3) > 1", is_alert=True, lasting="x"),))]
    with pytest.raises(UsageError, match="promtool cannot evaluate these rules"):
        replay(groups, tool=require("promtool"), scenarios=[replace(NAMED["leak-500"], hours=1)])


def made(expr, scenario="flat", hours=1.0, step=60.0):
    wanted, strange = asked(selectors(parse(expr)))
    return dict(lines(wanted, replace(NAMED[scenario], hours=hours), step)), strange


def test_series_meet_the_matchers_that_rules_ask_with():
    expr = 'container_memory_rss{pod=~"rsr.*",container!="POD",container=~"web|app",namespace="n"}'
    ((name, values),) = made(expr)[0].items()
    assert 'pod="rsrx"' in name and 'container="web"' in name and 'namespace="n"' in name
    assert len(values.split()) == 61


def test_what_is_not_known_is_named_and_left_empty():
    series, strange = made("acme_widgets > 1")
    assert (series, strange) == ({}, ["acme_widgets"])


def test_page_cache_is_in_what_the_cgroup_uses_and_not_in_what_programs_hold():
    series, _ = made("container_memory_usage_bytes - container_memory_rss", "page-cache", hours=8)
    used, held = ([float(v) for v in values.split()] for _, values in sorted(series.items(), reverse=True))
    assert max(used) - min(used) > 700 * MB
    assert max(held) - min(held) < 3 * MB


def test_workers_have_series_of_their_own_where_the_metric_has_their_label():
    series, _ = made("caulk_probe_memory_bytes", "recycled-pool")
    assert len(series) == 12
    series, _ = made("django_memory_usage_bytes", "recycled-pool")
    assert len(series) == 1


def test_a_container_that_restarts_is_another_series():
    series, _ = made("container_memory_rss", "restart", hours=8)
    first, second = (values.split() for _, values in sorted(series.items()))
    assert [a == "_" for a in first] == [b != "_" for b in second]


def test_the_same_scenario_is_always_the_same():
    assert made("go_memstats_heap_alloc_bytes") == made("go_memstats_heap_alloc_bytes")
