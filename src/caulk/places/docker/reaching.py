"""The verbs on a container that runs: through /proc where it runs here, by a hand beside it elsewhere."""

import contextlib
import secrets
import socket
from collections.abc import Iterator, Sequence
from typing import Any, cast
from urllib.parse import quote

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.target import Access, Patience, Ran, Room, Target
from caulk.places.beside import beside
from caulk.places.docker.engine import Engine, Exec, NotThere
from caulk.places.docker.stopped import Stopped
from caulk.places.eye import Trouble
from caulk.places.hand import Hand
from caulk.places.loans import Limit, lend, recover
from caulk.places.remote import Channel, answer
from caulk.ports import Reach

# To see the files of a process that has rights itself, and to act for its user; only root in the helper has them.
_RIGHTS = ["SYS_PTRACE", "SETUID", "SETGID", "KILL"]


def reach(target: Target, access: Access) -> Reach:
    """The verbs on a container; raises `Unreachable` if there is no such one any more."""
    engine = Engine()
    name = target.labels.get("container") or target.reference.partition(":")[2]
    try:
        found = engine.get(f"/containers/{quote(name)}/json")
    except NotThere as error:
        raise Unreachable(f"{target.reference} is gone", hint="`caulk ps docker:` lists what runs.") from error
    if not found["State"].get("Running"):
        return cast("Reach", Stopped(target, engine, found))
    running = Running(target, engine, found, access)
    running.recover()
    return cast("Reach", running)


