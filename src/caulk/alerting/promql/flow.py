"""Where an expression's numbers come from: each metric it reads, and the functions on the way to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import promql_parser as promql

from caulk.alerting.promql.parsing import metric, parse, parts
from caulk.alerting.rule import Rule
from caulk.model.errors import MalformedDump

#: What makes a change over time out of values.
CHANGES = frozenset({"rate", "irate", "increase", "deriv", "delta", "idelta", "predict_linear", "holt_winters",
                     "double_exponential_smoothing"})  # fmt: skip
OFFSET = "offset"
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """One selector, and what is done to it, outermost first: functions, aggregations, and `offset`."""

    metric: str
    selector: promql.VectorSelector
    through: tuple[str, ...]

    @property
    def is_change(self) -> bool:
        """Whether its change over time is looked at, not its value."""
        return OFFSET in self.through or not CHANGES.isdisjoint(self.through)


def flows(tree: promql.Expr, recorded: Mapping[str, Rule]) -> Iterator[Flow]:
    """Every selector that a tree reads at last; a rule in `recorded` is followed to what it was recorded from."""
    yield from _flows(tree, recorded, ())


def _flows(tree: promql.Expr, recorded: Mapping[str, Rule], through: tuple[str, ...], depth: int = 0) -> Iterator[Flow]:
    if isinstance(tree, promql.VectorSelector):
        name = metric(tree)
        through += (OFFSET,) * bool(tree.offset)
        source = recorded.get(name)
        if source and depth < _DEEPEST and (inner := _read(source.expr)) is not None:
            yield from _flows(inner, recorded, through, depth + 1)
        else:
            yield Flow(name, tree, through)
        return
    if isinstance(tree, promql.Call):
        through += (tree.func.name,)
    elif isinstance(tree, promql.AggregateExpr):
        through += (str(tree.op),)
    for part in parts(tree):
        yield from _flows(part, recorded, through, depth)


def _read(expr: str) -> promql.Expr | None:
    try:
        return parse(expr)
    except MalformedDump:
        return None
