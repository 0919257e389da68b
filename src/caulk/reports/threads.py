"""The question what threads, or goroutines, do: where they are, in which state, how many stand at the same place."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from caulk.analysis.dumps import Dump
from caulk.analysis.filters import Filters, apply
from caulk.analysis.objects.heaps import Heap
from caulk.model.errors import UsageError
from caulk.model.graph import ROOTS, STRONG
from caulk.model.label import LabelSet
from caulk.model.table import Heading, Table
from caulk.model.tree import Frames
from caulk.reports.objects import headline, heap_of, matcher
from caulk.reports.profiles import headline_of, name_of
from caulk.reports.question import Question

_KINDS = ("goroutine", "threadcreate")
#: Frames of a stack that a row shows: the innermost, which say where it stands.
_SHOWN = 64
_COUNT = Heading("count", "count", "count")
_STACK = Heading("stack", "stack, innermost first")


def why_not(dump: Dump) -> str:
    """Why a dump has no threads to show; empty where it has."""
    if dump.profile.kind in _KINDS:
        return ""
    if dump.census:
        return f"Only the types were counted: {dump.shortage}."
    if dump.heap is None:
        return "This profile has no threads: a goroutine profile or a heap dump of the JVM has."
    return "" if any(_threads(dump.heap)) else "This heap dump says of no thread where it is."


def threads(question: Question) -> Table:
    """Threads whose stacks are equal, the most numerous first; of a heap dump those that retain most.

    The pattern matches any function of a stack.
    """
    dump = question.dumps[-1]
    why = why_not(dump)
    if why:
        raise UsageError(f"{dump.path}: {why[0].lower()}{why[1:].removesuffix('.')}")
    return _goroutines(question, dump) if dump.profile.kind in _KINDS else _of_heap(question)


@dataclass(slots=True)
class _Group:
    """Goroutines at one place in one state."""

    count: int = 0
    waits: list[int] = field(default_factory=list)


def _goroutines(question: Question, dump: Dump) -> Table:
    profile, matches = dump.profile, matcher(question.pattern)
    frames = profile.frames
    tree, nodes = profile.tree, profile.nodes
    kept = apply(tree, _whole_stacks(question)).values[0] if question.filters else None
    groups: dict[tuple[int, str, str], _Group] = {}
    for row, node in enumerate(nodes):
        value = profile.samples.values[profile.default_measure][row]
        if not value or (kept is not None and not kept[node]):
            continue
        labels = profile.label_sets[profile.samples.labels[row]]
        group = groups.setdefault((node, _text(labels, "state"), _text(labels, "created by")), _Group())
        group.count += value
        group.waits += [label.number for label in labels if label.key == "wait"]
    stacks = {node: tree.stack(node) for node, _, _ in groups}
    wanted = [key for key in groups if any(matches(frames.function_name(f)) for f in stacks[key[0]])]
    wanted = wanted if question.pattern else list(groups)
    wanted.sort(key=lambda key: (-groups[key].count, key))
    rows = []
    for key in wanted[: question.limit]:
        node, state, creator = key
        waits = max(groups[key].waits, default=None)
        rows.append((groups[key].count, state, waits, creator, _stack(frames, stacks[node])))
    total = sum(group.count for group in groups.values())
    shown = sum(row[0] for row in rows)
    notes = (
        headline_of(profile, profile.measures[profile.default_measure]),
        f"{total:,} at {len(groups):,} places; showing {shown:,} at {len(rows):,}",
    )
    headings = (
        _COUNT,
        Heading("state", "state"),
        Heading("wait_minutes", "minutes", "count"),
        Heading("created_by", "created by"),
        _STACK,
    )
    return Table("threads", headings, rows, notes, {"total": total})


def _whole_stacks(question: Question) -> Filters:
    """The filters that choose stacks; those that change them would say of no thread where it is."""
    return Filters(focus=question.filters.focus, ignore=question.filters.ignore)


def _text(labels: LabelSet, key: str) -> str:
    return next((label.text for label in labels if label.key == key), "")


def _stack(frames: Frames, stack: list[int]) -> str:
    """Where each call of a stack is, innermost first."""
    named = [name_of(frames, frame) for frame in reversed(stack[-_SHOWN:])]
    more = [f"… {len(stack) - _SHOWN:,} more"] if len(stack) > _SHOWN else []
    return " ← ".join([f"{name} ({place})" if place else name for name, place in named] + more)


@dataclass(frozen=True, slots=True)
class _Thread:
    """A running thread of a heap: what its variables refer to, by the frames that have such."""

    number: int
    frames: tuple[str, ...]
    variables: int


def _threads(heap: Heap) -> Iterator[_Thread]:
    """The running threads: those that are a root, or have frames."""
    graph = heap.graph
    for number in {reference.target for reference in graph.references(ROOTS)}:
        if graph.types.kind[graph.type[number]] != "thread":
            continue
        local = [
            reference.label.name
            for reference in graph.references(number)
            if reference.label.kind == "local" and reference.strength == STRONG
        ]
        yield _Thread(number, tuple(dict.fromkeys(local)), len(local))


def _of_heap(question: Question) -> Table:
    """Threads of one type at the same place, with what they retain: their variables, thread-locals, themselves."""
    heap, matches = heap_of(question), matcher(question.pattern)
    retained = heap.dominators.retained
    groups: dict[tuple[str, tuple[str, ...]], list[_Thread]] = {}
    for thread in sorted(_threads(heap), key=lambda thread: thread.number):
        if not question.pattern or any(map(matches, thread.frames)):
            groups.setdefault((heap.graph.type_name(thread.number), thread.frames), []).append(thread)
    sums = {key: sum(retained[thread.number] for thread in group) for key, group in groups.items()}
    order = sorted(groups, key=lambda key: (-sums[key], key))
    whole = retained[ROOTS] or 1
    rows = [
        (
            len(groups[key]),
            sums[key],
            sums[key] / whole,
            sum(thread.variables for thread in groups[key]),
            key[0],
            " ← ".join(key[1][:_SHOWN]),
        )
        for key in order[: question.limit]
    ]
    notes = (
        headline(heap),
        f"{sum(map(len, groups.values())):,} threads at {len(groups):,} places, showing {len(rows):,} places; of their"
        " stacks the dump keeps the frames whose variables refer to objects",
    )
    headings = (
        _COUNT,
        Heading("retained", "retained", "bytes"),
        Heading("retained_share", "retained%", "share"),
        Heading("variables", "variables", "count"),
        Heading("type", "type"),
        _STACK,
    )
    return Table("threads", headings, rows, notes)
