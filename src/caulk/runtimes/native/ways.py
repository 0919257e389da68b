"""Native programs whose allocator profiles: what it has written by itself, or writes when it is told to by a signal.

gperftools (https://gperftools.github.io/gperftools/heapprofile.html) writes `$HEAPPROFILE.NNNN.heap`, also on the
signal of HEAPPROFILESIGNAL. jemalloc (https://jemalloc.net/jemalloc.3.html, `opt.prof`) writes `PREFIX.PID.N.*.heap`;
it has no signal and no socket, so a dump on demand (`prof.dump`) is the program's own to make. Their profiles have
addresses and a memory map: the binary goes with them.
"""

import contextlib
import re
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import FileStat, Process
from caulk.ports import Reach, Sink
from caulk.runtimes import gperftools
from caulk.runtimes.binary import Binary

#: Libraries and variables of allocators that profile.
ALLOCATING = re.compile(
    r"/libtcmalloc(_and_profiler)?\.|/libjemalloc|^(_RJEM_)?MALLOC_CONF$|^HEAPPROFILE$", re.MULTILINE
)
#: What a program of C, C++ or Rust has loaded, and what files of other runtimes are called, whatever lies above them.
NATIVE = re.compile(r"/(libc\.so|libc\.musl|ld-musl|libstdc\+\+)")
MANAGED = re.compile(
    r"/(lib(jvm|j9vm|python|node|ruby|coreclr|perl|php)|python|node|java|ruby|perl|php|envoy|\.go\.buildinfo)[^/\n]*$",
    re.MULTILINE,
)

_PATIENCE_S, _LOOK_S = 30.0, 0.05
#: A dump that was not begun after so long is asked for again: the allocator was busy when the signal came.
_AGAIN_S = 2.0
_GPERFTOOLS_FIX = """HEAPPROFILE=/tmp/heap HEAPPROFILESIGNAL=12   # 12 is SIGUSR2, if the program has no use for it
with gperftools linked, or LD_PRELOAD=libtcmalloc.so.4"""
_JEMALLOC_FIX = "MALLOC_CONF=prof:true,lg_prof_interval:30,prof_prefix:/tmp/jeprof   # a dump for each GiB allocated"


class Allocator(Protocol):
    """One allocator in one target, and where it writes."""

    NAME: str
    reach: Reach

    @property
    def process(self) -> Process:
        """The process that it is in."""

    def why_not(self) -> Check | None:
        """Why it writes nothing; None if it does."""

    def dumps(self) -> Sequence[FileStat]:
        """What it has written, oldest first."""

    @property
    def prefix(self) -> str:
        """What the names of its files begin with."""


class Gperftools:
    """gperftools' heap profiler, as it was set up when the process started."""

    NAME = gperftools.NAME

    def __init__(self, reach: Reach) -> None:
        self.reach = reach

    @cached_property
    def process(self) -> Process:
        """The process; its settings do not change."""
        return self.reach.process()

    @property
    def prefix(self) -> str:
        """HEAPPROFILE; the first byte has a mark in it by which gperftools tells its own children."""
        said = self.process.environ.get("HEAPPROFILE", "")
        marked = said.encode("utf-8", "surrogateescape")
        return _absolute(chr(marked[0] & 0x7F) + said[1:] if marked else "", self.process)

    def dumps(self) -> Sequence[FileStat]:
        """Those of this process: a child of another that profiles has its number in their names."""
        own = gperftools.dumps(self.reach, f"{self.prefix}_{self.process.pid}")
        return own or gperftools.dumps(self.reach, self.prefix)

    def why_not(self) -> Check | None:
        """Why it writes nothing."""
        if self.prefix:
            return None
        return Check(
            "needs", "gperftools' heap profiler is not on: HEAPPROFILE was not set at its start", _GPERFTOOLS_FIX
        )

    @property
    def signum(self) -> int:
        """HEAPPROFILESIGNAL; 0 where it was not set."""
        said = self.process.environ.get("HEAPPROFILESIGNAL", "")
        return int(said) if said.isascii() and said.isdigit() and 0 < int(said) < 65 else 0


