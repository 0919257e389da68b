"""Check of what is joined: series of two exporters have different labels, and without `on` none meets another."""

from collections.abc import Iterator

import promql_parser as promql

from caulk.alerting.audit.remark import Question, Remark
from caulk.alerting.promql.flow import flows
from caulk.alerting.promql.parsing import walk

#: Who exports names that begin so; their `job` and `instance` alone tell their series apart.
_EXPORTERS = {"container_": "cAdvisor", "kube_": "kube-state-metrics", "node_": "node_exporter"}


def unmatched(question: Question) -> Iterator[Remark]:
    """A division or `and` of two exporters' series, with neither `on` nor an aggregation, has no result."""
    for part in walk(question.tree):
        if not isinstance(part, promql.BinaryExpr) or str(part.op) in ("or", "unless"):
            continue
        if part.modifier and part.modifier.matching:
            continue
        left, right = _exporter(part.lhs, question), _exporter(part.rhs, question)
        if left and right and left != right:
            yield question.remark(
                "error",
                "never-fires",
                f"series of {left} and of {right} are joined by all their labels, which differ: job, instance and more",
                f"{part.op} on (namespace, pod, container) …",
            )


def _exporter(tree: promql.Expr, question: Question) -> str:
    """The one exporter whose labels a side still has; empty where there are several, or labels were aggregated."""
    if any(isinstance(part, promql.AggregateExpr) for part in walk(tree)):
        return ""
    # What a rule recorded may have any labels.
    named = {_of(flow.metric) for flow in flows(tree, {}) if flow.metric not in question.recorded}
    return named.pop() if len(named) == 1 else ""


def _of(name: str) -> str:
    return next((exporter for prefix, exporter in _EXPORTERS.items() if name.startswith(prefix)), "")
