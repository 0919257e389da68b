"""Lives of replicas: what changed since they were last seen, as events; and who takes whose place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from caulk.model.judgement import Event
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.readings.slots import Slots

#: Clocks and roundings of one start differ by no more.
_SAME_S = 5.0


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a replica that may change; `version` is that of its program, `kills` counts those for memory."""

    started: float | None = None
    limit: int | None = None
    kills: int = 0
    version: str = ""


@dataclass(slots=True)
class Lives:
    """The lives of replicas, as they were last told of."""

    _known: dict[str, Life] = field(default_factory=dict)

    def events(self, replica: str, at: float, life: Life, *, is_heir: bool = False) -> tuple[Event, ...]:
        """What happened to a replica since it was last told of; a first sight tells its start and its limit.

        An heir is another one in the same place: it has started even if nobody says when.
        """
        before = self._known.get(replica)
        self._known[replica] = life
        found = []
        if is_heir or _has_begun(before, life):
            begun = at if life.started is None else min(life.started, at)
            found.append(Event(begun, _why(before, life)))
        elif before is not None and life.kills > before.kills:
            found.append(Event(at, "oom"))
        if life.limit != (before.limit if before else None):
            found.append(Event(at, "limit", life.limit or 0))
        return tuple(found)

    def keep_only(self, replicas: set[str]) -> None:
        """Forgets all others."""
        self._known = {replica: known for replica, known in self._known.items() if replica in replicas}

    def state(self) -> dict[str, Any]:
        """All of it, for `restore`."""
        return {name: [one.started, one.limit, one.kills, one.version] for name, one in self._known.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` said."""
        self._known = {name: Life(*known) for name, known in state.items()}


def _has_begun(before: Life | None, life: Life) -> bool:
    if before is None or life.started is None:
        return life.started is not None
    return before.started is not None and life.started - before.started > _SAME_S


def _why(before: Life | None, life: Life) -> Any:
    """Whether a start is a deploy, one after a kill, or any other."""
    if before and life.version and before.version and life.version != before.version:
        return "deploy"
    return "oom" if before and life.kills > before.kills else "restart"


@dataclass(frozen=True, slots=True)
class Seen:
    """A replica as a source sees it; `identity` is its own as long as it lives, such as the name of a pod."""

    workload: Workload
    identity: str
    reading: Reading
    life: Life = Life()
    target: Target | None = None


class Roster:
    """All replicas of a source, in slots: who comes in place of one that went goes on where that one ended."""

    def __init__(self) -> None:
        self._slots, self._lives = Slots(), Lives()
        self._newest: dict[tuple[str, str], Observation] = {}

    def settle(self, seen: Iterable[Seen], now: float) -> list[Observation]:
        """Observations of all that there are now, and the last of each that went."""
        groups: dict[str, dict[str, Seen]] = {}
        for one in seen:
            groups.setdefault(one.workload.key, {})[one.identity] = one
        keys = dict.fromkeys([*groups, *(key for key, _ in self._newest)])
        return [found for key in keys for found in self._settled(key, groups.get(key, {}), now)]

    def _settled(self, key: str, seen: Mapping[str, Seen], now: float) -> Iterator[Observation]:
        taken = self._slots.settle(key, seen, now)
        for identity, slot in taken.of.items():
            one = seen[identity]
            is_heir = identity in taken.heirs
            events = self._lives.events(f"{key} {slot}", one.reading.at, one.life, is_heir=is_heir)
            found = Observation(one.workload, slot, one.reading, events, one.target, one.life.limit)
            self._newest[key, slot] = found
            yield found
        for slot in taken.gone:
            last = self._newest.pop((key, slot), None)
            if last:
                yield replace(last, reading=replace(last.reading, at=now), events=(), is_over=True)

    def state(self) -> dict[str, Any]:
        """All of it, for `restore`."""
        return {"slots": self._slots.state(), "lives": self._lives.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` said."""
        self._slots = Slots.restored(state.get("slots", {}))
        self._lives.restore(state.get("lives", {}))
