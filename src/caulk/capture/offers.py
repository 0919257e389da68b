"""What there is to take from a target: every way of its runtime, whether it would work, what it costs, what forbids it.

A guard refuses what might harm the program; its reasons are sentences with the figures they come from, and each can be
overridden by the person who reads them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from caulk.model.capture import EVIDENCE, Check, Cost
from caulk.model.errors import CaptureFailed, CaulkError, Lacks, UsageError
from caulk.model.target import Access
from caulk.model.units import format_duration, format_value
from caulk.ports import Capturing, Reach, Way

#: The runtimes that can be captured, the most particular first: a JVM has libraries that a native program has too.
RUNTIMES = ("jvm", "node", "cpython", "envoy", "go", "native")
#: Those whose endpoint is enough.
_ENDPOINTS = ("go", "envoy")

_FREE = Cost()
#: Predictions are right within a factor of two; so a pause counts twice.
_PAUSE_FACTOR = 2
#: Where nobody can tell what memory is left, this much is taken all the same.
_TRIFLE = 32 << 20
#: What an obstacle says where memory that is lent would be enough.
IN_TARGET = "memory in the target"
#: What a volume keeps after a dump, so that the program can go on writing to it.
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Offer:
    """A way with what is known of it now. `obstacles` are why a guard refuses it; empty if it is safe."""

    runtime: str
    way: Way
    check: Check
    cost: Cost = _FREE
    obstacles: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it works and nothing speaks against it."""
        return self.check.standing == "ready" and not self.obstacles

    @property
    def lacks_memory(self) -> bool:
        """Whether the memory limit is what stands against it."""
        return any(IN_TARGET in obstacle for obstacle in self.obstacles)


def runtimes(reach: Reach) -> list[Capturing]:
    """The runtimes that a target may be of, the likeliest first; where only its ports can be had, those that serve."""
    return _runtimes(reach)[0]


def _runtimes(reach: Reach) -> tuple[list[Capturing], Lacks | None]:
    """The same, with why the process itself cannot be seen, where it cannot."""
    try:
        process = reach.process()
    except Lacks as error:
        return [_runtime(name) for name in _ENDPOINTS], error
    return [runtime for runtime in map(_runtime, RUNTIMES) if runtime.serves(process)], None


def offers(reach: Reach, access: Access, store_free: int | None = None) -> list[Offer]:
    """Every way to capture a target, the richest evidence first; changes nothing there.

    `store_free` is what the disk that captures are kept on has left, in bytes. Raises `Lacks` where the process cannot
    be seen, and none of its ports helps.
    """
    found = []
    served, unseen = _runtimes(reach)
    for runtime in served:
        for way in runtime.ways(reach, access):
            found.append(_offer(runtime.NAME, way, reach, store_free))
    answering = {offer.runtime for offer in found if offer.is_open}
    if unseen and answering:
        # What answers is what it is: that another runtime's port does not is no news.
        found = [offer for offer in found if offer.runtime in answering]
    elif unseen and reach.target.place != "endpoint":
        raise Lacks(str(unseen), hint="\n".join([unseen.hint, *dict.fromkeys(o.check.why for o in found)]).strip())
    return sorted(found, key=lambda offer: EVIDENCE.index(offer.way.evidence))


def chosen(found: Sequence[Offer], wanted: str = "") -> Offer:
    """The richest that is open, or the one that is called `wanted`, whatever stands against that.

    Raises `CaptureFailed` with every reason if none is open, `UsageError` if none is called so.
    """
    if wanted:
        named = [offer for offer in found if wanted in (offer.way.alias, offer.way.name, offer.way.evidence)]
        if not named:
            known = ", ".join(dict.fromkeys(offer.way.alias for offer in found)) or "nothing"
            raise UsageError(f"there is no {wanted!r} to be had from this target", hint=f"--as takes {known}.")
        return next((offer for offer in named if offer.is_open), named[0])
    for offer in found:
        if offer.is_open:
            return offer
    if not found:
        raise CaptureFailed(
            "caulk does not know the runtime of this target",
            hint="It captures the JVM, Node.js, CPython, Go with net/http/pprof, Envoy, gperftools and jemalloc.",
        )
    raise CaptureFailed("nothing can be taken from this target safely", hint="\n".join(reasons(found)))


