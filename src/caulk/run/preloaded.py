"""The dumps that preloaded allocators write: whose they are, and which are worth watching."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from caulk.places import local
from caulk.run.sources import Dumped
from caulk.runtimes import native


class Preloaded:
    """The dumps in the workspace, of all processes below `root`."""

    def __init__(self, workspace: Path) -> None:
        self.root = 0
        self._workspace = workspace

    def processes(self) -> set[int]:
        """Those worth watching: the command itself, and who has allocated enough for a dump before its end."""
        found = {self._pid(pid): dumps for pid, dumps in native.dumps(self._workspace).items()}
        return {pid for pid, dumps in found.items() if pid == self.root or not native.is_last(dumps[0])}

    def source(self, pid: int) -> Dumped:
        """Where the captures of that process come from."""
        return Dumped(native.NAME, native.SUFFIX, partial(self._written, pid))

    def thin(self, pids: Collection[int]) -> None:
        """Deletes the dumps of those processes."""
        for pid, dumps in native.dumps(self._workspace).items():
            if self._pid(pid) in pids:
                for path in dumps:
                    path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Deletes what nobody took."""
        self.thin({self._pid(pid) for pid in native.dumps(self._workspace)})

    def _pid(self, pid: int | None) -> int:
        return self.root if pid is None else pid

    def _written(self, pid: int) -> list[Path]:
        found = [path for key, some in native.dumps(self._workspace).items() if self._pid(key) == pid for path in some]
        # What is still being written is not a dump yet.
        return found[:-1] if found and local.has_open(pid, found[-1]) else found
