"""A rule of Prometheus as a value: an alert, or a series that is recorded.

Fields: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/#rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `lasting` is its `for`, a duration as Prometheus writes it. `line` is where it stands in its file."""

    name: str
    expr: str
    is_alert: bool = False
    lasting: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, so that each sees what those before it recorded."""

    name: str
    rules: tuple[Rule, ...]
    interval: str = ""
