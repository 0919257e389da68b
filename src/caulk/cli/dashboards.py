"""`caulk dashboards`: Grafana dashboards for the memory of programs, as JSON or as ConfigMaps."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from caulk.cli.targets import show
from caulk.dashboards.catalog import DASHBOARDS
from caulk.dashboards.documents import as_configmap, as_json, as_markdown
from caulk.dashboards.grafana import Manner, render, uid
from caulk.model.errors import UsageError
from caulk.model.table import Heading, Table

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WRITERS = {"json": (".json", as_json), "configmap": (".yaml", as_configmap), "markdown": (".md", as_markdown)}
_HEADINGS = (
    Heading("name", "name"),
    Heading("about", "shows"),
    Heading("exporter", "metrics of"),
    Heading("uid", "uid"),
)


def main(
    *names: str,
    out: Path | None = None,
    output: Annotated[Literal["json", "configmap", "markdown"] | None, Parameter(name=["--output", "-o"])] = None,
    list_: Annotated[bool, Parameter(name="--list", negative="")] = False,
    prefix: tuple[str, ...] = (),
    namespace_label: str = "namespace",
    pod_label: str = "pod",
    container_label: str = "container",
    docs: str = "",
) -> None:
    """Write Grafana dashboards: overview, workloads, runtimes, HTTP, controllers, Envoy, captures.

    Without `--out` and `-o` they are listed. What is written depends on nothing but the options, byte for byte.

    Parameters
    ----------
    names
        Which dashboards; all, if none is named.
    out
        A folder; each dashboard becomes a file in it, UID.json, UID.yaml or UID.md.
    output
        json, as Grafana imports it; configmap, as its sidecar finds it (label `grafana_dashboard: "1"`); or markdown,
        what each panel tells.
    list_
        List the dashboards and write nothing.
    prefix
        Of the dashboard `component`: the prefix of a component's metrics (`datastore` for
        `datastore_latency_seconds`). May be repeated. Without it the component is chosen in Grafana.
    namespace_label
        The label in which Prometheus puts the namespace of what it scrapes (`kubernetes_namespace`).
    pod_label
        The same for the pod (`kubernetes_pod_name`).
    container_label
        The same for the container.
    docs
        The URL of a manual; panels link to it with `#NAME`.

    """
    manner = Manner(_label(namespace_label), _label(pod_label), _label(container_label), docs)
    made = list(_made(names, prefix, manner))
    if list_ or not (out or output):
        rows = [(d.name, d.about, d.exporter, uid(d.name)) for d in DASHBOARDS if not names or d.name in names]
        show(Table("dashboards", _HEADINGS, rows), "json" if list_ and output == "json" else "table")
        return
    suffix, text = _WRITERS[output or "json"]
    if out:
        _write(out, {f"{one['uid']}{suffix}": text(one) for one in made})
    elif output == "json" and len(made) > 1:
        raise UsageError(
            f"{len(made)} dashboards are too many for one JSON", hint="Name one, or give `--out DIR` for a file each."
        )
    else:
        sys.stdout.write(("---\n" if output == "configmap" else "\n").join(map(text, made)))


def _made(names: Sequence[str], prefixes: Sequence[str], manner: Manner) -> Iterator[dict[str, Any]]:
    known = [dashboard.name for dashboard in DASHBOARDS]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no dashboard {name!r}", hint=f"There are: {', '.join(known)}.")
    if prefixes and names and "component" not in names:
        raise UsageError("--prefix is for the dashboard `component`", hint="Name it too, or leave --prefix out.")
    for dashboard in DASHBOARDS:
        if names and dashboard.name not in names:
            continue
        for prefix in (prefixes or ("",)) if dashboard.name == "component" else ("",):
            yield render(dashboard, manner, _prefix(prefix))


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", hint="`--out` wants a folder that can be written to.") from None
    print(f"{len(files)} dashboards in {folder}", file=sys.stderr)


def _label(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a label", hint="Letters, digits and _, as in kubernetes_namespace.")
    return name


def _prefix(prefix: str) -> str:
    cleaned = prefix.removesuffix("_")
    if prefix and not _NAME.fullmatch(cleaned):
        raise UsageError(f"{prefix!r} is no prefix of metrics", hint="Letters, digits and _, as in datastore.")
    return cleaned
