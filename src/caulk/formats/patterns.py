"""Regular expressions that come out of a dump: compiled only where they cannot run for ever.

A profile may carry patterns (`drop_frames`). It is hostile input, and Python's engine backtracks: a repeat within a
repeat takes exponential time. Such a pattern is refused, which costs the reader a few allocator frames on screen.
"""

import re
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_MAX_LENGTH = 4096
_MAX_REPEATS = 2


def dump_pattern(text: str) -> "re.Pattern[str]":
    """`text` compiled; raises `ValueError` if it is not a pattern, or one that could backtrack without end."""
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"a pattern of {len(text):,} characters")
    try:
        parsed = _parser.parse(text)
        if _repeats(parsed) > _MAX_REPEATS:
            raise ValueError("a pattern that could take exponential time")
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None


def _repeats(pattern: Any) -> int:
    """The most unbounded repeats that one way through the pattern can meet; nested ones count as endless."""
    count = 0
    for operator, argument in pattern:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, body = argument
            inner = _repeats(body)
            if int(high) > 1:
                count += 1 if not inner and int(low) < 1000 else 1000
            else:
                count += inner
        elif name == "BRANCH":
            count += max(_repeats(branch) for branch in argument[1])
        elif name == "SUBPATTERN":
            count += _repeats(argument[-1])
        elif name in ("ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS"):
            count += 1000
    return count
