"""What is asked, and what may be the answer: the shapes that all reports share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from caulk.analysis.dumps import Dump, in_order
from caulk.analysis.filters import Filters
from caulk.analysis.fold import Granularity
from caulk.analysis.growth import HOURLY
from caulk.model.diagram import Graph
from caulk.model.errors import UsageError
from caulk.model.table import Stacks, Table

if TYPE_CHECKING:
    from caulk.model.records import Analysis
    from caulk.symbols.sources import Found


#: What the rows of a list of types are: types, their packages (modules), or whose they are: loaders, npm packages.
Grouping = Literal["types", "packages", "owners"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which dumps; every report takes the same options, and uses those that mean something to it."""

    dumps: Sequence[Dump]
    filters: Filters = field(default_factory=Filters)
    measure: str = ""
    """A measure's name, empty for the dump's own choice."""
    granularity: Granularity = "functions"
    limit: int = 30
    """Rows at most; a view limits the nodes of stacks."""
    pattern: str = ""
    """A regular expression for what is asked about: types, functions."""
    inverted: bool = False
    """Whether stacks begin at the allocations."""
    values: bool = False
    """Whether contents of objects may be shown."""
    by: Grouping = "types"
    least: int = 0
    """Bytes that a type must retain, or have changed by, to be listed."""
    at: Sequence[datetime] = ()
    """When each dump was taken; without it, dumps that are compared are so in the order in which they are given."""

    sources: "Callable[[str, str], Found | None] | None" = None
    """Finds the source code of a file, by its name and the package of what stands in it."""
    source_url: str = ""
    """An address with `{file}` and `{line}`, where source code is shown."""

    survivors: bool = False
    """Whether only that is asked about which is new since the first dump and was not freed in any later one."""

    @property
    def ordered(self) -> Sequence[Dump]:
        """The dumps as they are compared: the first is the base."""
        return in_order(self.dumps, self.at) if self.at else self.dumps

    @property
    def lasting(self) -> Sequence[Dump]:
        """All dumps, of which the first is the base, where survivors are asked for; raises `UsageError` for two."""
        if len(self.dumps) < 3:
            raise UsageError(
                "survivors are told by three dumps or more",
                hint="The first is the base, the second has what is new, the third says what of that was not freed.",
            )
        return self.ordered

    @property
    def hours(self) -> float | None:
        """From the first dump to the last; None where a time is not known, or they are less than half an hour apart."""
        times = [dump.profile.taken_at for dump in self.ordered]
        if len(times) < 2 or times[0] is None or times[-1] is None or None in times:
            return None
        hours = (times[-1] - times[0]).total_seconds() / 3600
        return hours if hours >= HOURLY else None


Answer: TypeAlias = "Table | Stacks | Graph | Analysis"


@dataclass(frozen=True, slots=True)
class Report:
    """A question's name, what it asks in a line, and how it is answered."""

    name: str
    summary: str
    answer: Callable[[Question], Answer]
    files: str = "one"
    """How many dumps it takes: one, two, or any."""
