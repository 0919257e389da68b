"""V8 sampling heap profiles: what Chrome and Node's inspector write (`.heapprofile`), the objects that are still live.

Layout: https://chromedevtools.github.io/devtools-protocol/tot/HeapProfiler/#type-SamplingHeapProfile. `selfSize` is
scaled by V8 already. caulk's own agent adds `samplingInterval`, `takenAt` and `memory` (of `process.memoryUsage()`).
Without the interval the samples tell it: `node --heap-prof` takes another one than Chrome.

V8 counts a sampled object of `s` bytes as `c = round(1 / (1 - exp(-s / interval)))` objects, and a row of `samples`
holds only the product `s * c`. Sizes are multiples of 4, so few pairs give that product, and of those mostly only the
true ones give the node's `selfSize` too: so the number of objects is found. Where several fit, the middle one is taken;
that is nodes with very few samples, whose numbers are rough anyway.
"""

import math
import re
from array import array
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from itertools import product
from urllib.parse import unquote

from caulk.formats.json_document import Document
from caulk.model.column import Ints
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure
from caulk.model.original import Originals
from caulk.model.profile import Profile
from caulk.model.samples import Nodes, Samples
from caulk.model.tree import Frames

NAME = "v8-sampling"

#: Of `node --heap-prof` (`--heap-prof-interval`), and of the protocol's `startSampling`: those that nobody chose.
_DEFAULT_INTERVALS = (512 * 1024, 32768)
_MAX_INTERVAL = 1 << 22
_MEMORY = ("rss", "heapTotal", "heapUsed", "external", "arrayBuffers")
# No heap is larger; what a damaged file says beyond it must not overflow a sum.
_MOST = 1 << 48
# Bounds for files that are made to be slow: distinct sizes that are factored, and combinations that are tried for a
# node and for the file.
_SIZES = 4096
_TRIES = 20_000
_ALL_TRIES = 500_000


