"""What is asked of dumps over HTTP: the parameters, which are those of the verbs, and the dumps once they are open."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from caulk import pages
from caulk.analysis.dumps import Dump, in_order
from caulk.analysis.filters import Filters
from caulk.analysis.fold import Granularity
from caulk.config.schema import Serve
from caulk.model.errors import MalformedDump
from caulk.model.graph import References
from caulk.reports import Question
from caulk.reports.question import Grouping
from caulk.symbols.sources import Sources
from caulk.web.dumps import Known
from caulk.web.endpoint import Asking, Query
from caulk.web.jobs import Job
from caulk.web.patterns import check

_Pattern = Annotated[str, Meta(max_length=500)]
#: A dump that is open within this time needs no second request.
_PATIENCE_S = 0.5
_STEP_S = 0.01


class Reading(Query, frozen=True):
    """How a dump is read."""

    references: References = "strong"


class Asked(Reading, frozen=True):
    """What is asked of dumps, as the verbs of the command line take it."""

    focus: _Pattern = ""
    ignore: _Pattern = ""
    hide: _Pattern = ""
    show: _Pattern = ""
    from_: _Pattern = msgspec.field(default="", name="from")
    measure: Annotated[str, Meta(max_length=100)] = ""
    granularity: Granularity = "functions"
    pattern: _Pattern = ""
    by: Grouping = "types"
    inverted: bool = False
    survivors: bool = False
    """Of three dumps and more, only what is new since the first and not freed in any later one."""
    least: Annotated[int, Meta(ge=0, le=1 << 62)] = 0
    """Bytes that a row must have to be listed."""
    limit: Annotated[int, Meta(ge=0, le=pages.NODES)] = 0
    """Rows of a table or nodes of stacks; 0 for as many as are usual."""

    def __post_init__(self) -> None:
        for pattern in (self.focus, self.ignore, self.hide, self.show, self.from_, self.pattern):
            check(pattern)

    def question(
        self, dumps: Sequence[Dump], tab: str = "", *, serve: Serve = Serve(), values: bool = False
    ) -> Question:
        """The same as a question about dumps, for a tab; source code is where the settings say."""
        return Question(
            dumps=dumps,
            filters=Filters(self.focus, self.ignore, self.hide, self.show, self.from_),
            measure=self.measure,
            granularity=self.granularity,
            limit=self.limit or pages.rows(tab),
            pattern=self.pattern,
            inverted=self.inverted,
            values=values,
            by=self.by,
            least=self.least,
            survivors=self.survivors,
            sources=Sources([Path(one) for one in serve.sources]).find if serve.sources else None,
            source_url=serve.source_url,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """Dumps that can be asked, in their order of time, with what is known of each."""

    known: tuple[Known, ...]
    dumps: tuple[Dump, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of them."""
        return tuple(one.id for one in self.known)

    @property
    def title(self) -> str:
        """What people call them."""
        return " … ".join(dict.fromkeys((self.known[0].name, self.known[-1].name)))


async def opening(asking: Asking, references: References = "strong", patience_s: float = _PATIENCE_S) -> Opened | Job:
    """The dumps of a request, or the job that reads them, where that takes longer than `patience_s`.

    Raises `NotFound`.
    """
    dumps = asking.site.dumps
    known = await asyncio.to_thread(dumps.named, asking.path["ids"])
    found = await asyncio.to_thread(dumps.opened, known, references)
    ends = time.monotonic() + patience_s
    while isinstance(found, Job) and not found.is_over and time.monotonic() < ends:
        await asyncio.sleep(_STEP_S)
    if isinstance(found, Job) and found.state == "done":
        found = await asyncio.to_thread(dumps.opened, known, references)
    return found if isinstance(found, Job) else _in_time(known, found)


async def opened(asking: Asking, references: References = "strong") -> Opened:
    """The dumps of a request, however long they take: for what no page waits for. Raises what reading them raises."""
    found = await opening(asking, references, math.inf)
    if isinstance(found, Job):
        raise MalformedDump(found.what or "reading the dump was cancelled", hint=found.hint)
    return found


def _in_time(known: Sequence[Known], dumps: Sequence[Dump]) -> Opened:
    """By their times where all have one, else as they were asked for."""
    ordered = in_order(dumps)
    of = {id(dump): one for one, dump in zip(known, dumps, strict=True)}
    return Opened(tuple(of[id(dump)] for dump in ordered), tuple(ordered))
