"""Expressions of PromQL read into trees, and walked.

The language: https://prometheus.io/docs/prometheus/latest/querying/basics/. The library is the parser of GreptimeDB,
which follows Prometheus' own; it recurses, so what is nested without end is refused before it is read.
"""

import re
from collections.abc import Iterator

import promql_parser as promql

from caulk.model.errors import MalformedDump

_LONGEST = 32 << 10
#: What makes a tree deeper. At five times as many the library runs out of stack, which ends the process.
_NESTING = re.compile(r"[-+*/%^(<>=]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_DEEPEST = 1000
#: Renamed to double_exponential_smoothing in Prometheus 3; those who run 2 still write it.
_RENAMED = promql.Function(
    "holt_winters", [promql.ValueType.Matrix, promql.ValueType.Scalar, promql.ValueType.Scalar], promql.ValueType.Vector
)
promql.register_extra_functions([_RENAMED])


def parse(text: str) -> promql.Expr:
    """The tree of an expression. Raises MalformedDump for what is none, or too long."""
    if len(text) > _LONGEST or len(_NESTING.findall(text)) > _DEEPEST:
        raise MalformedDump(f"an expression of {len(text):,} characters is too long to be read")
    try:
        return promql.parse(text)
    except ValueError as error:
        raise MalformedDump(f"not PromQL: {error}") from None


def walk(tree: promql.Expr) -> Iterator[promql.Expr]:
    """Every part of a tree, each before what it is made of; parentheses are left out."""
    if not isinstance(tree, promql.ParenExpr):
        yield tree
    for part in parts(tree):
        yield from walk(part)


def parts(tree: promql.Expr) -> list[promql.Expr]:
    """What a part is made of directly."""
    match tree:
        case promql.BinaryExpr():
            return [tree.lhs, tree.rhs]
        case promql.Call():
            return [each for each in tree.args if isinstance(each, promql.Expr)]
        case promql.AggregateExpr():
            return [tree.expr] + ([tree.param] if isinstance(tree.param, promql.Expr) else [])
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [tree.expr]
        case promql.MatrixSelector():
            return [tree.vector_selector]
    return []


def bare(tree: promql.Expr) -> promql.Expr:
    """The tree without the parentheses around it."""
    while isinstance(tree, promql.ParenExpr):
        tree = tree.expr
    return tree


def metric(selector: promql.VectorSelector) -> str:
    """The name that a selector asks for; empty where it asks by labels alone."""
    if selector.name:
        return selector.name
    named = [each for each in selector.matchers.matchers if each.name == "__name__"]
    return named[0].value if len(named) == 1 and named[0].op == promql.MatchOp.Equal else ""


def selectors(tree: promql.Expr) -> list[promql.VectorSelector]:
    """All selectors in a tree, from left to right."""
    return [part for part in walk(tree) if isinstance(part, promql.VectorSelector)]