def against(offer: Offer, *, lend: int = 0) -> list[str]:
    """What a guard has against an offer, where `lend` bytes more than the limit may be had meanwhile.

    Raises `CaptureFailed` where it cannot work, whatever a person says.
    """
    if offer.check.standing in ("needs", "impossible"):
        raise CaptureFailed(f"{offer.way.alias} cannot be taken: {offer.check.why}", hint=offer.check.fix)
    return [one for one in offer.obstacles if not (lend and IN_TARGET in one)]


def reasons(found: Sequence[Offer]) -> Iterator[str]:
    """Why each way is not open, a line each."""
    for offer in found:
        if not offer.is_open:
            why = "; ".join(offer.obstacles) or offer.check.why
            yield f"{offer.way.alias} ({offer.way.name}): {why}"


def _runtime(name: str) -> Capturing:
    return cast("Capturing", import_module(f"caulk.runtimes.{name}"))


def _offer(runtime: str, way: Way, reach: Reach, store_free: int | None) -> Offer:
    try:
        check = way.check()
    except CaulkError as error:
        return Offer(runtime, way, Check("impossible", str(error), error.hint))
    if check.standing not in ("ready", "unsafe"):
        return Offer(runtime, way, check)
    try:
        cost = way.cost()
    except CaulkError as error:
        return Offer(runtime, way, Check("unsafe", f"its cost cannot be told: {error}", error.hint))
    against = (check.why,) if check.standing == "unsafe" else ()
    return Offer(runtime, way, check, cost, (*against, *_obstacles(cost, reach, store_free)))


def _obstacles(cost: Cost, reach: Reach, store_free: int | None) -> Iterator[str]:
    yield from _against_memory(cost, reach)
    patience = reach.patience() if cost.pause_s else None
    if patience and cost.pause_s * _PAUSE_FACTOR > patience.seconds:
        yield (
            f"the program would stand still for about {format_duration(cost.pause_s)}, and is restarted after"
            f" {format_duration(patience.seconds)} ({patience.what})"
        )
    if cost.disk_bytes:
        yield from _against_disk(cost, reach)
    if store_free is not None and cost.size_bytes > store_free:
        yield (
            f"the capture has about {format_value(cost.size_bytes, 'bytes')}, and the disk here has"
            f" {format_value(store_free, 'bytes')} left"
        )


def _against_memory(cost: Cost, reach: Reach) -> Iterator[str]:
    if not cost.extra_bytes:
        return
    try:
        room = reach.room()
    except CaulkError as error:
        if cost.extra_bytes <= _TRIFLE:
            return
        yield f"how much memory the target has left cannot be told: {error}"
        return
    if room.free is not None and cost.extra_bytes > room.free:
        limit = f" of the limit of {format_value(room.limit, 'bytes')}" if room.limit is not None else ""
        yield (
            f"it needs {format_value(cost.extra_bytes, 'bytes')} of {IN_TARGET}, and"
            f" {format_value(room.free, 'bytes')}{limit} are free"
        )


def _against_disk(cost: Cost, reach: Reach) -> Iterator[str]:
    try:
        volume = reach.volume(cost.directory)
    except CaulkError as error:
        yield f"what {cost.directory} has left cannot be told: {error}"
        return
    if not volume.is_writable:
        yield f"{cost.directory} cannot be written to"
    elif volume.is_memory:
        yield f"{cost.directory} lies in memory ({volume.kind}): a dump there counts against the limit"
    elif volume.free_bytes < cost.disk_bytes + _SPARE_BYTES:
        yield (
            f"{cost.directory} has {format_value(volume.free_bytes, 'bytes')} left, and the dump takes about"
            f" {format_value(cost.disk_bytes, 'bytes')}"
        )
