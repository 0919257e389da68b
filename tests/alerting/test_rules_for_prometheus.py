import re
import subprocess

import pytest
import yaml

from caulk.alerting import documents
from caulk.alerting.promql.parsing import metric, parse, selectors
from caulk.alerting.rules import loop, unit
from caulk.alerting.rules.build import ALL, build
from caulk.alerting.rules.scrape import Credentials, jobs
from caulk.alerting.rules.sources import NAMES, SOURCES
from caulk.alerting.rules.thresholds import MB, Thresholds, span
from caulk.model.errors import UsageError
from caulk.model.metrics import METRICS

RUNBOOK = "https://example.org/runbook"
#: The situations that the runbook names, and the two that caulk adds.
SITUATIONS = {
    "HighMemoryGrowthRate", "CriticalMemoryGrowthRate", "MemoryLeakEventsDetected", "HighObjectGrowth",
    "HighMemoryUsage", "CriticalMemoryUsage", "ExcessiveGarbageCollection", "MemoryMetricsMissing",
    "MetricsAuthenticationFailure", "MemoryLimitExpected", "MemoryLimitImminent", "OutOfMemoryKill",
}  # fmt: skip


def alerts(*names, **given):
    return [
        rule
        for group in build(names or ALL, Thresholds(), runbook=RUNBOOK, **given)
        for rule in group.rules
        if rule.is_alert
    ]


