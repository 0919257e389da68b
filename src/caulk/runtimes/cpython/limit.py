"""The graph that an armed program dumped of itself before its memory limit was reached."""

import re
import time

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Access, FileStat
from caulk.ports import Sink
from caulk.runtimes.cpython.probe import Probe

_NAME = re.compile(r"caulk-\d+-\d+\.cgraph")
_FIX = "caulk arm TARGET --directory DIR   # a directory of the program's, on a disk that outlives it"


class LimitDump:
    """The newest of them: where the probe says, or in the directory that the user names if the program has ended."""

    name, alias = "probe:limit-dump", "limit-dump"
    evidence: Evidence = "graph"
    format, suffix = "cpython-graph", ".cgraph"

    def __init__(self, probe: Probe, access: Access) -> None:
        self._probe, self._access = probe, access

    def check(self) -> Check:
        """Whether there is one."""
        found = self._newest()
        if found is None:
            where = f" in {self._directory()}" if self._directory() else ""
            return Check("needs", f"the program has not dumped itself{where}: it does when it is armed", _FIX)
        return Check("ready", f"{found.path} was written {max(time.time() - found.modified, 0):.0f} s ago")

    def cost(self) -> Cost:
        """Nothing is asked of the program."""
        found = self._newest()
        return Cost(size_bytes=found.size if found else 0)

    def take(self, sink: Sink) -> Taken:
        """Names the file; it goes once it is here."""
        found = self._newest()
        if found is None:
            raise CaptureFailed("there is no such dump", hint=_FIX)
        sink.leaving(found.path)
        return Taken(found.path, remove=True, facts={"by": "limit"})

    def _newest(self) -> FileStat | None:
        directory = self._directory()
        if not directory:
            return None
        try:
            files = self._probe.reach.listing(directory)
        except CaulkError:
            return None
        whole = [file for file in files if _NAME.fullmatch(file.path.rpartition("/")[2])]
        return max(whole, key=lambda file: file.modified, default=None)

    def _directory(self) -> str:
        try:
            if not self._access.directory and self._probe.address:
                return self._probe.plan["watch"] or self._probe.plan["dumped"].rpartition("/")[0]
        except CaulkError:
            pass
        return self._access.directory
