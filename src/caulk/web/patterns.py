"""Regular expressions of strangers: one that tries every way to split a name would stop the whole server.

Python's matcher goes back over its choices and holds the interpreter meanwhile. What repeats something that can itself
match in several ways takes twice as long with each letter (`(a+)+$`), so it is refused; so are more than a few repeats
one after the other, each of which multiplies the time by the length of a name.
"""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from caulk.model.errors import UsageError

_MOST_REPEATS = 4
#: A repeat up to so many times counts as none.
_FEW = 4
_PARSER = import_module("re._parser")
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_CHOICES = frozenset({"BRANCH", "GROUPREF", "GROUPREF_EXISTS"})


def check(pattern: str) -> None:
    """Raises `UsageError` for a pattern that may take for ever; what is no pattern is left to who uses it."""
    try:
        parsed = _PARSER.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return
    found = list(_repeats(parsed))
    if any(_has_choices(repeated) for repeated in found) or len(found) > _MOST_REPEATS:
        raise UsageError(
            f"{pattern[:100]!r} may take for ever to look for",
            hint=f"Repeat nothing that has `*`, `+` or `|` in it, and use {_MOST_REPEATS} repeats at most.",
        )


def _repeats(parsed: Iterable[Any]) -> Iterator[Any]:
    """What is repeated more than a few times, the parts of such parts too."""
    for operation, argument in parsed:
        if str(operation) in _REPEATS and argument[1] > _FEW:
            yield argument[2]
        for part in _parts(argument):
            yield from _repeats(part)


def _has_choices(parsed: Iterable[Any]) -> bool:
    return any(
        str(operation) in _CHOICES
        or (str(operation) in _REPEATS and argument[0] != argument[1])
        or any(_has_choices(part) for part in _parts(argument))
        for operation, argument in parsed
    )


def _parts(argument: Any) -> Iterator[Any]:
    """The patterns within an operation's argument."""
    if isinstance(argument, _PARSER.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for part in argument:
            yield from _parts(part)
