"""Names that were found before: one small file a module, so that a second look starts no tool.

A file is named by the build-id (or the content) of the module and by what its names came from: when debug information
arrives later, it is another file. Old ones go when all together grow too large.
"""

import hashlib
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from caulk.model.decoding import decoded
from caulk.symbols.elf import Elf
from caulk.symbols.lines import Calls

_MAX_FILE = 32 << 20
_MAX_ALL = 256 << 20
_MAX_HASHED = 1 << 30
#: Changes when the meaning of what is kept does.
_VERSION = "3"


class Cache:
    """The names kept in `directory`; without one, nothing is kept."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def load(self, key: str) -> dict[int, Calls]:
        """What is known of a module, by virtual address; what is damaged or foreign is as if it were not there."""
        path = self._path(key)
        try:
            if not path or path.stat().st_size > _MAX_FILE:
                return {}
            return decoded(path.read_bytes(), dict[int, Calls])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}

    def save(self, key: str, names: Mapping[int, Calls]) -> None:
        """Keep what is known of a module; a cache that cannot be written is none, and no error."""
        path = self._path(key)
        data = msgspec.json.encode(names)
        if not path or len(data) > _MAX_FILE:
            return
        partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
            partial.replace(path)
            _prune(path.parent)

    def _path(self, key: str) -> Path | None:
        return self._directory / f"{key}.json" if self._directory and key else None


def key_of(binary: Elf | None, debug: Elf | None, tool: str) -> str:
    """What names of these files are kept under; the empty string where they cannot be told from others."""
    parts = [_VERSION, tool]
    for elf in (binary, debug):
        same = elf.build_id or _content(elf) if elf else "-"
        if not same:
            return ""
        parts.append(f"{same}:{elf.has_lines}:{elf.has_symbols}:{elf.size_bytes}" if elf else "-")
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:40]


def _content(elf: Elf) -> str:
    if elf.size_bytes > _MAX_HASHED:
        return ""
    try:
        with elf.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _prune(directory: Path) -> None:
    """Take the oldest away until the rest fits."""
    kept = sorted(((p.stat().st_mtime, p.stat().st_size, p) for p in directory.glob("*.json")), reverse=True)
    total = 0
    for _, size, path in kept:
        total += size
        if total > _MAX_ALL:
            path.unlink(missing_ok=True)
