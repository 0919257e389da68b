"""What every dashboard must be, whatever its metrics: loadable by Grafana, stable, linked, and the same each time."""

import json
import re
from dataclasses import replace
from itertools import combinations

import pytest
import yaml

from caulk.dashboards.catalog import DASHBOARDS
from caulk.dashboards.documents import as_configmap, as_json
from caulk.dashboards.grafana import PAGE_WIDTH, Manner, render, uid

ALL = [pytest.param(render(dashboard, Manner()), id=dashboard.name) for dashboard in DASHBOARDS]
DOCUMENTS = Manner("kubernetes_namespace", "kubernetes_pod_name", "container", "https://docs/dashboards")


def everything(value):
    """Every object within a document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from everything(each)


@pytest.mark.parametrize("made", ALL)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(made):
    panels = made["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in (panel["gridPos"] for panel in panels)
    ]
    assert all(0 <= x < PAGE_WIDTH for taken in cells for x, _ in taken)
    assert not any(one & other for one, other in combinations(cells, 2))


@pytest.mark.parametrize("made", ALL)
def test_every_query_goes_to_the_chosen_datasource(made):
    assert made["templating"]["list"][0] | {"name": "datasource", "type": "datasource"} == made["templating"]["list"][0]
    for panel in made["panels"]:
        if panel["type"] != "row":
            assert {json.dumps(each["datasource"]) for each in (panel, *panel["targets"])} == {
                '{"type": "prometheus", "uid": "${datasource}"}'
            }
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
    named = {each["uid"] for each in everything(made) if each.get("type") == "prometheus"}
    assert named == {"${datasource}"}


@pytest.mark.parametrize("made", ALL)
def test_only_choices_that_are_offered_are_used(made):
    offered = {variable["name"] for variable in made["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", as_json({"panels": made["panels"]})))
    assert used <= offered | {"__rate_interval"}
    assert not re.search(r"<\w+>", as_json(made))


@pytest.mark.parametrize("made", ALL)
def test_every_panel_says_what_it_tells_and_where_more_is_written(made):
    for panel in made["panels"]:
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["links"][-1]["url"].startswith("https://")
            assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("made", ALL)
def test_thresholds_rise(made):
    for panel in made["panels"]:
        if panel["type"] != "row":
            first, *rest = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            assert first["value"] is None
            assert [step["value"] for step in rest] == sorted({step["value"] for step in rest})


def test_dashboards_have_uids_that_grafana_takes():
    uids = [uid(dashboard.name) for dashboard in DASHBOARDS] + [uid("component", "a_very_long_prefix_of_a_component")]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", each) for each in uids)
    assert uid("component", "a_very_long_prefix_of_a_component_1") != uid(
        "component", "a_very_long_prefix_of_a_component_2"
    )


@pytest.mark.parametrize("dashboard", [pytest.param(dashboard, id=dashboard.name) for dashboard in DASHBOARDS])
def test_a_panel_keeps_its_number_when_another_goes(dashboard):
    first, *others = dashboard.sections
    less = replace(dashboard, sections=(replace(first, panels=first.panels[1:]), *others))
    assert ids(less).items() <= ids(dashboard).items()
    assert len(ids(less)) == len(ids(dashboard)) - 1


def ids(dashboard):
    """The title of each panel, by its number."""
    return {panel["id"]: panel["title"] for panel in render(dashboard, Manner())["panels"]}


def test_labels_are_named_as_prometheus_was_told():
    [go] = [dashboard for dashboard in DASHBOARDS if dashboard.name == "go"]
    made = render(go, DOCUMENTS)
    target = made["panels"][1]["targets"][0]
    where = 'kubernetes_namespace=~"$namespace", kubernetes_pod_name=~"$pod", container=~"$container"'
    assert target["expr"] == f"go_memstats_mallocs_total{{{where}}} - go_memstats_frees_total{{{where}}}"
    assert target["legendFormat"] == "{{kubernetes_pod_name}} {{container}}"
    assert made["templating"]["list"][1]["definition"].endswith(", kubernetes_namespace)")
    assert made["panels"][1]["links"][0]["url"] == "https://docs/dashboards#go"


def test_a_prefix_makes_a_dashboard_of_one_component():
    [component] = [dashboard for dashboard in DASHBOARDS if dashboard.name == "component"]
    made = render(component, Manner(), "datastore")
    assert made["uid"] == "caulk-component-datastore"
    assert "${component}" not in as_json(made)
    assert "datastore_inflight_requests" in as_json(made)


@pytest.mark.parametrize("made", ALL)
def test_a_configmap_holds_the_same_dashboard(made):
    configmap = yaml.safe_load(as_configmap(made))
    assert configmap["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert re.fullmatch(r"[a-z0-9-]+", configmap["metadata"]["name"])
    [text] = configmap["data"].values()
    assert json.loads(text) == made
    # What `kubectl apply` keeps of an object in an annotation.
    assert len(text) < 200_000
