"""Unit tests for promtool, of the rules as they were written: a leak fires, and what looks like one does not.

Format: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/. What is asked for is the series
ALERTS, which rules leave when they fire: the texts of an alert would have to be repeated to the last digit.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from caulk.alerting.promql.parsing import parse, selectors
from caulk.alerting.replay.judging import is_about_growth
from caulk.alerting.replay.scenarios import HOUR, MB, SCENARIOS, Scenario, leaking
from caulk.alerting.replay.series import asked, lines
from caulk.alerting.rule import Group
from caulk.alerting.rules.thresholds import Thresholds, span
from caulk.model.units import format_value

_STEP = 120
#: Long enough for what each look-alike is about, and short enough to be read by promtool in seconds.
_HOURS = {"recycled-pool": 4.0, "page-cache": 10.0, "deploy": 10.0, "restart": 10.0, "day-and-night": 12.0}
_FIRING = 'group by (alertname) (count_over_time(ALERTS{{alertstate="firing",alertname=~"{names}"}}[{seconds}s]))'


def tests(groups: Sequence[Group], limits: Thresholds, *, file: str) -> dict[str, Any]:
    """The test file for rules that were built with these thresholds and written to `file`."""
    rules = [rule for group in groups for rule in group.rules]
    recorded = {rule.name: rule for rule in rules if not rule.is_alert}
    growing = "|".join(sorted({rule.name for rule in rules if rule.is_alert and is_about_growth(rule, recorded)}))
    read = (each for rule in rules for each in selectors(parse(rule.expr)) if each.name not in recorded)
    wanted, _ = asked(read)
    healthy = [replace(each, hours=_HOURS.get(each.name, 6.0)) for each in SCENARIOS if not each.is_leak]
    cases = [*_leaks(limits), *((each, growing) for each in healthy)]
    return {
        "rule_files": [file],
        "evaluation_interval": span(limits.interval),
        "tests": [
            {
                "name": f"{scenario.name}: {scenario.says}",
                "interval": f"{_STEP}s",
                "input_series": [{"series": name, "values": values} for name, values in lines(wanted, scenario, _STEP)],
                "promql_expr_test": [_expected(scenario, names)],
            }
            for scenario, names in cases
        ],
    }


def _leaks(limits: Thresholds) -> list[tuple[Scenario, str]]:
    """A leak of five times what warns and one of ten times what is critical, and the alert that each must set off."""
    slow, fast = 5 * limits.growth_warning, 10 * limits.growth_critical
    return [
        (_leak("leak", slow, 2 * limits.warning_over), "HighMemoryGrowthRate"),
        (_leak("fast leak", fast, 3 * limits.critical_over), "CriticalMemoryGrowthRate"),
    ]


def _leak(name: str, per_hour: int, long: int) -> Scenario:
    # Small enough that the leak is a large part of it on its first day.
    says = f"{format_value(per_hour, 'bytes')} an hour"
    return Scenario(name, says, per_hour, long / HOUR, leaking(per_hour, base=min(300.0 * MB, 3.0 * per_hour)))


def _expected(scenario: Scenario, names: str) -> dict[str, Any]:
    seconds = int(scenario.hours * HOUR)
    return {
        "expr": _FIRING.format(names=names, seconds=seconds),
        "eval_time": f"{seconds}s",
        "exp_samples": [{"labels": f'{{alertname="{names}"}}', "value": 1}] if scenario.is_leak else [],
    }
