"""Dumps that are looked at together: their order in time, and the measure that all of them have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from caulk.model.census import Census, Mode
from caulk.model.contents import Duplicates
from caulk.model.errors import UsageError
from caulk.model.measure import Measure
from caulk.model.profile import Profile

if TYPE_CHECKING:
    from caulk.analysis.objects.heaps import Heap


@dataclass(frozen=True, slots=True)
class Dump:
    """A profile with the file that it came from; of a heap dump it says who retains what, and `heap` is the rest.

    `duplicates(rows, objects)` reads the file again for the contents that strings have several times. Of a heap that
    memory cannot hold there is only a `census`, and `shortage` says why.
    """

    path: str
    profile: Profile
    size_bytes: int = 0
    heap: "Heap | None" = None
    duplicates: Callable[[int, int], Duplicates] | None = None
    census: Census | None = None
    shortage: str = ""

    @property
    def mode(self) -> Mode | None:
        """How a heap dump was analysed; None for a profile."""
        return self.heap.mode if self.heap else "streaming" if self.census else None


def in_order(dumps: Sequence[Dump], at: Sequence[datetime] = ()) -> list[Dump]:
    """By the time of each where every one has one, else as given."""
    if at and len(at) != len(dumps):
        raise UsageError(f"{len(at)} times for {len(dumps)} files", hint="Give one --at for each file, in their order.")
    timed = (
        [replace(d, profile=replace(d.profile, taken_at=t)) for d, t in zip(dumps, at, strict=True)] if at else dumps
    )
    if all(dump.profile.taken_at for dump in timed):
        return sorted(timed, key=lambda dump: dump.profile.taken_at or datetime.min)
    return list(timed)


def size_and_count(profiles: Sequence[Profile], wanted: str = "") -> tuple[Measure, Measure | None]:
    """What to judge by, and what counts the same objects: live bytes and live objects where there are such."""
    common = [m for m in profiles[0].measures if all(m in profile.measures for profile in profiles)]
    if not common:
        told = " and ".join(sorted({"/".join(map(str, profile.measures)) for profile in profiles}))
        raise UsageError(
            f"these files count different things: {told}", hint="Compare profiles of one kind, from one program."
        )
    if wanted:
        chosen = [m for m in common if m.name == wanted]
        if not chosen:
            raise UsageError(f"no measure {wanted!r} in every file: they have {', '.join(map(str, common))}")
        return chosen[0], None
    live = [m for m in common if m.role == "live"]
    size = next((m for m in live if m.unit == "bytes"), None)
    count = next((m for m in live if m.unit != "bytes"), None)
    if size is None:
        return next((m for m in common if m.role in ("live", "unknown")), common[-1]), None
    return size, count
