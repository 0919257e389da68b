"""The groups of rules for chosen sources: what is recorded first, the alerts on it second."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from caulk.alerting.promql.parsing import parse
from caulk.alerting.rule import Group, Rule
from caulk.alerting.rules import growth, loop
from caulk.alerting.rules.alerts import COLLECTING, COLLECTIONS, alerts
from caulk.alerting.rules.growth import LIMIT, MEMORY, OBJECTS, START, USED
from caulk.alerting.rules.sources import NAMES, SOURCES, Source
from caulk.alerting.rules.thresholds import Thresholds, span
from caulk.model.errors import MalformedDump, UsageError

ALL = (*NAMES, loop.SOURCE.name)


def build(
    names: Sequence[str],
    limits: Thresholds,
    *,
    matchers: str = "",
    runbook: str = "",
    labels: Mapping[str, str] | None = None,
) -> list[Group]:
    """The groups for the sources of these names.

    `matchers` (`job="rsr"`) select whose series are read; `runbook` is a URL to which `#alertname` is added; `labels`
    are given to every alert. Raises UsageError for a source or matchers that cannot be.
    """
    _check(names, matchers)
    sources = [source.selecting(matchers) for source in SOURCES if source.name in names]
    has_loop = loop.SOURCE.name in names
    recorded = tuple(_recorded([*sources, loop.SOURCE] if has_loop else sources, limits))
    fired = tuple(
        _finished(rule, runbook, labels or {}) for rule in alerts(sources, limits, matchers=matchers, has_loop=has_loop)
    )
    interval = span(limits.interval)
    return [Group("caulk-memory", recorded, interval), Group("caulk-alerts", fired, interval)]


def _check(names: Sequence[str], matchers: str) -> None:
    strange = [name for name in names if name not in ALL]
    if strange or not names:
        raise UsageError(f"no source is called {', '.join(strange) or 'nothing'}", hint="Sources: " + ", ".join(ALL))
    try:
        parse(f"up{{{matchers}}}")
    except MalformedDump as error:
        raise UsageError(f"--select {matchers}: {error}", hint="""--select 'namespace="shop",job=~"api.*"'""") from None


def _recorded(sources: Sequence[Source], limits: Thresholds) -> Iterator[Rule]:
    has_starts = any(source.start for source in sources)
    for name, field in (
        (MEMORY, "memory"),
        (USED, "used"),
        (LIMIT, "limit"),
        (OBJECTS, "objects"),
        (START, "start"),
        (COLLECTIONS, "collections"),
        (COLLECTING, "collecting"),
    ):
        for source in sources:
            # What a leak grows is also what is used, where the source has no other figure.
            if expr := getattr(source, field) or (source.memory if field == "used" else ""):
                yield Rule(name, expr, labels={"source": source.name})
    if any(source.memory for source in sources):
        for over in sorted({limits.critical_over, limits.warning_over}):
            yield from growth.recorded(over, limits, has_starts=has_starts)
    if any(source.objects for source in sources):
        yield from growth.recorded(limits.warning_over, limits, OBJECTS, has_starts=has_starts)


def _finished(rule: Rule, runbook: str, labels: Mapping[str, str]) -> Rule:
    link = {"runbook_url": f"{runbook}#{rule.name.lower()}"} if runbook else {}
    return replace(rule, labels={**rule.labels, **labels}, annotations={**rule.annotations, **link})
