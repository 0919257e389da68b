"""Rules at work: what fires is written down, with all its steps, before anything is done about it."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import RLock

from caulk.config.rules import Rule
from caulk.model.incident import Alert, Incident, Moment, Outgoing
from caulk.model.judgement import Judgement
from caulk.model.watching import Observation, Workload
from caulk.store.incidents import Incidents
from caulk.watch.fleet import Change
from caulk.watch.rules import Cause, Firing, answers, causes, concerns, held, throttled
from caulk.watch.steps import LAST, afterwards, owed

#: How often steps that wait for memory are looked up again.
_LOOK_S = 5.0
#: What nobody has seen for so long has no incident that goes on.
_GONE_S = 3600.0

_Pair = tuple[str, str]


@dataclass(slots=True)
class Rules:
    """The rules in force, with what they remember; any thread may call.

    `recipients` are the names of `[notify.*]`. `on_opened` hears of each incident once it is written down, `on_quiet`
    why a rule that would fire does not.
    """

    rules: Sequence[Rule]
    store: Incidents
    recipients: Sequence[str] = ()
    on_opened: Callable[[Incident], object] = lambda _: None
    on_quiet: Callable[[str], object] = lambda _: None
    _open: dict[_Pair, str] = field(default_factory=dict)
    _held: dict[_Pair, float] = field(default_factory=dict)
    _quiet: dict[_Pair, float] = field(default_factory=dict)
    _seen: dict[str, float] = field(default_factory=dict)
    _waiting: list[tuple[Incident, Outgoing]] = field(default_factory=list)
    _looked_at: float = float("-inf")
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        for incident in self.store.find(is_open=True, limit=10_000):
            # An alert's end is told by who sent it, an event has none.
            if incident.lasts and incident.alert is None:
                self._open[incident.rule, incident.workload.key] = incident.id

    def consider(self, change: Change, now: float) -> list[Incident]:
        """Opens what the change is a reason for, closes what it ends, wakes the captures that it brings on."""
        target = change.observations[0].target if change.observations else None
        with self._lock:
            self._seen[change.workload.key] = now
            self.wake(change.observations, now)
            return [
                incident
                for rule in self.rules
                if concerns(rule.filters, change.workload, target)
                for incident in self._asked(rule, change, now)
            ]

    def alerted(
        self, alert: Alert, workload: Workload, now: float, *, seen: Observation | None = None, reference: str = ""
    ) -> list[Incident]:
        """Opens what an alert about a workload is a reason for; one that is resolved closes what it opened.

        `reference` is what to capture where the fleet has not seen it.
        """
        found = []
        with self._lock:
            for rule in self.rules:
                if not answers(rule, alert):
                    continue
                # Whom it is about may be gone by the time it is resolved: that is no part of the key.
                key = f"{rule.name}|alert|{alert.fingerprint}|{alert.starts_at}"
                if alert.is_resolved:
                    if opened := self.store.keyed(key):
                        self._close(rule, opened.id, f"{alert.name} is resolved", now)
                elif concerns(rule.filters, workload, seen.target if seen else None):
                    cause = Cause(f"Alertmanager sent {alert.name}", key, seen)
                    if opened := self._fire(rule, workload, cause, now, alert=alert, reference=reference):
                        found.append(opened)
        return found

    def wake(self, observations: Sequence[Observation], now: float) -> None:
        """Makes captures due whose replica has grown enough, and gives those up whose replica began anew."""
        with self._lock:
            if now - self._looked_at >= _LOOK_S:
                self._waiting, self._looked_at = self.store.waiting(), now
            if not self._waiting:
                return
            here = {(seen.workload.key, seen.replica): seen for seen in observations}
            for incident, step in list(self._waiting):
                seen = here.get((incident.workload.key, incident.replica))
                if seen and self._is_woken(incident, step, seen, now):
                    self._waiting.remove((incident, step))

    def _is_woken(self, incident: Incident, step: Outgoing, seen: Observation, now: float) -> bool:
        is_other = bool(seen.target and incident.target and seen.target.reference != incident.target.reference)
        if is_other or seen.is_over:
            self.store.finish(step, _skipped(step, f"{incident.replica} began anew since", now))
        elif step.wakes_at is not None and held(seen) >= step.wakes_at:
            self.store.wake(step, now)
        else:
            return False
        return True

    def sweep(self, now: float) -> None:
        """Closes what goes on for nobody: its workload is gone, or its rule."""
        known = {rule.name: rule for rule in self.rules}
        with self._lock:
            for (name, workload), number in list(self._open.items()):
                if name not in known:
                    del self._open[name, workload]
                    self.store.add(number, _closing("its rule is no longer there", now))
                elif now - self._seen.setdefault(workload, now) > _GONE_S:
                    del self._open[name, workload]
                    self._close(known[name], number, "nobody has seen it for an hour", now)

    def _asked(self, rule: Rule, change: Change, now: float) -> Iterator[Incident]:
        found = list(causes(rule.trigger, change))
        if rule.trigger.event:
            for cause in found:
                keyed = replace(cause, key=f"{rule.name}|{change.workload.key}|{cause.key}")
                if incident := self._fire(rule, change.workload, keyed, now, judgement=change.judgement):
                    yield incident
        elif rule.trigger.alert is None:
            yield from self._lasting(rule, change, found, now)

    def _lasting(self, rule: Rule, change: Change, found: Sequence[Cause], now: float) -> Iterator[Incident]:
        """A condition that goes on: one incident from when it begins to hold until it no longer does."""
        pair = rule.name, change.workload.key
        if not found:
            self._held.pop(pair, None)
            self._quiet.pop(pair, None)
            if number := self._open.pop(pair, None):
                self._close(rule, number, f"it is {change.judgement.state} now", now, judgement=change.judgement)
            return
        since = self._held.setdefault(pair, now)
        if pair in self._open or now - since < rule.trigger.held:
            return
        cause = replace(found[0], key=f"{rule.name}|{change.workload.key}|{now:.3f}")
        if incident := self._fire(rule, change.workload, cause, now, judgement=change.judgement):
            self._open[pair] = incident.id
            yield incident

    def _fire(
        self,
        rule: Rule,
        workload: Workload,
        cause: Cause,
        now: float,
        *,
        judgement: Judgement | None = None,
        alert: Alert | None = None,
        reference: str = "",
    ) -> Incident | None:
        if self._is_quiet(rule, (rule.name, workload.key), cause.key, now):
            return None
        seen = cause.observation
        incident = Incident(
            id=_number(cause.key, workload.name, now),
            key=cause.key,
            rule=rule.name,
            why=cause.why,
            workload=workload,
            opened_at=now,
            lasts=not rule.trigger.event,
            replica=seen.replica if seen else "",
            target=cause.dump.target if cause.dump else seen.target if seen else None,
            reference=reference,
            memory=held(seen) if seen else None,
            limit=seen.limit if seen else None,
            judgement=judgement,
            alert=alert,
            dump=cause.dump,
        )
        if not self.store.open(incident, owed(rule, incident.id, self.recipients, now)):
            return None
        self.on_opened(incident)
        return incident

    def _is_quiet(self, rule: Rule, pair: _Pair, key: str, now: float) -> bool:
        """Whether the limits forbid a firing now; the store is asked once, and then again when they may be over."""
        everybody = (rule.name, "")
        if now < max(self._quiet.get(pair, 0.0), self._quiet.get(everybody, 0.0)):
            return True
        firings = [Firing(*fired) for fired in self.store.fired(rule.name, now - rule.limits.window)]
        limited = throttled(rule.limits, firings, pair[1], now)
        if limited is None:
            return False
        if self.store.keyed(key) is None:
            self._quiet[everybody if limited.for_all else pair] = limited.until
            whom = "" if limited.for_all else f" about {pair[1]}"
            self.on_quiet(f"rule {rule.name} keeps quiet{whom}: {limited.why}")
        return True

    def _close(self, rule: Rule, number: str, why: str, now: float, *, judgement: Judgement | None = None) -> None:
        for incident, step in self.store.waiting():
            if incident.id == number:
                self.store.finish(step, _skipped(step, f"{why}: there is nothing more to compare", now))
        self.store.add(number, _closing(why, now, judgement), afterwards(rule, number, self.recipients, now))


def _number(key: str, name: str, now: float) -> str:
    """An id that sorts by time, says whose it is, and is the same for the same key and time."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:40] or "workload"
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{plain}-{hashlib.sha256(key.encode()).hexdigest()[:6]}"


def _closing(why: str, now: float, judgement: Judgement | None = None) -> Moment:
    return Moment(now, "closed", why, "closed", position=LAST - 1, judgement=judgement)


def _skipped(step: Outgoing, why: str, now: float) -> Moment:
    return Moment(now, "skipped", f"no second capture: {why}", step.id, position=step.position)
