"""Files of captures, compressed by Zstandard: whether that saves enough, and a copy that is known to be right."""

import os
import shutil
from pathlib import Path

from backports import zstd

from caulk.model.errors import CaptureFailed

#: Packing pays from this saving on; a file that is packed already saves nothing.
PAYS = 0.25
_BLOCK = 1 << 20


def saves(path: Path) -> bool:
    """Whether the middle of a file compresses."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        sample = file.read(_BLOCK)
    return len(zstd.compress(sample)) < len(sample) * (1 - PAYS)


def zipped(source: Path, to: Path) -> int:
    """Bytes of the compressed copy, which is checked against the file before anybody deletes that."""
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as plain, os.fdopen(descriptor, "wb") as raw, zstd.open(raw, "wb") as file:
        shutil.copyfileobj(plain, file, _BLOCK)
    with source.open("rb") as plain, zstd.open(to, "rb") as file:
        while block := plain.read(_BLOCK):
            if file.read(len(block)) != block:
                raise CaptureFailed(f"{to} does not hold what {source} does", hint="Is the disk sound?")
    return to.stat().st_size
