"""The holder's name: the field and class, variable and function, or module that a programmer would look for.

Never a wrapper, an array or a class loader: what merely passes a reference on is climbed over, up to code.
"""

import re
from collections.abc import Sequence

from caulk.analysis.holders.chains import Link
from caulk.analysis.holders.containers import WRAPPERS

_PACKAGE = re.compile(r"(?<![\w$.])(?:[a-z_][\w]*\.)+(?=[A-Z])")
_LAMBDA = re.compile(r"\$\$Lambda(?:\$\d+)?(?:[/+.]?0x[0-9a-fA-F]+)?(?:/\d+)?")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_NUMBERED = re.compile(r"(?<=\$)\d+(?=$|[.$\[])|\(\d+\)")
_PLACE = re.compile(r"[^:]:\d+$")
_LINE = re.compile(r":\d+\)$")
_OWNERS = ("class", "module")


def holder_of(links: Sequence[Link]) -> tuple[str, int]:
    """The name of what holds the last link, and the number of the link where its story begins."""
    at = len(links) - 1
    below: list[str] = []
    while at >= 0:
        link = links[at]
        owner = links[at - 1] if at else None
        if link.kind in (*_OWNERS, "closure") and link.name:
            return _joined(link.what if not below else split(link.name)[0], below), at
        label = link.label
        if owner is None and link.kind == "root":
            return _joined("runtime", [*_own_labels(links), *below]), 0
        if owner is None:
            what = link.what if label.kind == "root" else str(label)
            return _joined(f"{what} ({label.name})" if label.kind == "root" and label.name else what, below), 0
        if label.kind == "variable":
            function, start = _function_of(links, at - 1)
            variable = _joined(label.name, below) if below else f"variable {label.name}"
            return variable + (f" of {function}" if function else ""), start if function else at
        if label.kind == "local":
            if owner.kind != "frame":
                # The JVM knows the frame, and not the variable.
                return _joined(
                    f"local of {split(label.name)[0]}" if label.name else f"local of a {owner.type}", below
                ), at - 1
            return _joined(
                f"local {label.name}" if label.name else "local variable", below
            ) + f" of {split(owner.name)[0]}", at - 1
        if owner.container is not None and owner.container.pattern == "thread-local":
            return _joined("thread-local", below), max(at - 2, 0)
        if label.kind in ("static", "field") and label.name:
            if owner.name and owner.kind in (*_OWNERS, "closure"):
                return _joined(split(owner.name)[0], [label.name, *below]), at - 1
            if owner.container is None and not WRAPPERS.fullmatch(owner.type):
                return _joined(owner.type, [label.name, *below]), _start(links, at - 1)
            if owner.container is None and owner.kind != "internal" and not owner.type.startswith("java."):
                below.insert(0, label.name)
        at -= 1
    return _joined("", below), 0


def short(name: str) -> str:
    """A name without its packages: `OrderBook.OPEN`."""
    return _PACKAGE.sub("", name)


def short_holder(name: str) -> str:
    """A holder's name without its packages; a module's variable keeps its module."""
    shorter = short(name)
    return shorter if "." in shorter else name


def stable(name: str) -> str:
    """A name without what differs from one run or build to the next: numbers of lambdas, addresses."""
    return _ADDRESS.sub("0x", _LAMBDA.sub("$$Lambda", name))


def lasting(name: str) -> str:
    """A stable name without the line that a frame had come to: `app.run (app.py:7)` runs on."""
    return _LINE.sub(")", stable(name))


def normal(name: str) -> str:
    """A stable name without the numbers of anonymous classes either: for fingerprints."""
    return _NUMBERED.sub("", stable(name))


def split(function: str) -> tuple[str, str]:
    """A function's own name, and where it is: `onTick file:///srv/app.js:65` and `app.run (app.py:7)` are both."""
    name, _, place = function.rpartition(" ")
    return (name, place.strip("()")) if _PLACE.search(place.rstrip(")")) else (function, "")


def _joined(owner: str, fields: Sequence[str]) -> str:
    return ".".join(filter(None, (owner, *fields)))


def _start(links: Sequence[Link], at: int) -> int:
    """The nearest link above that has a name in the source: where a path is worth reading from."""
    for above in range(at, -1, -1):
        if links[above].label.kind in ("static", "variable", "local"):
            return max(above - (links[above].label.kind == "static"), 0)
        if links[above].name and links[above].kind in (*_OWNERS, "closure", "thread", "frame"):
            return above
    return at


def _own_labels(links: Sequence[Link]) -> list[str]:
    """What the runtime calls the last link, where only its own roots hold it."""
    return [links[-1].label.name.strip("()")] if links[-1].label.name else [links[-1].type.strip("()")]


def _function_of(links: Sequence[Link], at: int) -> tuple[str, int]:
    """The function whose scope is at `at`, and where it stands."""
    for above in range(at, -1, -1):
        if links[above].kind == "closure":
            return split(links[above].name)[0], above
        if links[above].kind not in ("context", "internal"):
            break
    return "", at
