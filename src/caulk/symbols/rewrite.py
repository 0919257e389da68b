"""A profile's stacks with the named frames in the place of the addresses: one address may become several calls."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

from caulk._core import stacks
from caulk.model.column import Ints
from caulk.model.profile import Profile
from caulk.model.samples import Nodes, Rows
from caulk.model.tree import Frames
from caulk.symbols.lines import Calls

#: Inlining may not make the stacks larger than this many times: hostile debug information could, without end.
_MAX_GROWTH = 16


def rewritten(profile: Profile, named: Mapping[int, Calls]) -> Profile:
    """The profile with `named`, calls by number of frame, outermost first; everything else as it was.

    A function's line is one frame, at whichever addresses it was: that is what profiles can be compared by.
    """
    frames, calls = _frames(profile.frames, named)
    samples = profile.samples
    written = _rows(samples.stacks, calls) if isinstance(samples.stacks, Rows) else _nodes(samples.stacks, calls)
    return replace(profile, frames=frames, samples=replace(samples, stacks=written))


def _frames(old: Frames, named: Mapping[int, Calls]) -> tuple[Frames, list[tuple[int, ...]]]:
    """The new frames, and which of them each old one became."""
    added: dict[str, int] = {}
    keys: dict[tuple[int, int, int, int, int], int] = {}
    became: list[tuple[int, ...]] = []

    def string(text: str) -> int:
        return added.setdefault(text, len(old.strings) + len(added)) if text else 0

    for i in range(len(old)):
        mapping = old.mapping[i]
        rows = [(string(c.function), string(c.file), c.line, mapping, 0) for c in named.get(i, ())]
        rows = rows or [(old.function[i], old.file[i], old.line[i], mapping, old.address[i])]
        became.append(tuple(keys.setdefault(row, len(keys)) for row in rows))
    columns: Sequence[Sequence[int]] = list(zip(*keys, strict=True)) or [()] * 5
    frames = Frames(
        strings=[*old.strings, *added],
        function=array("i", columns[0]),
        file=array("i", columns[1]),
        line=array("q", columns[2]),
        mapping=array("i", columns[3]),
        address=array("q", columns[4]),
        mappings=old.mappings,
    )
    return frames, became


def _rows(rows: Rows, became: list[tuple[int, ...]]) -> Rows:
    if all(len(calls) == 1 for calls in became):
        return Rows(rows.starts, stacks.take(array("i", (calls[0] for calls in became)), rows.frames))
    became = _bounded(became, rows.frames)
    starts, frames = array("q", [0]), array("i")
    for i in range(len(rows)):
        for frame in rows.frames[rows.starts[i] : rows.starts[i + 1]]:
            frames.extend(became[frame])
        starts.append(len(frames))
    return Rows(starts, frames)


def _nodes(nodes: Nodes, became: list[tuple[int, ...]]) -> Nodes:
    """The same tree, a node for each call; nodes with equal calls are joined when the stacks are planted."""
    became = _bounded(became, nodes.frame)
    parent, frame = array("i"), array("i")
    last = array("i")
    for i, old in enumerate(nodes.frame):
        above = last[nodes.parent[i]] if nodes.parent[i] >= 0 else -1
        for call in became[old] if old >= 0 else (-1,):
            parent.append(above)
            frame.append(call)
            above = len(parent) - 1
        last.append(above)
    return Nodes(parent, frame, stacks.take(last, nodes.node))


def _bounded(became: list[tuple[int, ...]], used: Ints) -> list[tuple[int, ...]]:
    """The calls as they are, or the innermost of each alone where the stacks would grow without measure."""
    total = sum(len(became[frame]) for frame in used if frame >= 0)
    return became if total <= _MAX_GROWTH * len(used) + 4096 else [calls[-1:] for calls in became]
