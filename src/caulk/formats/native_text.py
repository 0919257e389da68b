"""What the text of gperftools and of jemalloc have in common: symbols before, addresses in rows, a memory map after.

A stack holds return addresses, each of the instruction behind a call: it is lowered by one to lie within the call, in
every frame. The oldest tools (`pprof` in Perl, `jeprof`) leave the innermost as it is, but that is a return address
too, and may belong to the next line, or the next function. The sums by address are the same.

What a stack ends in within the allocator's own library is left out, as the producers of other profiles do: every stack
has it, and it says nothing of who allocates.

`google-pprof --raw` and `jeprof --raw` put names before a profile (`--- symbol`), outermost first where calls are
inlined, parted by `--`.
"""

import io
import math
import re
from collections.abc import Iterator

from caulk.formats.builder import ProfileBuilder
from caulk.formats.maps import Lookup, mappings, signed
from caulk.model.errors import MalformedDump
from caulk.model.origin import is_allocator_library

SYMBOLS = b"--- symbol"
_MAP = re.compile(rb"^(?:MAPPED_LIBRARIES:|--- Memory map: ?---)", re.MULTILINE)
_SECTION = re.compile(rb"--- *(?:heap|growth|profile)\w*")
_SYMBOL = re.compile(rb"0x([0-9a-fA-F]{1,16})\s+(\S.*)")
# Where the tools write the address of a function behind its name.
_STARTS_AT = re.compile(r"<[0-9a-f]+>")
_ADDRESS = re.compile(rb"0x[0-9a-fA-F]{1,16}")


def has_map(data: bytes) -> bool:
    """Whether a memory map begins in `data`."""
    return _MAP.search(data) is not None


def header(data: bytes) -> bytes:
    """The profile's first line, behind names where it has them; empty where it does not end within `data`."""
    start = _body(data)
    end = data.find(b"\n", start)
    return data[start:end].rstrip() if end >= 0 else b""


class Unsampling:
    """What rows of sampled objects stand for: an object of s bytes is seen with the odds 1 - exp(-s / period).

    The formula of pprof and of jeprof (`heap_v2`), for the mean size of a row's objects. What rounding takes from one
    row the next one gets, so that totals are exact to the byte.
    """

    def __init__(self, period: int) -> None:
        self._period = period
        self._objects_left = self._bytes_left = 0.0

    def scale(self, objects: int, size: int) -> tuple[int, int]:
        """Objects and bytes of a row; as they are where every object was seen, or where they make no sense."""
        if self._period <= 1 or not objects or not size or (objects > 0) != (size > 0):
            return objects, size
        odds = -math.expm1(-size / objects / self._period)
        all_objects, all_bytes = objects / odds + self._objects_left, size / odds + self._bytes_left
        rounded = round(all_objects), round(all_bytes)
        self._objects_left, self._bytes_left = all_objects - rounded[0], all_bytes - rounded[1]
        return rounded


class NativeText:
    """The parts of one text. Iterating gives, once, the lines before the map that say something, stripped."""

    def __init__(self, data: bytes) -> None:
        start = _body(data)
        end = _MAP.search(data, start)
        self.has_map = end is not None
        self.names = _symbols(data[:start])
        self.mappings = mappings(_whole(data[end.end() :])) if end else []
        self._lines = io.BytesIO(data[start : end.start()] if end else _whole(data[start:]))
        self._is_cut = not data.endswith(b"\n")
        self._unread_count = 0
        self._unread = b""

    def __iter__(self) -> Iterator[bytes]:
        for raw in self._lines:
            line = raw.strip()
            if line and not line.startswith(b"#"):
                yield line

    def leave_out(self, line: bytes) -> None:
        """Count a line that makes no sense."""
        self._unread_count += 1
        self._unread = self._unread or line[:60]

    def warnings(self) -> Iterator[str]:
        """What could not be read, and what that means for names."""
        if self._unread_count:
            first = self._unread.decode("utf-8", "replace")
            yield f"{self._unread_count:,} lines make no sense and were left out, the first is {first!r}"
        if not self.has_map:
            yield "the text has no memory map, it may have been cut short: addresses belong to no binary"
        elif self._is_cut:
            yield "the memory map was cut short: some addresses may belong to no binary"


class Addresses(dict[bytes, tuple[int, ...]]):
    """The addresses of a text as frames of `builder`: by each, its frames, innermost first where calls were inlined."""

    def __init__(self, text: NativeText, builder: ProfileBuilder) -> None:
        self._builder = builder
        self._names = text.names
        self._lookup = Lookup(text.mappings)
        self._numbers = [builder.mapping(mapping) for mapping in text.mappings]
        self._allocators = {
            number
            for number, mapping in zip(self._numbers, text.mappings, strict=True)
            if is_allocator_library(mapping.file)
        }
        self._own: dict[bytes, bool] = {}

    def stack(self, addresses: bytes) -> list[int]:
        """The frames of a stack, outermost first, from its text; raises `ValueError` where that has no addresses."""
        found = addresses.split()
        first = next((at for at, address in enumerate(found) if not self._is_own(address)), 0)
        frames: list[int] = []
        for address in found[first:]:
            frames += self[address]
        frames.reverse()
        return frames

    def _is_own(self, text: bytes) -> bool:
        """Whether an address lies within the allocator's own library."""
        if text not in self._own:
            is_address = _ADDRESS.fullmatch(text) is not None
            self._own[text] = is_address and self._mapping(max(int(text, 16) - 1, 0)) in self._allocators
        return self._own[text]

    def _mapping(self, address: int) -> int:
        at = self._lookup.at(address)
        return self._numbers[at] if at >= 0 else -1

    def __missing__(self, text: bytes) -> tuple[int, ...]:
        if not _ADDRESS.fullmatch(text):
            raise ValueError(text)
        returned = int(text, 16)
        address = max(returned - 1, 0)
        mapping = self._mapping(address)
        # The tools that write names do not lower the innermost address.
        names = self._names.get(returned - 1) or self._names.get(returned)
        if names:
            frames = tuple(self._builder.frame(name, mapping=mapping) for name in reversed(names))
        else:
            frames = (self._builder.frame("", mapping=mapping, address=signed(address)),)
        self[text] = frames
        return frames


def _body(data: bytes) -> int:
    """Where the profile's header begins."""
    at = 0
    if data.startswith(SYMBOLS):
        end = data.find(b"\n---", len(SYMBOLS))
        at = data.find(b"\n", end + 1) + 1 if end >= 0 else 0
        if not at:
            return len(data)
    if _SECTION.match(data, at):
        at = data.find(b"\n", at) + 1 or len(data)
    return at


def _whole(text: bytes) -> bytes:
    """The text without a last line that does not end: half an address is another address."""
    return text[: text.rfind(b"\n") + 1]


def _symbols(text: bytes) -> dict[int, list[str]]:
    """Names by address, outermost first."""
    found: dict[int, list[str]] = {}
    for line in text.splitlines():
        if match := _SYMBOL.fullmatch(line):
            names = match[2].decode("utf-8", "replace").split("--")
            found[int(match[1], 16)] = [name for part in names if (name := _STARTS_AT.sub("", part).strip())]
    return found


def no_header(what: str) -> MalformedDump:
    """The error for a text that a reader was handed without the first line of its format."""
    return MalformedDump(f"{what} without its header", hint="The text was cut; take the profile again.")