def sniff(head: bytes) -> bool:
    """A JSON object with a head that is a call frame."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text[:1] == b"{" and re.search(rb'"head"\s*:\s*\{', text) is not None and b'"callFrame"' in text


def read(data: bytes, originals: Originals | None = None) -> Profile:
    """The profile in JSON bytes; one that was cut short gives the nodes before the cut.

    A bundle is one line: the column, which only `originals` is asked with, tells its functions apart.
    """
    try:
        document = Document(data)
    except ValueError as error:
        raise MalformedDump(
            f"not a V8 heap profile: {error}", hint="The file is damaged, or something else was written into it."
        ) from None
    return _Reader(document, originals).profile()


class _Reader:
    """The tokens of one file, on their way to a profile."""

    def __init__(self, document: Document, originals: Originals | None) -> None:
        self.document, self.originals = document, originals
        self.tape = document.tape
        self.frames: dict[tuple[str, str, int], int] = {}
        self.parent, self.frame, self.size = array("i", [-1]), array("i", [-1]), array("q", [0])
        self.node_of_id: dict[int, int] = {}

    def profile(self) -> Profile:
        interval = self.number(self.tape.get(0, b"samplingInterval"))
        self.nodes()
        period = interval if interval > 0 else self.likely_interval()
        comments = (
            [] if interval > 0 else [f"the sampling interval is not in the file; V8's {period:,} bytes is assumed"]
        )
        columns = {Measure("live", "bytes"): self.size}
        objects = self.objects(period)
        if objects:
            columns[Measure("objects", "count")] = objects
        else:
            comments.append("the number of objects cannot be told from this file, only their bytes")
        rows = array("i", (node for node in range(len(self.parent)) if any(c[node] for c in columns.values())))
        values = tuple(array("q", (column[node] for node in rows)) for column in columns.values())
        warnings: tuple[str, ...] = ()
        coverage = 1.0
        if self.tape.is_cut:
            at, coverage = self.tape.position, self.document.coverage
            warnings = (
                f"the file was cut short at byte {at:,}; only the first {len(self.size):,} nodes could be read",
            )
        return Profile(
            format=NAME,
            runtime="node",
            kind="heap",
            measures=tuple(columns),
            frames=self.all_frames(),
            samples=Samples(Nodes(self.parent, self.frame, rows), array("i", bytes(4 * len(rows))), values),
            period=period,
            period_measure=Measure("space", "bytes"),
            taken_at=self.taken_at(),
            coverage=coverage,
            warnings=warnings,
            comments=tuple(comments),
            memory=self.memory(),
        )

    def nodes(self) -> None:
        """All nodes, each behind its parent: a tree may be deeper than Python's stack."""
        tape, head = self.tape, self.tape.get(0, b"head")
        if self.tape.kind(head) != "{":
            raise MalformedDump(
                "a V8 heap profile without its head", hint="The file was cut short, or is not a profile; take it again."
            )
        pending = [(head, 0)]
        while pending:
            token, parent = pending.pop()
            if token != head:
                sibling = tape.next(token)
                if sibling >= 0:
                    pending.append((sibling, parent))
            node = self.node(token, parent, is_head=token == head)
            child = tape.first(tape.get(token, b"children"))
            if child >= 0:
                pending.append((child, node))

    def node(self, token: int, parent: int, *, is_head: bool) -> int:
        """The number of the node at `token`; V8's "(root)" is no frame, but the root."""
        call, size = self.tape.get(token, b"callFrame"), self.tape.get(token, b"selfSize")
        name = self.text(self.tape.get(call, b"functionName"))
        if is_head and name in ("(root)", ""):
            node = 0
        elif size < 0 and self.tape.is_cut:
            return parent  # The cut may have gone through its callFrame, which comes first.
        elif call < 0:
            at = self.tape.start(token)
            raise MalformedDump(f"a V8 heap profile with a node that has no callFrame, at byte {at:,}")
        else:
            key = self.function(call, name)
            node = len(self.parent)
            self.parent.append(parent)
            self.frame.append(self.frames.setdefault(key, len(self.frames)))
            self.size.append(0)
        self.size[node] += max(self.number(size), 0)
        self.node_of_id[self.number(self.tape.get(token, b"id"))] = node
        return node

    def function(self, call: int, name: str) -> tuple[str, str, int]:
        """Name, file and line (from 1, 0 unknown) of a call frame, of the source where it is known.

        A function without a name has none, so that its place stands for it, which tells it from all others.
        """
        token, url = self.tape.get(call, b"lineNumber"), self.text(self.tape.get(call, b"url"))
        line = max(self.number(token), -1) if token >= 0 else -1
        script = self.originals.script(url) if self.originals and line >= 0 else None
        written = script.at(line, max(self.number(self.tape.get(call, b"columnNumber")), 0), name) if script else None
        if written:
            return written.function, written.file, written.line
        path = _path(url)
        return name or ("" if path and line >= 0 else "(anonymous)"), path, line + 1

    def likely_interval(self) -> int:
        """The largest default that all `samples` reach: a sample stands for as many bytes at least."""
        least, sample = _MOST, self.tape.first(self.tape.get(0, b"samples"))
        while sample >= 0 and least:
            least = min(least, self.number(self.tape.get(sample, b"size")))
            sample = self.tape.next(sample)
        fitting = (interval for interval in _DEFAULT_INTERVALS if interval <= least < _MOST)
        return next(fitting, _DEFAULT_INTERVALS[-1])

    def objects(self, interval: int) -> "Ints | None":
        """How many objects each node's bytes are; None where `samples` do not say, or do not fit the interval."""
        rows: dict[int, Counter[int]] = {}
        tape = self.tape
        sample = tape.first(tape.get(0, b"samples"))
        if sample < 0 or tape.is_cut or interval > _MAX_INTERVAL:
            return None
        while sample >= 0:
            node = self.node_of_id.get(self.number(tape.get(sample, b"nodeId")))
            if node is not None:
                rows.setdefault(node, Counter())[self.number(tape.get(sample, b"size"))] += 1
            sample = tape.next(sample)
        weights = {weight for row in rows.values() for weight in row}
        if len(weights) > _SIZES:
            return None
        sizes = {weight: _sizes(weight, interval) for weight in weights}
        if not all(sizes.values()):
            return None
        counts, tries = array("q", bytes(8 * len(self.size))), _ALL_TRIES
        # The nodes with the most samples first: their numbers matter, and mean the most.
        for node, row in sorted(rows.items(), key=lambda item: (-item[1].total(), item[0])):
            counts[node], used = _count(self.size[node], row, sizes, interval, min(tries, _TRIES))
            tries -= used
        return counts

    def all_frames(self) -> Frames:
        strings: dict[str, int] = {"": 0}
        function, file, line = array("i"), array("i"), array("q")
        for name, path, number in self.frames:
            function.append(strings.setdefault(name, len(strings)))
            file.append(strings.setdefault(path, len(strings)))
            line.append(number)
        count = len(function)
        nowhere, unknown = array("i", [-1]) * count, array("q", bytes(8 * count))
        return Frames(list(strings), function, file, line, nowhere, unknown)

    def taken_at(self) -> datetime | None:
        token = self.tape.get(0, b"takenAt")
        try:
            if self.tape.kind(token) in ("i", "d"):
                return datetime.fromtimestamp(self.number(token) / 1000, UTC)
            text = self.text(token)
            when = datetime.fromisoformat(text) if text else None
        except (ValueError, OverflowError, OSError):
            return None
        return when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC) if when else None

    def memory(self) -> dict[str, int]:
        token = self.tape.get(0, b"memory")
        found = {name: self.tape.get(token, name.encode()) for name in _MEMORY}
        return {name: self.number(at) for name, at in found.items() if self.tape.kind(at) in ("i", "d")}

    def number(self, token: int) -> int:
        """The number at `token`, within what a heap can hold; 0 if there is none."""
        return int(max(-_MOST, min(self.document.number(token), _MOST)))

    def text(self, token: int) -> str:
        """The string at `token`, empty if it is none."""
        return self.document.text(token)


