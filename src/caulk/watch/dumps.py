"""A dump appeared: files that programs write of themselves, found, waited for until they are whole, and told.

HotSpot writes one when its heap is exhausted (`-XX:HeapDumpPath`, else its working directory), Node.js near its limit
(`--diagnostic-dir`), gperftools and jemalloc as they go (HEAPPROFILE, `prof_prefix`). What a container wrote goes when
it is made anew: its root and the file are held open from when they are first seen, so the dump can be read after its
program has ended, and is copied here at once. Of programs that run on this machine, in containers too.
"""

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import basename, dirname, join, normpath
from typing import Any

from caulk.capture.verify import fault
from caulk.model.target import Process, Target
from caulk.model.watching import Appeared, Observation
from caulk.places.eye import Trouble
from caulk.places.hand import Hand
from caulk.runtimes.jvm.flags import PATH, stated
from caulk.runtimes.node.switches import dump_directory

#: A dump that is cut is waited for so long after it last grew.
_CUT_S = 120.0
#: Copies of what containers wrote are kept so long.
_KEPT_S = 86400.0
#: A program that has ended may have written until its end; after that its root is let go.
_AFTER_S = 60.0
_MOST_WATCHED = 4096
_PROFILE_END = b"MAPPED_LIBRARIES:"
#: HEAP DUMP END: its tag, a time, and the length 0.
_HPROF_END, _GZIP = 9, b"\x1f\x8b"
_S_IFMT, _S_IFREG = 0o170000, 0o100000


@dataclass(frozen=True, slots=True)
class Where:
    """A directory of the target in which files of these names are dumps of a format."""

    directory: str
    name: re.Pattern[str]
    format: str


@dataclass(slots=True)
class _Growing:
    """A dump that is not whole yet, held open."""

    path: str
    format: str
    file: int
    modified: float
    size: int = -1
    since: float = 0.0


@dataclass(slots=True)
class _Watched:
    """A program, its directories with the time of their last change, and what was in them."""

    seen: Observation
    hand: Hand
    wheres: Sequence[Where]
    is_elsewhere: bool
    known: set[tuple[str, float]] = field(default_factory=set)
    looked: dict[str, float] = field(default_factory=dict)
    growing: list[_Growing] = field(default_factory=list)
    ended: float | None = None


