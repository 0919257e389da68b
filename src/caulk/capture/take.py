"""One capture from beginning to end: locked, taken, fetched, verified, kept; only then is the source removed.

However it ends (the target, the connection or caulk itself may die at any moment) there is a complete capture, or one
that is marked partial and can be resumed, or none.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from caulk import __version__
from caulk.capture import transfer
from caulk.capture.meter import Meter
from caulk.capture.offers import Offer
from caulk.capture.verify import fault
from caulk.model.capture import Captured, Costs, Manifest, Remote, Taken
from caulk.model.errors import CaptureFailed, CaulkError, Lacks
from caulk.ports import Progress, Reach
from caulk.store.captures import Captures, Draft, Entry


class _Sink:
    """The draft, with somebody who hears how far it is."""

    def __init__(self, draft: Draft, progress: Progress) -> None:
        self.write, self.leaving, self.beside = draft.write, draft.leaving, draft.beside
        self.progress = progress


def capture(
    offer: Offer, reach: Reach, store: Captures, progress: Progress, lend: int = 0, *, cause: str = ""
) -> Entry:
    """Takes what is offered; the guard has been heard. `lend` bytes are added to the memory limit meanwhile.

    `cause` is noted in the manifest, so that who asked can tell whether it was taken.
    Raises `CaptureFailed`, `Unreachable`, and what `progress` raises.
    """
    way, target = offer.way, reach.target
    manifest = Manifest(
        target=Captured(target.place, offer.runtime, target.name, target.reference, dict(target.labels)),
        format=way.format,
        evidence=way.evidence,
        method=way.name,
        taken_at=_now(),
        predicted=Costs(offer.cost.pause_s, offer.cost.extra_bytes, offer.cost.disk_bytes),
        memory=_memory(reach),
        version=__version__,
        cause=cause,
    )
    with store.lock(target.reference), _draft(store.begin(manifest, way.suffix)) as draft:
        loan: AbstractContextManager[object] = reach.lend(lend) if lend else nullcontext()
        with loan, Meter(reach) as meter:
            taken = _taken(offer, draft, progress)
            remote = _left(reach, taken)
        facts = dict(taken.facts)
        pause = facts.pop("pause_s", None)
        actual = meter.costs(None if pause is None else float(pause), remote.size_bytes if remote else 0)
        draft.say(remote=remote, facts=facts, actual=actual, warnings=(*manifest.warnings, *taken.warnings))
        if remote:
            transfer.fetch(reach, remote, draft, progress)
        return _kept(draft, reach, store)


def resume(entry: Entry, reach: Reach, store: Captures, progress: Progress) -> Entry:
    """Goes on with a capture that was cut, or removes from the target what a complete one left there."""
    with store.lock(reach.target.reference):
        if entry.manifest.complete:
            return _released(entry, reach, store)
        assert entry.manifest.remote is not None
        with _draft(store.resume(entry)) as draft:
            # Without a size, caulk ended while the file was being written: it is taken as it lies there now.
            remote = _left(reach, Taken(entry.manifest.remote.path, entry.manifest.remote.remove))
            if remote is None or entry.manifest.remote.size_bytes not in (0, remote.size_bytes):
                remote = entry.manifest.remote
            draft.say(remote=remote)
            transfer.fetch(reach, remote, draft, progress)
            return _kept(draft, reach, store)


def _taken(offer: Offer, draft: Draft, progress: Progress) -> Taken:
    try:
        return offer.way.take(_Sink(draft, progress))
    except CaptureFailed:
        # A way that fails has cleared away what it began.
        draft.say(remote=None)
        raise


@contextmanager
def _draft(draft: Draft) -> Iterator[Draft]:
    try:
        yield draft
    except BaseException:
        draft.leave()
        raise


def _left(reach: Reach, taken: Taken) -> Remote | None:
    """The file that the way left in the target, as it is now that nobody writes it any more."""
    if not taken.remote:
        return None
    stat = reach.stat(taken.remote)
    if stat is None:
        raise CaptureFailed(f"{taken.remote} is not in {reach.target.reference}, although it was written")
    return Remote(taken.remote, stat.size, taken.remove)


def _kept(draft: Draft, reach: Reach, store: Captures) -> Entry:
    """Verified and complete, and gone from the target."""
    flaw = fault(draft.entry.path, draft.entry.manifest.format)
    if flaw:
        # What is broken in the target stays broken: there is nothing to resume.
        with contextlib.suppress(CaulkError):
            _cleared(draft.entry.manifest.remote, reach)
        draft.say(remote=None)
        raise CaptureFailed(f"what was taken from {reach.target.reference} is not whole: {flaw}")
    return _released(draft.keep(), reach, store)


def _released(entry: Entry, reach: Reach, store: Captures) -> Entry:
    try:
        _cleared(entry.manifest.remote, reach)
    except CaulkError:
        # The capture is here; the next start removes what is left there.
        return entry
    store.release(entry)
    return Entry(entry.directory, replace(entry.manifest, remote=None))


def _cleared(remote: Remote | None, reach: Reach) -> None:
    if remote and remote.remove:
        reach.remove(remote.path)


def _memory(reach: Reach) -> dict[str, int]:
    """Its memory now, as far as the place can tell."""
    try:
        room, reading = reach.room(), reach.reading()
    except Lacks:
        return {}
    figures = {"rss": reading.rss, "anonymous": reading.anonymous, "limit": room.limit, "free": room.free}
    return {name: value for name, value in figures.items() if value is not None}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
