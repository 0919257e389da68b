"""Which rules fire: from a change, or an alert, and the firings so far, to decisions. Nothing here reads or writes.

What holds is asked, not what changed, so that nothing depends on when caulk was started. An incident has a key from its
rule, its workload and its cause; the store keeps a second one of the same key out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from caulk.config.rules import Filters, Limits, Rule, Trigger
from caulk.model.incident import Alert
from caulk.model.judgement import Event
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.units import format_duration, format_share, format_value
from caulk.model.watching import Appeared, Observation, Workload
from caulk.watch.fleet import Change


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a trigger holds, in a sentence; `key` tells this cause from another, and is empty for what goes on."""

    why: str
    key: str = ""
    observation: Observation | None = None
    dump: Appeared | None = None


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing of a rule."""

    workload: str
    at: float


def concerns(filters: Filters, workload: Workload, target: Target | None) -> bool:
    """Whether a rule is about a workload, and a target of it."""
    if not (fnmatchcase(workload.key, filters.workload) or fnmatchcase(workload.name, filters.workload)):
        return False
    if not fnmatchcase(workload.runtime, filters.runtime):
        return False
    if target is None:
        return filters.place == "*" and not filters.labels
    labels = target.labels
    return fnmatchcase(target.place, filters.place) and all(
        fnmatchcase(labels.get(name, ""), wanted) for name, wanted in filters.labels.items()
    )


def causes(trigger: Trigger, change: Change) -> Iterator[Cause]:
    """Why a trigger holds for a change: one cause for what goes on, one for each event and dump; else none."""
    whys = _conditions(trigger, change)
    if whys is None or trigger.alert is not None:
        return
    if not trigger.event:
        yield Cause("; ".join(whys), observation=worst(change.observations))
        return
    seen = change.observations[0] if change.observations else None
    for event in change.events:
        if event.what in trigger.event:
            yield Cause("; ".join([_happened(event, seen), *whys]), f"{event.what}@{event.at:.3f}", seen)
    if "dump" in trigger.event:
        for dump in change.dumps:
            why = f"it wrote a dump: {dump.path}, {format_value(dump.size, 'bytes')}"
            yield Cause("; ".join([why, *whys]), f"dump@{dump.at:.3f}:{dump.path}", seen, dump)


def answers(rule: Rule, alert: Alert) -> bool:
    """Whether an alert is the trigger of a rule; filters are the caller's."""
    return rule.trigger.alert is not None and fnmatchcase(alert.name, rule.trigger.alert)


@dataclass(frozen=True, slots=True)
class Throttled:
    """Until when a rule must not fire, and why: for one workload, or for all of them."""

    until: float
    why: str
    for_all: bool = False


def throttled(limits: Limits, firings: Sequence[Firing], workload: str, now: float) -> Throttled | None:
    """What keeps a rule from firing for a workload now; None if it may. `firings` are the rule's own, oldest first."""
    recent = [firing for firing in firings if firing.at > now - limits.window]
    own = [firing for firing in recent if firing.workload == workload]
    window = format_duration(limits.window)
    if own and now < own[-1].at + limits.cooldown:
        why = f"it fired for it less than {format_duration(limits.cooldown)} ago"
        return Throttled(own[-1].at + limits.cooldown, why)
    if len(own) >= limits.per_workload:
        why = f"it fired {len(own)} times for it within {window}"
        return Throttled(own[-limits.per_workload].at + limits.window, why)
    if len(recent) >= limits.count:
        why = f"it fired {len(recent)} times within {window}"
        return Throttled(recent[-limits.count].at + limits.window, why, for_all=True)
    return None


def worst(observations: Sequence[Observation]) -> Observation | None:
    """The one replica that pays for a capture: of those that can be captured, the one that holds most."""
    living = [seen for seen in observations if not seen.is_over]
    reachable = [seen for seen in living if seen.target] or living or list(observations)
    return max(reachable, key=lambda seen: (held(seen), seen.replica), default=None)


def held(seen: Observation) -> int:
    """Bytes of a replica that the kernel cannot take back."""
    return memory_of(seen.reading)


def memory_of(reading: Reading) -> int:
    """Bytes that the kernel cannot take back."""
    return reading.anonymous + reading.shared or max(reading.rss - max(reading.file - reading.shared, 0), 0)


def _conditions(trigger: Trigger, change: Change) -> list[str] | None:
    """Sentences for the conditions of a trigger; None if one of them does not hold."""
    judgement = change.judgement
    whys = []
    if trigger.state:
        if judgement.state not in trigger.state:
            return None
        whys.append(f"it is {judgement.state}" + (f": {judgement.why}" if judgement.why else ""))
    if trigger.growth is not None:
        rate, interval = judgement.growth_bytes_per_hour, judgement.growth_interval
        if rate is None or rate < trigger.growth or not interval or interval[0] <= 0:
            return None
        whys.append(f"it grows by {format_value(rate, 'bytes')} an hour")
    if trigger.share_of_limit is not None:
        share = max((held(seen) / seen.limit for seen in change.observations if seen.limit), default=0.0)
        if not share or share < trigger.share_of_limit:
            return None
        whys.append(f"it holds {format_share(share)} of its limit")
    if trigger.time_to_limit is not None:
        left = judgement.time_to_limit_s
        if left is None or left > trigger.time_to_limit:
            return None
        whys.append(f"it is at its limit in {format_duration(max(left, 0.0))}")
    return whys


def _happened(event: Event, seen: Observation | None) -> str:
    who = seen.replica if seen else "it"
    said = {
        "oom": f"{who} was killed for lack of memory",
        "restart": f"{who} was restarted",
        "deploy": "it was deployed",
        "limit": f"{who} has another limit",
    }
    return f"{said[event.what]} at {datetime.fromtimestamp(event.at, UTC):%H:%M:%S} UTC"
