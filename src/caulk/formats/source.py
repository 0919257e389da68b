"""The only place that opens a dump: files and stdin, gzip and zstd, and the bounds that keep a hostile input small.

What comes out is plain bytes, mapped rather than read where they are many. A stream that was cut short gives what could
be decompressed, and says so.
"""

import mmap
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from isal import isal_zlib

from caulk.model.errors import MalformedDump, UsageError

#: What stands for `-` from the command line on.
STDIN = "<stdin>"
Data: TypeAlias = "bytes | mmap.mmap"
#: Dumps compress 3 to 20 times. What expands beyond this is a bomb, until `CAULK_MAX_INPUT` says otherwise.
_EXPANSION = 100
_SLACK = 64 << 20
#: What is read whole into memory may be this large; what is mapped may be as large as the disk.
_MAX_INPUT = 4 << 30
#: A file has an end, a pipe may have none.
_MAX_PIPE = 512 << 20
#: Files from this size on are mapped, and what is decompressed beyond the second goes through a scratch file.
_MAPPED = 1 << 20
_SPOOLED = 64 << 20
_CHUNK = 1 << 20
_FEED = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """A dump's bytes, decompressed; `size_bytes` is what lay on disk, `warnings` what was wrong with the wrapping."""

    path: str
    data: Data
    size_bytes: int
    warnings: tuple[str, ...] = ()
    is_cut: bool = False

    def whole(self) -> bytes:
        """All of it in memory, for the formats that are small enough."""
        if isinstance(self.data, bytes):
            return self.data
        if len(self.data) > max_input():
            raise MalformedDump(
                f"{self.path} is larger than {max_input():,} bytes", hint="CAULK_MAX_INPUT sets the limit, in bytes."
            )
        return self.data[:]


def open_source(path: str) -> Source:
    """Open `path`, or read stdin for `STDIN`, through gzip or zstd if it is that."""
    raw = _open(path)
    magic = raw[:4]
    if magic[:2] == b"\x1f\x8b":
        data, warning = _spooled(_gunzipped(raw, path), path, len(raw))
    elif magic == b"\x28\xb5\x2f\xfd":
        data, warning = _spooled(_unzstd(raw, path), path, len(raw))
    else:
        return Source(path, raw, len(raw))
    return Source(path, data, len(raw), (warning,) if warning else (), bool(warning))


def max_input(otherwise: int = _MAX_INPUT) -> int:
    """The largest input that is read, in bytes: `CAULK_MAX_INPUT`, `otherwise` where it is not set."""
    text = os.environ.get("CAULK_MAX_INPUT", "")
    try:
        return int(text) if text else otherwise
    except ValueError:
        raise UsageError(f"CAULK_MAX_INPUT is {text!r}, not a number of bytes") from None


def _open(path: str) -> Data:
    if path == STDIN:
        return _bounded(sys.stdin.buffer, path)
    try:
        if Path(path).is_dir():
            raise MalformedDump(f"{path} is a directory", hint="Give the dump's file, or several of them.")
        if Path(path).is_block_device() or Path(path).is_char_device():
            raise MalformedDump(f"{path} is a device, which has no end", hint="Give the dump's file.")
        with Path(path).open("rb") as file:
            if _is_regular(file) and os.fstat(file.fileno()).st_size >= _MAPPED:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
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


def _spooled(pieces: Iterator[bytes | str], path: str, size: int) -> tuple[Data, str]:
    """What a decompressor gives, and the warning that it may end with; much of it lies in a file without a name."""
    # What is not compressed waits for none of this code.
    import tempfile  # noqa: PLC0415

    limit = _max_expanded(size)
    total, warning = 0, ""
    with tempfile.SpooledTemporaryFile(max_size=_SPOOLED) as spool:
        for piece in pieces:
            if isinstance(piece, str):
                warning = piece
                break
            total += len(piece)
            if total > limit:
                raise MalformedDump(
                    f"{path} expands to more than {limit:,} bytes from {size:,}",
                    hint="No profile compresses this well. If it is one, set CAULK_MAX_INPUT to its size in bytes.",
                )
            try:
                spool.write(piece)
            except OSError as error:
                raise MalformedDump(
                    f"{path} cannot be decompressed into {tempfile.gettempdir()}: {error.strerror}",
                    hint="TMPDIR names another place for it.",
                ) from None
        spool.flush()
        if total > _SPOOLED:
            return mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ), warning
        spool.seek(0)
        return spool.read(), warning


def _max_expanded(size: int) -> int:
    if os.environ.get("CAULK_MAX_INPUT"):
        return max_input()
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    return min(_SLACK + _EXPANSION * size, max(_MAX_INPUT, shutil.disk_usage(tempfile.gettempdir()).free // 2))


def _gunzipped(raw: Data, path: str) -> Iterator[bytes | str]:
    """All members of a gzip file, and last a warning if it was cut short or damaged on the way."""
    total = at = 0
    while at < len(raw) and raw[at : at + 2] == b"\x1f\x8b":
        member = isal_zlib.decompressobj(31)
        tail = b""
        while not member.eof:
            # Input goes in by small pieces: the unconsumed tail is copied at every call.
            feed = tail or raw[at : at + _FEED]
            at += 0 if tail else len(feed)
            if not feed:
                yield f"the gzip stream is cut short after {total:,} decompressed bytes"
                return
            try:
                piece = member.decompress(feed, _CHUNK)
            except (isal_zlib.error, zlib.error) as error:  # type: ignore[misc]  # isal types its class as an instance
                if not total:
                    raise MalformedDump(f"{path} begins like gzip but is damaged: {error}") from None
                yield f"the gzip stream is damaged after {total:,} decompressed bytes ({error})"
                return
            tail = member.unconsumed_tail
            total += len(piece)
            yield piece
        at -= len(member.unused_data)
    left = len(raw[at : at + _FEED].strip(b"\0")) and len(raw) - at
    if left:
        yield f"{left:,} bytes after the gzip stream were ignored"


def _unzstd(raw: Data, path: str) -> Iterator[bytes | str]:
    """All frames of a zstd file, and last a warning if it was cut short or damaged on the way."""
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415

    # The window is memory that the file asks for: 128 MiB are what the `zstd` command allows without asking.
    options = {int(zstd.DecompressionParameter.window_log_max): 27}
    total = at = 0
    while at < len(raw) and raw[at : at + 4] == b"\x28\xb5\x2f\xfd":
        frame = zstd.ZstdDecompressor(options=options)
        while not frame.eof:
            feed = raw[at : at + _FEED] if frame.needs_input else b""
            at += len(feed)
            if frame.needs_input and not feed:
                yield f"the zstd stream is cut short after {total:,} decompressed bytes"
                return
            try:
                piece = frame.decompress(feed, _CHUNK)
            except zstd.ZstdError as error:
                if not total:
                    raise MalformedDump(f"{path} begins like zstd but is damaged: {error}") from None
                yield f"the zstd stream is damaged after {total:,} decompressed bytes ({error})"
                return
            total += len(piece)
            yield piece
        at -= len(frame.unused_data)
    if at < len(raw):
        yield f"{len(raw) - at:,} bytes after the zstd stream were ignored"
