"""The profiles of `net/http/pprof`, each a way to take one; what they cost is told from the endpoint's own counts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError, Lacks
from caulk.model.target import Access
from caulk.ports import Reach, Sink, Way
from caulk.runtimes.binary import binary
from caulk.runtimes.endpoint.http import NotServed, Stream, opened, refusal
from caulk.runtimes.endpoint.sites import is_bare
from caulk.runtimes.go.served import Pprof, Search
from caulk.runtimes.waiting import duration

_ANSWER_S = 60.0
_MOST_BYTES = 1 << 30
_KIB, _MIB = 1 << 10, 1 << 20

#: runtime/pprof gives up at so many bytes of stacks, and starts with a buffer that it doubles.
_MOST_STACKS, _FIRST_STACKS = 64 * _MIB, _MIB
#: Seconds for each byte of stacks that is printed while the world stands still (bench/costs.py).
_S_PER_STACK_BYTE = 2.5e-8
#: In `debug=2`, beyond the text of a frame in `debug=1`: its arguments; and the line that each goroutine begins with.
_FRAME_BYTES, _GOROUTINE_BYTES = 30, 60
#: Counting stacks takes memory in the program, too: of more goroutines the size is guessed.
_MOST_COUNTED = 50_000
#: Bytes of memory for each entry of a profile, beside 2 MiB for its encoder; for a difference two are decoded as well.
_ENTRY, _GOROUTINE_ENTRY, _DELTA_ENTRY = 300, 800, 6800
#: What a collection takes beside a heap is this part of it.
_COLLECTED = 64
_COUNTED = re.compile(rb"^(\d{1,18}) @.*$", re.MULTILINE)

ALL_INDEX = """mux.HandleFunc("/debug/pprof/", pprof.Index)
mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)"""
_EMPTY = {
    "block": "nothing is recorded of blocking until the program calls runtime.SetBlockProfileRate",
    "mutex": "nothing is recorded of mutexes until the program calls runtime.SetMutexProfileFraction",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One profile: `path` behind the endpoint's root, with `{seconds}` where it is recorded for a while."""

    alias: str
    profile: str
    path: str
    format: str = "pprof"
    suffix: str = ".pb.gz"

    @property
    def is_recorded(self) -> bool:
        """Whether it takes a while."""
        return "{seconds}" in self.path


def _delta(profile: str) -> Kind:
    return Kind(f"{profile}-delta", profile, profile + "?seconds={seconds}")


KINDS = (
    Kind("heap", "heap", "heap?gc=1"),
    Kind("allocs", "allocs", "allocs"),
    Kind("goroutine", "goroutine", "goroutine?debug=2", "go-goroutine", ".goroutines.txt"),
    Kind("goroutine-counts", "goroutine", "goroutine?debug=1", "go-goroutine", ".goroutines.txt"),
    Kind("goroutine-profile", "goroutine", "goroutine"),
    Kind("goroutineleak", "goroutineleak", "goroutineleak"),
    Kind("block", "block", "block"),
    Kind("mutex", "mutex", "mutex"),
    Kind("threadcreate", "threadcreate", "threadcreate"),
    Kind("cpu", "profile", "profile?seconds={seconds}"),
    *map(_delta, ("heap", "allocs", "goroutine", "block", "mutex", "threadcreate")),
)


def ways_of(reach: Reach, access: Access) -> Sequence[Way]:
    """All of them; the endpoint is looked for once, when the first is asked whether it would work.

    Raises `Unreachable` where there is only an address, and nobody answers.
    """
    program = _Program(reach, access)
    if is_bare(reach):
        try:
            _ = program.pprof
        except CaptureFailed:
            # Whatever it is, it is no Go: one way says so.
            return [Profile(KINDS[0], program)]
    return [Profile(kind, program) for kind in KINDS]