@lru_cache(maxsize=1024)
def _path(url: str) -> str:
    """The file of a `file://` URL; other names stay: `node:internal/…`, a plain path of CommonJS, a web address."""
    if not url.startswith("file://"):
        return url
    path = unquote(url.removeprefix("file://"), errors="replace")
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path


def _times(size: int, interval: int, sampled: int = 1) -> int:
    """How many objects V8 takes `sampled` objects of `size` bytes for (`SamplingHeapProfiler::ScaleSample`)."""
    return math.floor(sampled / -math.expm1(-size / interval) + 0.5)


def _sizes(weight: int, interval: int) -> list[int]:
    """The sizes of an object that V8 would have written as `weight`, in ascending order."""
    if weight > 2.2 * interval:
        return [weight]  # So large that it stands for itself: the factor rounds to 1 from 1.1 intervals on.
    pairs = ((c, weight // c) for c in range(1, math.isqrt(max(weight, 0)) + 1) if weight % c == 0)
    return sorted({s for pair in pairs for s in pair if s % 4 == 0 and s * _times(s, interval) == weight})


def _count(
    self_size: int, row: Counter[int], sizes: dict[int, list[int]], interval: int, tries: int
) -> tuple[int, int]:
    """The number of objects of a node with so many samples of each weight, and how many combinations were tried."""
    choices, used = [], 1
    for weight, sampled in sorted(row.items(), key=lambda item: (-item[1], item[0])):
        options = [(s * _times(s, interval, sampled), _times(s, interval, sampled)) for s in sizes[weight]]
        if used * len(options) > tries:
            options = [options[len(options) // 2]]
        used *= len(options)
        choices.append(options)
    nearest, fitting = -1, [0]
    for picked in product(*choices):
        off = abs(self_size - sum(size for size, _ in picked))
        if off < nearest or nearest < 0:
            nearest, fitting = off, []
        if off == nearest:
            fitting.append(sum(count for _, count in picked))
    return sorted(fitting)[len(fitting) // 2], used
