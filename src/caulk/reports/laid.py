"""Stacks of several dumps laid over each other: what each has in the last, and beside it what it had in the first."""

from dataclasses import replace

from caulk.analysis.dumps import Dump
from caulk.analysis.fold import subtract, survived
from caulk.analysis.objects.trees import path_tree
from caulk.model.errors import UsageError
from caulk.model.profile import Profile
from caulk.model.table import Stacks
from caulk.model.tree import Tree
from caulk.model.units import format_value
from caulk.reports import objects, profiles
from caulk.reports.changes import surviving
from caulk.reports.question import Question

#: The reports that answer with stacks, and can be asked about several dumps.
STACKS = {
    "flame": profiles.flame,
    "tree": profiles.tree,
    "dominators": objects.dominators,
    "paths": objects.paths,
}


def laid_over(name: str, question: Question) -> tuple[Stacks, Tree | None]:
    """The stacks that a report of `STACKS` answers with; of one dump as they are.

    Of several, those of the last, with the tree of the first, which has the same nodes. Stacks that only one of them
    has are nothing in the other; shares are of what grew. Survivors are stacks by themselves.
    """
    if name not in STACKS:
        raise UsageError(f"{name} has no stacks", hint=f"{', '.join(STACKS)} have them.")
    if len(question.dumps) == 1:
        return STACKS[name](question), None
    question = replace(question, dumps=question.ordered, at=())
    if question.survivors:
        return _survivors(name, question), None
    first, now = question.dumps[0], question.dumps[-1]
    measure, (before, after) = profiles.laid(question, [_profile(name, dump, question) for dump in (first, now)])
    gained = sum(max(new - old, 0) for new, old in zip(after.values[0], before.values[0], strict=True))
    old, new = before.total(0), after.total(0)
    said = (
        f"{first.path} → {now.path}, {measure}: {format_value(old, measure.unit)} → {format_value(new, measure.unit)},"
        f" {format_value(new - old, measure.unit, signed=True)}"
    )
    return Stacks(name, after, gained or new - old, signed=True, notes=(said,)), before


def changed(name: str, question: Question) -> Stacks:
    """The stacks that a report of `STACKS` answers with; of several dumps what each has more, or less, in the last."""
    answer, before = laid_over(name, question)
    return replace(answer, tree=subtract(answer.tree, before)) if before else answer


def _survivors(name: str, question: Question) -> Stacks:
    measure, trees = profiles.laid(question, [_profile(name, dump, question) for dump in question.lasting])
    tree = survived(trees)
    total = tree.total(0)
    return Stacks(name, tree, total, notes=(surviving(question, measure, total),))


def _profile(name: str, dump: Dump, question: Question) -> Profile:
    """The stacks of one of the dumps that are compared."""
    if name not in ("dominators", "paths"):
        return dump.profile
    heap = objects.heap_of(replace(question, dumps=[dump]))
    if name == "dominators":
        return heap.profile
    # A type may be new: only the last dump must have it.
    is_last = dump is question.dumps[-1]
    wanted = (objects.wanted_types if is_last else objects.matching)(heap, question.pattern)
    return heap.profile.with_tree(path_tree(heap.graph, heap.nearest, objects.objects_of(heap, wanted)))
