"""Every query of every dashboard, against recordings of the real exporters in a real Prometheus."""

import re

import pytest
from asking import prometheus
from recordings import names, pages, served, types

from caulk.dashboards.catalog import DASHBOARDS
from caulk.dashboards.grafana import Manner
from caulk.dashboards.panel import growth

#: What Prometheus adds to every scrape.
ADDED = {"up"}
#: Metrics of which a recording has no series of a pod, and why.
NOT_OF_PODS = {
    "container_network_receive_bytes_total": "pods of the recorded cluster have no network of their own",
    "container_network_transmit_bytes_total": "pods of the recorded cluster have no network of their own",
}
CHOSEN = {"__rate_interval": "1m", "window": "1h", "component": "objects_cleaner"}
QUERIES = [
    pytest.param(query, id=f"{dashboard.name}/{panel.title}/{number}")
    for dashboard in DASHBOARDS
    for section in dashboard.sections
    for panel in section.panels
    for number, query in enumerate(panel.queries)
]
CHOICES = [
    pytest.param(variable, id=f"{dashboard.name}/{variable.name}")
    for dashboard in DASHBOARDS
    for variable in dashboard.variables
    if variable.query
]


def asked(text: str) -> str:
    """A query as Grafana sends it with everything chosen; floors are of seconds, for that is how long this runs."""
    filled = Manner().fill(text, "").replace("[10m", "[2s")
    return re.sub(r"\$\{?(\w+)\}?", lambda match: CHOSEN.get(match[1], ".*"), filled)


def metrics_in(expr: str) -> set[str]:
    """The names of metrics in PromQL."""
    named = set(re.findall(r'__name__=~?"([^"]*)"', expr))
    bare = re.sub(r"\[[^\]]*\]", "", re.sub(r"\{[^{}]*\}", "{}", re.sub(r'"[^"]*"', '""', expr)))
    bare = re.sub(r"\b(by|on|without|ignoring)\s*\([^)]*\)", "", bare)
    words = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?![a-zA-Z0-9_:]*\s*\()", bare)
    return {word for word in words if word not in ("and", "or", "unless", "bool", "e")} | named


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served() as port, prometheus(tmp_path_factory.mktemp("prometheus"), port) as ready:
        yield ready


@pytest.fixture(scope="module")
def kinds():
    return {name: kind for text in pages().values() for name, kind in types(text).items()}


@pytest.mark.parametrize("query", QUERIES)
def test_every_metric_is_in_a_recorded_scrape(query):
    known = set().union(*map(names, pages().values())) | ADDED
    for metric in metrics_in(asked(query.expr)):
        assert any(re.fullmatch(metric, name) for name in known), metric


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_returns_data(server, query):
    expr = asked(query.expr)
    values = server.values(expr)
    assert values or query.rare or metrics_in(expr) & set(NOT_OF_PODS), expr


def test_queries_that_may_be_empty_are_not_where_there_is_something_to_show(server):
    empty = [param.id for param in QUERIES if param.values[0].rare and not server.values(asked(param.values[0].expr))]
    assert empty == []


def test_growth_is_told_in_bytes_an_hour(server):
    # A thousandth of the memory is added with each scrape, one a second.
    [size] = server.values('go_memstats_heap_alloc_bytes{job="go"}')
    [rate] = server.values(asked(growth('go_memstats_heap_alloc_bytes{job="go"}')))
    assert rate == pytest.approx(3600 * size / 1000, rel=0.3)


@pytest.mark.parametrize("variable", CHOICES)
def test_every_choice_has_values(server, variable):
    selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", asked(variable.query)).groups()
    found = server.label_values(selector, label)
    taken = [m[1] for value in found if (m := re.fullmatch(variable.regex.strip("/") or "(.*)", value))]
    assert taken


@pytest.mark.parametrize("query", QUERIES)
def test_only_counters_are_rated_and_only_gauges_derived(query, kinds):
    expr = asked(query.expr)
    for metric in re.findall(r"\b(?:rate|increase)\((\w+)", expr):
        assert kinds[metric] == "counter", metric
    for metric in re.findall(r"\b(?:deriv|min_over_time)\(\(?(?:sum by \([^)]*\) )?\(*(\w+)\{", expr):
        assert kinds[metric] == "gauge", metric


def test_metrics_are_found_in_promql():
    expr = 'sum by (pod) (rate(a_total{x="b"}[1m])) / on (job) (c > 0) or time() - d{e=~"f"}'
    assert metrics_in(expr) == {"a_total", "c", "d"}
