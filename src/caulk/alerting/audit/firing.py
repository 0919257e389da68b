"""Checks of when an alert fires: never, always, or for ever once it has begun."""

import re
from collections.abc import Iterator

import promql_parser as promql

from caulk.alerting.audit.remark import Question, Remark
from caulk.alerting.metrics import is_gauge, is_memory, known
from caulk.alerting.promql.amounts import Comparison, comparisons, decides, is_bool
from caulk.alerting.promql.flow import flows
from caulk.alerting.promql.parsing import bare
from caulk.model.units import format_value

#: A program that is watched has more than this, and no machine more than that.
_LEAST_MEMORY, _MOST_MEMORY = 1 << 20, 1 << 46
_GB = re.compile(r"\b(\d+(?:\.\d+)?)\s*(G|M)(i?)B\b")
_TOTALS = frozenset({"increase", "rate", "irate", "resets", "changes", "timestamp"})


def undecided(question: Question) -> Iterator[Remark]:
    """An alert fires wherever its expression has a result; 0 is one too."""
    tree = bare(question.tree)
    if isinstance(tree, promql.BinaryExpr) and is_bool(tree):
        yield question.remark("error", "always-fires", "`bool` gives 0 instead of nothing, and 0 fires too", "no bool")
    elif not decides(tree):
        yield question.remark(
            "error", "always-fires", "nothing is compared: it fires as long as the series is there", "> …"
        )


def bounds(question: Question) -> Iterator[Remark]:
    """Numbers that a value cannot reach, or never leaves."""
    for each in comparisons(question.tree, question.recorded):
        verdict = _constant(each) or _of_memory(each, question) or _of_counter(each, question)
        if verdict:
            yield question.remark("error", *verdict)


_Verdict = tuple[str, str, str]


def _constant(each: Comparison) -> _Verdict | None:
    """`absent()` and `up` have few values."""
    measured = bare(each.measured)
    name, values = "", [0.0, 1.0]
    if isinstance(measured, promql.Call) and measured.func.name in ("absent", "absent_over_time"):
        name, values = f"{measured.func.name}()", [1.0]
    elif isinstance(measured, promql.VectorSelector) and measured.name == "up":
        name = "up"
    if not name:
        return None
    holding = [value for value in values if _holds(value, each.op, each.bound)]
    if not holding:
        return "never-fires", f"{name} is {' or '.join(f'{v:g}' for v in values)}, never {each.op} {each.bound:g}", ""
    if len(holding) == len(values) and name == "up":
        return "always-fires", f"up is always {each.op} {each.bound:g}", "up == 0"
    return None


def _of_memory(each: Comparison, question: Question) -> _Verdict | None:
    """A level of memory below what any program has, or above what any machine has."""
    found = list(flows(each.measured, question.recorded))
    if len(found) != 1 or not is_memory(found[0].metric) or found[0].is_change or _is_count(found[0].through):
        return None
    said = f"{found[0].metric} {each.op} {format_value(each.bound, 'bytes')}"
    if (each.op in (">", ">=") and each.bound < _LEAST_MEMORY) or (
        each.op in ("<", "<=") and each.bound > _MOST_MEMORY
    ):
        return "always-fires", f"{said} is always so", "the bound in the unit of the left side: bytes"
    if (each.op in (">", ">=") and each.bound > _MOST_MEMORY) or (each.op in ("<", "<=") and each.bound <= 0):
        return "never-fires", f"{said} is never so", "the bound in the unit of the left side: bytes"
    return None


def _is_count(through: tuple[str, ...]) -> bool:
    return not {"count", "count_over_time", "changes", "resets", "absent", "present_over_time"}.isdisjoint(through)


def _of_counter(each: Comparison, question: Question) -> _Verdict | None:
    """A counter only grows: one day it is above any number, and stays there."""
    measured = bare(each.measured)
    if not isinstance(measured, promql.VectorSelector) or each.op not in (">", ">="):
        return None
    found = list(flows(measured, question.recorded))
    if len(found) == 1 and is_gauge(found[0].metric) is False and _TOTALS.isdisjoint(found[0].through):
        family = known(found[0].metric)
        if (family and family.type == "counter") or found[0].metric.endswith("_total"):
            return (
                "always-fires",
                f"{found[0].metric} is a counter: once it is above {each.bound:g}, it fires until the restart",
                f"increase({found[0].metric}[1h]) > …",
            )
    return None


def _holds(value: float, op: str, bound: float) -> bool:
    return {
        "==": value == bound,
        "!=": value != bound,
        ">": value > bound,
        "<": value < bound,
        ">=": value >= bound,
        "<=": value <= bound,
    }[op]


def sizes_in_words(question: Question) -> Iterator[Remark]:
    """A text that says 1GB, and a bound of 1000 MiB."""
    said = [
        (float(n) * (1 << (30 if unit == "G" else 20)), f"{n}{unit}{i}B") for n, unit, i in _GB.findall(question.words)
    ]
    for each in comparisons(question.tree, question.recorded):
        if any(is_memory(flow.metric) and not flow.is_change for flow in flows(each.measured, question.recorded)):
            for size, text in said:
                if 0.9 < each.bound / size < 1.1 and abs(each.bound / size - 1) > 0.005:
                    yield question.remark(
                        "warning",
                        "units",
                        f"the text says {text}, and the bound is {each.bound / (1 << 20):,.0f} MiB",
                        f"{size / (1 << 20):,.0f} MiB, or say so",
                    )


def manners(question: Question) -> Iterator[Remark]:
    """What an alert needs to be acted on at night."""
    rule = question.rule
    if rule.lasting in ("", "0", "0s", "0m") and any(is_memory(flow.metric) for flow in question.flows):
        yield question.remark("note", "no-for", "it fires at the first reading, and ends at the next", "for: 5m")
    if "severity" not in rule.labels:
        yield question.remark(
            "note", "no-severity", "without a severity it cannot be routed", "labels: {severity: warning}"
        )
    if not {"summary", "description", "message"} & set(rule.annotations):
        yield question.remark("note", "no-text", "whoever is woken is told nothing", "annotations: {summary: …}")
