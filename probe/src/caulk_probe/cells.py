"""Numbers in a shared file: one process adds records and changes their numbers, others read them as it does.

Header of 64 bytes, native byte order: 8 bytes magic, u64 process, u64 its start in clock ticks, u64 end of the records.
A record: u16 family, u16 bytes of the key, u32 numbers; the key, padded to 8 bytes; so many f64. Records are only ever
added, and the end is moved once one is complete; a number is written in one piece: nobody waits for anybody.
"""

from __future__ import annotations

import struct

SIZE = 128 << 10
MAGIC = b"caulkpr1"
HEAD = 64
_HEADER = struct.Struct("8sQQQ")
_RECORD = struct.Struct("HHI")
_LONGEST = 200
ABSENT = float("nan")


class Cells:
    """A writer's view of a file's bytes (`mmap`, or any writable buffer of `SIZE` bytes); `lock` guards additions."""

    def __init__(self, buffer, lock):
        self.buffer, self.lock = buffer, lock
        #: The file as numbers; `numbers[at] += 1` with what `find` gave.
        self.numbers = memoryview(buffer).cast("d")
        self.known = {}
        if header(buffer) is None:
            _HEADER.pack_into(buffer, 0, MAGIC, 0, 0, HEAD)
        self.end = header(buffer)[2]
        for family, key, at, _ in records(buffer):
            self.known[family, key] = at

    def own(self, process, started):
        """Says whose file it is."""
        _HEADER.pack_into(self.buffer, 0, MAGIC, process, started, self.end)

    def find(self, family, key, rest="other"):
        """Where the numbers of a family's sample begin; those of `rest`, or None, where the file is full."""
        at = self.known.get((family.number, key))
        if at is None:
            with self.lock:
                at = self.known.get((family.number, key)) or self._add(family, key)
            if at is None and rest is not None and key != rest:
                at = self.find(family, rest, None)
        return at

    def _add(self, family, key):
        name = key.encode("utf-8", "replace")[:_LONGEST]
        padded = name + bytes(-len(name) % 8)
        first = self.end + _RECORD.size + len(padded)
        end = first + 8 * family.cells
        # Room for one more sample of each kind under `other` is kept until the last.
        if end > SIZE - (0 if key == "other" else 2048):
            return None
        _RECORD.pack_into(self.buffer, self.end, family.number, len(name), family.cells)
        self.buffer[self.end + _RECORD.size : first] = padded
        self.buffer[first:end] = bytes(8 * family.cells)
        self.end = end
        struct.pack_into("Q", self.buffer, 24, end)
        self.known[family.number, key] = first // 8
        return first // 8

    def close(self):
        """Lets go of the bytes."""
        self.numbers.release()


def header(buffer):
    """Process, its start, and the end of the records; None where this is no such file."""
    if len(buffer) != SIZE:
        return None
    magic, process, started, end = _HEADER.unpack_from(buffer, 0)
    return (process, started, end) if magic == MAGIC and HEAD <= end <= SIZE and end % 8 == 0 else None


def records(buffer):
    """Family, key, index of the first number, and numbers (a copy), of each record that is complete."""
    found = header(buffer)
    at, end = HEAD, found[2] if found else 0
    while at + _RECORD.size <= end:
        family, length, count = _RECORD.unpack_from(buffer, at)
        key = at + _RECORD.size
        first = key + length + -length % 8
        at = first + 8 * count
        if at > end:
            return
        name = bytes(buffer[key : key + length]).decode("utf-8", "replace")
        yield family, name, first // 8, struct.unpack_from("{}d".format(count), buffer, first)
