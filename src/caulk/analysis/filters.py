"""Filters over stacks, with the meaning that pprof gives them.

Source of the meaning: https://github.com/google/pprof/blob/main/doc/README.md, "Filtering". A pattern matches a frame
by its function, its file or its binary. `focus` keeps stacks with a match, `ignore` drops them, `hide` takes matching
frames out of the stacks, `show` takes all others out, `show_from` cuts what is above the outermost match.
"""

import re
from array import array
from dataclasses import dataclass, fields

from caulk._core import stacks
from caulk.model.column import Ints
from caulk.model.errors import UsageError
from caulk.model.tree import Frames, Tree


@dataclass(frozen=True, slots=True)
class Filters:
    """Regular expressions, each empty where it is not asked for."""

    focus: str = ""
    ignore: str = ""
    hide: str = ""
    show: str = ""
    show_from: str = ""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def apply(tree: Tree, filters: Filters) -> Tree:
    """The tree as the filters leave it; frames are those of `tree`."""
    if not filters:
        return tree
    values = list(tree.values)
    if filters.focus:
        focused = stacks.inherit(tree.parent, tree.frame, _marks(tree.frames, filters.focus))
        values = [_kept(column, focused) for column in values]
    if filters.ignore:
        ignored = stacks.inherit(tree.parent, tree.frame, _marks(tree.frames, filters.ignore))
        values = [_kept(column, bytes(1 - flag for flag in ignored)) for column in values]
    tree = Tree(tree.measures, tree.frames, tree.parent, tree.frame, tuple(values))
    if filters.hide or filters.show:
        tree = _without_frames(tree, filters)
    if filters.show_from:
        tree = _from(tree, filters.show_from)
    return tree


def _without_frames(tree: Tree, filters: Filters) -> Tree:
    """Hidden frames taken out; a stack of nothing but hidden frames goes as a whole."""
    hidden = _marks(tree.frames, filters.hide) if filters.hide else bytearray(len(tree.frames))
    if filters.show:
        shown = _marks(tree.frames, filters.show)
        hidden = bytearray(1 if h or not s else 0 for h, s in zip(hidden, shown, strict=True))
    return _regrown(tree, tree.frame, array("i", (-1 if h else i for i, h in enumerate(hidden))))


def _from(tree: Tree, pattern: str) -> Tree:
    """Stacks begin at their outermost match; those without one go."""
    inside = stacks.inherit(tree.parent, tree.frame, _marks(tree.frames, pattern))
    # Nodes above the match get a frame of their own, which is then left out.
    outside = len(tree.frames)
    frame = array("i", (f if inside[i] or not i else outside for i, f in enumerate(tree.frame)))
    return _regrown(tree, frame, array("i", [*range(outside), -1]))


def _regrown(tree: Tree, frame: Ints, relabel: Ints) -> Tree:
    """The tree without the frames that `relabel` leaves out; what then has no frame at all is dropped."""
    trie = stacks.Trie()
    became = trie.graft(tree.parent, frame, relabel)
    values = tuple(stacks.scatter(became, column, len(trie)) for column in tree.values)
    for column in values:
        column[0] = 0
    return Tree(tree.measures, tree.frames, trie.parent, trie.frame, values)


def _marks(frames: Frames, pattern: str) -> bytearray:
    """One byte a frame: 1 where the pattern matches it."""
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}") from None
    marks = bytearray(len(frames))
    for i in range(len(frames)):
        if search(frames.function_name(i)) or search(frames.file_name(i)) or search(frames.module_name(i)):
            marks[i] = 1
    return marks


def _kept(column: Ints, keep: bytes | bytearray) -> Ints:
    return array("q", (value if flag else 0 for value, flag in zip(column, keep, strict=True)))
