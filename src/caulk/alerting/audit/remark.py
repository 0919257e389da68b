"""One thing that is wrong with a rule: which, where, how badly, and what to write instead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import promql_parser as promql

from caulk.alerting.promql.flow import Flow
from caulk.alerting.rule import Rule

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Remark:
    """`error`: it does not do what it is for. `warning`: it may not. `note`: it could be better."""

    severity: Severity
    check: str
    rule: str
    line: int
    says: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A rule that is looked at: its tree, where its numbers come from, and what is known beside.

    `recorded` are the rules of the same files by what they record; `scraped` the names that a scrape had, empty where
    none was given; `interval` the seconds between scrapes;
    `is_alone` where no other rule has this alert's name.
    """

    rule: Rule
    tree: promql.Expr
    flows: list[Flow]
    recorded: Mapping[str, Rule] = field(default_factory=dict)
    scraped: frozenset[str] = frozenset()
    interval: float = 60.0
    is_alone: bool = True

    def remark(self, severity: Severity, check: str, says: str, fix: str = "") -> Remark:
        """A remark on this rule."""
        return Remark(severity, check, self.rule.name, self.rule.line, says, fix)

    @property
    def words(self) -> str:
        """What the rule says to people: its name and annotations, links left out."""
        told = [text for key, text in self.rule.annotations.items() if "url" not in key]
        return " ".join([self.rule.name, *told])
