"""Source files that a profile names, found below directories that the user gave: nothing else is ever opened.

A path in a dump is where the program was built, or what an attacker wrote. So only its end is looked for: the longest
part of it that is a file below a given directory, links followed, and still below it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: A file of source code is smaller than this, in bytes; and nobody nests directories deeper.
MAX_BYTES, _MAX_PARTS = 8 << 20, 40


@dataclass(frozen=True, slots=True)
class Found:
    """A source file: `path` below the directory it was found in, and its lines without their ends."""

    path: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sources:
    """Directories of source code; the first that has a file decides."""

    directories: Sequence[Path] = ()

    def find(self, file: str, package: str = "") -> Found | None:
        """The file of that name; a bare name (Java has no other) is looked for in the folder of its `package` too."""
        for tail in _tails(file, package):
            for directory in self.directories:
                found = _read(directory, tail)
                if found is not None:
                    return Found(str(tail), found)
        return None


def _tails(file: str, package: str) -> Iterator[PurePosixPath]:
    """What a path may be called below a directory, the longest first."""
    parts = [part for part in file.replace("\\", "/").split("/") if part not in ("", ".")][-_MAX_PARTS:]
    if not parts or ".." in parts or any("\0" in part for part in parts):
        return
    if len(parts) == 1 and package and ".." not in package:
        yield PurePosixPath(*package.split("."), parts[0])
    for first in range(len(parts)):
        yield PurePosixPath(*parts[first:])


def _read(directory: Path, tail: PurePosixPath) -> list[str] | None:
    """The lines of a file below a directory; None where there is none, or it is no source code."""
    try:
        root = directory.resolve(strict=True)
        path = (root / tail).resolve(strict=True)
        if not path.is_relative_to(root) or not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        data = path.read_bytes()[: MAX_BYTES + 1]
    except (OSError, ValueError, RuntimeError):
        # A name that is too long, a file that may not be read, a loop of links (RuntimeError before 3.13): not there.
        return None
    return None if b"\0" in data or len(data) > MAX_BYTES else data.decode("utf-8", "replace").splitlines()