class _Program:
    """What the ways of one target share."""

    def __init__(self, reach: Reach, access: Access) -> None:
        self.reach, self.seconds = reach, duration(access)
        self.search = Search(reach, access)

    @property
    def pprof(self) -> Pprof:
        """Raises `CaptureFailed`."""
        return self.search.pprof

    @cached_property
    def has_handlers(self) -> bool:
        """Whether more than `pprof.Index` is mounted: `symbol`, which costs nothing, stands for `profile`."""
        return self.pprof.ask("symbol").status == 200

    @property
    def anonymous(self) -> int:
        """The memory of the process; nothing where there is only an endpoint."""
        try:
            return self.reach.reading().anonymous
        except CaulkError:
            return 0

    @cached_property
    def stack_bytes(self) -> int:
        """About how long all stacks are as text, from how often which stack is there."""
        counts = self.pprof.counts.get("goroutine", 1000)
        if counts > _MOST_COUNTED:
            return min(counts * _KIB, _MOST_STACKS)
        try:
            answer = self.pprof.ask("goroutine?debug=1", timeout_s=_ANSWER_S, most_bytes=64 * _MIB)
        except CaulkError:
            return counts * _KIB
        return min(_stack_bytes(answer.body) or counts * _KIB, _MOST_STACKS)

    def facts(self) -> Mapping[str, str]:
        """Who built the program, as far as its file can be seen."""
        found = binary(self.reach)
        if not found:
            return {}
        build_id = found.build_id()
        return {**found.go(), **({"build_id": build_id} if build_id else {})}


class Profile:
    """One profile of a program."""

    evidence: Evidence = "profile"

    def __init__(self, kind: Kind, program: _Program) -> None:
        self._kind, self._program = kind, program
        self.name = "pprof:" + kind.path.removesuffix("?gc=1").replace("{seconds}", str(program.seconds))
        self.alias, self.format, self.suffix = kind.alias, kind.format, kind.suffix

    def check(self) -> Check:
        """Asks the endpoint what it has."""
        try:
            pprof = self._program.pprof
        except Lacks as error:
            return Check("impossible", str(error), error.hint)
        except CaulkError as error:
            return Check("needs", str(error), error.hint)
        where, profile = f"{pprof.site.root}{pprof.root}", self._kind.profile
        if profile == "profile":
            if self._program.has_handlers:
                return Check("ready", f"{where}/profile records for {self._program.seconds} s")
            return Check("needs", f"only pprof.Index is mounted at {where}, without the CPU profile", ALL_INDEX)
        if profile in pprof.counts:
            empty = "" if pprof.counts[profile] else f"; {_EMPTY[profile]}" if profile in _EMPTY else ""
            return Check("ready", f"{where}/{profile} has {pprof.counts[profile]:,} entries{empty}")
        if pprof.counts:
            return Check("impossible", f"the program's Go has no profile {profile!r}", _LEAK_HINT.get(profile, ""))
        answer = pprof.ask(f"{profile}?seconds=0")
        if answer.status == 404:
            return Check("needs", f"{answer.url} answered 404", ALL_INDEX)
        return Check("ready", f"{where}/{profile} is served")

    def cost(self) -> Cost:
        """From the number of entries; of stacks as text, from a count of all stacks."""
        profile, program = self._kind.profile, self._program
        entries = program.pprof.counts.get("heap" if profile in ("heap", "allocs") else profile, 2000)
        if self._kind.path.endswith("debug=2"):
            size = program.stack_bytes
            # Each buffer that was too small was filled while the world stood still, and lies there until a collection.
            printed = sum(_buffers(size))
            return Cost(
                printed * _S_PER_STACK_BYTE,
                printed + size // 4 + 2 * _MIB,
                size_bytes=size,
                risk="stops the program while it prints",
            )
        if profile == "profile":
            return Cost(0.0, 4 * _MIB, 0, "", 64 * _KIB * (1 + program.seconds), risk="some percent of CPU meanwhile")
        each = _GOROUTINE_ENTRY if profile == "goroutine" else _ENTRY
        extra = 2 * _MIB + (_DELTA_ENTRY if self._kind.is_recorded else each) * entries
        if self._kind.alias == "heap":
            extra += program.anonymous // _COLLECTED
        # Before Go 1.19 the world stood still until every goroutine was written down.
        pause = 0.001 + (2e-6 * entries if profile == "goroutine" else 0.0)
        risk = "one garbage collection" if self._kind.alias == "heap" else ""
        return Cost(pause, extra, 0, "", 8 * _KIB + 64 * entries, risk)

    def take(self, sink: Sink) -> Taken:
        """Streams the profile into the sink."""
        kind, program = self._kind, self._program
        pprof = program.pprof
        seconds = program.seconds if kind.is_recorded else 0
        path = f"{pprof.root}/{kind.path.format(seconds=seconds)}"
        with opened(pprof.site, path, timeout_s=_ANSWER_S + seconds) as stream:
            if stream.answer.status != 200:
                raise self._refusal(stream)
            size = _poured(stream, sink, kind.alias)
        facts = {"endpoint": f"{pprof.site.root}{pprof.root}", **program.facts()}
        if seconds:
            facts["seconds"] = str(seconds)
        return Taken(warnings=tuple(self._warnings(pprof, size)), facts=facts)

    def _refusal(self, stream: Stream) -> CaptureFailed:
        answer, said = stream.answer, b""
        for piece in stream.pieces(_MIB):
            said += piece
            break
        answer = type(answer)(answer.url, answer.status, answer.headers, said)
        hint = ""
        if "WriteTimeout" in answer.words:
            hint = "The server ends answers before that: --seconds N with a smaller N, or a longer WriteTimeout."
        elif answer.status == 404:
            hint = f"Mount it:\n{ALL_INDEX}"
        elif "already in use" in answer.words:
            hint = "Somebody else is recording; wait until they are done."
        error = refusal(answer, hint)
        return CaptureFailed(str(error), hint=error.hint) if isinstance(error, NotServed) else error

    def _warnings(self, pprof: Pprof, size: int) -> Iterator[str]:
        profile = self._kind.profile
        if profile in _EMPTY and pprof.counts.get(profile) == 0:
            yield f"the profile is empty: {_EMPTY[profile]}"
        if self._kind.path.endswith("debug=2") and size >= _MOST_STACKS:
            yield (
                f"{pprof.counts.get('goroutine', 0):,} goroutines have more than 64 MiB of stacks, where Go stops:"
                " --as goroutine-counts has all of them"
            )


