"""Heap dumps of a running JVM: `GC.heap_dump` into a file of the target, which is fetched and removed.

By default after a full collection, so that it has only what is live; `-all` has the garbage too. `-gz` packs it (JDK
15 and later), `-parallel` writes with several threads (JDK 22 and later), each into a file of its own first. The JVM
answers in words; that a dump succeeded is told by `Heap dump file created [N bytes in S secs]`.
"""

import contextlib
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from posixpath import dirname, join

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Volume
from caulk.ports import Reach, Sink
from caulk.runtimes.jvm import figures
from caulk.runtimes.jvm.channel import Channel, channel
from caulk.runtimes.jvm.checks import room_for_dumps
from caulk.runtimes.jvm.makeup import UNKNOWN
from caulk.runtimes.jvm.survey import Survey
from caulk.runtimes.jvm.volumes import best

#: Seconds: for a byte of heap, an object that is collected, walked and written, or only the latter; for a byte of dump
#: that is packed, and more the less it shrinks.
_LEAST_PAUSE_S, _S_PER_BYTE, _S_PER_OBJECT, _ALL_S_PER_OBJECT = 0.1, 0.8e-9, 165e-9, 130e-9
_PACKED_S_PER_BYTE, _S_PER_PACKED_BYTE = 0.7e-9, 13e-9
_PATIENCE_S, _SLOWEST_BYTES_S = 300.0, 2e6
_WRITERS = 4
_PARALLEL_SINCE = 22
#: Of the dump, on disk when the parts that the writers wrote are put together, one after the other.
_IN_PARTS = 1.75
#: Several writers only where their files and buffers are no matter.
_WRITER_BYTES, _TIMES_ROOM = 64 << 20, 4
_LOOK_S = 2.0

_CREATED = re.compile(r"Heap dump file created \[(\d+) bytes in (\d+(?:\.\d+)?) secs\]")


