"""Captures on disk: a directory each, with the file, its manifest, and an empty file `done` once all of it is there.

The manifests are the truth; whatever else lists captures is an index that can be made again. Everything is its owner's
alone (directories 0700, files 0600). The order of steps makes every crash visible to the next start:

    1. the directory, with a manifest that says `complete: false`
    2. `NAME.part` grows; the manifest says what lies in the target (`remote`)
    3. `NAME.part` becomes `NAME`, the manifest says `complete: true`, `done` appears
    4. the file in the target is removed, the manifest forgets `remote`

Files beside a capture (the binary of an Envoy, the scripts of a Node.js) are the same again and again: their content is
kept once, in `blobs` under its SHA-256, with hard links to it. Captures that nobody needs at once can be packed (zstd).

A directory without a manifest is from a crash within step 1 and holds nothing; without `done` it can be resumed if the
manifest has a `remote`; with `done` and a `remote` that is to be removed, step 4 is done again.
"""

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from caulk.model.capture import Manifest, Remote
from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed, UsageError
from caulk.store.packing import PAYS, saves, zipped

_MANIFEST, _DONE, _PART, _BLOBS = "manifest.json", "done", ".part", "blobs"
_BLOCK = 1 << 20
#: So much comes before the disk is told to begin with it.
_FLUSHED = 64 << 20
_IDLE: "Future[None]" = Future()
_IDLE.set_result(None)


@dataclass(frozen=True, slots=True)
class Entry:
    """A capture in the store."""

    directory: Path
    manifest: Manifest

    @property
    def path(self) -> Path:
        """Its file; for an incomplete one, what there is of it."""
        whole = self.directory / self.manifest.path
        return whole if self.manifest.complete else whole.with_name(whole.name + _PART)

    @property
    def size_bytes(self) -> int:
        """What it takes on disk, with everything beside it."""
        return sum(file.stat().st_size for file in self.directory.iterdir() if file.is_file())

    @property
    def age_s(self) -> float:
        """Seconds since it was begun."""
        return max(time.time() - self.directory.stat().st_mtime, 0.0)


