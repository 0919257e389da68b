"""A rule tried on the past: the readings that the history kept go through judgement and rule once more.

The judgement is made anew from the readings, and never looks ahead. Older readings are kept as floors, of five minutes
after an hour and of an hour after two days: what happened faster than that is not seen here.
"""

import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from caulk.config.rules import Rule
from caulk.model.incident import Incident, Moment, Outgoing
from caulk.model.judgement import Event
from caulk.model.target import Target
from caulk.model.units import format_duration, iso
from caulk.model.watching import Observation, Workload
from caulk.ports import Progress
from caulk.store.history import History
from caulk.watch.fleet import Fleet
from caulk.watch.rules import concerns
from caulk.web.records import Answer

if TYPE_CHECKING:
    from caulk.store.incidents import Incidents

_DAY_S = 86400.0
#: What is judged when the time begins rests on so much before it.
_LEAD_S = 2 * _DAY_S
_PATIENCE_S = 120.0
_MOST_FIRINGS = 500


class Named(Answer, frozen=True, kw_only=True):
    """A workload."""

    key: str
    name: str


class Fired(Answer, frozen=True, kw_only=True):
    """A firing, and until when its reason went on; `really` is what happened then."""

    at: str | None
    until: str | None
    workload: Named
    why: str
    really: str