class _InContainer:
    """Commands in the container itself."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine, self._container = engine, container

    def start(self, command: Sequence[str], *, has_stdin: bool = False) -> Channel:
        return Exec(self._engine, self._container, command, has_stdin=has_stdin)


class Running:
    """A container that runs: what its engine knows of it, and `inner`, who reaches its process."""

    def __init__(self, target: Target, engine: Engine, found: Any, access: Access) -> None:
        self.target = target
        self._engine, self._found, self._access = engine, found, access
        self._helper = ""
        self._inner: Reach | None = None
        self._failure: CaulkError | None = None

    def __getattr__(self, verb: str) -> Any:
        """The verbs that need no engine are those of who reaches the process."""
        if verb.startswith("_"):
            raise AttributeError(verb)
        return getattr(self.inner, verb)

    @property
    def inner(self) -> Reach:
        """Who reaches the process, found out once; raises `Lacks` with every reason."""
        if self._failure:
            raise self._failure
        if self._inner is None:
            try:
                self._inner = self._here() or self._beside()
            except CaulkError as error:
                self._failure = error
                raise
        return self._inner

    def room(self) -> Room:
        """Of its own limit where nothing inside can tell it."""
        limit = self._found["HostConfig"].get("Memory") or None
        machine = None
        with contextlib.suppress(Lacks):
            room = self.inner.room()
            if room.limit is not None or limit is None:
                return room
            machine = room.machine
        # Without one-shot the engine looks twice, a second apart.
        asked = {"stream": "false", "one-shot": "true"}
        stats = self._engine.get(f"/containers/{self._found['Id']}/stats", **asked)["memory_stats"]
        if "usage" not in stats:
            raise Unreachable(f"{self.target.reference} does not run any more")
        cached = stats.get("stats", {}).get("inactive_file", stats.get("stats", {}).get("total_inactive_file", 0))
        return Room(max(int(stats["usage"]) - int(cached), 0), limit, machine)

    def patience(self) -> Patience | None:
        """None: an engine marks what does not answer as unhealthy, and leaves it running."""
        return None

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """A command of the image, as the container's user."""
        return answer(_InContainer(self._engine, self._found["Id"]), command, stdin, timeout_s)

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        """As who reaches the process does it; where the image's shell cannot, by the helper."""
        try:
            return self.inner.connect(address)
        except Lacks:
            if not self._access.helper_image:
                raise
            return self._in_helper().connect(address)

    @contextlib.contextmanager
    def lend(self, size: int) -> Iterator[int]:
        """As `docker update --memory` does it, without a restart."""
        memory = self._found["HostConfig"].get("Memory")
        if not memory:
            raise Lacks(f"{self.target.reference} has no memory limit that could be raised.")
        with lend(self._access.state, self._limit(), memory, size) as lent:
            yield lent

    def recover(self) -> None:
        """Takes back what was lent by a caulk that was killed."""
        recover(self._access.state, self._limit())

    def _limit(self) -> Limit:
        container, config = self._found["Id"], self._found["HostConfig"]

        def change(limit: int) -> None:
            # The limit on memory and swap together moves along, where there is one.
            swap = config["MemorySwap"] + limit - config["Memory"] if config["MemorySwap"] > 0 else config["MemorySwap"]
            self._engine.post(f"/containers/{container}/update", {"Memory": limit, "MemorySwap": swap})

        return Limit(f"docker-{container[:12]}", change, lambda: self.room().used)

    def close(self) -> None:
        """Lets go, and removes the helper."""
        if self._inner is not None:
            self._inner.close()
        if self._helper:
            self._engine.delete(f"/containers/{self._helper}", force="1")
            self._helper = ""

    def _here(self) -> Reach | None:
        """Its process among those of this machine; None if the engine runs elsewhere, or rights are missing."""
        if not self._engine.is_here:
            return None
        from caulk.places import local  # noqa: PLC0415 - Linux only, and the engine may run elsewhere

        container = self._found["Id"]
        try:
            main = Hand(self._found["State"]["Pid"])
            if container not in main.text("cgroup") and container not in main.text("mountinfo"):
                return None
            main.root()
            pid = _largest(container, main)
        except (Trouble, OSError):
            return None
        inner = local.reach(Target("local", f"pid:{pid}", self.target.name), self._access)
        inner.target = self.target
        return inner

    def _beside(self) -> Reach:
        """A hand in the container, if its image has Python, or in a helper that shares its namespaces."""
        reasons = []
        for way in (self._in_image, self._in_helper):
            try:
                return way()
            except (Lacks, CaptureFailed) as error:
                reasons.append(str(error))
        raise Lacks(
            f"the process in {self.target.reference} cannot be reached: {'; '.join(reasons)}",
            hint="Run caulk on the engine's machine as root, or give --helper-image an image that has Python.",
        )

    def _in_image(self) -> Reach:
        return cast("Reach", beside(self.target, _InContainer(self._engine, self._found["Id"])))

    def _in_helper(self) -> Reach:
        image = self._access.helper_image
        if self._helper:
            return cast("Reach", beside(self.target, _InContainer(self._engine, self._helper)))
        if not image:
            raise Lacks("no --helper-image was given")
        container = self._found["Id"]
        made = self._engine.post(
            "/containers/create",
            {
                "Image": image,
                "User": self._found["Config"].get("User") or "",
                "Entrypoint": ["python3", "-c", "import sys; sys.stdin.read()"],
                "OpenStdin": True,
                "AttachStdin": False,
                "NetworkDisabled": False,
                "Labels": {"caulk.helper": self.target.reference},
                "HostConfig": {
                    "PidMode": f"container:{container}",
                    "NetworkMode": f"container:{container}",
                    "CapDrop": ["ALL"],
                    "CapAdd": _RIGHTS,
                    "SecurityOpt": ["no-new-privileges"],
                    "ReadonlyRootfs": True,
                    "AutoRemove": True,
                },
            },
            name=f"caulk-{secrets.token_hex(4)}",
        )
        self._helper = made["Id"]
        self._engine.post(f"/containers/{self._helper}/start")
        return cast("Reach", beside(self.target, _InContainer(self._engine, self._helper)))


def _largest(container: str, main: Hand) -> int:
    """Of a container's processes the one with the most memory: what starts it (a shell, tini) is small."""
    from caulk.places import local  # noqa: PLC0415 - as above

    largest = (local.reading(main.pid), main.pid)
    for process in local.processes():
        reading = local.reading(process.pid)
        most = largest[0].rss if largest[0] else 0
        if reading and reading.rss > most and container in Hand(process.pid).text("cgroup"):
            largest = (reading, process.pid)
    return largest[1]
