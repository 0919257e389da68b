"""Steps that take memory: a capture of one replica by the cheapest way that answers, and dumps that appeared.

The guards of `caulk capture` are heard, and never overridden. A step that was interrupted is gone on with: its captures
say, in their manifests, which step they were taken for.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from caulk import __version__, formats
from caulk.capture import places, take
from caulk.capture.offers import Offer, offers, reasons
from caulk.capture.verify import fault
from caulk.config.rules import Capture, Collect, Limits, Rule
from caulk.config.schema import Keep
from caulk.model.capture import Captured, Manifest
from caulk.model.errors import CaptureFailed, CaulkError, Unreachable
from caulk.model.incident import Incident, Outgoing
from caulk.model.target import Access, Target
from caulk.model.units import format_value
from caulk.model.watching import Appeared
from caulk.ports import Reach
from caulk.store.captures import Captures, Entry, total
from caulk.watch.actions import Done, Later, TryAgain
from caulk.watch.steps import action_of

#: A second capture shows nothing before memory grew by this much, and waits for no more than half of the room left.
_LEAST_GROWTH, _ROOM = 8 << 20, 0.5
_BLOCK = 1 << 20
_TRIES = 3
#: Evidence that names who leaks.
_NAMES = ("graph", "profile", "histogram")


@dataclass(slots=True)
class Capturing:
    """Takes captures for incidents; `rules` are those in force, by name. `took` hears of each try: how it ended."""

    captures: Captures
    access: Access
    rules: dict[str, Rule]
    keep: Keep
    took: Callable[[Incident, str, float, str], object] = lambda incident, outcome, seconds, capture: None
    clock: Callable[[], float] = time.time

    def capture(self, step: Outgoing, incident: Incident) -> Done | Later:
        """One capture of the incident's replica, at once or when it has grown enough."""
        action = action_of(step)
        assert isinstance(action, Capture)
        if action.grown and not incident.captures:
            return Done("skipped", "no second capture: there is no first one to compare it with")
        if action.grown and not step.attempts:
            return Later(self.clock() + action.within, _point(action, incident))
        if full := self._full(incident):
            return Done("skipped", full)
        begun = self.clock()
        try:
            entry = self._taken(step, incident, action)
        except (CaulkError, OSError) as error:
            self.took(incident, "refused" if isinstance(error, _Refused) else "failed", self.clock() - begun, "")
            if isinstance(error, OSError):
                raise CaptureFailed(str(error)) from error
            if isinstance(error, _Refused) or step.attempts >= _TRIES:
                raise
            raise TryAgain(str(error), hint=error.hint) from error
        self.took(incident, "complete", self.clock() - begun, entry.manifest.id)
        self._forget()
        return _done(entry)

    def collect(self, step: Outgoing, incident: Incident) -> Done:
        """The dump that appeared, copied into the store."""
        dump = incident.dump
        if dump is None:
            return Done("skipped", "no dump appeared")
        action = action_of(step)
        assert isinstance(action, Collect)
        entry = next((entry for entry in self._mine(step) if entry.manifest.complete), None)
        entry = entry or self._collected(step, incident, dump)
        if action.remove:
            self._clear(dump)
        return _done(entry, "collected")

    def _collected(self, step: Outgoing, incident: Incident, dump: Appeared) -> Entry:
        for entry in self._mine(step):
            self.captures.remove(entry)
        target = Captured(
            dump.target.place,
            incident.workload.runtime,
            dump.target.name,
            dump.target.reference,
            dict(dump.target.labels),
        )
        graphs = {import_module(f"caulk.formats.{name}").NAME for name in formats.GRAPHS}
        taken = datetime.fromtimestamp(dump.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        manifest = Manifest(
            target=target,
            format=dump.format,
            evidence="graph" if dump.format in graphs else "profile",
            method="appeared",
            taken_at=taken,
            version=__version__,
            cause=step.id,
        )
        named = Path(dump.path.removesuffix(".gz"))
        draft = self.captures.begin(manifest, dump.path.removeprefix(str(named.with_suffix(""))) or ".dump")
        try:
            for block in self._blocks(dump):
                draft.write(block)
            flaw = fault(draft.entry.path, dump.format)
            if flaw:
                raise CaptureFailed(f"{dump.path} is not whole: {flaw}")
            return draft.keep()
        except BaseException:
            draft.leave()
            raise

    def _forget(self) -> None:
        """Deletes the oldest captures beyond the quotas of `[keep]`."""
        if self.keep != Keep():
            for entry in self.captures.excess(self.keep.size, self.keep.count, self.keep.age):
                self.captures.remove(entry)

    def _clear(self, dump: Appeared) -> None:
        """Deletes the dump where it appeared; what cannot be deleted stays, and does no harm."""
        with suppress(CaulkError):
            reach = places.reach(dump.target, self.access)
            try:
                reach.remove(dump.path)
            finally:
                reach.close()

    def _blocks(self, dump: Appeared) -> Iterator[bytes]:
        if dump.kept:
            # By now a link may lie in its place.
            with os.fdopen(os.open(dump.kept, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                while block := file.read(_BLOCK):
                    yield block
            return
        reach = places.reach(dump.target, self.access)
        try:
            yield from reach.fetch(dump.path, 0, dump.size)
        finally:
            reach.close()

    def _taken(self, step: Outgoing, incident: Incident, action: Capture) -> Entry:
        reach = places.reach(self._target(incident), self.access)
        try:
            for entry in self._mine(step):
                if entry.manifest.complete and entry.manifest.remote is None:
                    return entry
                if whole := self._resumed(entry, reach):
                    return whole
            return self._first(step, incident, action, reach)
        finally:
            reach.close()

    def _resumed(self, entry: Entry, reach: Reach) -> Entry | None:
        """A capture of this step that was interrupted; None, and it is gone, where it cannot be gone on with."""
        try:
            if entry.manifest.remote:
                return take.resume(entry, reach, self.captures, _unheard)
        except Unreachable:
            raise
        except CaptureFailed:
            # The program never wrote its dump, or what it wrote is broken.
            if entry.manifest.complete:
                return entry
        if entry.directory.exists():
            self.captures.remove(entry)
        return None

    def _first(self, step: Outgoing, incident: Incident, action: Capture, reach: Reach) -> Entry:
        """By the first way that works, of those that may be gone."""
        found = offers(reach, self.access, self.captures.free_bytes())
        chosen = ordered(found, action, self._before(incident))
        if not chosen:
            where = reach.target.reference
            raise _Refused(
                f"nothing can be taken of {where} safely; `caulk doctor {where}` says what would help",
                hint="\n".join(reasons(found)),
            )
        failed = []
        for offer in chosen:
            loan = action.lend if offer.obstacles else 0
            try:
                return take.capture(offer, reach, self.captures, _unheard, loan, cause=step.id)
            except Unreachable:
                raise
            except CaptureFailed as error:
                failed.append(f"{offer.way.alias}: {error}")
        raise CaptureFailed("no way worked", hint="\n".join(failed))

    def _target(self, incident: Incident) -> Target:
        """Whom the incident is about; where several go by that name, the one that was captured before, or the first."""
        if incident.target:
            return incident.target
        if not incident.reference:
            raise _Refused("nobody knows how to reach it", hint="Its source of readings names no target.")
        found = places.targets(incident.reference, self.access)
        if not found:
            raise Unreachable(f"{incident.reference}: there is no such target")
        references = {e.manifest.id: e.manifest.target.reference for e in self.captures.all()}
        before = {references.get(number) for number in incident.captures}
        return next((target for target in found if target.reference in before), found[0])

    def _mine(self, step: Outgoing) -> list[Entry]:
        return [entry for entry in self.captures.all() if entry.manifest.cause == step.id]

    def _before(self, incident: Incident) -> Sequence[str]:
        """The ways of the captures that the incident has, the newest first."""
        methods = {entry.manifest.id: entry.manifest.method for entry in self.captures.all()}
        return [methods[number] for number in reversed(incident.captures) if number in methods]

    def _full(self, incident: Incident) -> str:
        rule = self.rules.get(incident.rule)
        most = rule.limits.disk if rule else Limits().disk
        taken = total(self.captures.all())
        if taken < most:
            return ""
        return f"no capture: those in the store take {format_value(taken, 'bytes')} of {format_value(most, 'bytes')}"


class _Refused(CaptureFailed):
    """A guard forbids it, and will an hour from now."""


def ordered(found: Sequence[Offer], action: Capture, before: Sequence[str] = ()) -> list[Offer]:
    """The offers to try, in their order: the way of the capture before, so that both can be compared; then by cost.

    Of each evidence it is the first that is open: a runtime lists the best first.
    """
    able = [offer for offer in found if _may(offer, action)]
    if action.ways:
        wanted = {name: at for at, name in enumerate(action.ways)}
        named = [(wanted.get(offer.way.alias, wanted.get(offer.way.name)), offer) for offer in able]
        return [offer for _, offer in sorted(((at, o) for at, o in named if at is not None), key=lambda pair: pair[0])]
    best = {offer.way.evidence: offer for offer in reversed(able) if offer.way.evidence in _NAMES}
    by_cost = sorted(best.values(), key=_price)
    return sorted(by_cost, key=lambda offer: offer.way.name not in before[:1])


def dearer(found: Sequence[Offer], used: Sequence[str]) -> Offer | None:
    """The cheapest open way of an evidence that none of the `used` ones gives; None where there is none."""
    given = {offer.way.evidence for offer in found if offer.way.name in used}
    return next((o for o in ordered(found, Capture()) if o.way.evidence not in given and o.way.name not in used), None)


def _may(offer: Offer, action: Capture) -> bool:
    if offer.is_open:
        return True
    standing = [obstacle for obstacle in offer.obstacles if "memory in the target" not in obstacle]
    return bool(action.lend) and offer.check.standing == "ready" and offer.lacks_memory and not standing


def _price(offer: Offer) -> tuple[float, int, int, int]:
    cost = offer.cost
    return cost.pause_s, cost.extra_bytes, cost.disk_bytes, cost.size_bytes


def _point(action: Capture, incident: Incident) -> int:
    """Bytes of memory at which the next capture shows most: enough growth, and still room to take it."""
    base = max([moment.memory or 0 for moment in incident.moments] + [incident.memory or 0])
    growth = max(int(base * action.grown), _LEAST_GROWTH)
    if incident.limit and incident.limit > base:
        growth = min(growth, int((incident.limit - base) * _ROOM))
    return base + growth


def _done(entry: Entry, what: str = "captured") -> Done:
    manifest = entry.manifest
    memory = manifest.memory.get("anonymous") or manifest.memory.get("rss")
    text = f"{manifest.id}: {manifest.format}, {format_value(manifest.size_bytes, 'bytes')}, by {manifest.method}"
    return Done("collected" if what == "collected" else "captured", text, {"capture": manifest.id, "memory": memory})


def _unheard(done: float, total: float, step: str) -> None:
    """Nobody waits for a capture in the background."""
