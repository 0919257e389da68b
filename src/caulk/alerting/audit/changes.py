"""Checks of how change over time is asked for: counters' functions on gauges, units of time, and windows."""

import re
from collections.abc import Iterator
from datetime import timedelta

import promql_parser as promql

from caulk.alerting.audit.remark import Question, Remark
from caulk.alerting.metrics import is_gauge, is_memory, known
from caulk.alerting.promql.amounts import Comparison, comparisons
from caulk.alerting.promql.flow import flows
from caulk.alerting.promql.parsing import metric, walk
from caulk.model.units import format_value

FOR_COUNTERS = ("rate", "irate", "increase")
FOR_GAUGES = ("deriv", "delta", "idelta", "predict_linear")
_PER_HOUR = re.compile(r"(?:/\s*|\bper\s+|\ban\s+|\bevery\s+)h(?:ou)?r?\b|\bhourly\b", re.IGNORECASE)
#: No program grows so in an hour, and none is watched for so little.
_MOST_PER_HOUR, _LEAST_PER_HOUR = 20 << 30, 1 << 10
_FLOORS = "deriv(x:floor[3h]) * 3600, with x:floor recorded as min_over_time(x[30m]); `caulk rules` writes it"


def counters_on_gauges(question: Question) -> Iterator[Remark]:
    """`rate()` of a gauge takes every fall for a reset: it is silent on leaks, and loud on noise."""
    for flow in question.flows:
        function = next((name for name in flow.through if name in FOR_COUNTERS), "")
        if function and is_gauge(flow.metric):
            yield question.remark(
                "error",
                "rate-on-gauge",
                f"{function}() is for counters, and {flow.metric} is a gauge: each fall is taken for a restart "
                "from 0, so noise adds up to growth",
                _FLOORS.replace("x", flow.metric, 1) if is_memory(flow.metric) else "deriv() or delta()",
            )


def gauges_on_counters(question: Question) -> Iterator[Remark]:
    """`deriv()` of a counter falls to below zero at each restart."""
    for flow in question.flows:
        function = next((name for name in flow.through if name in FOR_GAUGES), "")
        # What a rate gives is a gauge again.
        if function and is_gauge(flow.metric) is False and not set(FOR_COUNTERS) & set(flow.through):
            yield question.remark(
                "error",
                "deriv-on-counter",
                f"{function}() is for gauges, and {flow.metric} is a counter: a restart counts as a fall",
                "rate() or increase()",
            )


def units_of_time(question: Question) -> Iterator[Remark]:
    """A slope is per second: what is meant per hour is off by 3600."""
    for each in comparisons(question.tree, question.recorded):
        function, name = _slope(each, question)
        if not function or each.op not in (">", ">="):
            continue
        seconds = 1.0 if function != "increase" else _window(each)
        per_hour = each.bound / seconds * 3600
        an_hour = f"{format_value(per_hour, 'bytes') if is_memory(name) else format_value(per_hour, '')} an hour"
        is_scaled = abs(each.scale - 3600) < 1 or abs(each.scale * (1 << 20) - 3600) < 1
        if function != "increase" and not is_scaled and _PER_HOUR.search(question.words):
            yield question.remark(
                "error",
                "per-second",
                f"{function}() is per second, and the text says per hour: this waits for {an_hour}",
                f"{function}(…) * 3600",
            )
        elif is_memory(name) and per_hour > _MOST_PER_HOUR:
            yield question.remark(
                "error",
                "per-second",
                f"{function}() is per second: this waits for {an_hour}, which no leak reaches",
                f"{function}(…) * 3600 > what is meant an hour",
            )
        elif is_memory(name) and 0 < per_hour < _LEAST_PER_HOUR:
            yield question.remark(
                "error", "per-second", f"this waits for {an_hour}: it always fires", "compare with bytes, not with MB"
            )


def _slope(each: Comparison, question: Question) -> tuple[str, str]:
    """The function that makes a slope out of an amount, and of which; nothing where something else is compared."""
    for flow in flows(each.measured, question.recorded):
        function = next((f for f in flow.through if f in ("rate", "irate", "increase", "deriv")), "")
        family = known(flow.metric)
        if function and (is_memory(flow.metric) or (family and family.role == "objects")):
            return function, flow.metric
    return "", ""


def _window(each: Comparison) -> float:
    ranges = [part.range for part in walk(each.measured) if isinstance(part, promql.MatrixSelector)]
    return ranges[0].total_seconds() if ranges else 1.0


def windows(question: Question) -> Iterator[Remark]:
    """A change needs two readings, and four to survive a scrape that fails."""
    for part in walk(question.tree):
        if not isinstance(part, promql.Call) or part.func.name not in (*FOR_COUNTERS, *FOR_GAUGES):
            continue
        for inner in part.args:
            if not isinstance(inner, promql.MatrixSelector):
                continue
            name, span = metric(inner.vector_selector), _seconds(inner.range)
            step = question.interval
            if name in question.recorded:
                continue
            if span < 2 * step:
                yield question.remark(
                    "error",
                    "short-window",
                    f"{part.func.name}({name}[{span:g}s]) has less than two readings at one each {step:g} s",
                    f"a window of {4 * step:g}s or more (--scrape-interval says how often is scraped)",
                )
            elif span < 4 * step:
                yield question.remark(
                    "note",
                    "short-window",
                    f"{part.func.name}({name}[{span:g}s]) is empty after one failed scrape, at one each {step:g} s",
                    f"a window of {4 * step:g}s or more",
                )


def _seconds(span: timedelta) -> float:
    return span.total_seconds()


def unfloored(question: Question) -> Iterator[Remark]:
    """A slope through raw memory takes a tooth of garbage, or an hour of traffic, for a leak."""
    for flow in question.flows:
        slope = next((name for name in flow.through if name in ("deriv", "predict_linear", "delta")), "")
        if slope and is_memory(flow.metric) and not {"min_over_time", "quantile_over_time"} & set(flow.through):
            yield question.remark(
                "warning",
                "no-floor",
                f"{slope}() of raw {flow.metric} goes up with garbage that is about to be collected",
                _FLOORS.replace("x", flow.metric, 1),
            )
