"""Replicas pooled: a workload leaks if enough of its replicas do, and what is said of it rests on the worst of them.

A replay goes through the readings of all replicas in order of time, and never looks ahead: `first_said` is the start of
the last unbroken run of the state in it.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from caulk.analysis.trend.replica import Replica
from caulk.analysis.trend.words import judgement
from caulk.model.judgement import Event, History, Judgement, State
from caulk.model.series import Reading

#: The share of replicas with an opinion that makes it the workload's. One of many may be a broken node.
_ENOUGH = 0.3
#: Suspicion by nearly all of several replicas is more than suspicion.
_AGREE, _SEVERAL = 0.75, 3


def judge(histories: Iterable[History], *, limit: int = 0) -> list[Judgement]:
    """One judgement a workload (histories of one name), in order of name; `limit` in bytes, 0 if the events say it."""
    ordered = sorted(histories, key=lambda history: history.name)
    return [_replay(name, list(group), limit) for name, group in groupby(ordered, key=lambda history: history.name)]


@dataclass(slots=True)
class Pool:
    """The replicas of a workload as their readings come; `said_at` is when its state was first said."""

    limit: int = 0
    replicas: dict[str, Replica] = field(default_factory=dict)
    state: State = "unknown"
    said_at: float = 0.0

    def add(self, name: str, reading: Reading, events: Sequence[Event] = ()) -> State:
        """Note a reading of a replica, and what happened just before it; the workload's state from now on."""
        replica = self.replicas.get(name)
        if replica is None:
            replica = self.replicas[name] = Replica(self.limit)
        for event in events:
            replica.happen(event)
        before = replica.state
        if replica.add(reading) != before or not self.said_at:
            state = pooled([replica.state for replica in self.replicas.values()])
            if state != self.state or not self.said_at:
                self.state, self.said_at = state, reading.at
        return self.state


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
    pool = Pool(limit)
    pending = {history.replica: list(reversed(history.events)) for history in histories}
    for history_name, reading in heapq.merge(*map(_named, histories), key=lambda pair: pair[1].at):
        due, events = pending[history_name], []
        while due and due[-1].at <= reading.at:
            events.append(due.pop())
        pool.add(history_name, reading, events)
    return judgement(name, pool.state, pool.said_at, list(pool.replicas.values()))


def _named(history: History) -> list[tuple[str, Reading]]:
    return [(history.replica, reading) for reading in history.readings]
