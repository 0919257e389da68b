"""Rings: readings of very many series in files that never grow, and that no kill can damage.

A ring has a row for each stretch of time and starts over when it is full; each of the 128 series of a block has a cell
in every row, so what is written at one time lies together. A cell is six little-endian 32-bit numbers, the time in
seconds since 1970 and then kibibytes (all bits set: not known), and is written by one call of the kernel: with the
process killed it is there or it is not. A cell whose time is not that of its row is of an earlier turn, and not read.

Tiers: 15 s for an hour, floors of 5 minutes for two days, floors of an hour for 90 days. Nine megabytes a block.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from caulk.model.series import Reading

LANES = 128
_CELL = struct.Struct("<6I")
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

    def readings(self, lane: int, tier: Tier, begin: float, seen: tuple[float, float]) -> Iterator[Reading]:
        """What a tier holds of a series from `begin` on, oldest first; it was last seen between the times of `seen`."""
        first = max(int(begin) // tier.step_s, int(seen[0]) // tier.step_s - tier.rows + 1)
        for row in range(first, int(seen[1]) // tier.step_s + 1):
            cell = self._cell(tier.cell(row * tier.step_s, lane))
            if cell and cell[0] // tier.step_s == row and cell[0] >= int(begin):
                yield _reading(cell)

    def close(self) -> None:
        """Closes the file; what was written is in it."""
        self._file.close()

    def _cell(self, where: int) -> tuple[int, ...] | None:
        self._file.seek(where)
        data = self._file.read(_CELL.size) or b""
        return _CELL.unpack(data) if len(data) == _CELL.size and any(data[:4]) else None


def _packed(reading: Reading) -> tuple[int, ...]:
    sizes = reading.rss, reading.anonymous, reading.file, reading.shared
    heap = _UNKNOWN if reading.heap is None else min(reading.heap >> 10, _MOST)
    return (int(reading.at), *(min(size >> 10, _MOST) for size in sizes), heap)


def _reading(cell: tuple[int, ...]) -> Reading:
    at, rss, anonymous, file, shared, heap = cell
    known = None if heap == _UNKNOWN else heap << 10
    return Reading(float(at), rss << 10, anonymous << 10, file << 10, shared << 10, known)
