"""Dumps that a browser sent: private files, each in a directory of its own, and known once all of it is here.

uploads/NUMBER/dump         the file
uploads/NUMBER/name.json    what the sender called it: a label, and no path
uploads/NUMBER/dump.part    one that still comes, or never came to its end: a later start removes it
"""

import asyncio
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from caulk.views.markup import plain
from caulk.web.errors import NoRoom

_DUMP, _PART, _NAME = "dump", "dump.part", "name.json"
_NUMBER = re.compile(r"[0-9a-f]{16}")
_LONGEST_NAME = 200
_PIECE = 1 << 20
#: What has not grown for so long is not being sent to another caulk either.
_STALE_S = 3600.0
#: Room that the disk keeps, for whatever else lives on it.
_SPARED = 256 << 20


class Uploads:
    """The directory that they lie in; it is made with the first."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def all(self) -> Iterator[tuple[Path, str]]:
        """Each file with its label, the oldest first. What never came to its end is removed."""
        found = [path for path in self._root.glob("*") if _NUMBER.fullmatch(path.name)]
        for directory in sorted(found, key=lambda path: path.stat().st_mtime):
            part = directory / _PART
            if (directory / _DUMP).is_file():
                yield directory / _DUMP, _label(directory)
            elif not part.is_file() or time.time() - part.stat().st_mtime > _STALE_S:
                shutil.rmtree(directory, ignore_errors=True)

    async def take(self, body: AsyncIterator[bytes], name: str) -> tuple[Path, str]:
        """Writes a body as it comes; gives the file and its label.

        Nothing is left of one that is cut off. Raises `NoRoom`.
        """
        directory = self._root / secrets.token_hex(8)
        label = plain(name, limit=_LONGEST_NAME).strip() or "upload"
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.mkdir(mode=0o700)
            with _private(directory / _PART) as file:
                async for piece in _pieces(body):
                    await asyncio.to_thread(self._write, file, piece)
            with _private(directory / _NAME) as file:
                file.write(msgspec.json.encode(label))
            (directory / _PART).rename(directory / _DUMP)
        except OSError as error:
            shutil.rmtree(directory, ignore_errors=True)
            raise NoRoom(f"the upload cannot be kept: {error.strerror}", hint="Free some space on the disk.") from None
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        return directory / _DUMP, label

    def remove(self, file: Path) -> None:
        """Deletes one of `all`."""
        shutil.rmtree(file.parent, ignore_errors=True)

    def _write(self, file: BinaryIO, piece: bytes) -> None:
        if shutil.disk_usage(self._root).free < _SPARED + len(piece):
            raise NoRoom("the upload cannot be kept: the disk is nearly full", hint="Free some space on the disk.")
        file.write(piece)


async def _pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces that are worth a thread's while."""
    waiting = bytearray()
    async for some in body:
        waiting += some
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _label(directory: Path) -> str:
    with suppress(OSError, msgspec.MsgspecError):
        return plain(msgspec.json.decode((directory / _NAME).read_bytes(), type=str), limit=_LONGEST_NAME)
    return "upload"
