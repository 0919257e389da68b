"""The program's own file, looked at through its place: who built it, its build-id, and the file itself.

Layout: https://refspecs.linuxfoundation.org/elf/elf.pdf; Go's part: https://pkg.go.dev/debug/buildinfo. Every piece
that is read is bounded, and what makes no sense is as if it were not there.
"""

import mmap
import struct
import tempfile
from collections.abc import Iterator, Mapping
from itertools import chain

from caulk.model.errors import CaulkError
from caulk.model.target import Process
from caulk.ports import Reach, Sink

_HEAD = 64 << 10
_MOST_NOTES = 1 << 16
_MOST_TABLE = 1 << 20
_MOST_INFO = 256 << 10
_MOST_FILE = 4 << 30
_PT_NOTE, _NT_GNU_BUILD_ID = 4, 3
_GO_MAGIC = b"\xff Go buildinf:"


class Binary:
    """The executable of a target's process, which is read piece by piece."""

    def __init__(self, reach: Reach, process: Process) -> None:
        self._reach = reach
        # The link leads to the file that runs, even where another one has taken its name since.
        paths = (f"/proc/{process.pid}/exe", process.executable)
        self.path, self._head = next(
            ((path, head) for path in paths if (head := self._read(path, 0, _HEAD))), ("", b"")
        )
        self.name = process.executable.removesuffix(" (deleted)").rpartition("/")[2] or "executable"
        self._is_wide = self._head[4:5] == b"\2"
        self._order = ">" if self._head[5:6] == b"\2" else "<"

    def build_id(self) -> str:
        """Its GNU build-id in hexadecimal digits; empty if it has none."""
        try:
            return next(self._build_ids(), "")
        except struct.error:
            return ""

    def go(self) -> Mapping[str, str]:
        """What Go writes into what it builds: `go` (the version), `path`, `mod`, `vcs.revision`; empty of others."""
        try:
            data = self.section(".go.buildinfo")
        except struct.error:
            return {}
        if not data.startswith(_GO_MAGIC) or len(data) < 33 or not data[15] & 2:
            return {}  # before Go 1.18 the texts lie elsewhere
        version, rest = _text(data[32:])
        module, _ = _text(rest)
        found = {"go": version.decode("utf-8", "replace")}
        # The text stands between two marks of 16 bytes, by which it is found in a file without sections.
        for line in module[16:-16].decode("utf-8", "replace").splitlines():
            kind, _, value = line.partition("\t")
            name, equals, setting = value.partition("=")
            if kind == "path":
                found["go_path"] = value
            elif kind == "mod":
                found["go_module"] = " ".join(value.split("\t")[:2]).strip()
            elif kind == "build" and equals and name in ("vcs.revision", "vcs.modified"):
                found[name] = setting
        return found

    def section(self, name: str) -> bytes:
        """The bytes of a section, 256 KiB of them at most; empty if there is none."""
        found = (self._at(offset, min(size, _MOST_INFO)) for kind, offset, size in self._sections() if kind == name)
        return next(found, b"")

    def keep_beside(self, sink: Sink) -> str:
        """Puts the file beside a capture, for its symbols; gives why it is not there, or an empty string."""
        try:
            with tempfile.TemporaryFile(prefix="caulk-") as file:
                size = 0
                for piece in self._reach.fetch(self.path or "/", 0, _MOST_FILE):
                    size += file.write(piece)
                    sink.progress(size, max(size, self.size()), f"fetching {self.name}")
                if not size:
                    return f"the binary could not be fetched for its symbols: {self.path or 'it'} cannot be read"
                file.flush()
                with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
                    sink.beside(self.name, view)
        except CaulkError as error:
            return f"the binary could not be fetched for its symbols: {error}"
        return ""

    def size(self) -> int:
        """Bytes of the file; 0 where nobody knows."""
        try:
            found = self._reach.stat(self.path) if self.path else None
        except CaulkError:
            return 0
        return found.size if found else 0

    def _build_ids(self) -> Iterator[str]:
        # Go names its notes in a segment of their own, and not always all of them.
        named = (self.section(name) for name in [".note.gnu.build-id"])
        for data in chain((self._at(offset, min(size, _MOST_NOTES)) for offset, size in self._notes()), named):
            at = 0
            while at + 12 <= len(data):
                name_size, value_size, kind = struct.unpack_from(self._order + "III", data, at)
                value_at = at + 12 + (name_size + 3) // 4 * 4
                if kind == _NT_GNU_BUILD_ID and data[at + 12 : at + 16] == b"GNU\0" and value_size <= 64:
                    yield data[value_at : value_at + value_size].hex()
                at = value_at + (value_size + 3) // 4 * 4

    def _notes(self) -> Iterator[tuple[int, int]]:
        if self._head[:4] != b"\x7fELF":
            return
        (at,) = struct.unpack_from(
            self._order + ("Q" if self._is_wide else "I"), self._head, 32 if self._is_wide else 28
        )
        size, count = struct.unpack_from(self._order + "HH", self._head, 54 if self._is_wide else 42)
        for start in range(at, at + size * min(count, 64), max(size, 1)):
            row = struct.unpack_from(self._order + ("IIQQQQQQ" if self._is_wide else "8I"), self._head, start)
            if row[0] == _PT_NOTE:
                yield (row[2], row[5]) if self._is_wide else (row[1], row[4])

    def _sections(self) -> Iterator[tuple[str, int, int]]:
        """Name, offset in the file and size of each section."""
        if self._head[:4] != b"\x7fELF":
            return
        (at,) = struct.unpack_from(
            self._order + ("Q" if self._is_wide else "I"), self._head, 40 if self._is_wide else 32
        )
        size, count, names_in = struct.unpack_from(self._order + "HHH", self._head, 58 if self._is_wide else 46)
        table = self._at(at, min(size * count, _MOST_TABLE))
        layout = struct.Struct(self._order + ("IIQQQQIIQQ" if self._is_wide else "10I"))
        rows = [layout.unpack_from(table, i * size) for i in range(len(table) // size)] if size >= layout.size else []
        names = self._at(rows[names_in][4], min(rows[names_in][5], _MOST_TABLE)) if names_in < len(rows) else b""
        for row in rows:
            name = names[row[0] : row[0] + 64].split(b"\0")[0].decode("ascii", "replace")
            yield name, row[4], row[5]

    def _at(self, offset: int, length: int) -> bytes:
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        return self._read(self.path, offset, length)

    def _read(self, path: str, offset: int, length: int) -> bytes:
        """What there is of so many bytes; nothing where the file cannot be read."""
        if not path or length <= 0:
            return b""
        try:
            return b"".join(self._reach.fetch(path, offset, length))
        except CaulkError:
            return b""


def binary(reach: Reach) -> Binary | None:
    """The executable of the target; None where there is only an address, or its process cannot be looked at."""
    try:
        return Binary(reach, reach.process())
    except CaulkError:
        return None


def _text(data: bytes) -> tuple[bytes, bytes]:
    """A text behind its length, and the rest."""
    length = shift = at = 0
    for at, byte in enumerate(data[:9]):  # noqa: B007 - how long the number is
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return data[at + 1 : at + 1 + length], data[at + 1 + length :]
