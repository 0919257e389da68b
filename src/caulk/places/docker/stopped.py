"""The verbs on a container that does not run: the engine reads its files as a tar, and some can be reached on disk."""

import contextlib
import hashlib
import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from caulk.model.errors import CaptureFailed, Lacks
from caulk.model.target import FileStat, Patience, Process, Target
from caulk.places.answers import as_error
from caulk.places.docker.engine import Engine, NotThere
from caulk.places.eye import Trouble
from caulk.places.hand import Hand
from caulk.places.hashing import alongside
from caulk.ports import Hashed

_PIECE = 1 << 20
_ELSEWHERE = (
    "a container that does not run lets nothing be renamed or removed in it, and its files are not within reach on this"
    " machine: run caulk as root on the machine of the engine"
)


class Stopped:
    """A container that ended: its files can be read, and renamed and removed if the engine keeps them here."""

    def __init__(self, target: Target, engine: Engine, found: Any) -> None:
        self.target = target
        self._engine, self._found = engine, found

    def process(self) -> Process:
        """What ran, by the container's configuration."""
        config, state = self._found["Config"], self._found["State"]
        environ = dict(entry.split("=", 1) for entry in config.get("Env") or [] if "=" in entry)
        command = (*(self._found.get("Path", ""),), *(self._found.get("Args") or ()))
        started = _epoch(state.get("StartedAt", ""))
        return Process(1, 0, 0, started, tuple(command), command[0], environ, config.get("WorkingDir") or "/")

    def patience(self) -> Patience | None:
        """It stands still already."""
        return None

    def stat(self, path: str) -> FileStat | None:
        """The file at `path`."""
        try:
            with self._engine.archive(self._found["Id"], path) as archive:
                member = archive.next()
        except NotThere:
            return None
        if member is None:
            return None
        kind = stat.S_IFDIR if member.isdir() else stat.S_IFREG if member.isreg() else stat.S_IFLNK
        return FileStat(path, member.size, member.mtime, kind | member.mode)

    def listing(self, directory: str) -> Sequence[FileStat]:
        """The files right in a directory."""
        found = []
        try:
            with self._engine.archive(self._found["Id"], directory) as archive:
                for member in archive:
                    parts = member.name.rstrip("/").split("/")
                    if len(parts) == 2:
                        kind = stat.S_IFDIR if member.isdir() else stat.S_IFREG
                        path = f"{directory.rstrip('/')}/{parts[1]}"
                        found.append(FileStat(path, member.size, member.mtime, kind | member.mode))
        except NotThere:
            return []
        return found

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        """Pieces of a file; what comes before `offset` travels too, since a tar has no other way."""
        with alongside(lambda: self.digest(path, offset + (length or 0)), hashed):
            yield from self._fetched(path, offset, length)

    def _fetched(self, path: str, offset: int, length: int | None) -> Iterator[bytes]:
        try:
            with self._engine.archive(self._found["Id"], path) as archive:
                member = archive.next()
                file = archive.extractfile(member) if member else None
                if file is None:
                    raise CaptureFailed(f"{path} of {self.target.reference} is not a regular file")
                left = offset
                while left and (piece := file.read(min(left, _PIECE))):
                    left -= len(piece)
                left = member.size - offset if member and length is None else length or 0
                while left and (piece := file.read(min(left, _PIECE))):
                    left -= len(piece)
                    yield piece
        except NotThere as error:
            raise CaptureFailed(f"there is no {path} in {self.target.reference}") from error

    def digest(self, path: str, length: int) -> str:
        """SHA-256 of the first `length` bytes, as the engine reads them once more; it cannot compute one itself."""
        checked = hashlib.sha256()
        for piece in self._fetched(path, 0, length):
            checked.update(piece)
        return checked.hexdigest()

    def move(self, path: str, to: str) -> None:
        """Renames a file, never onto another: right where the engine keeps it, since its API cannot."""
        if posixpath.dirname(path) != posixpath.dirname(to):
            raise Lacks("In a container that does not run a file can only be renamed within its directory.")
        with self._kept(path) as (hand, kept):
            hand.move(kept, posixpath.join(posixpath.dirname(kept), posixpath.basename(to)))

    def remove(self, path: str) -> None:
        """Deletes a file where the engine keeps it."""
        with self._kept(path) as (hand, kept):
            hand.remove(kept)

    def close(self) -> None:
        """Nothing is open."""

    @contextlib.contextmanager
    def _kept(self, path: str) -> Iterator[tuple[Hand, str]]:
        """A hand on the directory of this machine that has the file, and its path below that."""
        if not self._engine.is_here or self._engine.get(f"/containers/{self._found['Id']}/json")["State"]["Running"]:
            raise Lacks(_ELSEWHERE)
        directory, kept = self._directory(path)
        try:
            root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Lacks(f"{_ELSEWHERE} ({directory}: {error.strerror})") from error
        # The walk never leaves the root, whatever links the container has made there.
        hand = Hand(0, started=0, ids=(os.geteuid(), os.getegid(), os.getgroups()), root=root)
        try:
            here, there = hand.stat(kept), self.stat(path)
            if not here or not there or (here["size"], int(here["modified"])) != (there.size, int(there.modified)):
                # The engine may be another machine's, behind a socket that is forwarded.
                raise Lacks(_ELSEWHERE)
            yield hand, kept
        except Trouble as trouble:
            raise as_error(trouble.kind, str(trouble), trouble.hint) from trouble
        finally:
            hand.close()

    def _directory(self, path: str) -> tuple[str, str]:
        """Where the engine's machine has what a path lies on, and the path below it: a mount, or the writable layer."""
        mounts = {str(mount["Destination"]).rstrip("/"): str(mount["Source"]) for mount in self._found["Mounts"]}
        on = max((at for at in mounts if path.startswith(f"{at}/")), key=len, default="")
        if on:
            return mounts[on], path[len(on) :]
        layers = (self._found.get("GraphDriver") or {}).get("Data") or {}
        if not layers.get("UpperDir"):
            raise Lacks(_ELSEWHERE)
        return str(layers["UpperDir"]), path

    def __getattr__(self, verb: str) -> Any:
        """All other verbs need a process."""
        if verb.startswith("_"):
            raise AttributeError(verb)
        return self._lacks

    def _lacks(self, *_: Any, **__: Any) -> Any:
        state = self._found["State"]
        killed = ", killed when memory ran out" if state.get("OOMKilled") else ""
        raise Lacks(
            f"{self.target.reference} does not run (it ended with {state.get('ExitCode')}{killed})",
            hint="What it wrote at its end can still be collected: `caulk doctor` lists it.",
        )


def _epoch(said: str) -> float:
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(said[:19] + "+00:00").timestamp()
    return 0.0
