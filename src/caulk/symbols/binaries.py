"""Which files a mapping's names come from: the binary itself and the file of its symbols.

A build-id decides wherever both sides have one: what matches is found under any name, what contradicts is refused and
said. Without, the name decides: a binary given or lying beside the profile before the path that the profile recorded.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from caulk.model.tree import Mapping
from caulk.symbols.elf import Elf, NotElf, read_elf

#: Files looked at below one given directory.
_MAX_FILES = 20_000
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Module:
    """The files of one mapping: where its code is (`binary`), what has its names (`debug`); and what was refused."""

    binary: Elf | None
    debug: Elf | None
    refused: tuple[str, ...] = ()

    @property
    def build_id(self) -> str:
        """The build-id of the files, or the empty string."""
        return next((elf.build_id for elf in (self.binary, self.debug) if elf and elf.build_id), "")


class Binaries:
    """The files that may have names: `given` files and directories, `beside` the profile, `debug_directories`.

    `names` are those of the profile's modules. `fetch` is asked for a debug file by build-id, last of all.
    """

    def __init__(
        self,
        given: Sequence[Path],
        debug_directories: Sequence[Path],
        *,
        beside: Path | None = None,
        names: frozenset[str] = frozenset(),
        fetch: Callable[[str], Path | None] = lambda _: None,
    ) -> None:
        self._debug_directories, self._beside, self._fetch = debug_directories, beside, fetch
        self._roots = [path for path in given if path.is_dir()]
        self._given = [elf for path in given for elf in _elves(path)]
        #: Files, not directories: one that is named like no module must be the program itself.
        self._nameless = [
            elf
            for elf in self._given
            if elf.path in given
            and elf.path.name not in names
            and not elf.is_debug_file
            and ".so" not in elf.path.suffixes
        ]

    def module(self, mapping: Mapping, *, is_main: bool = False) -> Module:
        """The files of a mapping; `is_main` says that it is the program, which a given binary may be by any name."""
        wanted, refused = build_id(mapping.build_id), []
        fitting: list[Elf] = []
        for elf in self._candidates(mapping, wanted, is_main=is_main):
            if wanted and elf.build_id and elf.build_id != wanted:
                refused.append(f"{elf.path} has build-id {elf.build_id}")
                continue
            fitting.append(elf)
            wanted = wanted or elf.build_id
            # Without an id nothing says that a second file is the same program.
            if not elf.is_debug_file and (elf.has_lines or not wanted or any(e.is_debug_file for e in fitting)):
                break
        binary = next((elf for elf in fitting if not elf.is_debug_file), None)
        debug = next((elf for elf in fitting if elf.has_lines), None)
        if not debug:
            debug = self._debug_file(binary, wanted) or next((elf for elf in fitting if elf.has_symbols), None)
        return Module(binary, debug, () if binary or debug else tuple(dict.fromkeys(refused)))

    def _candidates(self, mapping: Mapping, wanted: str, *, is_main: bool) -> Iterator[Elf]:
        """Files that may be the binary, the likeliest first."""
        name = base_name(mapping.file)
        if wanted:
            yield from (elf for elf in self._given if elf.build_id == wanted)
        named = [elf for elf in self._given if name and elf.path.name == name]
        recorded = mapping.file.lstrip("/")
        if recorded and ".." not in recorded.split("/"):
            yield from _read_all(root / recorded for root in self._roots)
        yield from named
        if is_main and not named:
            yield from self._nameless
        if self._beside and name:
            yield from _read_all([self._beside / name, self._beside / f"{name}.debug"])
        if mapping.file.startswith("/"):
            for elf in _read_all([Path(mapping.file.removesuffix(" (deleted)"))]):
                # Every system has a libc at this path, and a dump without build-ids may be another system's.
                if wanted or ".so" not in name or _is_laid_out_as(elf, mapping):
                    yield elf

    def _debug_file(self, binary: Elf | None, wanted: str) -> Elf | None:
        """The separate file of a binary's symbols."""
        if wanted:
            ours = [elf for elf in self._given if elf.is_debug_file]
            for elf in chain(ours, _read_all(self._by_id(wanted))):
                if elf.build_id == wanted:
                    return elf
        if binary and binary.debug_link:
            name, checksum = binary.debug_link
            for elf in self._linked(binary.path.parent, name):
                same = elf.build_id == binary.build_id if binary.build_id else _checksum(elf.path) == checksum
                if same and elf.path != binary.path:
                    return elf
        if binary and binary.has_lines:
            return None
        fetched = self._fetch(wanted) if wanted else None
        return next((elf for elf in _read_all([fetched] if fetched else []) if elf.build_id == wanted), None)

    def _by_id(self, wanted: str) -> Iterator[Path]:
        for directory in self._debug_directories:
            yield directory / ".build-id" / wanted[:2] / f"{wanted[2:]}.debug"
            yield directory / wanted[:2] / f"{wanted[2:]}.debug"
            yield directory / wanted / "debuginfo"

    def _linked(self, directory: Path, name: str) -> Iterator[Elf]:
        yield from (elf for elf in self._given if elf.path.name == name)
        places = [directory / name, directory / ".debug" / name]
        for root in self._debug_directories:
            places += [root / str(directory.absolute()).lstrip("/") / name, root / name]
        yield from _read_all(places)


def _is_laid_out_as(elf: Elf, mapping: Mapping) -> bool:
    """Whether the mapping begins and ends where the file's segments do, in pages of any usual size."""
    start, end = mapping.offset, mapping.offset + mapping.limit - mapping.start
    for page in (4 << 10, 16 << 10, 64 << 10):
        starts = {s.offset // page * page for s in elf.segments}
        ends = {-(-(s.offset + s.file_size) // page) * page for s in elf.segments}
        if start in starts and end in ends:
            return True
    return not mapping.limit


def build_id(text: str) -> str:
    """A build-id as ELF has it, in lower-case hex; the empty string for what is none (Go's own ids)."""
    text = text.lower()
    return text if 8 <= len(text) <= 128 and not len(text) % 2 and set(text) <= _HEX else ""


def base_name(path: str) -> str:
    """The last part of a path as the profiled system wrote it."""
    return path.removesuffix(" (deleted)").rpartition("/")[2]


def _elves(path: Path) -> Iterator[Elf]:
    """The ELF files at a given path: itself, or all below the directory, as far as the bound goes."""
    if not path.is_dir():
        yield from _read_all([path])
        return
    below = (Path(root) / name for root, folders, names in os.walk(path) for name in _sorted(folders, names))
    yield from _read_all(islice(below, _MAX_FILES))


def _sorted(folders: list[str], names: list[str]) -> list[str]:
    folders.sort()
    return sorted(names)


def _read_all(paths: Iterable[Path]) -> Iterator[Elf]:
    for path in paths:
        try:
            yield read_elf(path)
        except (OSError, NotElf, ValueError):  # ValueError: a NUL in a path that the profile names
            continue


def _checksum(path: Path) -> int:
    """The CRC-32 that a debug link holds."""
    value = 0
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                value = zlib.crc32(piece, value)
    except OSError:
        return -1
    return value
