"""Which frames without names are the allocator's: the innermost ones, in which nearly all stacks of a profile end.

An allocator that is linked into a stripped program has neither a name nor a file of its own, and yet every stack goes
through it. A function of the program is on the stacks of what it allocates, never on all of them; only where few stacks
were seen can the two look alike, and then nothing is passed over.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from caulk.model.origin import is_allocator, is_allocator_library
from caulk.model.profile import Profile
from caulk.model.tree import Frames, Tree

#: A stack may be cut short, or come through another entrance of the allocator.
_NEARLY_ALL = 0.9
#: Distinct stacks, and distinct callers of the shared frames, that it takes, and how many stacks may end elsewhere, be
#: they few: where the producer says that its allocator's frames are on the stacks (`drop_frames`), and where nobody
#: says so.
_ANNOUNCED, _UNANNOUNCED = (4, 3, 1), (8, 4, 0)
#: An allocator has an entrance, a slow path and what takes the sample; a longer common end is a path of the program.
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class SharedEnd:
    """`frames`, innermost first, are taken for the allocator's. `doubtful` may be so too, on too little evidence."""

    frames: tuple[int, ...] = ()
    is_announced: bool = False
    doubtful: tuple[int, ...] = ()


def shared_end(profiles: Sequence[Profile], trees: Sequence[Tree]) -> SharedEnd:
    """What the stacks of `trees`, which lie over each other (see `fold.union`), have in common innermost."""
    parent, frame, frames = trees[0].parent, trees[0].frame, trees[0].frames
    nameless = bytes(map(_is_nameless, frames.function, frames.file, frames.address))
    if not any(nameless) or _is_known(profiles, frames):
        return SharedEnd()
    nodes = [node for node in range(1, len(parent)) if any(tree.values[0][node] for tree in trees)]
    announced = any(profile.drop_frames for profile in profiles)
    stacks, callers, strays = _ANNOUNCED if announced else _UNANNOUNCED
    shared: list[int] = []
    at = nodes
    while found := Counter(frame[node] for node in at if node):
        best, times = max(found.items(), key=lambda item: (item[1], -item[0]))
        if not nameless[best] or len(nodes) - times > max(strays, (1 - _NEARLY_ALL) * len(nodes)):
            break
        shared.append(best)
        at = [parent[node] for node in at if node and frame[node] == best]
    if shared and len(nodes) >= stacks and len(found) >= callers and len(shared) <= _DEEPEST:
        return SharedEnd(tuple(shared), announced)
    return SharedEnd(doubtful=tuple(shared))


def _is_nameless(function: int, file: int, address: int) -> bool:
    return bool(address) and not function and not file


def _is_known(profiles: Sequence[Profile], frames: Frames) -> bool:
    """Whether the allocator shows itself otherwise: as a library, or by a name."""
    if any(is_allocator_library(mapping.file) for profile in profiles for mapping in profile.frames.mappings):
        return True
    return any(is_allocator(frames.strings[function]) for function in set(frames.function))
