"""The questions about weighted stacks: who allocates, and of a heap dump who retains."""

import re
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from caulk._core import stacks
from caulk.analysis import filters as filtering
from caulk.analysis.dumps import size_and_count
from caulk.analysis.fold import FrameTable, fold, invert, union
from caulk.model.column import Ints
from caulk.model.errors import UsageError
from caulk.model.measure import Measure
from caulk.model.profile import Profile
from caulk.model.table import Heading, Kind, Stacks, Table
from caulk.model.tree import Frames, Tree
from caulk.model.units import format_share, format_value
from caulk.reports.question import Question

if TYPE_CHECKING:
    from caulk.model.records import Analysis


def analysis(question: Question) -> "Analysis":
    """Who allocates what is not freed: the verdict, with findings."""
    dumps = question.dumps
    if question.filters:
        dumps = [
            replace(d, profile=d.profile.with_tree(filtering.apply(d.profile.tree, question.filters))) for d in dumps
        ]
    # Judging is the larger half of the code; who asks for a list of functions need not wait for it.
    from caulk.analysis.analyse import analyse  # noqa: PLC0415

    return analyse(dumps, measure=question.measure, at=question.at)


def top(question: Question) -> Table:
    """Functions of the last dump by what they allocated themselves (flat) and with all they called (cum)."""
    frames, measure, flat, cumulative = _listed(question)
    total = question.dumps[-1].profile.total(chosen_measure(question.dumps[-1].profile, question.measure))
    said = headline_of(question.dumps[-1].profile, measure)
    return listed(question, measure, frames, (flat, cumulative), total=total, said=said)


def listed(
    question: Question, measure: Measure, frames: Frames, sums: tuple[Ints, Ints], *, total: int, said: str
) -> Table:
    """Functions by their flat and cumulative sums, with shares of `total`; `said` is the first note."""
    flat, cumulative = sums
    order = sorted(range(len(flat)), key=lambda i: (-abs(flat[i]), -abs(cumulative[i]), i))
    order = [i for i in order if flat[i] or cumulative[i]]
    whole = total or 1
    rows, running = [], 0
    for i in order[: question.limit]:
        running += flat[i]
        rows.append(
            (flat[i], flat[i] / whole, running / whole, cumulative[i], cumulative[i] / whole, *name_of(frames, i))
        )
    amount, of = format_value(running, measure.unit), format_value(total, measure.unit)
    shown = f"Showing {len(rows):,} of {len(order):,} nodes: {amount}, {format_share(running / whole)} of {of} total"
    kind = kind_of(measure)
    return Table(
        "top",
        (
            Heading("flat", "flat", kind),
            Heading("flat_share", "flat%", "share"),
            Heading("sum_share", "sum%", "share"),
            Heading("cum", "cum", kind),
            Heading("cum_share", "cum%", "share"),
            Heading("function", what(question)),
            Heading("location", "location"),
        ),
        rows,
        (said, shown),
        {"measure": measure.name, "unit": measure.unit, "total": total},
    )


def tree(question: Question) -> Stacks:
    """The calls from the outermost down, each with all that was allocated below it."""
    shown, total = _shown(question)
    name = "callers" if question.inverted else "tree"
    if question.inverted:
        shown = invert(shown, 0)
    return Stacks(name, shown, total, notes=(headline_of(question.dumps[-1].profile, shown.measures[0]),))


def flame(question: Question) -> Stacks:
    """The same tree, as a flame graph."""
    answer = tree(question)
    return Stacks("flame", answer.tree, answer.total, notes=answer.notes)


def peek(question: Question) -> Table:
    """A function with its direct callers and callees; without a pattern, the heaviest functions."""
    shown, total = _shown(question)
    frames, parent, frame = shown.frames, shown.parent, shown.frame
    flat, cumulative = by_frame(shown)
    wanted = _peeked(shown, question.pattern, flat, min(question.limit, 5))
    totals = stacks.totals(parent, shown.values[0])
    callers: dict[int, dict[int, int]] = {f: {} for f in wanted}
    callees: dict[int, dict[int, int]] = {f: {} for f in wanted}
    for node in range(1, len(shown)):
        mine, above = frame[node], frame[parent[node]]
        if mine in callers:
            callers[mine][above] = callers[mine].get(above, 0) + totals[node]
        if above in callees:
            callees[above][mine] = callees[above].get(mine, 0) + totals[node]
    rows: list[tuple[object, ...]] = []
    whole = total or 1
    for f in wanted:
        for relation, edges in (("caller", callers[f]), ("self", {f: cumulative[f]}), ("callee", callees[f])):
            for other in sorted(edges, key=lambda o: (-abs(edges[o]), o))[: question.limit]:
                own = flat[f] if relation == "self" else None
                name = ("(root)", "") if other < 0 else name_of(frames, other)
                rows.append((relation, own, edges[other], edges[other] / whole, *name))
    kind = kind_of(shown.measures[0])
    return Table(
        "peek",
        (
            Heading("relation", ""),
            Heading("flat", "flat", kind),
            Heading("cum", "cum", kind),
            Heading("cum_share", "cum%", "share"),
            Heading("function", what(question)),
            Heading("location", "location"),
        ),
        rows,
        (headline_of(question.dumps[-1].profile, shown.measures[0]),),
        {"matched": [frames.function_name(f) for f in wanted]},
    )