class Jemalloc:
    """jemalloc's profiler, as it was set up when the process started."""

    NAME = "jemalloc"

    def __init__(self, reach: Reach) -> None:
        self.reach = reach

    @cached_property
    def process(self) -> Process:
        """The process; its settings do not change."""
        return self.reach.process()

    @cached_property
    def settings(self) -> dict[str, str]:
        """MALLOC_CONF, or that of Rust's jemalloc; of what is said twice, the last one counts."""
        said = ",".join(self.process.environ.get(name, "") for name in ("_RJEM_MALLOC_CONF", "MALLOC_CONF"))
        return {name.strip(): value for name, _, value in (word.partition(":") for word in said.split(",")) if value}

    @property
    def prefix(self) -> str:
        """`prof_prefix`; without it jemalloc writes into the program's directory."""
        return _absolute(self.settings.get("prof_prefix", "jeprof"), self.process)

    def dumps(self) -> Sequence[FileStat]:
        """Those of this process, by the number of process and dump in their names."""
        folder, _, stem = self.prefix.rpartition("/")
        name = re.compile(rf"{re.escape(stem)}\.{self.process.pid}\.(\d{{1,9}})\.[a-z]\d*\.heap")
        found = [
            (int(match[1]), file)
            for file in self.reach.listing(folder or "/")
            if (match := name.fullmatch(file.path.rpartition("/")[2]))
        ]
        return [file for _, file in sorted(found, key=lambda one: one[0])]

    def why_not(self) -> Check | None:
        """Why it writes nothing."""
        if self.settings.get("prof") == "true":
            return None
        return Check("needs", "jemalloc's profiler is not on: MALLOC_CONF had no prof:true at its start", _JEMALLOC_FIX)


class Files:
    """The newest dump that an allocator has written by itself; it stays where it is."""

    alias = "file"
    evidence: Evidence = "profile"
    suffix = gperftools.SUFFIX

    def __init__(self, allocator: Allocator) -> None:
        self._allocator = allocator
        self.format = allocator.NAME
        self.name = f"{allocator.NAME}:file"

    def check(self) -> Check:
        """Whether there is one."""
        if trouble := self._allocator.why_not():
            return trouble
        found = self._allocator.dumps()
        if not found:
            return Check("needs", f"there is no {self._allocator.prefix}.*.heap yet", _fix(self._allocator))
        age = time.time() - found[-1].modified
        return Check("ready", f"{found[-1].path} was written {max(age, 0):.0f} s ago")

    def cost(self) -> Cost:
        """Nothing is asked of the program."""
        found = self._allocator.dumps()
        return Cost(
            size_bytes=(found[-1].size if found else 0) + Binary(self._allocator.reach, self._allocator.process).size()
        )

    def take(self, sink: Sink) -> Taken:
        """Names the file, and puts the binary beside it."""
        found = [file for file in self._allocator.dumps() if file.size]
        if not found:
            raise CaptureFailed(f"there is no {self._allocator.prefix}.*.heap", hint=_fix(self._allocator))
        return _with_binary(self._allocator, found[-1], sink, remove=False)


