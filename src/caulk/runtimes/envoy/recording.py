"""Envoy built with gperftools: `/heapprofiler` records for a while, into files beside Envoy, which are fetched.

Source: envoy `source/server/admin/profiling_handler.cc` and `source/common/profiler/profiler.cc`. `enable=y` answers
200, 400 where it records already and 501 where gperftools is not built in; `enable=n` writes `PROFILE_PATH.NNNN.heap`,
names the prefix and stops. Between the two gperftools writes a file for every GiB allocated and every 100 MiB grown.
The profile has addresses only: the binary goes with it.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import FileStat
from caulk.ports import Reach, Sink
from caulk.runtimes import gperftools
from caulk.runtimes.binary import binary
from caulk.runtimes.envoy.admin import Search, explained
from caulk.runtimes.envoy.switch import Switch
from caulk.runtimes.envoy.ways import beside_figures, facts
from caulk.runtimes.waiting import duration, wait

_MIB = 1 << 20
#: As gperftools is set up by default, and how many of its files are kept beside the last one.
_GROWTH_STEP, _MOST_FILES = 100 * _MIB, 16
_WRITTEN = re.compile(r"data written to (\S+)\. See")
#: A recording that shows less of what the allocator gave out is explained.
_LEAST_SHARE = 0.05
_FOLDER = """volumes: [{{name: heap-profiles, emptyDir: {{}}}}]
containers: [{{volumeMounts: [{{name: heap-profiles, mountPath: {folder}}}]}}]"""


class HeapProfiler:
    """What was allocated while it recorded, and is still live."""

    name, alias = "admin:heapprofiler", "heapprofiler"
    evidence: Evidence = "profile"
    format, suffix = gperftools.NAME, gperftools.SUFFIX

    def __init__(self, search: Search) -> None:
        self._search, self._seconds = search, duration(search.access)

    def check(self) -> Check:
        """Asks without saying what to do, which tells whether it could; and whether its files could be fetched."""
        if trouble := self._search.check():
            return trouble
        answer = self._search.admin.ask("/heapprofiler", method="POST")
        if answer.status == 501:
            return Check("impossible", f"{answer.url}: {answer.words}; with tcmalloc, /heap_dump has the live heap")
        if answer.status != 400:
            return explained(answer)
        folder = self._search.profile_path.rpartition("/")[0] or "/"
        try:
            volume = self._search.reach.volume(folder)
        except CaulkError as error:
            return Check(
                "impossible", f"its profile is a file in {folder}, which cannot be reached: {error}", error.hint
            )
        if not volume.is_writable:
            return Check(
                "needs", f"Envoy cannot write its profile: {folder} is not writable", _FOLDER.format(folder=folder)
            )
        return Check("ready", f"{answer.url} records every allocation for {self._seconds} s into {folder}")

    def cost(self) -> Cost:
        """From what the allocator has given out now: what is recorded of it in so short a time is a part of that."""
        search = self._search
        allocated = search.admin.figures.get("allocated", 0)
        files = 2 + allocated // _GROWTH_STEP
        program = binary(search.reach)
        return Cost(
            pause_s=0.2,
            extra_bytes=16 * _MIB + allocated // 10,
            disk_bytes=files * gperftools.MOST_BYTES,
            directory=search.profile_path.rpartition("/")[0] or "/",
            size_bytes=files * gperftools.MOST_BYTES + (program.size() if program else 0),
            risk="Envoy is slower while every allocation is recorded",
        )

    def take(self, sink: Sink) -> Taken:
        """Records; the last file is left in the target to be fetched, the others and the binary go beside it."""
        search, reach = self._search, self._search.reach
        made: list[FileStat] = []
        try:
            made = self._recorded(sink)
            last = made[-1]
            sink.leaving(last.path)
            warnings = [*_kept(reach, made[:-1], sink), *self._warnings(reach, last)]
            if program := binary(reach):
                warnings += filter(None, [program.keep_beside(sink)])
            beside_figures(sink, search.admin)
        except BaseException:
            _removed(reach, made)
            raise
        return Taken(last.path, True, tuple(warnings), {**facts(search), "seconds": str(self._seconds)})

    def _recorded(self, sink: Sink) -> list[FileStat]:
        """The files that were written, the last one last."""
        search, reach, prefix = self._search, self._search.reach, self._search.profile_path
        before = gperftools.dumps(reach, prefix)
        try:
            with Switch(search.admin, "/heapprofiler") as switch:
                wait(self._seconds, sink, "recording allocations")
                said = (switch.off() or b"").decode("utf-8", "replace")
        except BaseException:
            _removed(reach, _made(reach, prefix, before))
            raise
        if (match := _WRITTEN.search(said)) and (told := search.absolute(match[1])) != prefix:
            # Where only Envoy knows the prefix, files from before cannot be told from those of now.
            prefix, before = told, gperftools.dumps(reach, told)[:-1]
        made = _made(reach, prefix, before)
        if not made:
            folder = prefix.rpartition("/")[0]
            raise CaptureFailed(
                f"Envoy wrote no profile to {prefix}.*{gperftools.SUFFIX}, although it said so",
                hint=f"Its directory must be there, and Envoy's to write to:\n{_FOLDER.format(folder=folder)}",
            )
        return made

    def _warnings(self, reach: Reach, last: FileStat) -> Iterator[str]:
        allocated = self._search.admin.figures.get("allocated", 0)
        live = gperftools.live_bytes(reach, last.path)
        if live is not None and live < allocated * _LEAST_SHARE:
            yield (
                f"the profile has {live / _MIB:.1f} MiB, and {allocated / _MIB:.0f} MiB are allocated: gperftools sees"
                f" only what is allocated while it records, which was {self._seconds} s; --seconds N records longer"
            )


def _removed(reach: Reach, files: Sequence[FileStat]) -> None:
    """Leaves nothing of them in the target, as far as it still answers."""
    for file in files:
        with contextlib.suppress(CaulkError):
            reach.remove(file.path)


def _made(reach: Reach, prefix: str, before: Sequence[FileStat]) -> list[FileStat]:
    """The files that are new, or other than before."""
    known = {(file.path, file.inode, file.modified, file.size) for file in before}
    found = gperftools.dumps(reach, prefix)
    return [file for file in found if (file.path, file.inode, file.modified, file.size) not in known]


def _kept(reach: Reach, files: Sequence[FileStat], sink: Sink) -> Iterator[str]:
    """Moves the files of before the end from the target to beside the capture."""
    for file in files[-_MOST_FILES:]:
        sink.beside(file.path.rpartition("/")[2], b"".join(reach.fetch(file.path, 0, gperftools.MOST_BYTES)))
    for file in files:
        reach.remove(file.path)
    if len(files) > _MOST_FILES:
        yield f"{len(files) - _MOST_FILES} of the profiles that were written meanwhile were dropped"
