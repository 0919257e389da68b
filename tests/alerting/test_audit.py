from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caulk.alerting import documents
from caulk.alerting.audit.auditing import audit
from caulk.alerting.promql.parsing import parse
from caulk.alerting.rule import Group, Rule
from caulk.alerting.rules.build import ALL, build
from caulk.alerting.rules.thresholds import Thresholds
from caulk.model.errors import CaulkError, MalformedDump

PUBLISHED = Path(__file__).parent / "published" / "memory-leak-alerts.yml"
TEXT = {"summary": "it grows"}


def remarks(*exprs, interval=15.0, scraped=frozenset(), said=TEXT, **recorded):
    rules = [Rule(name, expr) for name, expr in recorded.items()]
    rules += [
        Rule("A", expr, is_alert=True, lasting="5m", labels={"severity": "w"}, annotations=said) for expr in exprs
    ]
    return audit([Group("g", tuple(rules))], interval=interval, scraped=scraped)


def checks(*exprs, **given):
    return sorted({each.check for each in remarks(*exprs, **given)})


def test_the_defects_of_the_published_rules_are_found():
    found = {
        (each.rule, each.check, each.severity)
        for each in audit(documents.read(PUBLISHED.read_text(), name="p"), interval=15)
    }
    growing = (
        "HighMemoryGrowthRate",
        "CriticalMemoryGrowthRate",
        "HighPythonObjectGrowth",
        "ContainerMemoryGrowthRate",
    )
    assert found == {
        *((name, "rate-on-gauge", "error") for name in growing),
        *((name, "per-second", "error") for name in growing),
        ("ContainerMemoryGrowthRate", "page-cache", "error"),
        ("ContainerHighMemoryUsage", "page-cache", "warning"),
        ("CriticalMemoryUsage", "units", "warning"),
        ("MemoryMetricsMissing", "absent-of-all", "warning"),
    }


def test_a_remark_stands_at_the_line_of_its_rule_in_a_config_map():
    lines = PUBLISHED.read_text().splitlines()
    for each in audit(documents.read(PUBLISHED.read_text(), name="p")):
        assert lines[each.line - 1].strip() == f"- alert: {each.rule}"


def test_nothing_is_wrong_with_the_rules_that_caulk_writes():
    wrong = [each for each in audit(build(ALL, Thresholds(), runbook="r"), interval=15) if each.severity != "note"]
    assert wrong == []


@pytest.mark.parametrize(
    ("expr", "check"),
    [
        ("rate(process_resident_memory_bytes[1h]) > 10 * 1024 * 1024", "rate-on-gauge"),
        ("increase(go_memstats_heap_objects[1h]) > 5", "rate-on-gauge"),
        ("deriv(http_requests_total[1h]) > 5", "deriv-on-counter"),
        ("deriv(min_over_time(go_memstats_heap_inuse_bytes[10m])[1h:1m]) / 1024 / 1024 > 10", "per-second"),
        ("deriv(min_over_time(go_memstats_heap_inuse_bytes[10m])[1h:1m]) * 3600 > 10", "per-second"),
        ("rate(http_requests_total[20s]) > 5", "short-window"),
        ("deriv(process_resident_memory_bytes[1h]) * 3600 > 10485760", "no-floor"),
        ("django_memory_allocation_bytes > 1e9", "unknown-metric"),
        ("go_memstats_heap_inuse > 1e9", "unknown-metric"),
        ("container_memory_cache > 1e9", "page-cache"),
        ("deriv(min_over_time(container_memory_working_set_bytes[10m])[1h:1m]) * 3600 > 1e7", "page-cache"),
        ("absent(go_goroutines)", "absent-of-all"),
        ('up{job="a",job!="a"} == 0', "never-fires"),
        ('up{job="a",job="b"} == 0', "never-fires"),
        ("container_memory_rss / kube_pod_container_resource_limits > 0.9", "never-fires"),
        ("rate(container_oom_events_total[5m]) > 0 and kube_pod_container_status_restarts_total > 3", "never-fires"),
        ("up > 1", "never-fires"),
        ('absent(up{job="a"}) > 1', "never-fires"),
        ("process_resident_memory_bytes < 0", "never-fires"),
        ("process_resident_memory_bytes > 500", "always-fires"),
        ("up >= 0", "always-fires"),
        ("process_resident_memory_bytes > bool 1e9", "always-fires"),
        ("process_resident_memory_bytes / 1024", "always-fires"),
        ("http_requests_total > 1000", "always-fires"),
        ("vector(1)", "always-fires"),
        ("rate(http_requests_total[5m]", "not-promql"),
    ],
)
def test_each_mistake_is_named(expr, check):
    assert check in checks(expr)


