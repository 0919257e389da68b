"""Dashboards in files: Grafana's JSON, and the ConfigMap that its sidecar loads (label `grafana_dashboard: "1"`)."""

import json
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
    """YAML of one ConfigMap; each dashboard has its own, since one may hold 1 MiB."""
    # The names of Kubernetes' objects know no capitals and no underscores; those of files in one do.
    name = dashboard["uid"].lower().replace("_", "-")
    return _CONFIGMAP.format(
        name=name, file=dashboard["uid"], body=textwrap.indent(as_json(dashboard).rstrip(), "    ")
    )
