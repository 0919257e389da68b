"""What the source calls what a bundler or an obfuscator has renamed: the shape in which readers ask for it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol


class Written(NamedTuple):
    """A function as its source has it; `line` counts from 1, 0 where unknown."""

    function: str
    file: str
    line: int


class Script(Protocol):
    """A bundle whose source is known."""

    def at(self, line: int, column: int | None, name: str) -> Written | None:
        """The function that begins there (from 0; without a column the whole line) and that the bundle calls `name`.

        None where nothing is known of the place; the name stays where only the place is known.
        """

    def variable(self, name: str) -> str:
        """What the source calls a variable of the bundle; `name` itself where that is not certain."""


class ClassNames(Protocol):
    """A class that was renamed, with what was renamed in it."""

    name: str

    def field(self, name: str) -> str:
        """What the source calls a field; `name` itself where it kept its name."""

    def method(self, name: str, line: int) -> Written | None:
        """The method, with its class, that a frame at this line (0: unknown) is of; None where that is not certain."""


class Originals(Protocol):
    """All that is known."""

    def script(self, url: str) -> Script | None:
        """The bundle that was loaded from there, if it is known."""

    def classes(self, names: Iterable[str]) -> Mapping[str, ClassNames]:
        """Those of the classes (`a.b$c`) that are known."""


def lookups(name: str) -> tuple[str, ...]:
    """The classes that a name is made of: of `a.b$$Lambda$7[]` itself without the brackets, and `a.b`."""
    element = name.partition("[")[0]
    outer = element.partition("$$")[0]
    return (element, outer) if outer and outer != element else (element,)


def original_class(name: str, known: Mapping[str, ClassNames]) -> str:
    """The class as the source has it, arrays and lambdas too; the name itself where it is not known."""
    for part in lookups(name):
        if part in known:
            return known[part].name + name[len(part) :]
    return name
