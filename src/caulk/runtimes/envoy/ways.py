"""What the admin interface answers at once: tcmalloc's samples of the heap, and figures.

tcmalloc samples one allocation in 2 MiB all the time, so a profile is of all that is live since the start, and small.
An allocation profile is switched on, and always off again.
"""

import contextlib
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping

from caulk._core import protobuf
from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.ports import Sink
from caulk.runtimes.binary import binary
from caulk.runtimes.endpoint.http import refusal
from caulk.runtimes.envoy.admin import Admin, Search, explained
from caulk.runtimes.envoy.switch import Switch
from caulk.runtimes.waiting import duration, wait

_MIB = 1 << 20
_MOST_BYTES = 256 * _MIB
#: Of what the allocator gave out, the share that a profile shows at least, where that is much.
_LEAST_SHARE, _MUCH = 0.5, 64 * _MIB
#: What any answer takes of Envoy's memory, and the most that lies beside a capture.
_ANSWER_BYTES, _BESIDE_BYTES = 4 * _MIB, _MIB
_NO_IMAGE = "Google's tcmalloc is built in, so no debug image is needed"


class Dump:
    """A profile of samples that are there already: of the live heap, or of the heap at its largest."""

    evidence: Evidence = "profile"
    format, suffix = "pprof", ".pb.gz"

    def __init__(self, alias: str, path: str, search: Search) -> None:
        self.alias, self._path, self._search = alias, path, search
        self.name = f"admin:{path[1:]}"
        self._size = 0

    def check(self) -> Check:
        """Takes the profile once and lets it go: it changes nothing, and costs as little as any question."""
        if trouble := self._search.check():
            return trouble
        answer = self._search.admin.ask(self._path, most_bytes=_MOST_BYTES)
        if answer.status == 200:
            self._size = len(answer.body)
            return Check("ready", f"{answer.url} answers: {_NO_IMAGE}")
        if answer.status == 501:
            return Check("impossible", f"{answer.url}: {answer.words}; a build with gperftools has /heapprofiler")
        return explained(answer)

    def cost(self) -> Cost:
        """From the profile's own size: its samples are copied once while the allocator waits."""
        return Cost(
            pause_s=0.01 + self._size * 1e-8,
            extra_bytes=_ANSWER_BYTES + 12 * self._size,
            size_bytes=self._size * 2 + _BESIDE_BYTES,
        )

    def take(self, sink: Sink) -> Taken:
        """The profile, with what the allocator says beside it."""
        admin = self._search.admin
        answer = admin.ask(self._path, most_bytes=_MOST_BYTES)
        if answer.status != 200:
            raise refusal(answer, explained(answer).fix)
        sink.write(answer.body)
        warnings = sparse(answer.body, admin.figures) if self._path == "/heap_dump" else ()
        beside_figures(sink, admin)
        return Taken(warnings=tuple(warnings), facts=facts(self._search))


class AllocationProfile:
    """What is allocated while it records, whether it is freed or not."""

    name, alias = "admin:allocprofiler", "allocs"
    evidence: Evidence = "profile"
    format, suffix = "pprof", ".pb.gz"

    def __init__(self, search: Search) -> None:
        self._search, self._seconds = search, duration(search.access)

    def check(self) -> Check:
        """Asks without saying what to do, which only an Envoy that could do it answers with how to say it."""
        if trouble := self._search.check():
            return trouble
        answer = self._search.admin.ask("/allocprofiler", method="POST")
        if answer.status == 400:
            return Check("ready", f"{answer.url} records for {self._seconds} s: {_NO_IMAGE}")
        return explained(answer)

    def cost(self) -> Cost:
        """Samples as the heap's own are, for a while."""
        return Cost(0.01, 8 * _MIB, 0, "", _MIB, risk="tcmalloc keeps its samples meanwhile")

    def take(self, sink: Sink) -> Taken:
        """Switches it on, waits, and switches it off, which gives the profile."""
        admin = self._search.admin
        with Switch(admin, "/allocprofiler") as switch:
            wait(self._seconds, sink, "recording allocations")
            profile = switch.off()
            if profile is None:
                raise CaptureFailed("the recording ended, and what it gave was lost on the way", hint="Take it again.")
            sink.write(profile)
        return Taken(facts={**facts(self._search), "seconds": str(self._seconds)})


