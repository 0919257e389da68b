"""What a dashboard says of itself: sections of panels, each with queries whose labels are filled in later.

In queries `<where>` stands for the matchers of the variables, `<namespace>`, `<pod>` and `<container>` for the names of
these labels, `<prefix>` for the component that is looked at.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lines", "stacked", "bars", "stat", "table"]


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL and the legend of its series. `rare` says why a healthy program may have no such series."""

    expr: str
    legend: str = ""
    rare: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One question. `about` says what the answer tells at night; `unit` is Grafana's name of a unit.

    From `warn` on a value is yellow, from `bad` on red; with `bad` below `warn` the low values are the bad ones.
    `signed` lets the axis go below 0. Width is in 24ths of the page, height in rows of 30 pixels.
    """

    title: str
    about: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Kind = "lines"
    axis: str = ""
    warn: float | None = None
    bad: float | None = None
    signed: bool = False
    width: int = 12
    height: int = 8


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of the page: from a list of `options`, or what `regex` takes of the answers to `query`."""

    name: str
    label: str
    query: str = ""
    options: tuple[str, ...] = ()
    regex: str = ""
    is_many: bool = True


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page. `exporter` is who gives the metrics, `source` where they are documented."""

    name: str
    title: str
    about: str
    exporter: str
    source: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]


#: Over how long growth is measured.
WINDOW = Variable("window", "Growth over", options=("6h", "1h", "3h", "12h", "1d", "3d"))


def scraped(*metrics: str) -> tuple[Variable, ...]:
    """The choices where Prometheus gave namespace, pod and container to what any of `metrics` was scraped from."""
    name = f'__name__=~"{"|".join(metrics)}"'
    in_namespace = f'{name}, <namespace>=~"$namespace"'
    return (
        Variable("namespace", "Namespace", f"label_values({{{name}}}, <namespace>)"),
        Variable("pod", "Pod", f"label_values({{{in_namespace}}}, <pod>)"),
        Variable("container", "Container", f'label_values({{{in_namespace}, <pod>=~"$pod"}}, <container>)'),
    )


def growth(series: str) -> str:
    """Growth in an hour of the floor of a gauge: `deriv` of minima, since `rate` takes every decrease for a restart."""
    return f"3600 * deriv(min_over_time({series}[10m])[$window:])"


def rate(counter: str, by: str) -> str:
    """How much of a counter comes in a second, over all series that have the labels `by` in common."""
    return f"sum by ({by}) (rate({counter}{{<where>}}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str, where: str = "<where>") -> str:
    """A quantile of a classic histogram, over all series that have the labels `by` in common."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({histogram}_bucket{{{where}}}[$__rate_interval])))"


def among(expression: str, marker: str) -> str:
    """Those series of what every exporter tells (`process_…`) that were scraped together with the metric `marker`."""
    return f"{expression} and on (job, instance) {marker}"
