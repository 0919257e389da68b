"""Frames that a profile's producer asks to leave out, as a rule its allocator's own: pprof's `drop_frames`.

Meaning: https://github.com/google/pprof/blob/main/profile/prune.go. The patterns are held against names, so what an
unsymbolized profile asks for can only be done once it has them: `without_dropped` may be called again then.
"""

import re
from dataclasses import replace

from caulk._core import stacks
from caulk.formats.patterns import DumpPattern
from caulk.model.profile import Profile
from caulk.model.samples import Nodes
from caulk.model.tree import Frames

# What begins an argument list, and what only looks like one.
_BRACKET = re.compile(r"\(anonymous namespace\)|operator\(\)|\(")


def without_dropped(profile: Profile) -> Profile:
    """The profile with its stacks cut where `drop_frames` says; a pattern that cannot be used is a warning."""
    if not profile.drop_frames:
        return profile
    try:
        marked = _marked(profile.frames, profile.drop_frames, profile.keep_frames)
    except ValueError as error:
        problem = f"the profile's drop_frames were not applied: {error}"
        return replace(profile, warnings=tuple(dict.fromkeys((*profile.warnings, problem))))
    if not any(marked):
        return profile
    trie = stacks.Trie()
    nodes = profile.samples.stacks.plant(trie)
    cut = stacks.cut_below(trie.parent, trie.frame, marked)
    left = Nodes(trie.parent, trie.frame, stacks.take(stacks.collapse(trie.parent, cut), nodes))
    return replace(profile, samples=replace(profile.samples, stacks=left))


def _marked(frames: Frames, drop: str, keep: str) -> bytearray:
    """Which frames are meant (bytes of 0 and 1); raises `ValueError` for a bad pattern."""
    drops, keeps = DumpPattern(drop), DumpPattern(keep) if keep else None
    marked = bytearray(len(frames))
    known: dict[int, bool] = {}
    for i, function in enumerate(frames.function):
        if function not in known:
            name = _simple_name(frames.strings[function])
            known[function] = bool(name) and drops.matches(name) and not (keeps and keeps.matches(name))
        marked[i] = known[function]
    return marked


def _simple_name(name: str) -> str:
    """A function's name as pprof holds it against the patterns: no leading dot, no argument list."""
    name = name.removeprefix(".")
    for bracket in _BRACKET.finditer(name):
        if bracket[0] == "(":
            return name[: bracket.start()]
    return name
