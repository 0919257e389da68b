"""Dashboards in files: Grafana's JSON, the ConfigMap that its sidecar loads, and prose for the manual."""

import json
import re
import textwrap
from typing import Any

_CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels:
    grafana_dashboard: "1"
data:
  {file}.json: |-
{body}
"""


def as_json(dashboard: dict[str, Any]) -> str:
    """The text that Grafana imports, by hand or from a folder."""
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"


def as_configmap(dashboard: dict[str, Any]) -> str:
    """YAML of a ConfigMap, labelled for the sidecar; each dashboard has its own, since one may hold 1 MiB."""
    # The names of Kubernetes' objects know no capitals and no underscores; those of files in one do.
    name = dashboard["uid"].lower().replace("_", "-")
    return _CONFIGMAP.format(
        name=name, file=dashboard["uid"], body=textwrap.indent(as_json(dashboard).rstrip(), "    ")
    )


def as_markdown(dashboard: dict[str, Any]) -> str:
    """What each panel tells, for people; the heading is the anchor that panels link to."""
    source = dashboard["links"][-1]
    lines = [
        f"## {dashboard['uid'].removeprefix('caulk-')}",
        f"{dashboard['title']}. {dashboard['description']} [{source['title']}]({source['url']}).",
    ]
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            lines.append(f"**{panel['title']}**")
        else:
            lines.append(f"- *{panel['title']}*: {panel['description']}")
    # Items of one list stand together, all else is a paragraph.
    return re.sub(r"(?m)^(- .*)\n\n(?=- )", r"\1\n", "\n\n".join(lines)) + "\n"
