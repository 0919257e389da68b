"""Regular expressions that come out of a dump: matched only as far as they cannot run for ever.

A profile may carry patterns (`drop_frames`). It is hostile input, and Python's engine backtracks: a repeat within a
repeat takes exponential time. So the ways through a pattern are counted first, from above, and a pattern that has too
many for the names it is held against is given up, which costs the reader a few allocator frames on screen.
"""

import math
import re
import warnings
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_MAX_LENGTH = 4096
#: A way costs some nanoseconds: a hostile profile can waste seconds, not hours.
_MAX_WAYS = 10**9


class DumpPattern:
    """A pattern of a dump; it has a budget for all names together."""

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise ValueError(f"a pattern of {len(text):,} characters")
        try:
            with warnings.catch_warnings():
                # Python warns of spellings whose meaning may change; nobody here can change them.
                warnings.simplefilter("ignore")
                self._parsed = _parser.parse(text)
                self._pattern = re.compile(text)
            self._ways: dict[int, float] = {}
            self._left = _MAX_WAYS - self._cost(1)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a regular expression: {error}") from None

    def matches(self, name: str) -> bool:
        """Whether the whole of `name` matches; raises `ValueError` once names took too many steps."""
        self._left -= self._cost(len(name))
        if self._left < 0:
            raise ValueError("a pattern that could take exponential time")
        return self._pattern.fullmatch(name) is not None

    def _cost(self, length: int) -> float:
        """The most steps that a name of `length` can take."""
        if length not in self._ways:
            self._ways[length] = _ways(self._parsed, length)
        return self._ways[length]


def _ways(pattern: Any, length: int) -> float:
    """In how many ways at most a text of `length` can be tried, infinite where a repeat's body has several."""
    ways = 1.0
    for operator, argument in pattern:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, body = int(argument[0]), int(argument[1]), _ways(argument[2], length)
            if high <= 1:
                ways *= high - low + body
            else:
                ways *= max(min(high, length) - low, 0) + 1 if body == 1 else math.inf
        elif name == "BRANCH":
            ways *= sum(_ways(branch, length) for branch in argument[1])
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            ways *= _ways(argument[-1] if name == "SUBPATTERN" else argument, length)
        elif name not in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "AT", "CATEGORY", "RANGE"):
            return math.inf
    return ways
