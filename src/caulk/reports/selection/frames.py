"""A frame of stacks: its sums, and what calls it and what it calls. Each value counts once, however deep it recurs."""

from array import array
from collections import Counter
from collections.abc import Mapping

from caulk._core import stacks
from caulk.analysis.fold import FrameTable
from caulk.model.errors import UsageError
from caulk.model.profile import Profile
from caulk.model.selection import Neighbour
from caulk.model.tree import Frames, Tree
from caulk.reports.objects import package_of_type
from caulk.reports.profiles import chosen_measure, tree_of
from caulk.reports.question import Question
from caulk.reports.selection.chosen import NEIGHBOURS, Chosen, Sums, named
from caulk.views.flame import package_of
from caulk.views.markup import plain


def of_frame(question: Question, name: str) -> Chosen:
    """The frames of a name in the last dump, and their sums in all."""
    profile = question.dumps[-1].profile
    measures = _measures(question, profile)
    tree = tree_of(question, profile, measures)
    chosen = named(name, _names(tree.frames)) & set(tree.frame)
    if not chosen:
        raise UsageError(f"no function is called {plain(name)!r}", hint="`caulk top` lists the functions of a profile.")
    earlier = (_sums_in(question, dump.profile, name) for dump in question.dumps[:-1])
    sums = (*earlier, _sums(tree, chosen))
    callers, callees = _around(tree, chosen)
    file = tree.frames.file_name(min(chosen))
    is_held = profile.kind == "objects"
    return Chosen(
        location=_location(profile, name, file, measures[0]),
        package=package_of_type(name) if is_held else package_of(name, file),
        unit=tree.measures[0].unit,
        whole=profile.total(measures[0]),
        sums=sums,
        above=_neighbours(tree.frames, callers, sums[-1].total),
        below=_neighbours(tree.frames, callees, sums[-1].total),
        is_held=is_held,
        matched=len(chosen),
    )


def _measures(question: Question, profile: Profile) -> list[int]:
    """The measure that is asked for, and the one that counts the same objects if there is one."""
    size = chosen_measure(profile, question.measure)
    role = profile.measures[size].role
    counts = (i for i, m in enumerate(profile.measures) if i != size and m.unit == "count" and m.role == role)
    return [size, *list(counts)[:1]]


def _names(frames: Frames) -> list[str]:
    return [frames.function_name(f) for f in range(len(frames))]


def _sums_in(question: Question, profile: Profile, name: str) -> Sums:
    """The sums of a frame in an earlier dump: nothing, where it is not there. Needs a tree only for filters."""
    measures = _measures(question, profile)
    if question.filters:
        tree = tree_of(question, profile, measures)
        return _sums(tree, named(name, _names(tree.frames)))
    table = FrameTable(question.granularity)
    number = table.relabel(profile.frames)
    chosen = named(name, _names(table.frames()))
    group = array("i", (n in chosen for n in number))
    return _summed([profile.samples.stacks.by_group(group, 2, profile.samples.values[m]) for m in measures])


def _sums(tree: Tree, chosen: set[int]) -> Sums:
    group = array("i", (f in chosen for f in range(len(tree.frames))))
    return _summed([stacks.by_group(tree.parent, tree.frame, group, 2, column) for column in tree.values])


def _summed(columns: list[tuple["array[int]", "array[int]"]]) -> Sums:
    """From flat and cumulative sums by measure, of which entry 1 is what is chosen."""
    (own, total), *counted = columns
    return Sums(own[1], total[1], counted[0][1][1] if counted else None)


def _around(tree: Tree, chosen: set[int]) -> tuple[Counter[int], Counter[int]]:
    """Callers and callees by frame (-1: none), so that callers make the total, and callees and own values make it too.

    A value has one caller, that of the outermost call that is chosen, and one callee, that of the innermost.
    """
    parent, frame = tree.parent, tree.frame
    totals = stacks.totals(parent, tree.values[0])
    nearest = stacks.nearest(parent, frame, bytes(f in chosen for f in range(len(tree.frames))))
    callers, callees = Counter[int](), Counter[int]()
    for node in range(1, len(parent)):
        above = parent[node]
        outer = nearest[above]
        if frame[node] not in chosen:
            if outer and outer == above:
                callees[frame[node]] += totals[node]
        elif not outer:
            callers[frame[above]] += totals[node]
        elif outer != above:
            # What lies below both is the inner one's, no longer that of the callee of the outer one.
            while parent[above] != outer:
                above = parent[above]
            callees[frame[above]] -= totals[node]
    return callers, callees


def _neighbours(frames: Frames, values: Mapping[int, int], total: int) -> tuple[Neighbour, ...]:
    order = sorted((f for f in values if values[f]), key=lambda f: (-abs(values[f]), f))
    return tuple(
        Neighbour(
            name=plain(frames.function_name(f)) if f >= 0 else "(root)",
            value=values[f],
            share=values[f] / (total or 1),
            label=plain(frames.file_name(f)) if f >= 0 else "",
        )
        for f in order[:NEIGHBOURS]
    )


def _location(profile: Profile, name: str, file: str, measure: int) -> str:
    """The file with the line of that function which holds most itself."""
    frames = profile.frames
    if not file:
        return ""
    mine = [f for f in named(name, _names(frames)) if frames.file_name(f) == file and frames.line[f] > 0]
    if not mine:
        return file
    own, _ = profile.samples.stacks.by_group(
        array("i", range(len(frames))), len(frames), profile.samples.values[measure]
    )
    return f"{file}:{frames.line[min(mine, key=lambda f: (-abs(own[f]), frames.line[f]))]}"
