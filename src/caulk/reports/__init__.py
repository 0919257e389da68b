"""The questions: one row is the CLI's verb, the page's tab and a row of the docs. Each is answered from dumps alone.

An answer is a `Table`, `Stacks` or an `Analysis`; how it looks belongs to the views. Percentages are of the whole
profile before filters, as in pprof; those of a difference are of the growth.
"""

from functools import partial
from importlib import import_module

from caulk.reports import profiles
from caulk.reports.question import Answer, Question, Report

__all__ = ["REPORTS", "Answer", "Question", "Report"]


def _ask(name: str, question: Question) -> Answer:
    """A question about the objects of a heap dump: who asks for functions does not wait for its code."""
    answer: Answer = getattr(import_module("caulk.reports.objects"), name)(question)
    return answer


_OBJECTS = {
    "types": "What each type of a heap dump has and retains.",
    "dominators": "Who alone keeps what alive, type under type.",
    "paths": "What chains of references keep the objects of a type.",
    "roots": "Where the runtime begins to hold, and how much.",
}

REPORTS = (
    Report("analyze", "Judge one or several dumps: who makes or holds what is not freed.", profiles.analysis, "any"),
    Report("suspects", "The findings alone.", profiles.analysis, "any"),
    Report("top", "Functions by what they hold themselves and with all they called.", profiles.top),
    Report("tree", "The call tree with what was allocated below each call.", profiles.tree),
    Report("flame", "The call tree as a flame graph.", profiles.flame),
    Report("peek", "A function with its callers and callees.", profiles.peek),
    Report("diff", "What grew between two dumps, by function.", profiles.diff, "two"),
    *(Report(name, summary, partial(_ask, name)) for name, summary in _OBJECTS.items()),
)
