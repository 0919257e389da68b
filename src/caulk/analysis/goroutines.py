"""Goroutines that pile up: where they wait, who started them, and what memory was allocated on their behalf.

A goroutine that waits for ever is Go's own kind of leak: it holds its stack and all that its frames reach, and the heap
profile shows only the allocations.
"""

from collections.abc import Sequence

from caulk._core import stacks
from caulk.analysis.fingerprint import fingerprint
from caulk.analysis.growth import SHAPE_NEEDS
from caulk.analysis.suspects import Line, Suspect, line_up, lines_of, with_chains
from caulk.model.label import Label
from caulk.model.origin import marks, origins
from caulk.model.profile import Profile
from caulk.model.records import Analysis, Finding, StackFrame, State, Total, Verdict
from caulk.model.units import format_value

#: Fewer than this many in one place are a program's ordinary workers.
_MANY = 20
#: States from which nothing but the program's end can wake a goroutine.
_FOR_EVER = ("select (no cases)", "chan receive (nil chan)", "chan send (nil chan)")
#: A wait that has lasted this long, in minutes, is called waiting for ever when the number grows too.
_LONG_MINUTES = 5


def analyse(profiles: Sequence[Profile], hours: Sequence[float], heap: Profile | None) -> Analysis:
    """Judge goroutine profiles, oldest first; `heap` of about the same time tells what their code allocated."""
    measure = profiles[0].measures[0]
    line = line_up(profiles, hours or list(range(len(profiles))), measure, None)
    suspects = [s for s in line.suspects if s.sizes[-1] >= _MANY and (len(profiles) == 1 or s.growth.delta >= _MANY)]
    suspects.sort(key=lambda s: (-(s.growth.delta if len(profiles) > 1 else s.sizes[-1]), s.frame))
    chosen = with_chains(line, suspects[:5])
    lines = lines_of(line, [node for s in chosen for node in s.chain])
    findings = tuple(_finding(line, s, rank, lines, heap) for rank, s in enumerate(chosen, 1))
    state = _state(line, chosen)
    total = line.totals[-1]
    sentence = (
        f"{'Leaking' if state == 'leaking' else 'Suspect'}: {findings[0].title}."
        if findings
        else f"{total:,} goroutines; none pile up in one place."
    )
    return Analysis(
        totals=(Total(measure.name, measure.unit, total),),
        verdict=Verdict(state, sentence, findings[0].confidence if findings else 0.3),
        findings=findings,
    )


def _state(line: Line, chosen: Sequence[Suspect]) -> State:
    runs = len(line.profiles)
    if not chosen:
        return "steady" if runs > 1 else "unknown"
    if runs == 1:
        return "suspect"
    rising = any(s.growth.is_monotone and s.growth.shape in ("rising", "unknown") for s in chosen)
    if runs >= SHAPE_NEEDS:
        rising = any(s.growth.shape == "rising" for s in chosen)
    return "leaking" if rising else "suspect"


