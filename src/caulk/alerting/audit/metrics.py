"""Checks of what is read: names that no exporter has, memory that is page cache, `absent()` of everything."""

import difflib
from collections.abc import Iterator

import promql_parser as promql

from caulk.alerting.audit.remark import Question, Remark
from caulk.alerting.metrics import KNOWN, known
from caulk.alerting.promql.parsing import metric, walk

_BETTER = "container_memory_working_set_bytes for a level, container_memory_rss for growth"
#: Below this likeness another name is meant, not a misspelt one.
_ALIKE = 0.86


def unknown(question: Question) -> Iterator[Remark]:
    """A metric that nobody exports: the rule is silent for ever, and nobody is told."""
    for name in dict.fromkeys(flow.metric for flow in question.flows):
        if not name or name in question.recorded or name in question.scraped:
            continue
        near = _near(name)
        meant = f"{near[0]}" if near else ""
        if question.scraped and name.startswith(tuple(_prefixes(question.scraped))):
            yield question.remark("error", "unknown-metric", f"{name} is not in the scrape", meant)
        elif not known(name) and near:
            yield question.remark(
                "error", "unknown-metric", f"no exporter is known to have {name}: the rule never sees a value", meant
            )


def _near(name: str) -> list[str]:
    if known(name):
        return []
    prefix = name.split("_", 1)[0] + "_"
    named = [each for each in KNOWN if each.startswith(prefix)]
    close = difflib.get_close_matches(name, named, n=1, cutoff=_ALIKE)
    # django_memory_allocation_bytes for django_allocation_bytes: a word too many, or one too few.
    words = set(name.split("_"))
    return close or [each for each in named if len(words ^ set(each.split("_"))) == 1][:1]


def _prefixes(names: frozenset[str]) -> set[str]:
    """What the names of a scrape begin with: of others' exporters it says nothing."""
    return {name.split("_", 1)[0] + "_" for name in names}


def page_cache(question: Question) -> Iterator[Remark]:
    """Memory that the kernel takes back when it is needed is no leak, and no reason for a kill."""
    for flow in question.flows:
        family = known(flow.metric)
        if family and family.role in ("usage", "cache"):
            yield question.remark(
                "error" if flow.is_change else "warning",
                "page-cache",
                f"{flow.metric} counts page cache, which grows with every file that is read",
                _BETTER,
            )
        elif family and family.role == "working-set" and flow.is_change:
            yield question.remark(
                "warning",
                "page-cache",
                f"{flow.metric} still has the page cache that was used lately: its growth need not be the program's",
                "container_memory_rss",
            )


def absence(question: Question) -> Iterator[Remark]:
    """`absent(x)` speaks only when the last x of all is gone, and another rule must look at each."""
    if not question.is_alone:
        return
    for part in walk(question.tree):
        if not isinstance(part, promql.Call) or part.func.name not in ("absent", "absent_over_time"):
            continue
        for inner in walk(part.args[0]):
            if isinstance(inner, promql.VectorSelector) and not _is_bound(inner):
                yield question.remark(
                    "warning",
                    "absent-of-all",
                    f"absent({metric(inner)}) fires once no target at all has it: one that goes silent is not seen",
                    f"up == 1 unless on (job, instance) {metric(inner)}, and absent() by job",
                )


def _is_bound(selector: promql.VectorSelector) -> bool:
    return any(
        each.op == promql.MatchOp.Equal and each.name != "__name__" and each.value
        for each in selector.matchers.matchers
    )


def contradictions(question: Question) -> Iterator[Remark]:
    """Matchers that exclude each other select nothing."""
    for flow in question.flows:
        seen: dict[str, str] = {}
        unequal: set[tuple[str, str]] = set()
        for each in flow.selector.matchers.matchers:
            if each.op == promql.MatchOp.Equal:
                if seen.setdefault(each.name, each.value) != each.value:
                    yield _selects_nothing(question, flow.metric, each.name)
            elif each.op == promql.MatchOp.NotEqual:
                unequal.add((each.name, each.value))
        for name, value in sorted(unequal & set(seen.items())):
            yield _selects_nothing(question, f"{flow.metric}{{{name}={value!r}}}", name)


def _selects_nothing(question: Question, what: str, label: str) -> Remark:
    return question.remark(
        "error", "never-fires", f"the matchers of {what} exclude each other", f"one value of {label}"
    )
