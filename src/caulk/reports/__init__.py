"""The questions: one row is the CLI's verb, the page's tab and a row of the docs. Each is answered from dumps alone.

An answer is a `Table`, `Stacks` or an `Analysis`; how it looks belongs to the views. Percentages are of the whole
profile before filters, as in pprof; those of a difference are of the growth.
"""

from functools import partial
from importlib import import_module

from caulk.reports import profiles
from caulk.reports.question import Answer, Question, Report

__all__ = ["REPORTS", "Answer", "Question", "Report"]


def _ask(module: str, name: str, question: Question) -> Answer:
    """A question about the objects of a heap dump: who asks for functions does not wait for its code."""
    answer: Answer = getattr(import_module(f"caulk.reports.{module}"), name)(question)
    return answer


def _stacks(module: str, name: str, question: Question) -> Answer:
    """A question that stacks answer; of several dumps what changed between the first and the last."""
    if len(question.dumps) == 1:
        return _ask(module, name, question)
    changed: Answer = import_module("caulk.reports.laid").changed(name, question)
    return changed


def _top(question: Question) -> Answer:
    """Functions by size; of several dumps those that changed."""
    return profiles.top(question) if len(question.dumps) == 1 else _ask("changes", "top", question)


_OBJECTS = {
    "types": ("types", "What each type of a heap dump has and retains."),
    "roots": ("objects", "Where the runtime begins to hold, and how much."),
    "strings": ("waste", "Strings that a heap dump has more than once, and who holds them."),
    "waste": ("waste", "Collections that are empty or nearly so, and who holds them."),
}
_STACKS = {
    "tree": ("profiles", "The call tree with what was allocated below each call."),
    "flame": ("profiles", "The call tree as a flame graph."),
    "dominators": ("objects", "Who alone keeps what alive, type under type."),
    "paths": ("objects", "What chains of references keep the objects of a type."),
}

_FILES = {
    "threads": ("threads", "Where threads or goroutines stand, and how many at one place."),
    "source": ("source", "The lines of a function with what each holds."),
    "raw": ("raw", "What the file itself says, before any judgement."),
}
_GRAPH = "The call graph of the heaviest functions, or of types that keep others."

REPORTS = (
    Report("analyze", "Judge one or several dumps: who makes or holds what is not freed.", profiles.analysis, "any"),
    Report("suspects", "The findings alone.", profiles.analysis, "any"),
    Report("top", "Functions by what they hold themselves and with all they called.", _top, "any"),
    Report("peek", "A function with its callers and callees.", profiles.peek),
    Report("graph", _GRAPH, partial(_ask, "graph", "graph"), "any"),
    Report("diff", "What grew between two dumps, by function.", partial(_ask, "changes", "diff"), "two"),
    *(Report(name, summary, partial(_stacks, where, name), "any") for name, (where, summary) in _STACKS.items()),
    *(
        Report(name, summary, partial(_ask, where, name), "any" if name == "types" else "one")
        for name, (where, summary) in (_OBJECTS | _FILES).items()
    ),
)
