"""The page of some dumps as one file: the answers that it asks for by itself, and as many of the others as fit.

What the file has is what `_entries` lists, by the addresses that `address()` in frontend/src/api.ts makes:
names in order, and what is usual left out. Values are hidden in it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any
from urllib.parse import quote_plus

import msgspec

from caulk import __version__, pages
from caulk.analysis.dumps import in_order
from caulk.model.errors import UsageError
from caulk.model.records import Analysis
from caulk.model.series import Series
from caulk.reports import REPORTS, Question
from caulk.views import onefile
from caulk.views.markup import plain
from caulk.views.onefile import MAX_BYTES, Built, Entry

_TITLE = 100
#: Frames or types with what is around each, at most and at least; and objects, or calls, that may be seen for that.
_CHOSEN, _LEAST, _OBJECTS, _CALLS = 60, 6, 10_000_000, 1_000_000
#: Nodes of paths to one type, as a part of those of a graph.
_PATHS = 20
#: Of the stack of a finding, so many frames from the allocation on are looked at first.
_INNERMOST = 4
#: Tabs whose answers are as long whatever room there is.
_SMALL = ("suspects", "raw")
_BY_NAME = {row.name: row for row in REPORTS}
#: What the page takes for syntax in a regular expression.
_SYNTAX = re.compile(r"[\\^$.*+?()\[\]{}|]")


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory over time, and when dumps were taken of it (seconds since 1970)."""

    series: Series
    captures: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of everything there is."""

    rows: int = pages.ROWS
    nodes: int = 40_000
    chosen: int = _CHOSEN
    paths: int = 12

    def scaled(self, factor: float) -> "_Room":
        return _Room(*(max(1, int(most * factor)) for most in (self.rows, self.nodes, self.chosen, self.paths)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the file is about, and how much of it there is room for."""

    question: Question
    ids: Sequence[str]
    whole: Question
    """With the dumps of another kind than most: the suspects are of them too."""
    room: _Room
    memory: Memory | None
    given: dict[str, Entry | None]
    """What needs no room to be known: where there must be less of all else, it is the same."""

    @property
    def at(self) -> str:
        """Where the API has the dumps."""
        return f"/api/d/{'..'.join(self.ids)}"

    @property
    def kind(self) -> str:
        """What is selected in them."""
        return "type" if self.question.dumps[-1].heap else "frame"


def render(
    page: Built, question: Question, analysis: Analysis, *, ids: Sequence[str] = (), memory: Memory | None = None
) -> str:
    """The file, at most 2 MB: where it would be larger, it has less of everything, and says so."""
    # Whoever gets the file has no use for where the dumps lay.
    dumps = [replace(dump, path=PurePath(dump.path).name) for dump in in_order(question.dumps, question.at)]
    analysis = replace(analysis, inputs=tuple(replace(of, path=PurePath(of.path).name) for of in analysis.inputs))
    sentence = plain(analysis.verdict.sentence.replace("`", ""), limit=_TITLE)
    # A run takes goroutines beside heaps: tabs can lay only dumps of one kind over each other.
    kind = Counter(dump.profile.kind for dump in dumps).most_common(1)[0][0]
    numbers = ids or [str(number) for number in range(1, len(dumps) + 1)]
    ids = [number for number, dump in zip(numbers, dumps, strict=True) if dump.profile.kind == kind]
    whole = replace(question, dumps=dumps, at=(), values=False)
    question = replace(whole, dumps=[dump for dump in dumps if dump.profile.kind == kind])
    room, given = _Room(chosen=_chosen(question)), dict[str, Entry | None]()
    while True:
        asked = _Asked(replace(question, limit=room.rows), ids, whole, room, memory, given)
        file = onefile.render(page, f"caulk: {analysis.verdict.state}. {sentence}", list(_entries(asked, analysis)))
        size = len(file.encode())
        if size <= MAX_BYTES or room.nodes == 1:
            return file
        room = room.scaled(min(0.8 * MAX_BYTES / size, 0.5))


def _entries(asked: _Asked, analysis: Analysis) -> Iterator[Entry]:
    """Each answer that the page finds in the file."""
    yield _json("/api/session", _session(asked))
    overview = pages.described(asked.question, asked.ids)
    alone: dict[str, Any] = {"previous": None, "next": None, "siblings": [], "has_memory": asked.memory is not None}
    yield _json(asked.at, overview | alone | {"notes": _notes(asked)})
    if asked.memory:
        yield _json(f"{asked.at}/memory", _over_time(asked.memory))
    for tab in overview["tabs"]:
        if tab["is_available"] and tab["name"] in _BY_NAME and tab["name"] != "paths":
            yield from _tab(asked, tab["name"])
    names = _names(asked, analysis)
    for name in names:
        yield from _selection(asked, name)
    one = "paths" if asked.kind == "type" else "source"
    if any(tab["name"] == one and tab["is_available"] for tab in overview["tabs"]):
        for name in names[: min(asked.room.paths, asked.room.chosen)]:
            yield from _tab(asked, one, f"^{_SYNTAX.sub(_escaped, name)}$")


