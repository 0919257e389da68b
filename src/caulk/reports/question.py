"""What is asked, and what may be the answer: the shapes that all reports share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from caulk.analysis.dumps import Dump
from caulk.analysis.filters import Filters
from caulk.analysis.fold import Granularity
from caulk.model.table import Stacks, Table

if TYPE_CHECKING:
    from caulk.model.records import Analysis


#: What the rows of a list of types are: types, their packages (modules), or whose they are: loaders, npm packages.
Grouping = Literal["types", "packages", "owners"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which dumps; every report takes the same options, and uses those that mean something to it."""

    dumps: Sequence[Dump]
    filters: Filters = field(default_factory=Filters)
    measure: str = ""
    granularity: Granularity = "functions"
    limit: int = 30
    pattern: str = ""
    inverted: bool = False
    values: bool = False
    """Whether contents of objects may be shown."""
    by: Grouping = "types"
    at: Sequence[datetime] = ()


Answer: TypeAlias = "Table | Stacks | Analysis"


@dataclass(frozen=True, slots=True)
class Report:
    """A question's name, what it asks in a line, and how it is answered."""

    name: str
    summary: str
    answer: Callable[[Question], Answer]
    files: str = "one"
    """How many dumps it takes: one, two, or any."""