def laid(question: Question, profiles: Sequence[Profile]) -> tuple[Measure, tuple[Tree, ...]]:
    """Profiles over common nodes, filtered and turned round as asked, by one measure that all of them have."""
    if len({profile.kind for profile in profiles}) > 1:
        kinds = " and a ".join(f"{profile.kind} profile" for profile in profiles)
        raise UsageError(f"a {kinds} cannot be compared", hint="Compare dumps of one kind, from one program.")
    measure, _ = size_and_count(profiles, question.measure)
    if question.filters:
        profiles = [p.with_tree(filtering.apply(p.tree, question.filters)) for p in profiles]
    if question.inverted:
        profiles = [p.with_tree(invert(p.tree, p.measures.index(measure))) for p in profiles]
    return measure, union(profiles, [measure], question.granularity).trees


def _shown(question: Question) -> tuple[Tree, int]:
    """The last dump's tree as asked for: one measure, folded and filtered; and the total before the filters."""
    profile = question.dumps[-1].profile
    chosen = chosen_measure(profile, question.measure)
    return tree_of(question, profile, [chosen]), profile.total(chosen)


def tree_of(question: Question, profile: Profile, measures: Sequence[int]) -> Tree:
    """The stacks of a profile by some of its measures, filtered and folded as the question asks."""
    whole = profile.tree
    named = tuple(whole.measures[m] for m in measures)
    tree = Tree(named, whole.frames, whole.parent, whole.frame, tuple(whole.values[m] for m in measures))
    return fold(filtering.apply(tree, question.filters), question.granularity)


def _listed(question: Question) -> tuple[Frames, Measure, Ints, Ints]:
    """Frames with their flat and cumulative sums; straight from the samples, where no filter asks for a tree."""
    profile = question.dumps[-1].profile
    if question.filters:
        shown, _ = _shown(question)
        return shown.frames, shown.measures[0], *by_frame(shown)
    chosen = chosen_measure(profile, question.measure)
    table = FrameTable(question.granularity)
    group = table.relabel(profile.frames)
    sums = profile.samples.stacks.by_group(group, len(table), profile.samples.values[chosen])
    return table.frames(), profile.measures[chosen], *sums


def chosen_measure(profile: Profile, wanted: str) -> int:
    """The position of the measure `wanted`, or of the profile's own default."""
    if not wanted:
        return profile.default_measure
    names = [measure.name for measure in profile.measures]
    if wanted not in names:
        raise UsageError(f"no measure {wanted!r} in this profile: it has {', '.join(names)}")
    return names.index(wanted)


def by_frame(shown: Tree) -> tuple[Ints, Ints]:
    """Flat and cumulative sums of a tree's first measure, by frame (`'q'` each)."""
    group = array("i", range(len(shown.frames)))
    return stacks.by_group(shown.parent, shown.frame, group, len(shown.frames), shown.values[0])


def _peeked(shown: Tree, pattern: str, flat: Ints, most: int) -> list[int]:
    if not pattern:
        return [i for i in sorted(range(len(flat)), key=lambda i: (-abs(flat[i]), i))[:most] if flat[i]]
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}") from None
    present = set(shown.frame)
    found = [i for i in range(len(flat)) if i in present and search(shown.frames.function_name(i))]
    if not found:
        raise UsageError(f"no function matches {pattern!r}", hint="`caulk top` lists the functions of a profile.")
    return sorted(found, key=lambda i: (-abs(flat[i]), i))


def name_of(frames: Frames, frame: int) -> tuple[str, str]:
    """A frame's function and where it is."""
    file, line = frames.file_name(frame), frames.line[frame]
    return frames.function_name(frame), f"{file}:{line}" if file and line else file


def headline_of(profile: Profile, measure: Measure) -> str:
    """What the answer is about, in a line."""
    taken = f", taken {profile.taken_at:%Y-%m-%d %H:%M:%S} UTC" if profile.taken_at else ""
    what = "heap, types under types" if profile.kind == "objects" else f"{profile.kind} profile"
    return f"{profile.runtime} {what} ({profile.format}), {measure}{taken}"


def what(question: Question) -> str:
    """What a row is, for people: the stacks of a heap dump are types under types."""
    return "type" if question.dumps[-1].profile.kind == "objects" else "function"


def kind_of(measure: Measure) -> Kind:
    """How the cells of a measure are to be written."""
    if measure.unit == "bytes":
        return "bytes"
    return "nanoseconds" if measure.unit == "nanoseconds" else "count"