def _tab(asked: _Asked, name: str, pattern: str = "") -> Iterator[Entry]:
    """What a tab shows; nothing where the dumps cannot say it after all."""
    if name in _SMALL:
        question = asked.whole if name == "suspects" else asked.question
        yield from _once(asked, f"{asked.at}/{name}", lambda: pages.answer(_BY_NAME[name], question))
        return
    nodes = max(asked.room.nodes // (_PATHS if pattern else 1), 1)
    question = replace(asked.question, pattern=pattern, limit=min(asked.room.rows, pages.rows(name)))
    with suppress(UsageError):
        body, media = pages.answer(_BY_NAME[name], question, nodes=nodes)
        yield Entry(address(f"{asked.at}/{name}", pattern=pattern), media, body)


def _selection(asked: _Asked, name: str) -> Iterator[Entry]:
    def said() -> tuple[bytes, str]:
        found = pages.selected(asked.question, asked.ids, **{"type_" if asked.kind == "type" else "frame": name})
        return msgspec.json.encode(found), pages.JSON

    yield from _once(asked, address(f"{asked.at}/selection", **{asked.kind: name}), said)


def _once(asked: _Asked, at: str, make: Callable[[], tuple[bytes, str]]) -> Iterator[Entry]:
    """An answer that room does not change; nothing where the dumps cannot say it after all."""
    if at not in asked.given:
        asked.given[at] = None
        with suppress(UsageError):
            body, media = make()
            asked.given[at] = Entry(at, media, body)
    entry = asked.given[at]
    if entry:
        yield entry


def _names(asked: _Asked, analysis: Analysis) -> list[str]:
    """The frames or types that are selected first: those of the findings, then the heaviest."""
    if asked.kind == "type":
        tab, found = "types", [finding.type for finding in analysis.findings if finding.type]
    else:
        tab, found = "top", [frame.function for one in analysis.findings for frame in one.stack[-_INNERMOST:]]
    table: Any = _BY_NAME[tab].answer(replace(asked.question, limit=asked.room.chosen))
    column = next(i for i, heading in enumerate(table.headings) if heading.key in ("type", "function"))
    named = dict.fromkeys([*map(plain, found), *(plain(row[column]) for row in table.rows)])
    return list(named)[: asked.room.chosen]


def address(at: str, **parameters: str) -> str:
    """A path with parameters as a browser writes them (`application/x-www-form-urlencoded`, url.spec.whatwg.org)."""
    said = sorted((name, value) for name, value in parameters.items() if value)
    text = "&".join(f"{name}={quote_plus(value, safe='*').replace('~', '%7E')}" for name, value in said)
    return f"{at}?{text}" if text else at


def _chosen(question: Question) -> int:
    """How many frames or types are looked at: around each, all objects or calls must be."""
    newest = question.dumps[-1]
    most = _OBJECTS // len(newest.heap.graph) if newest.heap else _CALLS // (len(newest.profile.tree.parent) or 1)
    return max(min(_CHOSEN, most), _LEAST)


def _session(asked: _Asked) -> dict[str, Any]:
    begins = asked.at.removeprefix("/api")
    common = {"user": "", "roles": ["read"], "is_live": False, "begins_at": begins}
    return {"schema": "caulk.session/1", "version": __version__} | common


def _notes(asked: _Asked) -> list[str]:
    room = asked.room
    kind = asked.question.dumps[-1].profile.kind
    others = [
        f"{plain(dump.path)} ({dump.profile.kind}) is among the suspects alone: all else here is of the {kind} dumps."
        for dump in asked.whole.dumps
        if dump.profile.kind != kind
    ]
    return [
        *others,
        f"This file has the first {room.rows:,} rows of each table, the {room.nodes:,} heaviest nodes of each graph,"
        f" and what is around {room.chosen:,} {asked.kind}s; `caulk serve FILE` has all.",
    ]


def _over_time(memory: Memory) -> dict[str, Any]:
    readings = memory.series.readings
    return {
        "schema": "caulk.run/1",
        "name": memory.series.name,
        "times": [round(reading.at, 3) for reading in readings],
        "rss": [reading.rss for reading in readings],
        "heap": [reading.heap for reading in readings],
        "captures": [round(at, 3) for at in memory.captures],
    }


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _json(path: str, said: Any) -> Entry:
    return Entry(path, pages.JSON, msgspec.json.encode(said))
