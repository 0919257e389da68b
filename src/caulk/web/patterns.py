"""Regular expressions of strangers: one that tries every way to split a name would stop the whole server.

Python's matcher goes back over its choices and holds the interpreter meanwhile. What repeats something that can itself
match in several ways takes twice as long with each letter (`(a+)+$`), so it is refused. Each further repeat multiplies
the time by the places where it may begin: so are more than a few, and two of them without a letter between (`.*.*`),
where that is every place.
"""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any

from caulk.model.errors import UsageError

_MOST_REPEATS = 4
#: A repeat up to so many times counts as none.
_FEW = 4
_REPEAT, _LETTER = "repeat", "letter"
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
    is_endless = any(map(_has_choices, found)) or len(found) > _MOST_REPEATS
    if is_endless or any(one == other == _REPEAT for one, other in pairwise(_marks(parsed))):
        raise UsageError(
            f"{pattern[:100]!r} may take for ever to look for",
            hint=f"Repeat nothing that has `*`, `+` or `|` in it, and use {_MOST_REPEATS} repeats at most,"
            " with a letter between them.",
        )


def _repeats(parsed: Iterable[Any]) -> Iterator[Any]:
    """What is repeated more than a few times, the parts of such parts too."""
    for operation, argument in parsed:
        if str(operation) in _REPEATS and argument[1] > _FEW:
            yield argument[2]
        for part in _parts(argument):
            yield from _repeats(part)


def _marks(parsed: Iterable[Any]) -> Iterator[str]:
    """What a name is split by, in order: repeats of anything but one letter, and letters that must be there."""
    for operation, argument in parsed:
        name = str(operation)
        inside = [mark for part in _parts(argument) for mark in _marks(part)]
        if name == "LITERAL":
            yield _LETTER
        elif name == "BRANCH":
            # Any of them may be taken.
            yield from {_REPEAT} & set(inside)
        elif name in _REPEATS and argument[1] > _FEW:
            yield from () if inside == [_LETTER] else (_REPEAT,)
        elif name in _REPEATS and not argument[0]:
            yield from (mark for mark in inside if mark == _REPEAT)
        else:
            yield from inside


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