class Draft:
    """A capture that is being written: bytes are hashed as they come. It is a `Sink`.

    Another thread hashes while the next bytes come; one piece waits for it at most.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._pool = ThreadPoolExecutor(1, "caulk draft")
        self._hashing = _IDLE
        self._digest = hashlib.sha256()
        self._file = os.fdopen(os.open(entry.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        while block := self._file.read(_BLOCK):
            self._digest.update(block)

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self._file.tell()

    @property
    def sha256(self) -> str:
        """Of the bytes that are here."""
        self._hashing.result()
        return self._digest.copy().hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """The next bytes; raises `CaptureFailed` if the disk is full."""
        view = memoryview(data)
        for at in range(0, len(view), _BLOCK):
            # Its owner may change what is no `bytes` once we return.
            self._append(data if len(view) <= _BLOCK and isinstance(data, bytes) else bytes(view[at : at + _BLOCK]))

    def _append(self, piece: bytes) -> None:
        self._hashing.result()
        self._hashing = self._pool.submit(self._digest.update, piece)
        view = memoryview(piece)
        with _writing(self.entry.path):
            while view:
                view = view[self._file.write(view) :]
            new = self.size % _FLUSHED
            if new < len(piece) and hasattr(os, "posix_fadvise"):
                # The kernel begins to write what it is told not to keep; else all of the file waits for its end.
                began = max(self.size - new - _FLUSHED, 0)
                os.posix_fadvise(self._file.fileno(), began, _FLUSHED, os.POSIX_FADV_DONTNEED)

    def restart(self) -> None:
        """Forgets the bytes that are here."""
        self._hashing.result()
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()

    def leaving(self, path: str) -> None:
        """Notes what will lie in the target, of a size that nobody knows yet."""
        self.say(remote=Remote(path, 0, remove=True))

    def beside(self, name: str, data: bytes | memoryview) -> None:
        """A further file of the capture."""
        name, digest = _plain(name), hashlib.sha256(data).hexdigest()
        blobs = self.entry.directory.parent / _BLOBS
        blobs.mkdir(mode=0o700, exist_ok=True)
        if not (blobs / digest).exists():
            _write(blobs / digest, data)
        (self.entry.directory / name).unlink(missing_ok=True)
        os.link(blobs / digest, self.entry.directory / name)
        self.say(files={**self.entry.manifest.files, name: digest})

    def progress(self, done: float, total: float, step: str) -> None:
        """Nobody hears; who takes the capture may wrap the draft."""

    def say(self, **changes: object) -> None:
        """Changes the manifest."""
        manifest = replace(self.entry.manifest, **changes)  # type: ignore[arg-type]
        self.entry = Entry(self.entry.directory, manifest)
        _write(self.entry.directory / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))

    def keep(self, **changes: object) -> Entry:
        """Makes the capture complete: it is on disk, under its name, and says so."""
        with _writing(self.entry.path):
            os.fsync(self._file.fileno())
        size, digest = self.size, self.sha256
        self._close()
        self.entry.path.rename(self.entry.directory / self.entry.manifest.path)
        self.say(complete=True, size_bytes=size, sha256=digest, **changes)
        _write(self.entry.directory / _DONE, b"")
        _sync(self.entry.directory)
        return self.entry

    def leave(self) -> None:
        """Leaves a partial capture to be resumed where that can be done, and nothing at all where it cannot."""
        size = self.size
        self._close()
        if self.entry.manifest.remote is None:
            shutil.rmtree(self.entry.directory, ignore_errors=True)
        else:
            # On a full disk the manifest stays as it was, which is as true.
            with suppress(CaptureFailed):
                self.say(size_bytes=size)

    def _close(self) -> None:
        self._pool.shutdown()
        self._file.close()


class Captures:
    """The directory that captures lie in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self, manifest: Manifest, suffix: str) -> Draft:
        """A new capture of the manifest's target."""
        self._make()
        now = datetime.now(UTC)
        stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"
        number = f"{stamp}-{_plain(manifest.target.name)[:40]}-{secrets.token_hex(2)}"
        directory = self.root / number
        directory.mkdir(mode=0o700)
        draft = Draft(Entry(directory, replace(manifest, id=number, path=f"heap{suffix}")))
        draft.say()
        return draft

    def resume(self, entry: Entry) -> Draft:
        """An incomplete capture, to go on with."""
        return Draft(entry)

    def all(self) -> list[Entry]:
        """Every capture, the newest first; incomplete ones too. What crashed before it was one is removed."""
        found = []
        for directory in sorted(self.root.glob("*T*Z-*"), reverse=True):
            try:
                raw = (directory / _MANIFEST).read_bytes()
                manifest = decoded(raw, Manifest)
            except FileNotFoundError:
                # Another caulk may be making it right now.
                if time.time() - directory.stat().st_mtime > 60:
                    shutil.rmtree(directory, ignore_errors=True)
                continue
            except (OSError, msgspec.MsgspecError):
                continue
            found.append(Entry(directory, self._settled(directory, manifest)))
        return found

    def find(self, name: str) -> Entry:
        """The capture whose id begins with `name`, or that ends with it; `latest` is the newest."""
        entries = self.all()
        if name == "latest":
            matching = entries[:1]
        else:
            matching = [e for e in entries if e.manifest.id == name] or [
                e for e in entries if e.manifest.id.startswith(name) or e.manifest.id.endswith(f"-{name}")
            ]
        if len(matching) != 1:
            known = ", ".join(e.manifest.id for e in (matching or entries)[:5]) or "there are none"
            raise UsageError(
                f"{name!r} is {'no capture' if not matching else 'more than one capture'}", hint=f"Captures: {known}."
            )
        return matching[0]

    def unfinished(self, reference: str) -> list[Entry]:
        """Captures of a target that have something left in it, the oldest first."""
        return [e for e in reversed(self.all()) if e.manifest.remote and e.manifest.target.reference == reference]

    def release(self, entry: Entry) -> None:
        """Notes that nothing of the capture is left in the target."""
        manifest = replace(entry.manifest, remote=None)
        _write(entry.directory / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))

    def remove(self, entry: Entry) -> None:
        """Deletes a capture."""
        # What is half deleted must not look complete.
        (entry.directory / _DONE).unlink(missing_ok=True)
        shutil.rmtree(entry.directory)
        for digest in entry.manifest.files.values():
            blob = self.root / _BLOBS / digest
            if blob.exists() and blob.stat().st_nlink == 1:
                blob.unlink()

    def pack(self, entry: Entry) -> Entry:
        """Compresses the file of a complete capture where that saves a quarter; analyses read it as it is then."""
        source = entry.path
        if entry.manifest.packed_bytes is not None or not entry.manifest.complete:
            return entry
        packed = source.with_name(source.name + ".zst")
        if not saves(source) or zipped(source, packed) > source.stat().st_size * (1 - PAYS):
            packed.unlink(missing_ok=True)
            return entry
        manifest = replace(entry.manifest, path=packed.name, packed_bytes=packed.stat().st_size)
        _write(entry.directory / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        source.unlink()
        return Entry(entry.directory, manifest)

    def excess(self, most_bytes: int | None, most: int | None, oldest_s: float | None) -> list[Entry]:
        """What goes to keep within quotas: the oldest first; the newest complete capture of each target stays."""
        entries = self.all()
        newest: dict[str, Entry] = {}
        for entry in entries:
            if entry.manifest.complete:
                newest.setdefault(entry.manifest.target.reference, entry)
        sizes = {entry.manifest.id: entry.size_bytes for entry in entries}
        kept_bytes, kept, gone = sum(sizes[e.manifest.id] for e in newest.values()), len(newest), []
        for entry in (e for e in entries if e not in newest.values()):
            size = sizes[entry.manifest.id]
            if (
                (most_bytes is not None and kept_bytes + size > most_bytes)
                or (most is not None and kept >= most)
                or (oldest_s is not None and entry.age_s > oldest_s)
            ):
                gone.append(entry)
            else:
                kept_bytes, kept = kept_bytes + size, kept + 1
        return gone[::-1]

    @contextmanager
    def lock(self, reference: str) -> Iterator[None]:
        """One capture at a time of a target; raises `CaptureFailed` while another caulk takes one."""
        self._make()
        locks = self.root / "locks"
        locks.mkdir(mode=0o700, exist_ok=True)
        path = locks / hashlib.sha256(reference.encode()).hexdigest()[:24]
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _locked(descriptor):
                who = os.read(descriptor, 32).decode(errors="replace").strip()
                raise CaptureFailed(
                    f"another capture of {reference} is being taken{f' (by process {who})' if who else ''}",
                    hint="Wait until it is done; `caulk captures` lists it.",
                )
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def free_bytes(self) -> int:
        """What the disk under the store has left."""
        self._make()
        return shutil.disk_usage(self.root).free

    def _make(self) -> None:
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{self.root} cannot be made: {error.strerror}", hint="CAULK_HOME chooses another directory."
            ) from None

    @staticmethod
    def _settled(directory: Path, manifest: Manifest) -> Manifest:
        """The manifest, true to the files: a crash within step 3 left them one step ahead, or behind."""
        whole = directory / manifest.path
        size = manifest.size_bytes if manifest.packed_bytes is None else manifest.packed_bytes
        if manifest.complete and whole.is_file() and whole.stat().st_size == size:
            (directory / _DONE).touch(mode=0o600)
            return manifest
        if not manifest.complete and whole.is_file():
            whole.rename(whole.with_name(whole.name + _PART))
        return replace(manifest, complete=False)


def manifest_in(directory: Path) -> Manifest | None:
    """The manifest of a capture's directory; None if it has none that can be read."""
    try:
        return decoded((directory / _MANIFEST).read_bytes(), Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def total(entries: Iterable[Entry]) -> int:
    """Bytes on disk of all of them."""
    return sum(entry.size_bytes for entry in entries)


def _plain(name: str) -> str:
    """A name that is safe in a path."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "target"


def _write(path: Path, data: bytes | memoryview) -> None:
    """A private file, whole or as it was before; raises `CaptureFailed` if the disk is full."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _writing(path):
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CaptureFailed(
            f"{path} cannot be written: {error.strerror}",
            hint="Free some space there, or set CAULK_HOME to another disk, and run the same command again.",
        ) from error


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Whether the lock of the file is ours now; it goes with the process, however that ends."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        import msvcrt  # noqa: PLC0415 - only there

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
