"""One frame or one type, looked at by itself: how large, since when, and what is around it (`caulk.selection/1`)."""

from collections.abc import Sequence
from dataclasses import replace

from caulk.analysis.dumps import Dump
from caulk.analysis.growth import HOURLY
from caulk.model.errors import UsageError
from caulk.model.selection import Gain, Moment, Selection
from caulk.reports.question import Question
from caulk.reports.selection.chosen import Chosen, Sums
from caulk.reports.selection.frames import of_frame
from caulk.reports.selection.types import of_type
from caulk.views.markup import plain


def selection(question: Question, *, frame: str = "", type_: str = "") -> Selection:
    """What there is to say of the frame or the type of that very name: zeros where there is none, or none is left.

    Of several dumps the last one decides what there is, all make the series, and neighbours are by what changed. The
    name may be as a dump has it or as a page shows it. Filters, measure and granularity of the question hold for
    frames. Raises `UsageError` for a type of a profile.
    """
    if bool(frame) == bool(type_):
        raise UsageError("a selection is one frame or one type")
    question = replace(question, dumps=question.ordered, at=())
    chosen = of_frame(question, frame) if frame else of_type(question, type_)
    now = chosen.sums[-1]
    return Selection(
        kind="frame" if frame else "type",
        name=plain(frame or type_),
        location=plain(chosen.location),
        package=plain(chosen.package),
        unit=chosen.unit,
        own=now.own,
        total=now.total,
        share=now.total / (chosen.whole or 1),
        count=now.count,
        growth=_gain(question.dumps, chosen),
        series=tuple(map(_moment, question.dumps, chosen.sums)),
        above=chosen.above,
        below=chosen.below,
        above_title="holders" if chosen.is_held else "callers",
        below_title="holds" if chosen.is_held else "callees",
        matched=chosen.matched,
    )


def _moment(dump: Dump, sums: Sums) -> Moment:
    taken = dump.profile.taken_at
    return Moment(
        id=dump.path,
        taken_at=taken.isoformat().replace("+00:00", "Z") if taken else None,
        own=sums.own,
        total=sums.total,
        count=sums.count,
    )


def _gain(dumps: Sequence[Dump], chosen: Chosen) -> Gain | None:
    if len(dumps) < 2:
        return None
    first, last = dumps[0].profile.taken_at, dumps[-1].profile.taken_at
    hours = (last - first).total_seconds() / 3600 if first and last else 0.0
    before, now = chosen.sums[0], chosen.sums[-1]
    more = now.total - before.total
    count = now.count - before.count if now.count is not None and before.count is not None else None
    return Gain(more, more / hours if hours >= HOURLY else None, count)
