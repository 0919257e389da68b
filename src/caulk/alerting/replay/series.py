"""The series that rules would have read: for each metric they select, what it says of a scenario's program."""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import promql_parser as promql

from caulk.alerting.metrics import Known, is_memory, known
from caulk.alerting.promql.parsing import metric
from caulk.alerting.replay.scenarios import HOUR, MB, Moment, Scenario

Labels = tuple[tuple[str, str], ...]
_SUFFIXES = ("_bucket", "_sum", "_count")
_TARGET = (("job", "api"), ("instance", "10.0.0.1:8000"))
#: What stands for anything in a regular expression, and what is tried in its place.
_ANYTHING = re.compile(r"\.[*+]|\[[^\]]*\][*+]?|\\[dw][*+]?")
#: When programs began, in seconds since 1970 at the scenario's begin.
_EPOCH = 86400.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A series that has to be there: the metric, its labels, and which part of memory it shows."""

    name: str
    labels: Labels
    known: Known


def asked(selectors: Iterable[promql.VectorSelector]) -> tuple[list[Asked], list[str]]:
    """The series that selectors ask for, and those that are not known well enough to be made up."""
    found: dict[tuple[str, Labels], Asked] = {}
    strange: set[str] = set()
    for selector in selectors:
        name = metric(selector)
        if not name:
            continue
        family = known(name) or (Known(name, "gauge", "rss") if is_memory(name) else None)
        labels = None if family is None else _meeting(family, selector.matchers.matchers)
        if family is None or labels is None:
            strange.add(name)
        else:
            found.setdefault((name, labels), Asked(name, labels, family))
    return [found[key] for key in sorted(found)], sorted(strange)


def _meeting(family: Known, matchers: Sequence[promql.Matcher]) -> Labels | None:
    """Labels that all matchers let through; None where none were found."""
    labels = dict(_TARGET + family.labels)
    if "container_" in family.name or "kube_" in family.name:
        labels |= {"job": "kubelet", "instance": "node-1"}
    for matcher in matchers:
        tries = [labels.get(matcher.name, ""), *_examples(matcher), "x"]
        value = next((each for each in tries if _matches(matcher, each)), None)
        if value is None:
            return None
        labels[matcher.name] = value
    ok = all(_matches(matcher, labels.get(matcher.name, "")) for matcher in matchers)
    return tuple(sorted((k, v) for k, v in labels.items() if v and k != "__name__")) if ok else None


def _matches(matcher: promql.Matcher, value: str) -> bool:
    is_wanted = matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re)
    if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        return (matcher.value == value) == is_wanted
    try:
        return (re.fullmatch(matcher.value, value) is not None) == is_wanted
    except re.error:  # RE2 knows some things that Python does not
        return False


def _examples(matcher: promql.Matcher) -> Iterator[str]:
    """Values that an equality or a simple regular expression means."""
    if matcher.op == promql.MatchOp.Equal:
        yield matcher.value
    elif matcher.op == promql.MatchOp.Re:
        for choice in matcher.value.strip("()^$").split("|"):
            yield _ANYTHING.sub("x", choice).replace("\\", "")


def lines(wanted: Sequence[Asked], scenario: Scenario, step: float) -> Iterator[tuple[str, str]]:
    """Each series that promtool is to be given: what it is called, and its values at every `step` seconds."""
    rng = random.Random(scenario.name)  # noqa: S311 - seeded: the same series every time
    moments = [scenario.at(i * step, rng) for i in range(int(scenario.hours * HOUR / step) + 1)]
    for series in wanted:
        chance = random.Random(f"{scenario.name} {series.name}")  # noqa: S311
        for labels, seen in _seen(series, moments, chance):
            told = ("_" if each is None else f"{_value(series, each, i * step, scenario):.9g}"
                    for i, each in enumerate(seen))  # fmt: skip
            yield series.name + "{" + ",".join(f'{k}="{_quoted(v)}"' for k, v in labels) + "}", " ".join(told)


def _seen(
    series: Asked, moments: Sequence[Sequence[Moment]], chance: random.Random
) -> Iterator[tuple[Labels, list[Moment | None]]]:
    """Whom a metric is about: each worker, each life of the container, or whichever worker answered the scrape."""
    if "worker" in dict(series.known.labels):
        for worker in range(len(moments[0])):
            labels = tuple((k, str(worker) if k == "worker" else v) for k, v in series.labels)
            yield labels, [each[worker] for each in moments]
    elif series.name.startswith("container_"):
        wholes = [_cgroup(each) for each in moments]
        for started in dict.fromkeys(each.started for each in wholes):
            lives = [each if each.started == started else None for each in wholes]
            yield (*series.labels, ("id", f"/kubepods/{started:g}")), lives
    else:
        yield series.labels, [chance.choice(each) for each in moments]


def _cgroup(workers: Sequence[Moment]) -> Moment:
    """A container: all its workers; it is as old as the only one, or as the pool."""
    started = workers[0].started if len(workers) == 1 else 0.0
    return Moment(sum(each.anonymous for each in workers), workers[0].cache, started)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _value(series: Asked, moment: Moment, t: float, scenario: Scenario) -> float:
    if series.known.type != "gauge":
        # One collection in five seconds that takes 2 ms; nothing jumps.
        return 0.0 if series.known.role == "events" else t * (0.0004 if series.name.endswith("_sum") else 0.2)
    match series.known.role:
        case "rss":
            return moment.anonymous + 20 * MB
        case "working-set":
            return moment.anonymous + 0.7 * moment.cache
        case "usage":
            return moment.anonymous + moment.cache
        case "cache":
            return moment.cache
        case "heap":
            return 0.8 * moment.anonymous
        case "limit":
            return scenario.limit
        case "objects":
            return moment.anonymous / 1000
        case "start":
            return _EPOCH + moment.started
        case "up":
            return 1.0
        case "anonymous":
            return moment.anonymous
    return 1.0 if series.name.endswith("_info") else 0.0