_LEAK_HINT = {"goroutineleak": "It is there from Go 1.26 on, with GOEXPERIMENT=goroutineleakprofile."}


def _poured(stream: Stream, sink: Sink, what: str) -> int:
    """Writes the whole body; gives its size."""
    size = 0
    for piece in stream.pieces(_MOST_BYTES):
        if not size and piece.lstrip()[:1] == b"<":
            raise CaptureFailed(f"{stream.answer.url} answered a page, not a profile")
        sink.write(piece)
        size += len(piece)
        sink.progress(size, size + 1, f"taking {what}")
    if not size:
        raise CaptureFailed(f"{stream.answer.url} answered nothing")
    return size


def _stack_bytes(text: bytes) -> int:
    """How long `debug=2` will be, by what `debug=1` says: each stack once, with how many have it."""
    rows = [*_COUNTED.finditer(text)]
    total = 0
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        frames = text[row.end() : following.start() if following else len(text)].splitlines()
        lines = [len(line) for line in frames if line.startswith(b"#")]
        # Who created it is a frame more, of which only `debug=2` knows.
        total += int(row[1]) * (sum(lines) + max(lines, default=0) + len(lines) * _FRAME_BYTES + _GOROUTINE_BYTES)
    return total


def _buffers(size: int) -> Iterator[int]:
    """The bytes printed into each buffer, until one is large enough."""
    buffer = _FIRST_STACKS
    while size >= buffer and buffer < _MOST_STACKS:
        yield buffer
        buffer *= 2
    yield min(max(size, _KIB), buffer)
