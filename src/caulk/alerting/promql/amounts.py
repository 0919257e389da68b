"""Comparisons with a number, in the unit of what is measured: `x / 1024 / 1024 > 10` is x above 10,485,760.

Products and quotients with numbers are undone, also those in rules that record what is compared, and conditions on it
are passed; of anything else the comparison stays as it is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import promql_parser as promql

from caulk.alerting.promql.parsing import bare, metric, parse, walk
from caulk.alerting.rule import Rule
from caulk.model.errors import MalformedDump

COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
_TURNED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_SETS = ("and", "or", "unless")


@dataclass(frozen=True, slots=True)
class Comparison:
    """`measured` `op` `bound`, once constants are undone; `scale` is what the measured was multiplied by."""

    measured: promql.Expr
    op: str
    bound: float
    scale: float


def comparisons(tree: promql.Expr, recorded: Mapping[str, Rule]) -> Iterator[Comparison]:
    """Every comparison with a number in a tree; `recorded` rules are looked into."""
    for part in walk(tree):
        # With `bool` it decides nothing.
        if isinstance(part, promql.BinaryExpr) and str(part.op) in COMPARISONS and not is_bool(part):
            left, right, op = number(part.lhs), number(part.rhs), str(part.op)
            if right is not None and left is None:
                yield _undone(part.lhs, op, right, recorded)
            elif left is not None and right is None:
                yield _undone(part.rhs, _TURNED.get(op, op), left, recorded)


def _undone(tree: promql.Expr, op: str, bound: float, recorded: Mapping[str, Rule]) -> Comparison:
    scale, left = 1.0, dict(recorded)
    while True:
        tree = bare(tree)
        if isinstance(tree, promql.VectorSelector) and (rule := left.pop(metric(tree), None)):
            try:
                tree = parse(rule.expr)
            except MalformedDump:
                break
        elif (
            isinstance(tree, promql.BinaryExpr)
            and str(tree.op) in (*COMPARISONS, "and", "unless")
            and not is_bool(tree)
        ):
            tree = tree.lhs
        elif factored := _factored(tree):
            factor, tree = factored
            scale *= factor
            op = _TURNED.get(op, op) if factor < 0 else op
        else:
            break
    return Comparison(tree, op, bound / scale, scale)


def _factored(tree: promql.Expr) -> tuple[float, promql.Expr] | None:
    """A product or quotient with a number, as the factor and the rest."""
    if not isinstance(tree, promql.BinaryExpr) or str(tree.op) not in ("*", "/"):
        return None
    left, right = number(tree.lhs), number(tree.rhs)
    if right:
        return (right if str(tree.op) == "*" else 1 / right), tree.lhs
    return (left, tree.rhs) if left and str(tree.op) == "*" else None


def number(tree: promql.Expr) -> float | None:
    """The value of a tree of numbers; None of any other."""
    match bare(tree):
        case promql.NumberLiteral() as literal:
            return float(literal.val)
        case promql.UnaryExpr() as negated:
            inner = number(negated.expr)
            return None if inner is None else -inner
        case promql.BinaryExpr() as both:
            left, right = number(both.lhs), number(both.rhs)
            return None if left is None or right is None else _of(str(both.op), left, right)
    return None


def _of(op: str, left: float, right: float) -> float | None:
    try:
        match op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "^":
                return float(left**right)
    except (ArithmeticError, TypeError, ValueError):
        pass
    return None


def is_bool(tree: promql.BinaryExpr) -> bool:
    """Whether a comparison gives 0 or 1, rather than keeping what it holds for."""
    return bool(tree.modifier and tree.modifier.return_bool)


def decides(tree: promql.Expr) -> bool:
    """Whether a tree can be without a result while what it reads is there: by a comparison, a set, or `absent`."""
    for part in walk(tree):
        if isinstance(part, promql.BinaryExpr) and str(part.op) in (*COMPARISONS, *_SETS):
            if not is_bool(part):
                return True
        elif isinstance(part, promql.Call) and part.func.name in ("absent", "absent_over_time"):
            return True
    return False
