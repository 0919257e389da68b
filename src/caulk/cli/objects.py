"""The verbs that ask about the objects of a heap dump. Each is a row of `caulk.reports.REPORTS`."""

from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from caulk.cli.asking import Common, Compared, asked, bytes_of, told, with_base
from caulk.reports.question import Grouping


def types(
    file: str,
    pattern: str = "",
    /,
    *,
    by: Grouping = "types",
    least: str = "",
    common: Compared = Compared(),
) -> int:
    """Types of a heap dump by what they retain: their objects together, none counted twice.

    Parameters
    ----------
    file
        A heap dump (.hprof, .heapsnapshot, a CPython graph); `-` is stdin.
    pattern
        A regular expression; without it, all types.
    by
        What a row is: a type, a package (a module), or an owner (a class loader, an npm package).
    least
        Only rows that retain so much (10M, 500k), or with `--base` have changed by so much.

    """
    question = asked(with_base(file, common), common, pattern=pattern)
    told("types", replace(question, by=by, least=bytes_of("--least", least) or 0), common)
    return 0


def dominators(file: str, /, *, common: Compared = Compared()) -> int:
    """Who alone keeps what alive: each type below the type that all paths to its objects go through.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.

    """
    told("dominators", asked(with_base(file, common), common), common)
    return 0


def paths(file: str, pattern: str, /, *, common: Compared = Compared()) -> int:
    """The shortest chains of references from the roots to the objects of a type, laid over each other.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.
    pattern
        A regular expression that the type's name matches.

    """
    told("paths", asked(with_base(file, common), common, pattern=pattern), common)
    return 0


def roots(file: str, /, *, common: Common = Common()) -> int:
    """The roots by kind: how many references each kind has, and what they retain.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.

    """
    told("roots", asked([file], common), common)
    return 0


def strings(file: str, /, *, values: Annotated[bool, Parameter(negative="")] = False, common: Common = Common()) -> int:
    """Strings that a heap dump has more than once: how many, what they waste, and who holds them.

    Parameters
    ----------
    file
        A heap dump with contents (.hprof, .heapsnapshot); `-` is stdin.
    values
        Show the beginning of each text too. Without it no content of the program's memory is shown.

    """
    told("strings", asked([file], common, values=values), common)
    return 0


def waste(file: str, pattern: str = "", /, *, common: Common = Common()) -> int:
    """Collections of a heap dump that hold nothing or have room for more than four times what they hold.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.
    pattern
        A regular expression that the type of the collection matches; without it, all.

    """
    told("waste", asked([file], common, pattern=pattern), common)
    return 0
