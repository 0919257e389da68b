"""The only place that opens a dump: files and stdin, gzip, and the bounds that keep a hostile input small.

What comes out is plain bytes. A gzip stream that was cut short gives what could be decompressed, and says so.
"""

import os
import stat
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from caulk.model.errors import MalformedDump, UsageError

#: What stands for `-` from the command line on.
STDIN = "<stdin>"
#: Profiles compress 3 to 20 times. What expands beyond this is a bomb, until `CAULK_MAX_INPUT` says otherwise.
_EXPANSION = 100
_SLACK = 64 << 20
_MAX_INPUT = 4 << 30
#: A file has an end, a pipe may have none.
_MAX_PIPE = 512 << 20
_CHUNK = 1 << 20
_FEED = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """A dump's bytes, decompressed; `size_bytes` is what lay on disk, `warnings` what was wrong with the wrapping."""

    path: str
    data: bytes
    size_bytes: int
    warnings: tuple[str, ...] = ()
    is_cut: bool = False


def open_source(path: str) -> Source:
    """Read `path`, or stdin for `STDIN`, through gzip if it is that."""
    raw = _read(path)
    if raw[:2] == b"\x1f\x8b":
        data, warning = _gunzip(raw, path)
        return Source(path, data, len(raw), (warning,) if warning else (), bool(warning))
    return Source(path, raw, len(raw))


def max_input(otherwise: int = _MAX_INPUT) -> int:
    """The largest input that is read, in bytes: `CAULK_MAX_INPUT`, `otherwise` where it is not set."""
    text = os.environ.get("CAULK_MAX_INPUT", "")
    try:
        return int(text) if text else otherwise
    except ValueError:
        raise UsageError(f"CAULK_MAX_INPUT is {text!r}, not a number of bytes") from None


def _read(path: str) -> bytes:
    if path == STDIN:
        return _bounded(sys.stdin.buffer, path)
    try:
        if Path(path).is_dir():
            raise MalformedDump(f"{path} is a directory", hint="Give the dump's file, or several of them.")
        if Path(path).is_block_device() or Path(path).is_char_device():
            raise MalformedDump(f"{path} is a device, which has no end", hint="Give the dump's file.")
        with Path(path).open("rb") as file:
            return _bounded(file, path)
    except FileNotFoundError:
        raise MalformedDump(f"{path}: no such file") from None
    except OSError as error:
        raise MalformedDump(f"{path} cannot be read: {error.strerror}") from None


def _bounded(file: BinaryIO, name: str) -> bytes:
    limit = max_input() if _is_regular(file) else max_input(_MAX_PIPE)
    # Reading in pieces: a size from `stat` would be a promise that a pipe or a growing file does not keep.
    pieces, total = [], 0
    while piece := file.read(_CHUNK):
        total += len(piece)
        if total > limit:
            raise MalformedDump(
                f"{name} is larger than {limit:,} bytes", hint="CAULK_MAX_INPUT sets the limit, in bytes."
            )
        pieces.append(piece)
    return b"".join(pieces)


def _is_regular(file: BinaryIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except OSError:
        return False


def _gunzip(raw: bytes, path: str) -> tuple[bytes, str]:
    """All members of a gzip file, and a warning if it was cut short or damaged on the way."""
    limit = min(max_input(), _SLACK + _EXPANSION * len(raw)) if not os.environ.get("CAULK_MAX_INPUT") else max_input()
    view = memoryview(raw)
    pieces: list[bytes] = []
    total = at = 0
    while at < len(raw) and raw[at : at + 2] == b"\x1f\x8b":
        member = isal_zlib.decompressobj(31)
        tail = b""
        while not member.eof:
            # Input goes in by small pieces: the unconsumed tail is copied at every call.
            feed: bytes | memoryview = tail or view[at : at + _FEED]
            at += 0 if tail else len(feed)
            if not feed:
                return b"".join(pieces), f"the gzip stream is cut short after {total:,} decompressed bytes"
            try:
                piece = member.decompress(feed, _CHUNK)
            except (isal_zlib.error, zlib.error) as error:  # type: ignore[misc]  # isal types its class as an instance
                if not total:
                    raise MalformedDump(f"{path} begins like gzip but is damaged: {error}") from None
                return b"".join(pieces), f"the gzip stream is damaged after {total:,} decompressed bytes ({error})"
            tail = member.unconsumed_tail
            total += len(piece)
            if total > limit:
                raise MalformedDump(
                    f"{path} expands to more than {limit:,} bytes from {len(raw):,}",
                    hint="No profile compresses this well. If it is one, set CAULK_MAX_INPUT to its size in bytes.",
                )
            pieces.append(piece)
        at -= len(member.unused_data)
    left = raw[at:].strip(b"\0")
    return b"".join(pieces), f"{len(left):,} bytes after the gzip stream were ignored" if left else ""