def _finding(line: Line, suspect: Suspect, rank: int, lines: dict[int, int], heap: Profile | None) -> Finding:
    tree, runs = line.tree, len(line.profiles)
    frames = tree.frames
    stack = tuple(
        StackFrame(
            frames.function_name(tree.frame[node]),
            frames.file_name(tree.frame[node]),
            lines.get(node, 0) or frames.line[tree.frame[node]],
        )
        for node in suspect.chain
    )
    at = suspect.chain.index(suspect.blamed) if suspect.blamed in suspect.chain else len(stack) - 1
    blamed = stack[at]
    labels = _labels_at(line, suspect.blamed)
    state = next((label.text for label in labels if label.key == "state"), "")
    minutes = max((label.number for label in labels if label.key == "wait"), default=0)
    creator = next((label.text for label in labels if label.key == "created by"), "")
    created_at = next((label.text for label in labels if label.key == "created at"), "")
    for_ever = state in _FOR_EVER or minutes >= _LONG_MINUTES
    held = _held(heap, stack, creator)
    number = suspect.sizes[-1]
    line_at = f"{blamed.file.rpartition('/')[2]}:{blamed.line}" if blamed.file else ""
    title = f"{number:,} goroutines wait{' for ever' if for_ever else ''} at `{blamed.function}` {line_at}".rstrip()
    if state or minutes:
        title += f" ({state}{', ' if state and minutes else ''}{f'for up to {minutes:,} minutes' if minutes else ''})"
    if creator:
        title += f", started by `{creator}`"
    if runs > 1:
        title += f", {suspect.growth.delta:+,} over {runs} profiles"
    if held:
        title += f"; they hold {format_value(held, 'bytes')}"
    confidence = 0.3 if runs == 1 else {2: 0.55, 3: 0.65}.get(runs, 0.85)
    if for_ever:
        confidence = min(0.95, confidence + (0.2 if runs == 1 else 0.1))
    if suspect.growth.shape == "flattening":
        confidence *= 0.4
    evidence = []
    if runs > 1:
        evidence.append(" → ".join(f"{value:,}" for value in suspect.sizes))
    if creator:
        evidence.append(f"started by {creator}{f' at {created_at}' if created_at else ''}")
    if held:
        evidence.append("the memory is what they, or the function that starts them, allocated and is still live")
    return Finding(
        rank=rank,
        pattern="goroutine",
        title=title,
        bytes=held or 0,
        bytes_error=0,
        share=round(number / line.totals[-1], 4) if line.totals[-1] else 0.0,
        count=number,
        growth_count=suspect.growth.delta if runs > 1 else None,
        growth_bytes_per_hour=None,
        shape=suspect.growth.shape,
        holder=creator or None,
        allocator=blamed.function,
        stack=stack,
        location=f"{blamed.file}:{blamed.line}" if blamed.file and blamed.line else None,
        confidence=round(confidence, 2),
        evidence=tuple(evidence),
        fingerprint=fingerprint("go/goroutine", [(blamed.function, blamed.file), (creator, "")]),
        series=suspect.sizes,
        unit="count",
    )


def _labels_at(line: Line, blamed: int) -> list[Label]:
    """Labels of the newest profile's samples on or below the blamed node, the most frequent set first."""
    profile, nodes, tree = line.profiles[-1], line.laid.nodes[-1], line.tree
    under = bytearray(len(tree))
    under[blamed] = 1
    for node in range(blamed + 1, len(tree)):
        under[node] = under[tree.parent[node]]
    found: dict[int, int] = {}
    for i, node in enumerate(nodes):
        if under[node]:
            number = profile.samples.labels[i]
            found[number] = found.get(number, 0) + profile.samples.values[0][i]
    ranked = sorted(found, key=lambda number: (-found[number], number))
    return [label for number in ranked for label in profile.label_sets[number]]


def _held(heap: Profile | None, stack: Sequence[StackFrame], creator: str) -> int:
    """Live bytes that these goroutines' own functions allocated, or the function that starts them allocated for them.

    The first are stacks that begin at the goroutines' first function; 0 where neither function can be told apart.
    """
    if heap is None or not stack:
        return 0
    size = next((i for i, m in enumerate(heap.measures) if m.role == "live" and m.unit == "bytes"), None)
    if size is None:
        return 0
    tree = heap.tree
    values = tree.values[size]
    name = [tree.frames.function_name(frame) for frame in range(len(tree.frames))]
    first = stack[0].function if stack[0].function not in ("main.main", "runtime.main") else ""
    application = marks(origins(tree.frames, heap.runtime), "application")
    nearest = stacks.nearest(tree.parent, tree.frame, application)
    begins = bytearray(len(tree))
    held = 0
    for node in range(1, len(tree)):
        above = tree.parent[node]
        begins[node] = begins[above] or (above == 0 and bool(first) and name[tree.frame[node]] == first)
        own = nearest[node]
        if begins[node] or (creator and own and name[tree.frame[own]] == creator):
            held += values[node]
    return held