@pytest.mark.parametrize(
    "expr",
    [
        "process_resident_memory_bytes > 1e9",
        "process_resident_memory_bytes / 1024 / 1024 > 500",
        "500 < process_resident_memory_bytes / 1024 / 1024",
        "rate(http_requests_total[5m]) > 5",
        "increase(kube_pod_container_status_restarts_total[15m]) > 0",
        "deriv(min_over_time(go_memstats_heap_inuse_bytes[10m])[1h:1m]) * 3600 > 10485760",
        "deriv(min_over_time(go_memstats_heap_inuse_bytes[10m])[1h:1m]) * 3600 / 1024 / 1024 > 10",
        'absent(up{job="a"})',
        'up{job="a"} == 0',
        "count(process_resident_memory_bytes) > 5",
        "changes(process_start_time_seconds[1h]) > 3",
        "rate(go_gc_duration_seconds_count[5m]) > 10",
        "deriv(rate(http_requests_total[5m])[1h:1m]) > 1",
        "time() - process_start_time_seconds < 600",
        "container_memory_rss / on (namespace, pod, container) kube_pod_container_resource_limits > 0.9",
        "sum by (pod) (container_memory_rss) / sum by (pod) (kube_pod_container_resource_limits) > 0.9",
        "container_memory_rss / container_spec_memory_limit_bytes > 0.9",
    ],
)
def test_nothing_is_said_of_what_is_right(expr):
    assert checks(expr) == []


def test_what_a_rule_records_is_followed_to_where_it_comes_from():
    assert checks("m > 1e7", m="rate(process_resident_memory_bytes[1h])") == ["per-second", "rate-on-gauge"]
    floor = {"f": "min_over_time(process_resident_memory_bytes[10m])", "g": "deriv(f[1h]) * 3600 / 1024 / 1024"}
    assert checks("g > 10", **floor) == []
    assert checks("g > 1e-6", **floor) == ["per-second"]


def test_a_rule_that_records_itself_ends():
    assert checks("m > 1", m="m + rate(process_resident_memory_bytes[1h])") != []


def test_words_that_say_per_hour_are_held_against_what_is_per_second():
    expr = "rate(process_resident_memory_bytes[1h]) > 1e6"
    assert "per-second" not in checks(expr)
    for said in ("grows by {{ $value }} MB/h", "MB/hour", "bytes per hour", "5 MB an hour"):
        assert "per-second" in checks(expr, said={"summary": said})


def test_a_scrape_tells_what_exists():
    scraped = frozenset({"shop_cart_bytes", "shop_requests_total"})
    found = remarks("shop_carts_bytes > 1e7", "other_bytes > 1e7", scraped=scraped)
    assert [(each.check, "shop_carts_bytes" in each.says) for each in found] == [("unknown-metric", True)]


def test_what_an_alert_lacks_is_noted():
    bare = Rule("A", "process_resident_memory_bytes > 1e9", is_alert=True)
    found = audit([Group("g", (bare,))])
    assert [(each.severity, each.check) for each in found] == [
        ("note", "no-for"),
        ("note", "no-severity"),
        ("note", "no-text"),
    ]


@pytest.mark.parametrize(
    "deep", ["(" * 400 + "x" + ")" * 400, "(" * 9000 + "x" + ")" * 9000, "+".join(["x"] * 9000), "x" * 99_999]
)
def test_what_is_nested_or_long_without_end_is_read_or_refused(deep):
    try:
        parse(deep)
    except MalformedDump:
        assert len(deep) > 2000


@given(st.text(alphabet='ab_{}[]()"=~!<>+-*/ 15mh,:@', max_size=60))
def test_any_text_is_an_expression_or_is_refused(text):
    try:
        remarks(f"{text} > 1" if text else "a")
    except CaulkError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there are no rules"),
        ("a: [", "x:1: "),
        ("groups: []", "there are no rules"),
        ("groups: [{name: a, rules: [{expr: up}]}]", "x:1: a rule needs"),
        ("groups:\n- name: a\n  rules:\n  - alert: B\n", "x:4: a rule needs"),
        ("{{- if .Values.alerts }}\ngroups: []\n{{- end }}", "x:1: "),
        ("&a [*a]", "there are no rules"),
        ("[" * 5000, "nested too deeply"),
        ("\x00", "x"),
    ],
)
def test_what_holds_no_rules_is_said_with_its_line(text, says):
    with pytest.raises(MalformedDump, match=says):
        documents.read(text, name="x")