class Dumps:
    """The dumps of all programs here; copies go to `spool`. Used by one thread."""

    name = "dumps:"

    def __init__(self, spool: Path, *, say: Callable[[str], object] = lambda _: None) -> None:
        self._spool, self._say = spool, say
        self._watched: dict[str, _Watched] = {}
        self._silent: set[str] = set()
        """Lives that write no dumps."""
        self._since = time.time()
        self._looked = self._since

    def look(self, seen: Iterable[Observation], now: float) -> list[tuple[Observation, Appeared]]:
        """What has become whole since the last look; `seen` are those that run now."""
        self._meet(seen, now)
        found = []
        for life, watched in list(self._watched.items()):
            with contextlib.suppress(Trouble, OSError):
                self._find(watched)
            found += [(watched.seen, dump) for dump in self._whole(watched, now)]
            if watched.ended and now - watched.ended > _AFTER_S and not watched.growing:
                watched.hand.close()
                del self._watched[life]
        self._looked = now
        return found

    def state(self) -> Mapping[str, Any]:
        """Up to when it has looked: what is newer at the next start has appeared meanwhile."""
        return {"looked": self._looked}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` said."""
        self._since = float(state.get("looked", self._since))

    def close(self) -> None:
        """Lets go of all that is held open."""
        for watched in self._watched.values():
            watched.hand.close()
            for one in watched.growing:
                os.close(one.file)
        self._watched.clear()

    def _meet(self, seen: Iterable[Observation], now: float) -> None:
        here = {}
        for one in seen:
            pid = _pid(one.target) if one.target else None
            if one.target and pid:
                here[f"{pid} {one.target.labels.get('started', '')}"] = pid, one
        for life, watched in self._watched.items():
            if life in here:
                watched.seen, watched.ended = here[life][1], None
            else:
                watched.ended = watched.ended or now
        self._silent &= here.keys()
        for life in here.keys() - self._watched.keys() - self._silent:
            pid, one = here[life]
            begun = None
            if _may_write(pid, one.workload.runtime) and len(self._watched) < _MOST_WATCHED:
                with contextlib.suppress(Trouble, OSError):
                    begun = self._begun(pid, one)
            if begun:
                self._watched[life] = begun
            else:
                self._silent.add(life)

    def _begun(self, pid: int, seen: Observation) -> _Watched | None:
        hand = Hand(pid)
        process = _process(hand)
        found = tuple(wheres(process, seen.workload.runtime, lambda path: _is_directory(hand, path)))
        if not found:
            return None
        hand.root()
        elsewhere = os.stat(f"/proc/{pid}/ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino  # noqa: PTH116
        watched = _Watched(seen, hand, found, elsewhere)
        for where in found:
            for file in _dumps(hand, where):
                if file["modified"] <= self._since:
                    watched.known.add((file["path"], file["modified"]))
        return watched

    def _find(self, watched: _Watched) -> None:
        """Holds every dump that was not there before."""
        for where in watched.wheres:
            folder = watched.hand.stat(where.directory)
            if folder is None or watched.looked.get(where.directory) == folder["modified"]:
                continue
            watched.looked[where.directory] = folder["modified"]
            held = {one.path for one in watched.growing}
            for file in _dumps(watched.hand, where):
                if (file["path"], file["modified"]) in watched.known or file["path"] in held:
                    continue
                with watched.hand.file(file["path"]) as (descriptor, _):
                    kept = os.dup(descriptor)
                watched.growing.append(_Growing(file["path"], where.format, kept, file["modified"], since=time.time()))

    def _whole(self, watched: _Watched, now: float) -> Iterator[Appeared]:
        for one in list(watched.growing):
            status = os.fstat(one.file)
            if status.st_size != one.size:
                # It still grows, or was only now seen: it is looked at again when it has stood still for one look.
                one.size, one.since, one.modified = status.st_size, now, status.st_mtime
                continue
            why = _flaw(one)
            if why and now - one.since < _CUT_S:
                continue
            watched.growing.remove(one)
            watched.known.add((one.path, one.modified))
            try:
                if why:
                    self._say(f"{watched.seen.workload.name} wrote {one.path}, which is not whole: {why}")
                elif watched.seen.target:
                    kept = self._copied(one) if watched.is_elsewhere else _here(one)
                    yield Appeared(one.modified, watched.seen.target, one.path, one.size, one.format, kept)
            except OSError as error:
                self._say(f"{one.path} of {watched.seen.workload.name} cannot be kept: {error.strerror or error}")
            finally:
                os.close(one.file)

    def _copied(self, one: _Growing) -> str:
        """A copy on this machine, whose name nobody can guess; older ones are deleted."""
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._spool.iterdir():
            if old.stat().st_mtime < time.time() - _KEPT_S:
                old.unlink()
        if shutil.disk_usage(self._spool).free < 2 * one.size:
            raise OSError(f"{self._spool} has no room for {one.size:,} bytes")
        path = self._spool / f"{secrets.token_hex(8)}-{basename(one.path)}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
            offset = 0
            while block := os.pread(one.file, 1 << 20, offset):
                copy.write(block)
                offset += len(block)
        return str(path)


def _here(one: _Growing) -> str:
    """Its path where that is this machine's own, so that it can be read when its program has ended."""
    with contextlib.suppress(OSError):
        if os.path.samestat(os.lstat(one.path), os.fstat(one.file)):
            return one.path
    return ""


def wheres(process: Process, runtime: str, is_directory: Callable[[str], bool]) -> Iterator[Where]:
    """Where a program would write dumps of itself, by its runtime, command line and environment."""
    if runtime == "jvm":
        said = stated(process).get(PATH, "")
        whole = normpath(join(process.directory, said))
        if said and not said.endswith("/") and not is_directory(whole):
            name = re.escape(basename(whole)).replace("%p", r"\d+")
            yield Where(dirname(whole), re.compile(rf"{name}(?:\.\d{{1,4}})?"), "hprof")
        else:
            yield Where(whole, re.compile(r"java_pid\d+\.hprof(?:\.gz)?(?:\.\d{1,4})?"), "hprof")
    elif runtime == "node":
        # Near the limit it writes to the one, when the program asks for it to the other.
        for directory in dict.fromkeys((dump_directory(process), process.directory)):
            yield Where(directory, re.compile(r"Heap[.-]\d+[.-].*\.heapsnapshot"), "heapsnapshot")
    profile = process.environ.get("HEAPPROFILE", "")
    if profile:
        # gperftools marks the first byte, to tell its own children.
        prefix = normpath(join(process.directory, chr(ord(profile[0]) & 0x7F) + profile[1:]))
        yield Where(
            dirname(prefix), re.compile(rf"{re.escape(basename(prefix))}(?:_\d+)?\.\d{{4}}\.heap"), "gperftools"
        )
    for name in ("MALLOC_CONF", "_RJEM_MALLOC_CONF"):
        settings = dict(word.partition(":")[::2] for word in process.environ.get(name, "").split(","))
        if settings.get("prof") == "true":
            prefix = normpath(join(process.directory, settings.get("prof_prefix", "jeprof")))
            pattern = rf"{re.escape(basename(prefix))}\.\d+\.\d+\.[a-z]\d*\.heap"
            yield Where(dirname(prefix), re.compile(pattern), "jemalloc")


def _dumps(hand: Hand, where: Where) -> Iterator[Mapping[str, Any]]:
    for file in hand.listing(where.directory):
        if file["mode"] & _S_IFMT == _S_IFREG and where.name.fullmatch(basename(file["path"])):
            yield file


def _flaw(one: _Growing) -> str:
    """What shows that a dump is not whole yet."""
    if one.format in ("gperftools", "jemalloc"):
        tail = os.pread(one.file, 1 << 20, max(one.size - (1 << 20), 0))
        return "" if _PROFILE_END in tail and tail.endswith(b"\n") else "its list of libraries is missing"
    if one.format == "hprof" and os.pread(one.file, 2, 0) != _GZIP:
        # While it is written its records have no lengths yet, and reading from the beginning is led astray.
        last = os.pread(one.file, _HPROF_END, max(one.size - _HPROF_END, 0))
        if last[:1] != b"\x2c" or last[5:] != bytes(4):
            return "its last record is missing"
    return fault(Path(f"/proc/self/fd/{one.file}"), one.format)


def _may_write(pid: int, runtime: str) -> bool:
    """Whether it is worth a closer look."""
    if runtime in ("jvm", "node"):
        return True
    with contextlib.suppress(OSError):
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        return b"HEAPPROFILE=" in environ or b"prof:true" in environ
    return False


def _pid(target: Target) -> int | None:
    """The number of a target's process on this machine."""
    number = target.reference.removeprefix("pid:") if target.place == "local" else target.labels.get("host_pid", "")
    return int(number) if number.isascii() and number.isdigit() and number != "0" else None


def _process(hand: Hand) -> Process:
    """What tells where dumps go; what may not be read is empty."""
    status = hand.status()
    environ = dict(entry.split("=", 1) for entry in hand.text("environ").split("\0") if "=" in entry)
    command = tuple(hand.text("cmdline").rstrip("\0").split("\0"))
    number = int((status.get("NSpid") or str(hand.pid)).split()[-1])
    return Process(number, hand.uid, hand.gid, 0.0, command, "", environ, hand.link("cwd") or "/")


def _is_directory(hand: Hand, path: str) -> bool:
    found = hand.stat(path)
    return found is not None and found["mode"] & _S_IFMT == 0o040000
