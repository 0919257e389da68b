"""Heap dumps that a JVM wrote itself when its heap was exhausted: found, and moved away so that the next is not lost.

A JVM opens its dump only if there is none of that name (`File exists`): behind a fixed HeapDumpPath, and behind
java_pidN.hprof of a container, where N is the same after each start, one dump keeps all later ones from being written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from posixpath import basename

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import FileStat
from caulk.ports import Reach, Sink
from caulk.runtimes.jvm.advice import volumes_at
from caulk.runtimes.jvm.checks import unfit
from caulk.runtimes.jvm.flags import ON_OOM, PATH, stated
from caulk.runtimes.jvm.openj9 import explained, is_openj9
from caulk.runtimes.jvm.survey import Survey
from caulk.runtimes.jvm.volumes import oom_directory

_MOVED = r"\.\d{8}T\d{6}Z"
_S_IFMT, _S_IFREG = 0o170000, 0o100000
#: The last record of an HPROF: tag HEAP DUMP END, a time, and the length 0.
_END_TAG, _END_BYTES = 0x2C, 9


@dataclass(slots=True)
class OomDump:
    """The newest dump that is there."""

    survey: Survey
    name: str = "collect:oom-dump"
    alias: str = "oom-dump"
    evidence: Evidence = "graph"
    format: str = "hprof"
    suffix: str = ".hprof"

    def check(self) -> Check:
        """Whether there is a dump; if not, whether the JVM could write one."""
        if is_openj9(self.survey.process):
            return explained()
        found = self._newest()
        if found is None:
            return self._prospect()
        when = f"{_moment(found):%Y-%m-%d %H:%M:%S} UTC"
        if _has_end(self.survey.reach, found) is False:
            return Check("unsafe", f"{found.path} of {when} has no end: it is still being written, or was cut")
        return Check("ready", f"the JVM wrote {found.path} at {when}")

    def cost(self) -> Cost:
        """Only room where the capture is kept."""
        found = self._newest()
        return Cost(size_bytes=found.size if found else 0)

    def take(self, sink: Sink) -> Taken:
        """Moves the dump out of the next one's way; it stays in the target."""
        found = self._newest()
        if found is None:
            raise CaptureFailed("there is no dump that the JVM wrote itself", hint=self.check().fix)
        sink.progress(0, found.size, "a dump is there")
        facts = {"written": found.path, "written_at": f"{_moment(found):%Y-%m-%dT%H:%M:%SZ}"}
        if _has_end(self.survey.reach, found) is False:
            return Taken(found.path, warnings=(f"{found.path} has no end, and stays under its name",), facts=facts)
        if _is_moved(found):
            return Taken(found.path, facts=facts)
        to = f"{found.path}.{_moment(found):%Y%m%dT%H%M%SZ}"
        try:
            self.survey.reach.move(found.path, to)
        except CaulkError as error:
            warning = f"{found.path} stays, and keeps the JVM from writing another one there: {error}"
            return Taken(found.path, warnings=(warning,), facts=facts)
        return Taken(to, facts=facts)

    def _prospect(self) -> Check:
        """What a JVM without a dump would do when its heap is exhausted."""
        reach, switches = self.survey.reach, self.survey.switches
        directory, fixed = oom_directory(reach, self.survey.process, switches.get(PATH, ""))
        where = fixed or directory
        flaw = unfit(reach.volume(directory))
        if switches.get(ON_OOM) != "true":
            fix = f"Start the JVM with -XX:+{ON_OOM} -XX:{PATH}=DIRECTORY, or run `caulk arm {reach.target.reference}`."
            return Check("needs", "the JVM writes no dump when its heap is exhausted, and there is none", fix)
        if flaw:
            why = f"no dump can be written when the heap is exhausted, to {where}: {flaw}"
            return Check("needs", why, volumes_at(reach.target, [directory]))
        return Check("needs", f"there is no dump yet: the JVM writes one to {where} when its heap is exhausted")

    def _newest(self) -> FileStat | None:
        """The newest dump, before any that was moved away already."""
        return max(self._all(), key=lambda dump: (not _is_moved(dump), dump.modified), default=None)

    def _all(self) -> Iterator[FileStat]:
        process = self.survey.process
        number = process.pid or r"\d+"
        own = rf"java_pid{number}\.hprof(\.gz)?"
        paths = [self.survey.switches.get(PATH, ""), stated(process).get(PATH, ""), self.survey.access.directory]
        for path in dict.fromkeys(paths):
            directory, fixed = oom_directory(self.survey.reach, process, path)
            name = re.escape(basename(fixed)).replace("%p", r"\d+") if fixed else own
            is_dump = re.compile(rf"(?:{name})(?:\.\d{{1,4}})?(?:{_MOVED})?").fullmatch
            for found in self.survey.reach.listing(directory):
                if found.mode & _S_IFMT == _S_IFREG and found.size and is_dump(basename(found.path)):
                    yield found


def _has_end(reach: Reach, found: FileStat) -> bool | None:
    """Whether a dump is whole, by its last record; None for a packed one, which says so only to who unpacks it."""
    if found.size < _END_BYTES:
        return False
    if b"".join(reach.fetch(found.path, 0, 2)) == b"\x1f\x8b":
        return None
    last = b"".join(reach.fetch(found.path, found.size - _END_BYTES, _END_BYTES))
    return last[:1] == bytes([_END_TAG]) and last[5:] == bytes(4)


def _is_moved(found: FileStat) -> bool:
    return re.search(_MOVED + "$", found.path) is not None


def _moment(found: FileStat) -> datetime:
    return datetime.fromtimestamp(found.modified, UTC)
