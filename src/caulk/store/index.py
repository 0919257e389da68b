"""Index files: columns and what describes them, written once and mapped into memory from then on.

An index stands for one dump as it lies on disk. Its name is a digest of the dump's size, its time of change and a
sample of its bytes, and of everything else that the answers depend on; a dump that was changed has another name. It
holds names of the program's types and fields but no values; like the dump it is the owner's alone (0600).

Layout, little endian: the magic line, the header's length (8 bytes), the header (JSON: where each column lies, and the
description), then the columns, each at a multiple of 64 bytes.
"""

import hashlib
import mmap
import os
import struct
import sys
from array import array
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from caulk.model.column import Column
from caulk.model.decoding import decoded

_MAGIC = b"caulk.index/1\n"
_ALIGNMENT = 64
_SAMPLES, _SAMPLE_BYTES = 64, 4096
_TYPECODES = frozenset("BiIqQd")
#: Index files are kept up to this many bytes together; the longest unused goes first.
MOST_BYTES = 16 << 30

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column lies in the file."""

    typecode: str
    at: int
    length_bytes: int


@dataclass(frozen=True, slots=True)
class _Header:
    columns: dict[str, Place]
    description: msgspec.Raw


def key_of(path: Path, *facts: str) -> str:
    """The name of the index of the dump at `path`; `facts` are what else the answers depend on."""
    digest = hashlib.blake2b(digest_size=20)
    status = path.stat()
    digest.update(repr((status.st_size, status.st_mtime_ns, sys.byteorder, facts)).encode())
    with path.open("rb") as file:
        for sample in range(_SAMPLES):
            file.seek(max(status.st_size - _SAMPLE_BYTES, 0) * sample // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def write(
    path: Path, description: Any, columns: MutableMapping[str, Column], *, going: Callable[[], object] = lambda: None
) -> None:
    """Write an index that appears whole or not at all; raises OSError where the disk will not have it.

    Each of `columns` is replaced by its view in the mapped file as soon as it lies there: the memory of one that nobody
    else refers to takes in the next. `going` is called before each column; raising from it leaves nothing behind.
    """
    places: dict[str, Place] = {}
    at = 0
    for name, column in columns.items():
        with memoryview(column) as view:
            places[name] = Place(view.format, at, view.nbytes)
            at += -(-view.nbytes // _ALIGNMENT) * _ALIGNMENT
    header = msgspec.json.encode({"columns": places, "description": description})
    start = _start(len(header))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + struct.pack("<Q", len(header)) + header)
            file.truncate(start + at)
            _lay(file, columns, places, start=start, going=going)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _forget_old(path.parent, keep=path)


def _lay(
    file: BufferedWriter,
    columns: MutableMapping[str, Column],
    places: Mapping[str, Place],
    *,
    start: int,
    going: Callable[[], object],
) -> None:
    """Write the columns to their places in a file that has its length already."""
    # Windows gives no other name to a file that is mapped.
    mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if os.name == "posix" else None
    for name, place in places.items():
        going()
        file.seek(start + place.at)
        file.write(columns[name])
        file.flush()
        if mapped is not None:
            columns[name] = _view(mapped, start, place)


def load(path: Path, description: type[T]) -> tuple[T, dict[str, Column]] | None:
    """What was written, its columns as views of the mapped file; None where there is no such index, or no whole one."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        os.utime(path)
    except (OSError, ValueError):
        return None
    head = len(_MAGIC) + 8
    if data[: len(_MAGIC)] != _MAGIC or len(data) < head:
        return None
    (length,) = struct.unpack("<Q", data[len(_MAGIC) : head])
    try:
        header = decoded(data[head : head + min(length, len(data))], _Header)
        described = decoded(header.description, description)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    start, mapped = _start(length), memoryview(data)
    columns: dict[str, Column] = {}
    for name, place in header.columns.items():
        is_whole = place.at >= 0 and 0 <= place.length_bytes <= len(data) - start - place.at
        if place.typecode not in _TYPECODES or not is_whole or place.length_bytes % array(place.typecode).itemsize:
            return None
        columns[name] = _view(mapped, start, place)
    return described, columns


def _view(mapped: memoryview, start: int, place: Place) -> Column:
    begin = start + place.at
    view: Column = mapped[begin : begin + place.length_bytes].cast(place.typecode)  # type: ignore[call-overload]
    return view


def _start(header_length: int) -> int:
    return -(-(len(_MAGIC) + 8 + header_length) // _ALIGNMENT) * _ALIGNMENT


def _forget_old(directory: Path, *, keep: Path) -> None:
    found = []
    for file in directory.glob("*.index"):
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((status.st_mtime, status.st_size, file))
    total = sum(size for _, size, _ in found)
    for _, size, file in sorted(found):
        if total <= MOST_BYTES:
            return
        if file != keep:
            file.unlink(missing_ok=True)
            total -= size
