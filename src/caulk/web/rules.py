"""Rules as pages have them: each as settings and in sentences."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from caulk.config.rules import (
    DEFAULT_RULES,
    Action,
    Analyse,
    Capture,
    Collect,
    Filters,
    Limits,
    Look,
    Notify,
    Rule,
    Run,
    Trigger,
)
from caulk.config.schema import Config
from caulk.config.values import plain
from caulk.model.units import format_duration, format_share, format_value
from caulk.web.records import Answer


class RuleRecord(Answer, frozen=True, kw_only=True):
    """A rule: when it fires, whom it is about, what it does, and what keeps it from doing too much."""

    name: str
    enabled: bool
    is_default: bool
    when: str
    whom: str
    does: tuple[str, ...]
    limits: str
    trigger: dict[str, Any]
    filters: dict[str, Any]
    actions: tuple[dict[str, Any], ...]


class RulesAnswer(Answer, frozen=True, kw_only=True):
    """The rules, in the order in which they are asked."""

    schema: Literal["caulk.rules/1"] = "caulk.rules/1"
    rules: tuple[RuleRecord, ...]


def rules(config: Config) -> list[Rule]:
    """Default rules and those of caulk.toml, also those that are switched off."""
    given = {rule.name for rule in config.rules}
    default = [rule for rule in DEFAULT_RULES if rule.name not in given]
    in_force = (
        default if config.watch.default_rules else [msgspec.structs.replace(one, enabled=False) for one in default]
    )
    return [*in_force, *config.rules]


def told(config: Config) -> RulesAnswer:
    """All of them as records."""
    given = {rule.name for rule in config.rules}
    return RulesAnswer(rules=tuple(_record(rule, is_default=rule.name not in given) for rule in rules(config)))


def _record(rule: Rule, *, is_default: bool) -> RuleRecord:
    return RuleRecord(
        name=rule.name,
        enabled=rule.enabled,
        is_default=is_default,
        when=_when(rule.trigger),
        whom=_whom(rule.filters),
        does=tuple(map(_does, rule.actions)),
        limits=_limits(rule.limits),
        trigger=_settings(rule.trigger),
        filters=_settings(rule.filters),
        actions=tuple(map(_settings, rule.actions)),
    )


def _settings(part: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(part, enc_hook=plain)
    return found


def _when(trigger: Trigger) -> str:
    if trigger.alert is not None:
        return "Alertmanager sends " + ("an alert" if trigger.alert == "*" else f"the alert {trigger.alert}")
    held = f", for {format_duration(trigger.held)} without a break" if trigger.held else ""
    return " and ".join(_conditions(trigger)) + held


def _conditions(trigger: Trigger) -> Iterator[str]:
    events = {
        "oom": "a replica is killed for lack of memory",
        "restart": "a replica is restarted",
        "deploy": "it is deployed",
        "dump": "a replica writes a dump of itself",
    }
    if trigger.event:
        yield " or ".join(events[event] for event in trigger.event)
    if trigger.state:
        yield f"it is judged {' or '.join(trigger.state)}"
    if trigger.growth is not None:
        yield f"it grows by {format_value(trigger.growth, 'bytes')} an hour or more"
    if trigger.share_of_limit is not None:
        yield f"it holds {format_share(trigger.share_of_limit)} of its limit"
    if trigger.time_to_limit is not None:
        yield f"it would meet its limit within {format_duration(trigger.time_to_limit)}"


def _whom(filters: Filters) -> str:
    given = []
    if filters.workload != "*":
        given.append(f"called {filters.workload}")
    if filters.runtime != "*":
        given.append(f"of the runtime {filters.runtime}")
    if filters.place != "*":
        given.append(f"at {filters.place}")
    given += [f"with {name} {value}" for name, value in sorted(filters.labels.items())]
    return f"workloads {', '.join(given)}" if given else "every workload"


def _does(action: Action) -> str:
    match action:
        case Look():
            return "says what kind of memory it is"
        case Capture():
            return _captures(action)
        case Collect():
            return "takes the dump into the store" + (", and deletes it where it was" if action.remove else "")
        case Analyse():
            return "names what leaks" + (", by a dearer capture where it must" if action.dearer else "")
        case Notify():
            return f"tells {', '.join(action.to) if action.to else 'everybody'}"
        case Run():
            return f"runs {action.command[0]}"


def _captures(action: Capture) -> str:
    text = "takes a capture" + (f" ({', '.join(action.ways)})" if action.ways else " by the cheapest way")
    if action.grown:
        text += f" when memory has grown by {format_share(action.grown)}, or after {format_duration(action.within)}"
    return text + (f", with {format_value(action.lend, 'bytes')} more limit meanwhile" if action.lend else "")


def _limits(limits: Limits) -> str:
    window, apart = format_duration(limits.window), format_duration(limits.cooldown)
    return (
        f"{limits.count} times in {window} at most, {limits.per_workload} for one workload, {apart} apart;"
        f" no capture while captures take {format_value(limits.disk, 'bytes')}"
    )
