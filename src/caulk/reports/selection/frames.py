"""A frame of stacks: its sums, and what calls it and what it calls. Each value counts once, however deep it recurs."""

from array import array
from collections import Counter
from collections.abc import Mapping

from caulk._core import stacks
from caulk.analysis.fold import FrameTable
from caulk.model.profile import Profile
from caulk.model.tree import Frames, Tree
from caulk.reports.objects import package_of_type
from caulk.reports.profiles import chosen_measure, tree_of
from caulk.reports.question import Question
from caulk.reports.selection.chosen import Around, Chosen, Sums, Values, named
from caulk.views.flame import package_of
from caulk.views.markup import plain


def of_frame(question: Question, name: str) -> Chosen:
    """The frames of a name in the last dump, and their sums in all."""
    dumps = question.dumps
    profile = dumps[-1].profile
    measures = _measures(question, profile)
    tree = tree_of(question, profile, measures)
    chosen = _in_tree(tree, name)
    before = _before(question, name) if len(dumps) > 1 else None
    between = [_sums_in(question, dump.profile, name) for dump in dumps[1:-1]]
    file = tree.frames.file_name(min(chosen)) if chosen else ""
    is_held = profile.kind == "objects"
    return Chosen(
        location=_location(profile, name, file, measures[0]),
        package=package_of_type(name) if is_held else package_of(name, file),
        unit=tree.measures[0].unit,
        whole=profile.total(measures[0]),
        sums=(*([before[0]] if before else []), *between, _sums(tree, chosen)),
        around=_around(tree, chosen),
        before=before[1] if before else None,
        is_held=is_held,
        matched=len(chosen),
    )


def _in_tree(tree: Tree, name: str) -> set[int]:
    """The frames of a name that the stacks of a tree have."""
    return named(name, _names(tree.frames)) & set(tree.frame)


def _before(question: Question, name: str) -> tuple[Sums, Around]:
    """What the first dump has."""
    profile = question.dumps[0].profile
    tree = tree_of(question, profile, _measures(question, profile))
    chosen = _in_tree(tree, name)
    return _sums(tree, chosen), _around(tree, chosen)


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


def _around(tree: Tree, chosen: set[int]) -> Around:
    """Callers and callees, so that callers make the total, and callees and own values make it too.

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
    return Around(_named(tree.frames, callers), _named(tree.frames, callees))


def _named(frames: Frames, values: Mapping[int, int]) -> Values:
    """Values of frames by name and file, as they are shown; equal ones are one."""
    found = Counter[tuple[str, str]]()
    for frame, value in values.items():
        key = (plain(frames.function_name(frame)), plain(frames.file_name(frame))) if frame >= 0 else ("(root)", "")
        found[key] += value
    return found


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
