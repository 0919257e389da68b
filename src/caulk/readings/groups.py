"""Cgroups as a source: a service of systemd, or whatever else is charged as one, without asking who runs it.

What is charged to the group stands for what is resident; page cache is told apart by its `memory.stat`. The processes
in it may come and go: a kill for memory is counted by the group.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from caulk.model.errors import Unreachable
from caulk.model.watching import Observation, Workload
from caulk.readings import cgroups
from caulk.readings.lives import Life, Lives


class Groups:
    """The cgroups at `path`, below where they are mounted; `*` in it stands for any characters between slashes."""

    def __init__(self, path: str, *, mount: str = cgroups.MOUNT) -> None:
        self.name = f"cgroup:{path}"
        self._path, self._mount = path, mount
        self._lives = Lives()

    async def read(self) -> Sequence[Observation]:
        """The memory of each; raises `Unreachable` if there is none."""
        at, seen = time.time(), []
        for path in self._paths():
            group = cgroups.at(path, mount=self._mount)
            usage = group.usage() if group else None
            if group and usage:
                life = Life(limit=group.limit(), kills=usage.oom_kills)
                events = self._lives.events(path, at, life)
                workload = Workload(f"cgroup:{path}", PurePosixPath(path).name or path)
                seen.append(Observation(workload, "", usage.reading(at), events, limit=life.limit))
        if not seen:
            raise Unreachable(
                f"no cgroup that counts memory is called {self._path}", hint="`systemd-cgls` shows them, as paths."
            )
        return seen

    def state(self) -> Mapping[str, Any]:
        """How often each was killed, and its limit."""
        return {"lives": self._lives.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows them again."""
        self._lives.restore(state.get("lives", {}))

    async def close(self) -> None:
        """Nothing is open."""

    def _paths(self) -> list[str]:
        if "*" not in self._path:
            return [self._path]
        pattern = self._path.strip("/")
        bases = (Path(self._mount), Path(self._mount, "memory"), Path(self._mount, "unified"))
        found = (f"/{one.relative_to(base)}" for base in bases for one in base.glob(pattern) if one.is_dir())
        return sorted(set(found))
