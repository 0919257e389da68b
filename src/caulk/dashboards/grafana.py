"""Grafana's JSON of a dashboard (schema 39: Grafana 10.4 and later), the same bytes for the same declaration.

The model is that of https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/.
"""

import hashlib
import re
import string
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from caulk.dashboards.panel import Dashboard, Panel, Query, Variable

PAGE_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
#: Grafana refuses a longer one.
_UID_LENGTH = 40
_TYPES = {"lines": "timeseries", "stacked": "timeseries", "bars": "timeseries", "stat": "stat", "table": "table"}
_SCRAPED = ("namespace", "pod", "container")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a dashboard is written: the labels that Prometheus gives to what it scrapes, and where the manual is."""

    namespace: str = "namespace"
    pod: str = "pod"
    container: str = "container"
    docs: str = ""

    def fill(self, text: str, prefix: str) -> str:
        """`text` with the names that it stands for; without a prefix the reader chooses the component."""
        words = {name: str(getattr(self, name)) for name in _SCRAPED}
        words["where"] = ", ".join(f'{word}=~"${name}"' for name, word in words.items())
        words["prefix"] = prefix or "${component}"
        return re.sub(r"<(\w+)>", lambda match: words[match[1]], text)


def render(dashboard: Dashboard, manner: Manner, prefix: str = "") -> dict[str, Any]:
    """The dashboard as Grafana imports it; with `prefix`, for that component alone."""
    chosen = [variable for variable in dashboard.variables if not (prefix and variable.name == "component")]
    return {
        "uid": uid(dashboard.name, prefix),
        "title": f"{dashboard.title}: {prefix}" if prefix else dashboard.title,
        "description": dashboard.about,
        "tags": ["caulk"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "",
        "links": [
            {"type": "dashboards", "title": "caulk", "tags": ["caulk"], "asDropdown": True, "keepTime": True},
            {"type": "link", **_link(f"The metrics: {dashboard.exporter}", dashboard.source)},
        ],
        "annotations": {"list": []},
        "templating": {"list": [_datasource(), *(_variable(each, manner, prefix) for each in chosen)]},
        "panels": list(_laid_out(dashboard, manner, prefix)),
    }


def uid(name: str, prefix: str = "") -> str:
    """What links to the dashboard lead to; the same for ever."""
    whole = f"caulk-{name}" + (f"-{prefix}" if prefix else "")
    if len(whole) <= _UID_LENGTH:
        return whole
    return f"{whole[: _UID_LENGTH - 9]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _laid_out(dashboard: Dashboard, manner: Manner, prefix: str) -> Iterator[dict[str, Any]]:
    """Headings and panels, left to right and then down."""
    top = 0
    for section in dashboard.sections:
        yield {
            "id": _id(section.title),
            "type": "row",
            "title": section.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": top, "w": PAGE_WIDTH, "h": 1},
            "panels": [],
        }
        left, top, tallest = 0, top + 1, 0
        for panel in section.panels:
            if left + panel.width > PAGE_WIDTH:
                left, top, tallest = 0, top + tallest, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield _panel(dashboard, section.title, panel, manner, prefix) | {"gridPos": place}
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def _panel(dashboard: Dashboard, section: str, panel: Panel, manner: Manner, prefix: str) -> dict[str, Any]:
    links = [_link(f"The metrics: {dashboard.exporter}", dashboard.source)]
    if manner.docs:
        links.insert(0, _link("What this tells", f"{manner.docs}#{dashboard.name}"))
    return {
        "id": _id(f"{section}/{panel.title}"),
        "type": _TYPES[panel.kind],
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "links": links,
        "targets": [_target(*each, panel, manner, prefix) for each in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
    } | ({"transformations": _TABLE} if panel.kind == "table" else {})


def _target(number: int, query: Query, panel: Panel, manner: Manner, prefix: str) -> dict[str, Any]:
    is_now = panel.kind == "table"
    return {
        "refId": string.ascii_uppercase[number],
        "datasource": _SOURCE,
        "editorMode": "code",
        "expr": manner.fill(query.expr, prefix),
        "legendFormat": manner.fill(query.legend, prefix) or "__auto",
        "format": "table" if is_now else "time_series",
        "range": not is_now,
        "instant": is_now,
    }


def _field(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = {
        "unit": panel.unit,
        "color": {"mode": "thresholds" if panel.kind == "stat" else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": _steps(panel)},
    }
    if not panel.signed:
        field["min"] = 0
    if _TYPES[panel.kind] == "timeseries":
        field["custom"] = {
            "axisLabel": panel.axis,
            "drawStyle": "bars" if panel.kind == "bars" else "line",
            "fillOpacity": {"lines": 0, "stacked": 40, "bars": 80}[panel.kind],
            "lineWidth": 1,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "none" if panel.kind == "lines" else "normal", "group": "A"},
            "thresholdsStyle": {"mode": "off" if panel.warn is None and panel.bad is None else "dashed"},
        }
    return field


def _steps(panel: Panel) -> list[dict[str, Any]]:
    """Colours by value, lowest first; where the low values are bad the list begins with red."""
    if panel.warn is not None and panel.bad is not None and panel.bad < panel.warn:
        return [
            {"color": "red", "value": None},
            {"color": "yellow", "value": panel.bad},
            {"color": "green", "value": panel.warn},
        ]
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.warn is not None:
        steps.append({"color": "yellow", "value": panel.warn})
    if panel.bad is not None:
        steps.append({"color": "red", "value": panel.bad})
    return steps


#: Rows of what was asked last, without the columns that say nothing.
_TABLE = [{"id": "merge", "options": {}}, {"id": "organize", "options": {"excludeByName": {"Time": True}}}]


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "area",
            "textMode": "auto",
        }
    if panel.kind == "table":
        return {"showHeader": True, "sortBy": [{"displayName": "Value", "desc": True}]}
    return {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _datasource() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def _variable(variable: Variable, manner: Manner, prefix: str) -> dict[str, Any]:
    shared = {"name": variable.name, "label": variable.label, "hide": 0}
    if variable.options:
        options = [{"text": o, "value": o, "selected": o == variable.options[0]} for o in variable.options]
        return shared | {
            "type": "custom",
            "query": ",".join(variable.options),
            "current": options[0],
            "options": options,
            "includeAll": False,
            "multi": False,
        }
    query = manner.fill(variable.query, prefix)
    everything = {"text": "All", "value": "$__all"} if variable.is_many else {}
    return shared | {
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": variable.name},
        "regex": variable.regex,
        # Asked again when the time range changes: pods come and go.
        "refresh": 2,
        "sort": 1,
        "includeAll": variable.is_many,
        "multi": variable.is_many,
        # Matches series without the label too, as a scrape outside of Kubernetes leaves them.
        "allValue": ".*" if variable.is_many else None,
        "current": everything,
        "options": [],
    }


def _id(title: str) -> int:
    """The number of a panel, made of its title, so that links to it outlive other panels."""
    return zlib.crc32(title.encode()) & 0xFFFFFF


def _link(title: str, url: str) -> dict[str, Any]:
    return {"title": title, "url": url, "targetBlank": True}