def promtool(require, *arguments, cwd):
    return subprocess.run([require("promtool"), *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("names", [ALL, *((name,) for name in ALL)], ids="+".join)
def test_promtool_accepts_the_rules_of_every_source(require, tmp_path, names):
    (tmp_path / "rules.yml").write_text(
        documents.write(documents.plain(build(names, Thresholds(), matchers='job="a"')))
    )
    checked = promtool(require, "check", "rules", "rules.yml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "duplicate" not in checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ["kubernetes", "probe"])
def test_a_leak_fires_and_what_looks_like_one_does_not_as_promtool_sees_it(require, tmp_path, name):
    # The series have a value every two minutes: who looks each minute sees nothing more, and takes twice as long.
    limits = Thresholds(interval=120)
    groups = build([name], limits, runbook=RUNBOOK)
    (tmp_path / "caulk.yml").write_text(documents.write(documents.plain(groups)))
    (tmp_path / "tests.yml").write_text(documents.write(unit.tests(groups, limits, file="caulk.yml")))
    tested = promtool(require, "test", "rules", "tests.yml", cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_the_unit_tests_fail_where_the_rules_are_those_that_were_published(require, tmp_path):
    groups = build(["probe"], Thresholds())
    record = unit.tests(groups, Thresholds(), file="caulk.yml")
    record["tests"] = [each for each in record["tests"] if each["name"].startswith(("fast leak", "flat"))]
    (tmp_path / "tests.yml").write_text(documents.write(record))
    rate = "rate(caulk:memory_bytes[1h]) / 1024 / 1024"
    wrong = [
        ("HighMemoryGrowthRate", f"{rate} > 10", "30m"),
        ("CriticalMemoryGrowthRate", f"{rate} > 50", "15m"),
    ]
    recorded = [
        rule for rule in documents.plain(groups)["groups"][0]["rules"] if rule["record"] == "caulk:memory_bytes"
    ]
    published = [{"alert": name, "expr": expr, "for": wait} for name, expr, wait in wrong]
    (tmp_path / "caulk.yml").write_text(yaml.safe_dump({"groups": [{"name": "a", "rules": recorded + published}]}))
    tested = promtool(require, "test", "rules", "tests.yml", cwd=tmp_path)
    assert tested.returncode == 1
    assert 'exp: {alertname="CriticalMemoryGrowthRate"}' in tested.stdout + tested.stderr


def test_every_situation_of_the_runbook_has_an_alert_that_can_be_acted_on():
    found = alerts()
    assert {rule.name for rule in found} >= SITUATIONS
    for rule in found:
        assert rule.lasting, rule.name
        assert rule.labels["severity"] in ("warning", "critical"), rule.name
        assert rule.annotations["summary"] and rule.annotations["description"], rule.name
        assert rule.annotations["runbook_url"] == f"{RUNBOOK}#{rule.name.lower()}"


def test_no_rule_takes_the_rate_of_a_gauge_or_looks_at_page_cache_for_growth():
    for group in build(ALL, Thresholds()):
        for rule in group.rules:
            assert not re.search(r"(rate|increase)\(\w*memory_\w*bytes", rule.expr), rule
            assert "container_memory_usage_bytes" not in rule.expr
            assert "working_set" not in rule.expr or rule.name == "caulk:memory_used_bytes"


def test_without_the_loop_authentication_is_up_and_its_text_says_what_it_cannot_tell():
    (rule,) = [rule for rule in alerts("go") if rule.name == "MetricsAuthenticationFailure"]
    assert rule.expr.endswith("== 0") and "up" in rule.expr
    assert "cannot tell 401 from down" in rule.annotations["description"]
    (rule,) = [rule for rule in alerts("go", "caulk") if rule.name == "MetricsAuthenticationFailure"]
    assert 'caulk_endpoint_http_status{credentials="with"} == 401' in rule.expr


def test_the_loops_alerts_read_only_what_the_loop_exports():
    exported = {each.name for each in METRICS}
    read = [metric(each) for rule in loop.alerts(Thresholds()) for each in selectors(parse(rule.expr))]
    assert set(read) <= exported
    labels = {each.name: set(each.labels) for each in METRICS}
    for rule in loop.alerts(Thresholds()):
        for selector in selectors(parse(rule.expr)):
            assert {each.name for each in selector.matchers.matchers} <= labels[metric(selector)]


def test_what_is_selected_goes_into_every_selector_of_a_source():
    for source in SOURCES:
        chosen = source.selecting('namespace="shop"')
        for expr in (chosen.memory, chosen.used, chosen.limit, chosen.start, chosen.objects):
            for selector in selectors(parse(expr)) if expr else ():
                if metric(selector) not in ("go_memstats_heap_alloc_bytes", "caulk_probe_memory_bytes"):
                    assert 'namespace="shop"' in str(selector) or "info" in str(selector), (source.name, str(selector))


def test_thresholds_are_parameters():
    limits = Thresholds(growth_warning=7 * MB, usage_warning=123 * MB, limit_critical=0.97, missing=1200)
    text = documents.write(documents.plain(build(NAMES, limits)))
    for said in (f"> {7 * MB}", f"> {123 * MB}", "> 0.97", "for: 20m"):
        assert said in text


def test_the_same_request_gives_the_same_bytes():
    written = {documents.write(documents.plain(build(ALL, Thresholds()))) for _ in range(3)}
    assert len(written) == 1


@pytest.mark.parametrize("put", [documents.operator, documents.config_map])
def test_each_form_holds_the_same_rules(put):
    groups = build(["go"], Thresholds(), runbook=RUNBOOK, labels={"team": "shop"})
    record = put(groups, name="caulk", labels={"prometheus_rules": "1"})
    text = documents.write(record)
    assert record["metadata"] == {"name": "caulk", "labels": {"prometheus_rules": "1"}}
    again = documents.read(text, name="it")
    assert documents.plain(again) == documents.plain(groups)
    first = again[1].rules[0]
    assert f"alert: {first.name}" in text.splitlines()[first.line - 1]


def test_an_unknown_source_or_matcher_is_said():
    with pytest.raises(UsageError, match="no source is called ruby"):
        build(["ruby"], Thresholds())
    with pytest.raises(UsageError, match="--select"):
        build(["go"], Thresholds(), matchers="job=")


def test_promtool_accepts_scrape_jobs_with_the_password_in_a_file(require, tmp_path):
    (tmp_path / "password").write_text("swordfish")
    record = jobs(
        ["backend=rsr:8000", "backend=rsr2:8000", "reports=https://rsr:9000/internal/metrics"],
        Credentials("metrics", str(tmp_path / "password")),
    )
    text = documents.write(record)
    (tmp_path / "prometheus.yml").write_text(text)
    checked = promtool(require, "check", "config", "prometheus.yml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "swordfish" not in text
    backend, reports = record["scrape_configs"]
    assert backend["static_configs"] == [{"targets": ["rsr:8000", "rsr2:8000"]}]
    assert (reports["scheme"], reports["metrics_path"]) == ("https", "/internal/metrics")


@pytest.mark.parametrize(
    "wrong", ["backend", "backend=", "=rsr:8000", "backend=rsr", "a=ftp://h:1", "a=h:port", "a=http://u:p@h:1"]
)
def test_what_is_no_address_is_no_job(wrong):
    with pytest.raises(UsageError, match="is no job and address"):
        jobs([wrong], Credentials())


def test_a_user_without_a_password_file_is_refused():
    with pytest.raises(UsageError, match="go together"):
        jobs(["a=h:1"], Credentials("metrics"))


@pytest.mark.parametrize(("seconds", "said"), [(90, "1m30s"), (10800, "3h"), (86400, "1d"), (0, "0s")])
def test_durations_are_written_as_prometheus_reads_them(seconds, said):
    assert span(seconds) == said
