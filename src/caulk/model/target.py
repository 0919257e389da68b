"""What can be captured: a target, the process in it, the room it has, and the volumes it writes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """A program as people name it, and where it was found.

    `reference` finds it again (`pid:1234`, `docker:web`, `k8s:shop/pod/api-0/app`, `http://127.0.0.1:9901`); `labels`
    are what the place knows of it: `image`, `digest`, `container`, `pod`, `namespace`, `node`, `user`.
    """

    place: str
    reference: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Process:
    """A running program, in the terms of its own namespaces; what cannot be read is empty.

    `started` is in seconds since the epoch, to tell it from a later process of the same number. `caught` is the
    kernel's `SigCgt`. `libraries` are the paths of the files it has mapped, `sockets` the inodes of those it has open;
    `sections` are the names of the sections of its executable, which tell who built it.
    """

    pid: int
    uid: int
    gid: int
    started: float
    command: tuple[str, ...] = ()
    executable: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    caught: int = 0
    libraries: frozenset[str] = frozenset()
    threads: int = 1
    sockets: frozenset[int] = frozenset()
    sections: frozenset[str] = frozenset()

    def catches(self, signum: int) -> bool:
        """Whether there is a handler for a signal; without one QUIT, USR1 and USR2 end the process."""
        return bool(self.caught >> (signum - 1) & 1)

    def has_loaded(self, library: str) -> bool:
        """Whether a file of this name is mapped."""
        return any(path.rpartition("/")[2] == library for path in self.libraries)


@dataclass(frozen=True, slots=True)
class Room:
    """What a target may still take, in bytes: `limit` of its cgroup, and what it uses that cannot be dropped."""

    used: int
    limit: int | None = None
    machine: int | None = None
    """What the machine itself has left."""

    @property
    def free(self) -> int | None:
        """Bytes until the limit, or until the machine is full; None where nobody knows."""
        known = [self.machine, None if self.limit is None else max(self.limit - self.used, 0)]
        return min((free for free in known if free is not None), default=None)


@dataclass(frozen=True, slots=True)
class Volume:
    """Where a directory of the target lies: `kind` is the kernel's name of the file system."""

    path: str
    kind: str
    free_bytes: int
    is_writable: bool

    @property
    def is_memory(self) -> bool:
        """Whether files there count against the memory limit."""
        return self.kind in {"tmpfs", "ramfs"}


@dataclass(frozen=True, slots=True)
class FileStat:
    """A file in the target: size in bytes, time of change in seconds since the epoch, and `S_IF…` mode bits."""

    path: str
    size: int
    modified: float
    mode: int
    inode: int = 0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command in the target answered."""

    code: int
    out: bytes
    err: bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a target may stand still before something restarts it: its liveness probe, period × threshold."""

    seconds: float
    what: str
    """For people: `liveness probe, 10 s × 3`."""


@dataclass(frozen=True, slots=True)
class Access:
    """How the user says that a target is reached; empty where nothing was said.

    `port` and `prefix` are of the program's own endpoint (`--port 8080 --prefix /internal`), `headers`, `cacert` and
    `is_insecure` of HTTP to it; `directory` is where in the target a dump may be written. `context` and `kubeconfig`
    are kubectl's; `helper_image` has Python, for containers whose own image lacks what a capture needs.
    """

    port: int | None = None
    prefix: str = ""
    scheme: str = "http"
    headers: Mapping[str, str] = field(default_factory=dict)
    cacert: str = ""
    is_insecure: bool = False
    directory: str = ""
    seconds: float | None = None
    """How long a profile over time is taken (CPU, deltas)."""
    context: str = ""
    kubeconfig: str = ""
    helper_image: str = ""
    state: str = ""
    """A directory where loans of memory are written down."""
