"""Everything that can be found by its name: targets, dumps, incidents, and the types and functions of open dumps.

What begins with the words comes before what has them anywhere; of equals, the shorter name.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import accumulate
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from caulk.analysis.dumps import Dump
from caulk.model.units import format_value
from caulk.watch.telling import headline
from caulk.web.dumps import Dumps
from caulk.web.kept import Kept
from caulk.web.records import Answer

if TYPE_CHECKING:
    from caulk.watch.loop import Loop

_MOST, _MOST_OF_A_KIND = 40, 12
#: A letter is in every name: after so many of one list no more are looked at.
_MOST_LOOKED_AT = 3000
_DUMPS_REMEMBERED = 24

Kind = Literal["target", "incident", "dump", "type", "frame"]
_KINDS: tuple[Kind, ...] = ("target", "incident", "dump", "type", "frame")
#: Where the page shows what is in a dump.
_TABS: tuple[tuple[Kind, str], ...] = (("type", "types"), ("frame", "flame"))


class Found(Answer, frozen=True, kw_only=True):
    """One thing of that name, and where the page shows it."""

    kind: Kind
    title: str
    detail: str
    href: str


class FindAnswer(Answer, frozen=True, kw_only=True):
    """What was found, the best first."""

    schema: Literal["caulk.find/1"] = "caulk.find/1"
    found: tuple[Found, ...]


class Names:
    """Names as one text, so that 200,000 of them are searched in milliseconds."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        folded = [f"{name.casefold().replace(chr(10), ' ')}\n" for name in self.names]
        self.text = "\n" + "".join(folded)
        self._begins = list(accumulate(map(len, folded), initial=1))[:-1]

    def having(self, words: Sequence[str]) -> list[tuple[tuple[int, int], str]]:
        """The best names that have all the words, each after its rank, the best first."""
        longest = max(words, key=len)
        found = dict.fromkeys(self._lines(f"\n{longest}", words), 0)
        for at in self._lines(longest, words):
            found.setdefault(at, 1)
        ranked = (((place, len(self.names[at])), self.names[at]) for at, place in found.items())
        return nsmallest(_MOST_OF_A_KIND, ranked)

    def _lines(self, part: str, words: Sequence[str]) -> Iterator[int]:
        """The numbers of names that have a part, and all words."""
        at = -1
        for _ in range(_MOST_LOOKED_AT):
            at = self.text.find(part, at + 1)
            if at < 0:
                return
            number = bisect_right(self._begins, at + part.startswith("\n")) - 1
            end = self.text.index("\n", at + 1)
            if all(self.text.find(word, self._begins[number], end) >= 0 for word in words):
                yield number
            at = end - 1


class Finder:
    """Finds; what dumps have in them is gathered once for each. Of any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gathered: OrderedDict[tuple[str, Kind], Names] = OrderedDict()

    def find(self, asked: str, dumps: Dumps, kept: Kept, loop: "Loop | None") -> list[Found]:
        """What has all words of `asked` in its name, the best first; nothing for no words."""
        words = asked.casefold().split()
        if not words:
            return []
        found = [*_targets(loop, words), *_incidents(kept, words), *_dumps(dumps, words), *self._within(dumps, words)]
        found.sort(key=lambda one: (one[0][0], _KINDS.index(one[1].kind), one[0][1], one[1].title))
        return [one for _, one in found[:_MOST]]

    def _within(self, dumps: Dumps, words: Sequence[str]) -> "Iterator[_Ranked]":
        """Types and functions of the dumps that are open."""
        for number, dump in dumps.analysed():
            known = dumps.known(number)
            for kind, tab in _TABS:
                for rank, name in self._names(number, dump, kind).having(words):
                    href = f"/d/{quote(number)}/{tab}?sel={quote(f'{kind}:{name}', safe='')}"
                    yield rank, Found(kind=kind, title=name, detail=known.name, href=href)

    def _names(self, number: str, dump: Dump, kind: Kind) -> Names:
        with self._lock:
            if (number, kind) not in self._gathered:
                self._gathered[number, kind] = Names(dict.fromkeys(_types(dump) if kind == "type" else _frames(dump)))
                while len(self._gathered) > _DUMPS_REMEMBERED:
                    self._gathered.popitem(last=False)
            self._gathered.move_to_end((number, kind))
            return self._gathered[number, kind]


_Ranked = tuple[tuple[int, int], Found]


def _targets(loop: "Loop | None", words: Sequence[str]) -> Iterator[_Ranked]:
    if loop is None:
        return
    # A key holds the name, but behind the place: people write the name.
    by_name = {f"{key.rpartition(':')[2]} {key}": key for key in loop.fleet}
    for rank, name in Names(by_name).having(words):
        row = loop.fleet.row(key := by_name[name])
        if row:
            detail = f"{row.state}, {format_value(row.memory, 'bytes')}"
            yield rank, Found(kind="target", title=row.workload.name, detail=detail, href=f"/t/{quote(key, safe='')}")


def _incidents(kept: Kept, words: Sequence[str]) -> Iterator[_Ranked]:
    by_name = {f"{headline(one)} {one.id}": one for one in kept.stock().incidents}
    for rank, name in Names(by_name).having(words):
        one = by_name[name]
        detail = f"{'open' if one.closed_at is None else 'closed'}, {one.id}"
        yield rank, Found(kind="incident", title=headline(one), detail=detail, href=f"/i/{quote(one.id)}")


def _dumps(dumps: Dumps, words: Sequence[str]) -> Iterator[_Ranked]:
    by_name = {f"{one.name} {one.id}": one for one in dumps.all()}
    for rank, name in Names(by_name).having(words):
        one = by_name[name]
        detail = ", ".join(filter(None, (one.format, format_value(one.size_bytes, "bytes"), one.taken_at)))
        yield rank, Found(kind="dump", title=one.name, detail=detail, href=f"/d/{quote(one.id)}")


def _types(dump: Dump) -> Iterable[str]:
    found = dump.heap.graph.types if dump.heap else dump.census.types if dump.census else None
    return found.name if found else ()


def _frames(dump: Dump) -> Iterable[str]:
    """Functions; the profile of a heap dump has types in their stead."""
    if dump.heap or dump.census:
        return ()
    frames = dump.profile.frames
    return (frames.strings[number] for number in dict.fromkeys(frames.function) if number)
