"""Rings: readings of very many series in files that never grow, and that no kill can damage.

A ring has a row for each stretch of time and starts over when it is full; each of the 128 series of a block has a cell
in every row, so what is written at one time lies together. A cell is six little-endian 32-bit numbers, the time in
seconds since 1970 and then kibibytes (all bits set: not known), and is written by one call of the kernel: with the
process killed it is there or it is not. A cell whose time is not that of its row is of an earlier turn, and not read.

Tiers: 15 s for an hour, floors of 5 minutes for two days, floors of an hour for 90 days. Nine megabytes a block.
"""

import mmap
import os
import struct
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path

from caulk.model.series import Reading

LANES = 128
_CELL = struct.Struct("<6I")
_FIELDS = 6
#: From a cell to the one below it in the next row, in numbers.
_STRIDE = LANES * _FIELDS
_UNKNOWN = 0xFFFFFFFF
_MOST = _UNKNOWN - 1


@dataclass(frozen=True, slots=True)
class Tier:
    """So many rows of so many seconds each, from `begin` in the file; with `is_floor` the least of each row is kept."""

    step_s: int
    rows: int
    begin: int
    is_floor: bool

    def cell(self, at: int, lane: int) -> int:
        """Where the cell of a series for a time lies."""
        return self.begin + ((at // self.step_s) % self.rows * LANES + lane) * _CELL.size


def _tiers(*sizes: tuple[int, int]) -> tuple[Tier, ...]:
    begins = [sum(rows for _, rows in sizes[:number]) * LANES * _CELL.size for number in range(len(sizes))]
    return tuple(Tier(step, rows, begin, begin > 0) for (step, rows), begin in zip(sizes, begins, strict=True))


TIERS = _tiers((15, 240), (300, 576), (3600, 2160))


class Block:
    """The rings of 128 series."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self._map: mmap.mmap | None = None

    def note(self, lane: int, reading: Reading, since: float) -> None:
        """Write a reading into every tier; what the cells hold from before `since` was another's."""
        new = _packed(reading)
        for tier in TIERS:
            where = tier.cell(new[0], lane)
            values = new
            if tier.is_floor:
                old = self._cell(where)
                if old and old[0] // tier.step_s == new[0] // tier.step_s and old[0] >= int(since):
                    values = (old[0], *map(min, old[1:], new[1:]))
            self._file.seek(where)
            self._file.write(_CELL.pack(*values))

    def cells(self, lane: int, tier: Tier, begin: float, seen: tuple[float, float]) -> list[tuple[int, ...]]:
        """What a tier holds of a series from `begin` on, oldest first: time, then kibibytes; `reading_of` reads them.

        `seen` are the times between which it was last seen. Two days take a fifth of a millisecond.
        """
        first = max(int(begin) // tier.step_s, int(seen[0]) // tier.step_s - tier.rows + 1)
        last = int(seen[1]) // tier.step_s
        words = self._words()
        where, end = tier.cell(0, lane) >> 2, (tier.begin >> 2) + tier.rows * _STRIDE
        rows = zip(*(_column(words[where + field : end : _STRIDE]) for field in range(_FIELDS)), strict=False)
        return sorted(
            cell
            for row, cell in enumerate(rows)
            if cell[0] >= int(begin) and first <= (turn := cell[0] // tier.step_s) <= last and turn % tier.rows == row
        )

    def close(self) -> None:
        """Closes the file; what was written is in it."""
        # The map goes when nobody reads it any more.
        self._map = None
        self._file.close()

    def _words(self) -> memoryview:
        """All of the file as 32-bit numbers, mapped: what was written is there at once."""
        size = os.fstat(self._file.fileno()).st_size
        if self._map is None or len(self._map) < size:
            self._map = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ) if size else None
        return memoryview(self._map or b"").cast("I")

    def _cell(self, where: int) -> tuple[int, ...] | None:
        self._file.seek(where)
        data = self._file.read(_CELL.size) or b""
        return _CELL.unpack(data) if len(data) == _CELL.size and any(data[:4]) else None


def reading_of(cell: tuple[int, ...]) -> Reading:
    """A cell as a reading."""
    at, rss, anonymous, file, shared, heap = cell
    known = None if heap == _UNKNOWN else heap << 10
    return Reading(float(at), rss << 10, anonymous << 10, file << 10, shared << 10, known)


def _column(words: memoryview) -> "array[int]":
    column = array("I", words.tobytes())
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _packed(reading: Reading) -> tuple[int, ...]:
    sizes = reading.rss, reading.anonymous, reading.file, reading.shared
    heap = _UNKNOWN if reading.heap is None else min(reading.heap >> 10, _MOST)
    return (int(reading.at), *(min(size >> 10, _MOST) for size in sizes), heap)