class Figures:
    """What the allocator and the server count: no profile, but to be had from every Envoy."""

    name, alias = "admin:memory", "memory"
    evidence: Evidence = "figures"
    format, suffix = "", ".json"

    def __init__(self, search: Search) -> None:
        self._search = search

    def check(self) -> Check:
        """Whether `/memory` answers."""
        if trouble := self._search.check():
            return trouble
        answer = self._search.admin.ask("/memory")
        return Check("ready", f"{answer.url} answers") if answer.status == 200 else explained(answer)

    def cost(self) -> Cost:
        """Next to nothing."""
        return Cost(extra_bytes=_ANSWER_BYTES, size_bytes=_BESIDE_BYTES)

    def take(self, sink: Sink) -> Taken:
        """The figures, with those of the server's statistics that are about memory."""
        admin = self._search.admin
        answer = admin.ask("/memory")
        if answer.status != 200:
            raise refusal(answer)
        sink.write(answer.body)
        beside_figures(sink, admin)
        return Taken(facts=facts(self._search))


def facts(search: Search) -> Mapping[str, str]:
    """The version and the allocator's figures, and the build-id of the binary, by which its symbols are found."""
    admin = search.admin
    found = {"endpoint": admin.site.root, **{name: str(value) for name, value in admin.figures.items()}}
    with contextlib.suppress(CaulkError, ValueError, AttributeError):
        found["version"] = str(json.loads(admin.ask("/server_info").body).get("version", ""))
    program = binary(search.reach) if search.process else None
    if program and (build_id := program.build_id()):
        found["build_id"] = build_id
    return found


def beside_figures(sink: Sink, admin: Admin) -> None:
    """What the allocator says of itself, and statistics of memory, as files beside the capture."""
    pages = {"tcmalloc.txt": "/memory/tcmalloc", "stats.json": r"/stats?format=json&filter=^server\.(memory|uptime)"}
    if admin.figures:
        pages["memory.json"] = "/memory"
    for name, path in pages.items():
        with contextlib.suppress(CaulkError):
            answer = admin.ask(path)
            if answer.status == 200 and answer.body:
                sink.beside(name, answer.body)


def sparse(profile: bytes, figures: Mapping[str, int]) -> Iterator[str]:
    """Why a profile shows little of what the allocator gave out."""
    allocated, shown = figures.get("allocated", 0), _live_bytes(profile)
    if shown is None or allocated < _MUCH or shown > allocated * _LEAST_SHARE:
        return
    yield (
        f"the profile shows {shown / _MIB:.1f} MiB of the {allocated / _MIB:.0f} MiB that tcmalloc has given out: it"
        " samples one allocation in 2 MiB, and only those of this allocator; memory of another one, or that was"
        " allocated before sampling began, is not in it"
    )


def _live_bytes(profile: bytes) -> int | None:
    """The sum of a profile's `inuse_space`, or of its last value of bytes; None if it is not to be read."""
    try:
        data = gzip.decompress(profile) if profile[:2] == b"\x1f\x8b" else profile
        columns = protobuf.decode(data)
    except (OSError, EOFError, ValueError, zlib.error):
        return None
    starts, lengths = columns["string_start"], columns["string_length"]
    names = [
        bytes(data[starts[at] : starts[at] + lengths[at]]) if 0 <= at < len(starts) else b""
        for at in columns["sample_type"][1::3]
    ]
    chosen = next((at for at, name in enumerate(names) if name in (b"inuse_space", b"space")), None)
    return None if chosen is None else sum(columns["value"][chosen :: len(names)])