class RuleTest(Answer, frozen=True, kw_only=True):
    """What a rule would have done in the last days."""

    schema: Literal["caulk.rule-test/1"] = "caulk.rule-test/1"
    rule: str
    days: float
    begin: str | None
    end: str | None
    workloads: int
    firings: tuple[Fired, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Memory:
    """Incidents as rules ask for them, kept in memory: nothing is owed, nobody is told."""

    incidents: dict[str, Incident] = field(default_factory=dict)

    def find(self, **_: object) -> list[Incident]:
        return []

    def open(self, incident: Incident, steps: Iterable[Outgoing]) -> bool:
        if any(one.key == incident.key for one in self.incidents.values()):
            return False
        self.incidents[incident.id] = incident
        return True

    def add(self, incident: str, moment: Moment, following: Iterable[Outgoing] = ()) -> bool:
        self.incidents[incident] = replace(self.incidents[incident], closed_at=moment.at)
        return True

    def fired(self, rule: str, since: float) -> list[tuple[str, float]]:
        return [(one.workload.key, one.opened_at) for one in self.incidents.values() if one.opened_at >= since]

    def keyed(self, key: str) -> Incident | None:
        return next((one for one in self.incidents.values() if one.key == key), None)

    def waiting(self) -> list[tuple[Incident, Outgoing]]:
        return []


def replay(
    rule: Rule,
    history: History,
    days: float,
    *,
    targets: dict[str, Target],
    incidents: "Incidents | None",
    progress: Progress,
) -> RuleTest:
    """What the rule would have done in the last `days`; two minutes at most, and what was left out is said.

    `targets` are those of workloads that run, by their keys: a filter by place or label needs one.
    """
    now = time.time()
    begin, until = now - days * _DAY_S, time.monotonic() + _PATIENCE_S
    wanted = [one for one in history.workloads() if concerns(rule.filters, one, targets.get(one.key))]
    found: list[tuple[Workload, Incident, str]] = []
    done, kills = 0, 0
    for workload in wanted:
        if time.monotonic() > until:
            break
        progress(done, len(wanted), f"replaying {workload.name}")
        fired = _fired(rule, history, workload, begin, target=targets.get(workload.key))
        events = _events(history, workload.key, begin)
        kills += sum(event.what == "oom" for event in events) if not fired else 0
        found += [(workload, one, _really(one, events, incidents)) for one in fired]
        done += 1
    found.sort(key=lambda one: one[1].opened_at)
    return RuleTest(
        rule=rule.name,
        days=days,
        begin=iso(begin),
        end=iso(now),
        workloads=done,
        firings=tuple(_record(*one) for one in found[-_MOST_FIRINGS:]),
        notes=tuple(_notes(rule, days, left=len(wanted) - done, fired=len(found), missed=kills)),
    )


def _fired(rule: Rule, history: History, workload: Workload, begin: float, *, target: Target | None) -> list[Incident]:
    """The incidents that the rule would have opened for one workload."""
    from caulk.watch.opening import Rules  # noqa: PLC0415  # a database, for those who try rules

    memory = _Memory()
    rules, fleet = Rules([rule], cast("Incidents", memory)), Fleet()
    for seen in observations(history, workload, begin - _LEAD_S, target):
        change = fleet.add(seen)
        if change and seen.reading.at >= begin:
            rules.consider(change, seen.reading.at)
    return list(memory.incidents.values())


def observations(history: History, workload: Workload, begin: float, target: Target | None) -> Iterator[Observation]:
    """What was seen of a workload, in order of time, each with what happened to the replica before it."""
    key = workload.key
    events = history.events(key)
    streams = [_stream(history, key, name, begin) for name in history.replicas(key)]
    limits: dict[str, int] = {}
    for _, name, reading in heapq.merge(*streams, key=lambda one: one[0]):
        pending = events.get(name, [])
        number = next((at for at, event in enumerate(pending) if event.at > reading.at), len(pending))
        happened = tuple(pending[:number])
        del pending[:number]
        for event in happened:
            if event.what == "limit":
                limits[name] = event.limit
        yield Observation(workload, name, reading, happened, target, limits.get(name) or None)


def _stream(history: History, key: str, name: str, begin: float) -> list[tuple[float, str, Any]]:
    return [(reading.at, name, reading) for reading in history.readings(key, name, begin=begin)]


def _events(history: History, key: str, begin: float) -> list[Event]:
    return sorted((one for of in history.events(key, begin=begin).values() for one in of), key=lambda one: one.at)


def _really(fired: Incident, events: Sequence[Event], incidents: "Incidents | None") -> str:
    """What happened to the workload after it would have fired."""
    said = []
    if kill := next((one for one in events if one.what == "oom" and one.at >= fired.opened_at), None):
        said.append(f"killed for lack of memory {format_duration(kill.at - fired.opened_at)} later")
    if incidents:
        opened = incidents.find(workload=fired.workload.key, limit=20)
        near = [one for one in opened if one.opened_at >= fired.opened_at - _DAY_S]
        if near:
            said.append(f"incident {near[-1].id} was opened by the rule {near[-1].rule}")
    if fired.closed_at is not None:
        said.append(f"its reason was over after {format_duration(fired.closed_at - fired.opened_at)}")
    return "; ".join(said) or "it goes on"


def _record(workload: Workload, fired: Incident, really: str) -> Fired:
    return Fired(
        at=iso(fired.opened_at),
        until=iso(fired.closed_at),
        workload=Named(key=workload.key, name=workload.name),
        why=fired.why,
        really=really,
    )


def _notes(rule: Rule, days: float, *, left: int, fired: int, missed: int) -> Iterator[str]:
    if rule.trigger.alert is not None:
        yield "Alerts that were sent are not kept: a rule that waits for one cannot be tried."
    if "dump" in rule.trigger.event:
        yield "Dumps that programs wrote are not kept as events: that part of the rule cannot be tried."
    if rule.filters.labels or rule.filters.place != "*":
        yield "Places and labels are known of workloads that run now: others were left out."
    if left:
        yield f"Two minutes were not enough: {left} workloads were left out."
    if missed:
        kills = "1 kill" if missed == 1 else f"{missed} kills"
        yield f"There were {kills} for lack of memory of workloads that it would not have fired for."
    if fired > _MOST_FIRINGS:
        yield f"The last {_MOST_FIRINGS} of {fired} firings are shown."
    if days > 2:
        yield "Readings older than two days are kept as floors of an hour: what happened faster is not seen."
