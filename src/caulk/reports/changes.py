"""The questions about what changed between dumps, function by function: what grew, what went, what came and stayed."""

from collections.abc import Iterable, Sequence
from typing import Any

from caulk.analysis.fold import subtract, survived
from caulk.model.column import Ints
from caulk.model.measure import Measure
from caulk.model.table import Heading, Stacks, Table
from caulk.model.tree import Tree
from caulk.model.units import format_value
from caulk.reports.profiles import by_frame, kind_of, laid, listed, name_of, what
from caulk.reports.question import Question


def diff(question: Question) -> Table:
    """What grew and what shrank between two profiles, function by function; percentages are of the growth."""
    change, before, after = _difference(question)
    totals = before.total(0), after.total(0)
    flat, cumulative = by_frame(change)
    order = [i for i in sorted(range(len(flat)), key=lambda i: (-flat[i], -cumulative[i], i)) if flat[i]]
    # The largest changes of either sign are what is asked for; they are shown from growth to loss.
    keep = set(sorted(order, key=lambda i: (-abs(flat[i]), i))[: question.limit])
    shown = [i for i in order if i in keep]
    return _table(question, change, (flat, cumulative), shown=shown, changed=len(order), totals=totals)


def top(question: Question) -> Table:
    """Functions by how much they changed themselves, then with all they called; or by what of it was not freed."""
    if question.survivors:
        return _survivors(question)
    change, before, after = _difference(question)
    totals = before.total(0), after.total(0)
    flat, cumulative = by_frame(change)
    order = sorted(range(len(flat)), key=lambda i: (-abs(flat[i]), -abs(cumulative[i]), i))
    order = [i for i in order if flat[i] or cumulative[i]]
    shown, (_, now) = order[: question.limit], by_frame(after)
    return _table(question, change, (flat, cumulative), shown=shown, changed=len(order), totals=totals, now=now)


def difference_tree(question: Question) -> Stacks:
    """The tree of the difference of two profiles: what each stack has more, or less."""
    change, before, after = _difference(question)
    gained = sum(value for value in change.values[0] if value > 0)
    return Stacks("difference", change, gained or after.total(0) - before.total(0), signed=True)


def surviving(question: Question, measure: Measure, total: int) -> str:
    """What survivors are, in a line."""
    first, second, *_, last = (dump.path for dump in question.lasting)
    amount = format_value(total, measure.unit)
    return f"{amount} of {measure} that came between {first} and {second} and were still there in {last}"


def _survivors(question: Question) -> Table:
    measure, trees = laid(question, [dump.profile for dump in question.lasting])
    tree = survived(trees)
    total = tree.total(0)
    said = surviving(question, measure, total)
    return listed(question, measure, tree.frames, by_frame(tree), total=total, said=said)


def _difference(question: Question) -> tuple[Tree, Tree, Tree]:
    """What changed, and what that was before and is after, over common nodes."""
    dumps = question.ordered
    _, (before, after) = laid(question, [dumps[0].profile, dumps[-1].profile])
    return subtract(after, before), before, after


def _table(
    question: Question,
    change: Tree,
    sums: tuple[Ints, Ints],
    *,
    shown: Sequence[int],
    changed: int,
    totals: tuple[int, int],
    now: Ints | None = None,
) -> Table:
    """The functions that are `shown` of those that changed, with what they and the whole changed by.

    With `now`, also what each has with all that it calls.
    """
    (flat, cumulative), (before, after) = sums, totals
    gained = sum(value for value in flat if value > 0)
    lost = -sum(value for value in flat if value < 0)
    measure, hours = change.measures[0], question.hours
    unit, kind = measure.unit, kind_of(measure)
    rows: list[tuple[Any, ...]] = [
        (
            flat[i],
            flat[i] / ((gained if flat[i] > 0 else lost) or 1),
            cumulative[i],
            *([now[i]] if now else []),
            *hourly(cumulative[i], hours),
            *name_of(change.frames, i),
        )
        for i in shown
    ]
    dumps = question.ordered
    net = format_value(after - before, unit, signed=True)
    notes = (
        f"{dumps[0].path} → {dumps[-1].path}, {measure}",
        f"{format_value(before, unit)} → {format_value(after, unit)}: {net}"
        f" ({format_value(gained, unit, signed=True)} grown, {format_value(-lost, unit)} gone);"
        f" showing {len(rows):,} of {changed:,} {what(question)}s that changed, shares are of what grew or went",
    )
    headings = (
        Heading("flat", "flat", kind, signed=True),
        Heading("share", "of growth", "share", signed=True),
        Heading("cum", "cum", kind, signed=True),
        *([Heading("now", "cum now", kind)] if now else []),
        *([Heading("cum_per_hour", "Δ/h", kind, signed=True)] if hours else []),
        Heading("function", what(question)),
        Heading("location", "location"),
    )
    extra = {"measure": measure.name, "unit": unit, "before": before, "after": after, "grown": gained, "gone": lost}
    return Table("diff", headings, rows, notes, extra)


def hourly(change: int, hours: float | None) -> Iterable[int]:
    """The cell of a change by the hour, where one is told."""
    return [round(change / hours)] if hours else []
