"""Replicas pooled: a workload leaks if enough of its replicas do, and what is said of it rests on the worst of them.

A replay goes through the readings of all replicas in order of time, and never looks ahead: `first_said` is the start of
the last unbroken run of the state in it.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import msgspec

from caulk.analysis.trend.ages import growth_by_age
from caulk.analysis.trend.growth import Growth
from caulk.analysis.trend.replica import Replica
from caulk.analysis.trend.words import judgement
from caulk.model.judgement import Event, History, Judgement, State
from caulk.model.series import Reading

#: The share of replicas with an opinion that makes it the workload's. One of many may be a broken node.
_ENOUGH = 0.3
#: Suspicion by nearly all of several replicas is more than suspicion.
_AGREE, _SEVERAL = 0.75, 3
#: How often silent replicas are looked for, and ages compared.
_LOOK_S = 300.0
_VERSION = 2


def judge(histories: Iterable[History], *, limit: int = 0) -> list[Judgement]:
    """One judgement a workload (histories of one name), in order of name; `limit` in bytes, 0 if the events say it."""
    ordered = sorted(histories, key=lambda history: history.name)
    return [_replay(name, list(group), limit) for name, group in groupby(ordered, key=lambda history: history.name)]


@dataclass(slots=True)
class Pool:
    """A workload as the readings of its replicas come; `said_at` is when its state was first said.

    A replica costs 10 kB, 20 where its runtime tells of its heap.
    """

    name: str = ""
    limit: int = 0
    """Bytes that each replica may have, 0 if events say it."""
    replicas: dict[str, Replica] = field(default_factory=dict)
    state: State = "unknown"
    said_at: float = 0.0
    by_age: Growth | None = None
    """What replicas of many ages show together."""
    begun: float = 0.0
    looked_at: float = 0.0

    def add(self, replica: str, reading: Reading, events: Sequence[Event] = ()) -> Judgement | None:
        """Note a reading of a replica, and what happened before it; the judgement if the state is another now.

        A start before the first reading (`restart` at the time it began) tells how old the replica is.
        """
        self.begun = self.begun or reading.at
        one = self.replicas.get(replica)
        if one is None:
            one = self.replicas[replica] = self._new(reading.at, events)
        for event in events:
            one.happen(event)
        before = one.state
        looked = self._look_around(reading.at, replica)
        if one.add(reading) == before and self.said_at and not looked:
            return None
        state = self._pooled()
        if state == self.state and self.said_at:
            return None
        self.state, self.said_at = state, reading.at
        return self.judgement()

    def judgement(self) -> Judgement:
        """What is said now, with the figures as they are now."""
        return judgement(self.name, self.state, self.said_at, list(self.replicas.values()), self.by_age)

    def to_state(self) -> dict[str, Any]:
        """All of it as plain lists, dicts, numbers and strings."""
        kept: dict[str, Any] = msgspec.to_builtins(self, enc_hook=list)
        return {"version": _VERSION} | kept

    @classmethod
    def from_state(cls, kept: dict[str, Any]) -> "Pool":
        """The pool that `to_state` gave; raises ValueError for what another version kept."""
        if kept.get("version") != _VERSION:
            raise ValueError(f"the state of version {kept.get('version')} is not of {_VERSION}")
        return msgspec.convert(kept, cls, dec_hook=lambda kind, values: kind("I", values))

    def _new(self, at: float, events: Sequence[Event]) -> Replica:
        """A replica that was not there before: unless it came with a deploy, it is what the others are."""
        new = Replica()
        if self.limit:
            new.happen(Event(0.0, "limit", self.limit))
        if not any(event.what == "deploy" for event in events):
            for other in self.replicas.values():
                new.memory.resemble(other.memory, at)
        return new

    def _look_around(self, now: float, here: str) -> bool:
        """Forget replicas that are silent for long, and compare the others by age; False if it is not time for that.

        What is scaled down or replaced has no opinion.
        """
        if now - self.looked_at < _LOOK_S:
            return False
        self.looked_at = now
        gone = [name for name, one in self.replicas.items() if name != here and one.is_silent(now)]
        for name in gone:
            del self.replicas[name]
        # Those that were there before the first reading are as old as nobody knows.
        aged = [one.memory for one in self.replicas.values() if one.memory.born_by or one.memory.born > self.begun]
        limit = min((memory.limit for memory in aged if memory.limit), default=None)
        held = [(now - memory.born, memory.newest) for memory in aged if memory.seen]
        self.by_age = growth_by_age(held, now, limit)
        return True

    def _pooled(self) -> State:
        if self.by_age and self.by_age.is_sure:
            return "leaking"
        return pooled([one.state for one in self.replicas.values()])


def pooled(states: Sequence[State]) -> State:
    """The state of a workload whose replicas are in `states`."""
    told = [state for state in states if state != "unknown"]
    if not told:
        return "unknown"
    leaking, suspect = told.count("leaking"), told.count("suspect")
    agreed = len(told) >= _SEVERAL and leaking + suspect >= _AGREE * len(told)
    if leaking >= _ENOUGH * len(told) or agreed:
        return "leaking"
    if leaking or suspect >= _ENOUGH * len(told):
        return "suspect"
    rest: tuple[State, ...] = ("undersized", "steady", "warming")
    return max(rest, key=lambda state: sum(state == s for s in told))


def _replay(name: str, histories: list[History], limit: int) -> Judgement:
    pool = Pool(name, limit)
    pending = {history.replica: list(reversed(history.events)) for history in histories}
    for history_name, reading in heapq.merge(*map(_named, histories), key=lambda pair: pair[1].at):
        due, events = pending[history_name], []
        while due and due[-1].at <= reading.at:
            events.append(due.pop())
        pool.add(history_name, reading, events)
    return pool.judgement()


def _named(history: History) -> list[tuple[str, Reading]]:
    return [(history.replica, reading) for reading in history.readings]
