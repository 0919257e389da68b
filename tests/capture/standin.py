"""A target made of a directory, and a way that is told what to do: for faults that no real program makes on demand."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from caulk.model.capture import Check, Cost, Taken
from caulk.model.errors import Lacks, Unreachable
from caulk.model.series import Reading
from caulk.model.target import FileStat, Patience, Process, Room, Target, Volume
from caulk.ports import Hashed

PIECE = 1000
NO_COST, READY = Cost(), Check("ready", "")


class Folder:
    """A `Reach` whose files lie in `root`. `cuts` are after how many bytes each next connection drops."""

    def __init__(self, root: Path, cuts: tuple[int, ...] = ()) -> None:
        self.target = Target("local", "pid:7", "shop")
        self.root, self.cuts = root, list(cuts)
        self.is_gone = False
        self.can_hash = self.is_hashing = True
        self.free = 1 << 30
        self.patient: Patience | None = None
        self.space = Volume("/dumps", "ext4", 1 << 30, is_writable=True)
        self.served = 0
        self.lent: list[int] = []

    def process(self) -> Process:
        return Process(7, 0, 0, 1000.0)

    def reading(self) -> Reading:
        self._alive()
        return Reading(0.0, 5 << 20, 4 << 20)

    def room(self) -> Room:
        self._alive()
        return Room(used=(1 << 30) - self.free, limit=1 << 30)

    def patience(self) -> Patience | None:
        return self.patient

    def volume(self, path: str) -> Volume:
        return self.space

    def stat(self, path: str) -> FileStat | None:
        self._alive()
        file = self.root / path.lstrip("/")
        return FileStat(path, file.stat().st_size, 0.0, 0o100600) if file.exists() else None

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        self._alive()
        data = (self.root / path.lstrip("/")).read_bytes()[offset:][:length]
        cut = self.cuts.pop(0) if self.cuts else None
        sent = 0
        while data:
            if cut is not None and sent >= cut:
                raise Unreachable("the connection dropped")
            piece, data = data[:PIECE], data[PIECE:]
            sent += len(piece)
            self.served += len(piece)
            yield piece
        if hashed and self.can_hash and self.is_hashing:
            hashed(self.digest(path, offset + (length or 0)))

    def digest(self, path: str, length: int) -> str:
        self._alive()
        if not self.can_hash:
            raise Lacks("nothing here can hash")
        return hashlib.sha256((self.root / path.lstrip("/")).read_bytes()[:length]).hexdigest()

    def remove(self, path: str) -> None:
        self._alive()
        (self.root / path.lstrip("/")).unlink(missing_ok=True)

    @contextmanager
    def lend(self, size: int) -> Iterator[int]:
        self.lent.append(size)
        try:
            yield size
        finally:
            self.lent.append(-size)

    def close(self) -> None:
        pass

    def _alive(self) -> None:
        if self.is_gone:
            raise Unreachable("pid:7 is gone")


class Told:
    """A `Way` whose `take` is what it is told."""

    name, alias, evidence, format, suffix = "told:dump", "heap", "graph", "heapsnapshot", ".heapsnapshot"

    def __init__(self, take: Callable[..., Taken], cost: Cost = NO_COST, check: Check = READY) -> None:
        self.take, self._cost, self._check = take, cost, check

    def check(self) -> Check:
        return self._check

    def cost(self) -> Cost:
        return self._cost
