"""The metrics that rules read are those that exporters have: what is not in the catalogue is a slip of the pen."""

import re
from pathlib import Path

import pytest

from caulk.alerting.metrics import KNOWN, is_gauge, known
from caulk.alerting.promql.flow import flows
from caulk.alerting.promql.parsing import metric, parse, selectors
from caulk.alerting.rules import loop
from caulk.alerting.rules.build import ALL, build
from caulk.alerting.rules.sources import SOURCES
from caulk.alerting.rules.thresholds import Thresholds
from caulk.model.metrics import METRICS

ROOT = Path(__file__).parents[2]
RULES = [rule for group in build(ALL, Thresholds()) for rule in group.rules]
RECORDED = {rule.name: rule for rule in RULES if not rule.is_alert}
PROBE = set(re.findall(r'^\s+"((?:django|caulk_probe)_\w+)"|"((?:caulk_probe)_\w+)"',
                       (ROOT / "probe/src/caulk_probe/families.py").read_text(), re.MULTILINE))  # fmt: skip
PROBES = {name for pair in PROBE for name in pair if name}


def read():
    """Every metric that a rule reads at last, once."""
    return sorted({flow.metric for rule in RULES for flow in flows(parse(rule.expr), RECORDED) if flow.metric})


@pytest.mark.parametrize("name", read())
def test_what_a_rule_reads_is_a_metric_of_an_exporter(name):
    assert known(name), name


def test_rules_read_what_the_probe_has():
    (probe,) = [source for source in SOURCES if source.name == "probe"]
    exprs = [probe.memory, probe.used, probe.objects, probe.collections, probe.growth_events, probe.present]
    named = {metric(each) for expr in exprs for each in selectors(parse(expr))}
    assert len(named) == 5
    assert named <= PROBES


def test_the_catalogue_has_the_types_that_the_loop_exports():
    for each in METRICS:
        assert KNOWN[each.name].type == each.type
    assert {metric(each) for each in selectors(parse(loop.SOURCE.used))} <= {each.name for each in METRICS}


def test_a_gauge_is_told_from_a_counter_by_what_is_known_and_then_by_its_name():
    assert is_gauge("django_python_objects_total") is True  # in spite of its name
    assert is_gauge("nodejs_active_handles_total") is True
    assert is_gauge("shop_requests_total") is False
    assert is_gauge("go_gc_duration_seconds_count") is False
    assert is_gauge("shop_cache_bytes") is True
    assert is_gauge("shop_cache") is None
