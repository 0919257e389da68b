"""The step that says what kind of memory an incident is about: where it is, and which part grew since the last look.

Nothing is asked of the program: it is the kernel that tells.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from caulk.capture import memory, places
from caulk.model.breakdown import Advice, Breakdown, Slice
from caulk.model.errors import CaulkError, Unreachable
from caulk.model.incident import Incident, Outgoing
from caulk.model.target import Access
from caulk.model.units import format_share, format_value
from caulk.ports import Reach
from caulk.watch.actions import Done, TryAgain

_TRIES = 3
#: Of the growth, or of all that is held, a part below this is not worth a word.
_WORTH = 0.1
_MOST_NAMED = 3


@dataclass(slots=True)
class Looking:
    """Looks at the replica of an incident."""

    access: Access
    look: Callable[[Reach], tuple[Breakdown, Advice]] = memory.look

    def __call__(self, owed: Outgoing, incident: Incident) -> Done:
        """The parts of its memory; skipped where nobody may see them."""
        if incident.target is None:
            return Done("skipped", "nobody knows how to reach it: what kind of memory it is cannot be seen")
        try:
            reach = places.reach(incident.target, self.access)
            try:
                now, advice = self.look(reach)
            finally:
                reach.close()
        except Unreachable as error:
            if owed.attempts < _TRIES:
                raise TryAgain(str(error), hint=error.hint) from error
            return Done("skipped", f"what kind of memory it is cannot be seen: {error}")
        except CaulkError as error:
            return Done("skipped", f"what kind of memory it is cannot be seen: {error}")
        parts = {piece.part: piece.size for piece in now.slices}
        before = next((moment.parts for moment in reversed(incident.moments) if moment.parts), None)
        text = _grown(now, before) if before else _held(now)
        return Done("looked", text, {"parts": parts, "details": (*advice.contradictions, *advice.sentences)})


def _held(now: Breakdown) -> str:
    """What is held, the largest parts first."""
    held = [piece for piece in now.slices if piece.part not in ("free", "files")]
    total = sum(piece.size for piece in held) or 1
    named = ", ".join(
        f"{format_share(piece.size / total)} {piece.what}" for piece in _largest(held) if piece.size >= _WORTH * total
    )
    return f"{format_value(total, 'bytes')} are held: {named}"


def _grown(now: Breakdown, before: Mapping[str, int]) -> str:
    """What grew since, the parts that grew most first."""
    grown = [
        Slice(piece.part, piece.size - before.get(piece.part, 0), piece.what)
        for piece in now.slices
        if piece.part not in ("free", "files")
    ]
    total = sum(piece.size for piece in grown if piece.size > 0)
    if not total:
        return "no part of its memory grew since the look before"
    return "grew since the look before: " + ", ".join(_signed(grown, total))


def _signed(grown: list[Slice], total: int) -> Iterator[str]:
    for piece in _largest(grown):
        if piece.size >= _WORTH * total:
            yield f"{format_value(piece.size, 'bytes', signed=True)} {piece.what}"


def _largest(slices: list[Slice]) -> list[Slice]:
    return sorted(slices, key=lambda piece: -piece.size)[:_MOST_NAMED]
