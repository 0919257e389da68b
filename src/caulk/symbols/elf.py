"""ELF files as far as names need them: build-id, segments, symbol tables, debug link. Nothing of DWARF.

Layout: https://refspecs.linuxfoundation.org/elf/elf.pdf. The file is read piece by piece, each piece bounded by the
file's own size, because a binary that lies beside a dump is as little trusted as the dump.
"""

import os
import stat
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_MAX_HEADERS = 1 << 16
_MAX_SYMBOLS = 8 << 20
_MAX_PIECE = 1 << 30
_PAGE = 4096

_PT_LOAD, _PT_NOTE, _EXECUTABLE = 1, 4, 1
_SHT_SYMTAB, _SHT_NOTE, _SHT_NOBITS, _SHT_DYNSYM = 2, 7, 8, 11
_STT_NOTYPE, _STT_FUNC, _STT_IFUNC = 0, 2, 10
_ET_EXEC = 2


class NotElf(Exception):
    """The file is no ELF file, or is damaged so that its headers make no sense."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the file that is mapped: `offset` in the file becomes `vaddr` in memory."""

    offset: int
    vaddr: int
    file_size: int
    memory_size: int
    is_code: bool


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    kind: int
    address: int
    offset: int
    size: int
    link: int


@dataclass(frozen=True)
class Elf:
    """The headers of one file. `build_id` is lower-case hex, or empty; `debug_link` names a file of its symbols."""

    path: Path
    size_bytes: int
    is_fixed: bool
    machine: int
    build_id: str
    segments: tuple[Segment, ...]
    debug_link: tuple[str, int] | None
    has_lines: bool
    has_symbols: bool
    has_shared_lines: bool
    """Whether part of its debug information lies in a file shared by several (`dwz`), which LLVM does not follow."""
    _sections: tuple[_Section, ...] = field(repr=False, default=())
    _shape: tuple[str, bool] = ("<", True)

    @property
    def is_debug_file(self) -> bool:
        """Whether the code itself was taken out: a file of symbols and debug information only."""
        return any(s.kind == _SHT_NOBITS and s.name == ".text" for s in self._sections)

    def address_of(self, offset: int) -> int | None:
        """The virtual address of a byte of the file; None where no code is mapped from there."""
        code = [s for s in self.segments if s.is_code]
        for segment in code:
            if segment.offset <= offset < segment.offset + segment.file_size:
                return offset - segment.offset + segment.vaddr
        for segment in code:  # the pages around a segment are mapped whole
            start = segment.offset // _PAGE * _PAGE
            if segment.file_size and start <= offset < segment.offset + segment.file_size + _PAGE:
                return offset - segment.offset + segment.vaddr
        return None

    def has_code_at(self, address: int) -> bool:
        """Whether a virtual address lies in a segment of code."""
        return any(s.is_code and s.vaddr <= address < s.vaddr + s.memory_size for s in self.segments)

    def section_at(self, address: int) -> str:
        """The name of the section at a virtual address; empty where none is, or where their headers were taken out."""
        return next((s.name for s in self._sections if s.address and s.address <= address < s.address + s.size), "")

    def bytes_before(self, address: int, count: int) -> bytes:
        """The machine code before a virtual address; empty where the file does not have it."""
        for s in self.segments:
            if s.is_code and s.vaddr + count <= address <= s.vaddr + s.file_size:
                try:
                    with self.path.open("rb") as file:
                        return _piece(file, address - count - s.vaddr + s.offset, count, self.size_bytes)
                except (OSError, NotElf):
                    return b""
        return b""

    def symbols(self) -> "Symbols":
        """The functions of its symbol tables; what cannot be read of them is left out."""
        found: list[tuple[int, int, str]] = []
        try:
            with self.path.open("rb") as file:
                for section in self._sections:
                    if section.kind in (_SHT_SYMTAB, _SHT_DYNSYM):
                        found.extend(self._functions(file, section))
        except (OSError, NotElf):
            pass
        return Symbols(found)

    def _functions(self, file: BinaryIO, table: _Section) -> Iterator[tuple[int, int, str]]:
        order, wide = self._shape
        if not 0 <= table.link < len(self._sections):
            return
        strings = self._sections[table.link]
        names = _piece(file, strings.offset, strings.size, self.size_bytes)
        entry = struct.Struct(order + ("IBBHQQ" if wide else "IIIBBH"))
        count = min(table.size // entry.size, _MAX_SYMBOLS)
        for row in entry.iter_unpack(_piece(file, table.offset, count * entry.size, self.size_bytes)):
            name, info, section, value, size = (
                (row[0], row[1], row[3], row[4], row[5]) if wide else (row[0], row[3], row[5], row[1], row[2])
            )
            # Only what has an extent can be held against an address; section 0 is a symbol of another file.
            if section and size and info & 15 in (_STT_FUNC, _STT_IFUNC, _STT_NOTYPE) and name < len(names):
                end = names.find(b"\0", name)
                yield value, size, names[name : end if end >= 0 else None][:4096].decode("utf-8", "replace")


class Symbols:
    """Functions with their extents. An address between two of them belongs to neither."""

    def __init__(self, found: list[tuple[int, int, str]]) -> None:
        # The wider table comes first in a file; of two names for the same code the shortest, then the first, is kept.
        found.sort(key=lambda s: (s[0], s[1], -len(s[2]), s[2]))
        self._found = found
        self._starts = [start for start, _, _ in found]

    def __len__(self) -> int:
        return len(self._found)

    def starts(self, address: int) -> bool:
        """Whether a function begins at the address."""
        at = bisect_right(self._starts, address) - 1
        return at >= 0 and self._starts[at] == address

    def at(self, address: int) -> str:
        """The name of the function whose extent holds the address, or the empty string."""
        last = bisect_right(self._starts, address) - 1
        # Nested extents are rare (a loop's entry in assembler): a few steps back find them.
        for at in range(last, max(last - 8, -1), -1):
            start, size, name = self._found[at]
            if address < start + size and name:
                return name
        return ""


def read_elf(path: Path) -> Elf:
    """The headers of the ELF file at `path`; raises `NotElf`, or `OSError` where it cannot be read.

    Costs a few reads, whatever the size of the file. What is not a plain file is never opened.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise NotElf(f"{path} is not a plain file")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            return _read(path, file, size)
        except (struct.error, OverflowError, ValueError) as error:
            raise NotElf(f"{path}: {error}") from None


def _read(path: Path, file: BinaryIO, size: int) -> Elf:
    ident = _piece(file, 0, 16, size)
    if ident[:4] != b"\x7fELF" or ident[4] not in (1, 2) or ident[5] not in (1, 2):
        raise NotElf(f"{path} is not an ELF file")
    order, wide = "<" if ident[5] == 1 else ">", ident[4] == 2
    header = struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"))
    fields = header.unpack(_piece(file, 16, header.size, size))
    kind, machine, segment_at, section_at = fields[0], fields[1], fields[4], fields[5]
    segment_size, segment_count, section_size, section_count, names_in = fields[8:13]
    shape = (order, wide)
    programs = list(
        _table(file, (segment_at, segment_count, segment_size), size, order + ("IIQQQQQQ" if wide else "8I"))
    )
    sections = _sections(file, (section_at, section_count, section_size, names_in), size, shape)
    segments = tuple(_segment(row, wide=wide) for row in programs if row[0] == _PT_LOAD)
    notes = [(s.offset, s.size) for s in sections if s.kind == _SHT_NOTE]
    notes += [(row[2], row[5]) if wide else (row[1], row[4]) for row in programs if row[0] == _PT_NOTE]
    named = {s.name for s in sections if s.size}
    return Elf(
        path=path,
        size_bytes=size,
        is_fixed=kind == _ET_EXEC,
        machine=machine,
        build_id=_build_id(file, notes, size, order),
        segments=segments,
        debug_link=_debug_link(file, sections, size, order),
        has_lines=bool(named & {".debug_info", ".zdebug_info"}),
        has_symbols=any(s.kind == _SHT_SYMTAB and s.size for s in sections),
        has_shared_lines=".gnu_debugaltlink" in named,
        _sections=sections,
        _shape=shape,
    )


def _segment(row: tuple[int, ...], *, wide: bool) -> Segment:
    flags, offset, vaddr, file_size, memory_size = (
        (row[1], row[2], row[3], row[5], row[6]) if wide else (row[6], row[1], row[2], row[4], row[5])
    )
    return Segment(offset, vaddr, file_size, memory_size, bool(flags & _EXECUTABLE))


def _sections(
    file: BinaryIO, where: tuple[int, int, int, int], size: int, shape: tuple[str, bool]
) -> tuple[_Section, ...]:
    """The section headers; none where they were cut off, which is no reason to refuse the rest."""
    order, wide = shape
    at, count, entry, names_in = where
    layout = order + ("IIQQQQIIQQ" if wide else "10I")
    try:
        if at and not count:  # more than 65279 sections: the first one tells
            count = next(_table(file, (at, 1, entry), size, layout))[5]
        rows = list(_table(file, (at, count, entry), size, layout)) if at else []
    except NotElf:
        return ()
    if names_in == 0xFFFF and rows:
        names_in = rows[0][6]
    names = b""
    if names_in < len(rows) and rows[names_in][5] <= 1 << 24:
        try:
            names = _piece(file, rows[names_in][4], rows[names_in][5], size)
        except NotElf:
            names = b""
    return tuple(
        _Section(names[r[0] : r[0] + 64].split(b"\0")[0].decode("ascii", "replace"), r[1], r[3], r[4], r[5], r[6])
        for r in rows
    )


def _table(file: BinaryIO, where: tuple[int, int, int], size: int, layout: str) -> Iterator[tuple[int, ...]]:
    """The rows of a table of headers: where it is, how many they are, how many bytes apart."""
    at, count, entry = where
    row = struct.Struct(layout)
    if not count:
        return
    if entry < row.size or count > _MAX_HEADERS:
        raise NotElf(f"{count:,} headers of {entry} bytes")
    data = _piece(file, at, count * entry, size)
    for i in range(count):
        yield row.unpack_from(data, i * entry)


def _build_id(file: BinaryIO, notes: list[tuple[int, int]], size: int, order: str) -> str:
    for offset, length in notes[:64]:
        try:
            data = _piece(file, offset, min(length, 1 << 16), size)
        except NotElf:
            continue
        at = 0
        while at + 12 <= len(data):
            name_size, value_size, kind = struct.unpack_from(order + "III", data, at)
            value_at = at + 12 + (name_size + 3) // 4 * 4
            if kind == 3 and data[at + 12 : at + 16] == b"GNU\0" and value_size <= 64:
                return data[value_at : value_at + value_size].hex()
            at = value_at + (value_size + 3) // 4 * 4
    return ""


def _debug_link(file: BinaryIO, sections: tuple[_Section, ...], size: int, order: str) -> tuple[str, int] | None:
    """The file name and the CRC-32 in `.gnu_debuglink`."""
    for section in sections:
        if section.name == ".gnu_debuglink" and 8 <= section.size <= 4096:
            try:
                data = _piece(file, section.offset, section.size, size)
            except NotElf:
                return None
            name = data.split(b"\0")[0].decode("utf-8", "replace")
            # A name, never a path: it is looked for in a few directories only.
            if name and "/" not in name and name not in (".", ".."):
                return name, struct.unpack_from(order + "I", data, len(data) - 4)[0]
    return None


def _piece(file: BinaryIO, at: int, count: int, size: int) -> bytes:
    """Bytes that the file really has; raises `NotElf` for all others."""
    if count > _MAX_PIECE or at < 0 or at + count > size:
        raise NotElf(f"{count:,} bytes at {at:,} of a file of {size:,}")
    file.seek(at)
    data = file.read(count)
    if len(data) < count:
        raise NotElf("the file became shorter while it was read")
    return data