class DumpBySignal:
    """A dump now, by the signal that gperftools was told to take for one."""

    name, alias = "gperftools:signal", "heap"
    evidence: Evidence = "profile"
    format, suffix = gperftools.NAME, gperftools.SUFFIX

    def __init__(self, allocator: Gperftools) -> None:
        self._allocator = allocator

    def check(self) -> Check:
        """Whether the signal was chosen, and is caught: else it would end the program."""
        if trouble := self._allocator.why_not():
            return trouble
        signum = self._allocator.signum
        if not signum:
            return Check(
                "needs", "gperftools takes no signal: HEAPPROFILESIGNAL was not set at its start", _GPERFTOOLS_FIX
            )
        if not self._allocator.process.catches(signum):
            return Check("needs", f"the program does not catch signal {signum}, which would end it", _GPERFTOOLS_FIX)
        return Check("ready", f"signal {signum} has a profile written to {self._allocator.prefix}.NNNN.heap")

    def cost(self) -> Cost:
        """A dump has 1 MiB at most, and its memory map; the program's threads wait for it where they allocate."""
        binary = Binary(self._allocator.reach, self._allocator.process)
        return Cost(
            pause_s=0.05,
            extra_bytes=gperftools.MOST_BYTES,
            disk_bytes=gperftools.MOST_BYTES,
            directory=self._allocator.prefix.rpartition("/")[0] or "/",
            size_bytes=gperftools.MOST_BYTES + binary.size(),
        )

    def take(self, sink: Sink) -> Taken:
        """Sends the signal, and waits until the new file has come to its end."""
        allocator = self._allocator
        known = {file.path for file in allocator.dumps()}
        made: FileStat | None = None
        try:
            made = self._written(known, sink)
            sink.leaving(made.path)
            return _with_binary(allocator, made, sink, remove=True)
        except BaseException:
            with contextlib.suppress(CaulkError):
                for file in allocator.dumps():
                    if file.path not in known:
                        allocator.reach.remove(file.path)
            raise

    def _written(self, known: set[str], sink: Sink) -> FileStat:
        reach, allocator = self._allocator.reach, self._allocator
        began = time.monotonic()
        sent = -_AGAIN_S
        while (gone := time.monotonic() - began) < _PATIENCE_S:
            new = [file for file in allocator.dumps() if file.path not in known]
            if new and gperftools.is_whole(reach, new[-1]):
                return new[-1]
            if not new and gone - sent >= _AGAIN_S:
                reach.signal(allocator.signum)
                sent = gone
            sink.progress(gone, _PATIENCE_S, "waiting for the profile")
            time.sleep(_LOOK_S)
        raise CaptureFailed(
            f"no profile came to {allocator.prefix}.*.heap in {_PATIENCE_S:.0f} s after signal {allocator.signum}",
            hint="Its directory must be there, and writable for the program.",
        )


class Mallctl:
    """jemalloc's `prof.dump`, which only the program itself can call: said, so that nobody looks for it."""

    name, alias = "jemalloc:prof.dump", "dump"
    evidence: Evidence = "profile"
    format, suffix = "jemalloc", gperftools.SUFFIX

    def __init__(self, allocator: Jemalloc) -> None:
        self._allocator = allocator

    def check(self) -> Check:
        """Why not."""
        return Check(
            "impossible",
            "jemalloc has no signal and no socket: prof.dump is called from within the program, or not at all",
            _JEMALLOC_FIX if self._allocator.why_not() else "",
        )

    def cost(self) -> Cost:
        """Nothing."""
        return Cost()

    def take(self, sink: Sink) -> Taken:
        """Raises."""
        raise CaptureFailed(self.check().why, hint=_JEMALLOC_FIX)


def _with_binary(allocator: Allocator, file: FileStat, sink: Sink, *, remove: bool) -> Taken:
    binary = Binary(allocator.reach, allocator.process)
    trouble = binary.keep_beside(sink)
    facts = {"prefix": allocator.prefix}
    if build_id := binary.build_id():
        facts["build_id"] = build_id
    return Taken(file.path, remove, (trouble,) if trouble else (), facts)


def _fix(allocator: Allocator) -> str:
    if allocator.NAME == "jemalloc":
        return f"{_JEMALLOC_FIX}; it writes when so much is allocated: lg_prof_interval, prof_gdump or prof_final"
    return f"HEAP_PROFILE_INUSE_INTERVAL and HEAP_PROFILE_ALLOCATION_INTERVAL say when it writes;\n{_GPERFTOOLS_FIX}"


def _absolute(path: str, process: Process) -> str:
    return path if path.startswith("/") or not path else f"{process.directory.rstrip('/')}/{path}"