@dataclass(slots=True)
class HeapDump:
    """One kind of live dump; `option` is that of `GC.heap_dump`, which came with the JDK that `since` names."""

    survey: Survey
    name: str
    alias: str
    option: str = ""
    since: int = 0
    suffix: str = ".hprof"
    evidence: Evidence = "graph"
    format: str = "hprof"

    def check(self) -> Check:
        """Whether the JVM answers, and has a directory to write to."""
        now = self.survey
        found = now.door
        if not found.is_open:
            return found.check
        if now.release and now.release < self.since:
            return Check(
                "impossible", f"GC.heap_dump has no {self.option} before JDK {self.since}; this is {now.release}"
            )
        room = room_for_dumps(now.reach.target, now.volumes, now.access.directory)
        return room if room.standing != "ready" else Check("ready", f"{found.check.why}; {room.why}")

    def cost(self) -> Cost:
        """By the heap now; garbage counts, as nobody knows what is garbage before it is collected."""
        now = self.survey
        size = self._size(now)
        volume = best(now.volumes, size)
        extra = figures.extra_bytes(now.heap) if self.option != "-all" else figures.BASE_BYTES
        is_guess = self._is_packed and now.makeup is UNKNOWN
        return Cost(
            pause_s=round(self._pause_s(now), 3),
            extra_bytes=extra + now.door.extra_bytes,
            disk_bytes=round(size * _IN_PARTS) if self._is_in_parts(volume, size) else size,
            directory=volume.path if volume else "",
            size_bytes=size,
            risk="the heap may not shrink to half when packed" if is_guess else "",
        )

    def take(self, sink: Sink) -> Taken:
        """Has the JVM write the dump; what it began is removed if that fails, or `sink` ends it."""
        now, reach = self.survey.again(), self.survey.reach
        jvm = channel(reach)
        size = self._size(now)
        volume = best(now.volumes, size)
        if volume is None:
            raise CaptureFailed("there is no directory for a heap dump in the target", hint=self.check().fix)
        options = self._options(jvm, volume, size)
        path = join(volume.path, f"caulk-{now.process.pid}-{secrets.token_hex(4)}{self.suffix}")
        sink.progress(0, size, "the JVM writes its heap")
        sink.leaving(path)
        with _cleared(reach, path):
            patience = _PATIENCE_S + size / _SLOWEST_BYTES_S
            said = jvm.command(
                f'GC.heap_dump {options}"{path}"', timeout_s=patience, tick=_Watch(reach, path, size, sink)
            ).decode(errors="replace")
            created = _CREATED.search(said)
            if created is None:
                raise _failure(said, volume)
        facts = {"jvm": _version(jvm), "command": f"GC.heap_dump {options}".strip(), "by": jvm.name}
        return Taken(path, remove=True, facts={**facts, "pause_s": created[2]})

    def _size(self, now: Survey) -> int:
        return figures.packed_bytes(now.heap, now.makeup) if self._is_packed else now.dump_bytes

    @property
    def _is_packed(self) -> bool:
        return self.suffix.endswith(".gz")

    def _pause_s(self, now: Survey) -> float:
        each = _ALL_S_PER_OBJECT if self.option == "-all" else _S_PER_OBJECT
        walked = _LEAST_PAUSE_S + now.heap.used * (_S_PER_BYTE + each * now.makeup.objects)
        packed = now.dump_bytes * (_PACKED_S_PER_BYTE + _S_PER_PACKED_BYTE * now.makeup.packed)
        return walked + packed * self._is_packed

    def _options(self, jvm: Channel, volume: Volume, size: int) -> str:
        """The options, each behind it a space, of which the JVM offers all."""
        offered = jvm.command("help GC.heap_dump")
        if self.option and self.option.partition("=")[0].encode() not in offered:
            raise CaptureFailed(f"this JVM's GC.heap_dump has no {self.option}", hint=f"It came with JDK {self.since}.")
        options = [self.option] if self.option else []
        if b"-parallel" in offered and self._is_roomy(volume, size):
            options.append(f"-parallel={_WRITERS}")
        return "".join(f"{option} " for option in options)

    def _is_in_parts(self, volume: Volume | None, size: int) -> bool:
        return (self.survey.release or 0) >= _PARALLEL_SINCE and volume is not None and self._is_roomy(volume, size)

    def _is_roomy(self, volume: Volume, size: int) -> bool:
        room = self.survey.reach.room().free
        return volume.free_bytes > _TIMES_ROOM * size and (room is None or room > _TIMES_ROOM * _WRITER_BYTES)


class _Watch:
    """Tells how far a dump is, by its file."""

    def __init__(self, reach: Reach, path: str, size: int, sink: Sink) -> None:
        self._reach, self._path, self._size, self._sink = reach, path, size, sink
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._next:
            return
        found = self._reach.stat(self._path)
        self._sink.progress(min(found.size, self._size) if found else 0, self._size, "the JVM writes its heap")
        self._next = time.monotonic() + _LOOK_S


@contextmanager
def _cleared(reach: Reach, path: str) -> Iterator[None]:
    """Removes what there is of a dump if it fails: the file, and those of several writers beside it."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(CaulkError):
            for found in reach.listing(dirname(path)):
                if found.path == path or found.path.startswith(path + ".p"):
                    reach.remove(found.path)
        raise


def _failure(said: str, volume: Volume) -> CaptureFailed:
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("Dumping heap to")]
    why = "; ".join(lines)[:400] or "it did not say why"
    free = f"{volume.path} had {volume.free_bytes >> 20:,} MiB left."
    return CaptureFailed(f"the JVM could not write the dump: {why}", hint=f"{free} --directory names another.")


def _version(jvm: Channel) -> str:
    with contextlib.suppress(CaulkError):
        return jvm.command("VM.version").decode(errors="replace").partition("\n")[0].strip()
    return ""
