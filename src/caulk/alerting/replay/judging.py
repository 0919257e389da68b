"""Rules against scenarios: which alert fired where, which leaks nobody saw, and which alarms were false.

Only alerts about growth are judged: those that look at the change over time of a program's memory or objects. That a
level is reached, or a metric is missing, is neither right nor wrong here; such alerts are listed, and no more.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import promql_parser as promql

from caulk.alerting import documents
from caulk.alerting.metrics import is_memory, known
from caulk.alerting.promql.flow import flows
from caulk.alerting.promql.parsing import parse, selectors
from caulk.alerting.replay import promtool
from caulk.alerting.replay.scenarios import HOUR, SCENARIOS, Scenario
from caulk.alerting.replay.series import asked, lines
from caulk.alerting.rule import Group, Rule
from caulk.model.errors import MalformedDump

Verdict = Literal["caught", "silent", "false alarm", "quiet", "level"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One alert (all rules of its name) on one scenario; times are seconds, None and 0 where it did not fire."""

    scenario: str
    is_leak: bool
    alert: str
    verdict: Verdict
    first_s: float | None
    firing_s: float


@dataclass(frozen=True, slots=True)
class Replay:
    """All outcomes; `unheard` are leaks that no alert about growth caught, `strange` metrics that stayed empty."""

    outcomes: list[Outcome]
    unheard: list[str]
    strange: list[str]

    @property
    def false_alarms(self) -> list[Outcome]:
        """Growth that was none."""
        return [each for each in self.outcomes if each.verdict == "false alarm"]


def replay(
    groups: Sequence[Group],
    *,
    tool: str,
    scenarios: Sequence[Scenario] = SCENARIOS,
    step: float = 15,
    interval: float = 60,
    tell: Callable[[str], None] = lambda name: None,
) -> Replay:
    """Evaluate the rules on each scenario, scraped every `step` seconds and evaluated every `interval`."""
    rules = [rule for group in groups for rule in group.rules]
    recorded = {rule.name: rule for rule in rules if not rule.is_alert}
    growing = {rule.name for rule in rules if rule.is_alert and is_about_growth(rule, recorded)}
    others = {rule.name for rule in rules if rule.is_alert} - growing
    wanted, strange = asked(each for rule in rules for each in _selectors(rule) if each.name not in recorded)
    outcomes: list[Outcome] = []
    unheard = []
    with tempfile.TemporaryDirectory(prefix="caulk-replay-") as directory:
        file = Path(directory) / "rules.yml"
        file.write_text(documents.write(documents.plain(groups)), encoding="utf-8")

        def evaluate(scenario: Scenario) -> dict[str, tuple[float, float]]:
            series = list(lines(wanted, scenario, step))
            tell(scenario.name)
            long = scenario.hours * HOUR
            return promtool.fired(
                tool, file, series, number=scenarios.index(scenario), step=step, interval=interval, seconds=long
            )

        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            answers = list(pool.map(evaluate, scenarios))
        for scenario, fired in zip(scenarios, answers, strict=True):
            outcomes += [_outcome(scenario, name, fired, name in growing) for name in sorted(growing | others)]
            if scenario.is_leak and not growing & set(fired):
                unheard.append(scenario.name)
    return Replay(outcomes, unheard, strange)


def is_about_growth(rule: Rule, recorded: dict[str, Rule]) -> bool:
    """Whether a rule looks at how the memory or the objects of a program change."""
    try:
        tree = parse(rule.expr)
    except MalformedDump:
        return False
    return any(flow.is_change and _is_amount(flow.metric) for flow in flows(tree, recorded))


def _is_amount(name: str) -> bool:
    family = known(name)
    return is_memory(name) or bool(family and family.role == "objects")


def _selectors(rule: Rule) -> list[promql.VectorSelector]:
    try:
        return list(selectors(parse(rule.expr)))
    except MalformedDump:
        return []


def _outcome(scenario: Scenario, name: str, fired: dict[str, tuple[float, float]], judged: bool) -> Outcome:
    first, long = fired.get(name, (None, 0.0))
    if not judged:
        verdict: Verdict = "level"
    elif scenario.is_leak:
        verdict = "silent" if first is None else "caught"
    else:
        verdict = "quiet" if first is None else "false alarm"
    return Outcome(scenario.name, scenario.is_leak, name, verdict, first, long)
