"""All checks over all rules of a file: the worst first, then by line."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from caulk.alerting.audit import changes, firing, matching, metrics
from caulk.alerting.audit.remark import SEVERITIES, Question, Remark
from caulk.alerting.promql.flow import flows
from caulk.alerting.promql.parsing import parse
from caulk.alerting.rule import Group, Rule
from caulk.model.errors import MalformedDump

#: Each looks at any rule; those of `_ALERTS` at alerts alone.
_CHECKS: tuple[Callable[[Question], Iterator[Remark]], ...] = (
    changes.counters_on_gauges,
    changes.gauges_on_counters,
    changes.windows,
    changes.unfloored,
    metrics.unknown,
    metrics.page_cache,
    metrics.contradictions,
    matching.unmatched,
)
_ALERTS: tuple[Callable[[Question], Iterator[Remark]], ...] = (
    changes.units_of_time,
    metrics.absence,
    firing.undecided,
    firing.bounds,
    firing.sizes_in_words,
    firing.manners,
)


def audit(groups: Sequence[Group], *, scraped: frozenset[str] = frozenset(), interval: float = 60.0) -> list[Remark]:
    """What is wrong with these rules. `scraped`: names that exist; `interval`: seconds between scrapes."""
    rules = [rule for group in groups for rule in group.rules]
    recorded = {rule.name: rule for rule in rules if not rule.is_alert}
    found: dict[Remark, None] = {}
    names = Counter(rule.name for rule in rules)
    for rule in rules:
        for remark in _of_rule(rule, recorded, scraped, interval, is_alone=names[rule.name] == 1):
            found.setdefault(remark)
    return sorted(found, key=lambda each: (SEVERITIES.index(each.severity), each.line, each.check, each.says))


def _of_rule(
    rule: Rule, recorded: dict[str, Rule], scraped: frozenset[str], interval: float, *, is_alone: bool
) -> Iterator[Remark]:
    try:
        tree = parse(rule.expr)
    except MalformedDump as error:
        yield Remark("error", "not-promql", rule.name, rule.line, str(error))
        return
    known = {name: each for name, each in recorded.items() if name != rule.name}
    question = Question(rule, tree, list(flows(tree, known)), known, scraped, interval, is_alone)
    for check in _CHECKS + (_ALERTS if rule.is_alert else ()):
        yield from check(question)
