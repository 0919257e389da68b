"""Strings of a heap with equal contents: found by who reads the dump again, since a graph holds no values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from caulk.model.column import Ints


class Duplicate(NamedTuple):
    """One content: how many strings have it, of how many characters each, and the bytes that all but one take."""

    copies: int
    length: int
    wasted: int
    objects: Ints
    """Some of those that have it, evenly spread over the dump (`'i'`)."""
    is_certain: bool = True
    """False where the dump has no more than the beginning of the text."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The contents that strings which are held have more than once; `rows` are the first, by what they waste.

    `contents`, `copies` and `wasted` (bytes) are of all of them. `text(row, most)` is the beginning of a row's text: a
    value, for who has asked to see values.
    """

    rows: Sequence[Duplicate]
    contents: int
    copies: int
    wasted: int
    text: Callable[[int, int], str]
