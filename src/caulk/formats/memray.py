"""memray captures (`memray run -o FILE`, `caulk run --native`): what is live at the end, and at moments before.

Source: memray's `FileReader` (https://bloomberg.github.io/memray/api.html); the layout is its own business and changes
with each of its versions, so memray itself reads, as a process with bounded memory and time, because damaged files
crash it. Only the head is looked at here (memray records.h): magic, version, and how many allocations there are, which
a program that was killed leaves at 0, as an aggregated capture does. The command line behind it is not kept.
"""

import re
import struct
from typing import TYPE_CHECKING

from caulk.formats.builder import ProfileBuilder, moment
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure
from caulk.model.profile import Profile

if TYPE_CHECKING:
    from caulk.formats.memray_process import Answer

NAME = "memray"

_MAGIC, _LZ4 = b"memray\0", b"\x04\x22\x4d\x18"
#: Version of the layout, of Python, whether there are native frames, whether it is aggregated, how many allocations.
_HEAD = struct.Struct("<7sIIBBQ")
_MEASURES = (Measure("live", "bytes"), Measure("blocks", "count"))
#: The largest block that an LZ4 frame may have.
_BLOCK_BYTES = 4 << 20
_UNKNOWN = "<unknown>"
# Python's own frames, which stand between, say what the interpreter is doing.
_INTERPRETER = re.compile(r"_?Py([A-Z]\w*)?_\w+|_start")
#: Where its sources lie, which an unstripped interpreter tells of functions that are not exported.
_INTERPRETER_FILE = re.compile(r"(^|/)(Objects|Python|Modules|Programs|Include|Parser)/[\w./]+\.[ch]$")


def sniff(head: bytes) -> bool:
    """The magic bytes, as they are or at the start of an LZ4 frame."""
    return _head(head).startswith(_MAGIC)


def read(data: bytes) -> Profile:
    """What was never freed; of a program that was killed, what was live then."""
    return _profiles(data, 0)[0]


def over_time(data: bytes, points: int = 8) -> tuple[Profile, ...]:
    """What was live at up to that many evenly spread moments, oldest first; one profile where only the end is known."""
    return _profiles(data, points)


def _profiles(data: bytes, points: int) -> tuple[Profile, ...]:
    head = _head(data)
    if not head.startswith(_MAGIC):
        raise MalformedDump("this is no memray capture: it does not begin like one")
    if len(head) < _HEAD.size:
        raise MalformedDump(f"memray: the file ends after {len(data)} bytes, within its head", hint=_CUT)
    _, version, _, _, is_aggregated, allocations = _HEAD.unpack(head)
    # Recognising a capture must cost nothing: the reader's process and its answer are imported with the first one.
    from caulk.formats.memray_process import ask  # noqa: PLC0415

    answer = ask(_readable(data), version, points, allocations)
    is_short = answer.allocations < allocations
    warnings = []
    if is_short:
        warnings.append(f"cut short: {answer.allocations:,} of {allocations:,} allocations could be read")
    elif answer.allocations and not allocations and not is_aggregated:
        warnings.append("the program did not end by itself: the capture shows what was live when it was killed")
    if not answer.has_native:
        warnings.append("no native frames were recorded (memray run --native): C code is named by its Python caller")
    return tuple(
        _profile(answer, at, warnings, answer.allocations / allocations if is_short else 1.0)
        for at in range(max(1, len(answer.times_ms)))
    )


def _head(data: bytes) -> bytes:
    """The first bytes of a capture, as many as `_HEAD` has; memray puts finished ones into an LZ4 frame."""
    if not data.startswith(_LZ4):
        return data[: _HEAD.size]
    at, size, is_stored = _first_block(data)
    start = data[at : at + min(size, 4096)]
    return start[: _HEAD.size] if is_stored else _unpacked(start, _HEAD.size)


def _readable(data: bytes) -> bytes:
    """The capture as memray reads it best.

    It lays out files in steps, and looks for their end by two seeks for each zero behind it: 4 of 5 seconds. An LZ4
    frame is read block by block, so that of a first one that was cut short nothing would be left.
    """
    if not data.startswith(_LZ4):
        return data.rstrip(b"\0")
    at, size, is_stored = _first_block(data)
    if at + size <= len(data):
        return data
    return data[at:] if is_stored else _unpacked(data[at:], _BLOCK_BYTES)


def _first_block(data: bytes) -> tuple[int, int, bool]:
    """Where the first block of an LZ4 frame begins, its size, and whether it is there as it is.

    https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
    """
    flags = data[4] if len(data) > 4 else 0
    # Descriptor: flags, block size, the content's size and a dictionary's number where flagged, checksum.
    at = 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    size = int.from_bytes(data[at : at + 4], "little")
    return at + 4, size & 0x7FFFFFFF, size >= 1 << 31


def _unpacked(block: bytes, size: int) -> bytes:
    """The first `size` bytes of an LZ4 block, or what is whole of them.

    https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
    """
    out = bytearray()
    at = 0
    while at < len(block) and len(out) < size:
        token = block[at]
        count, at = _length(block, at + 1, token >> 4)
        out += block[at : at + count]
        at += count
        back = int.from_bytes(block[at : at + 2], "little") if at + 2 <= len(block) else 0
        if not 0 < back <= len(out):
            break
        count, at = _length(block, at + 2, token & 15)
        for _ in range(min(count + 4, size - len(out))):
            out.append(out[-back])
    return bytes(out[:size])


def _length(block: bytes, at: int, low: int) -> tuple[int, int]:
    """A length of which four bits were in the token, and where the next thing is."""
    if low == 15:
        while at < len(block):
            low += block[at]
            at += 1
            if block[at - 1] != 255:
                break
    return low, at


def _profile(answer: "Answer", at: int, warnings: list[str], coverage: float) -> Profile:
    builder = ProfileBuilder(*_MEASURES)
    frames = [_frame(builder, *frame) for frame in answer.frames]
    for stack, sizes, counts in answer.stacks:
        if counts[at]:
            known = map(frames.__getitem__, reversed(stack))
            builder.add([frame for frame in known if frame >= 0], (sizes[at], counts[at]))
    return builder.build(
        format=NAME,
        runtime="cpython",
        kind="heap",
        taken_at=moment((answer.times_ms[at] if answer.times_ms else answer.ended_ms) * 10**6),
        duration_s=max(0, answer.ended_ms - answer.started_ms) / 1000,
        coverage=coverage,
        warnings=tuple(warnings),
    )


def _frame(builder: ProfileBuilder, function: str, file: str, line: int) -> int:
    """A frame's number; -1 for the interpreter's own code, with names or, where it is stripped, without."""
    if file == _UNKNOWN and (function == _UNKNOWN or _INTERPRETER.fullmatch(function)):
        return -1
    if _INTERPRETER_FILE.search(file):
        return -1
    return builder.frame("" if function == _UNKNOWN else function, "" if file == _UNKNOWN else file, max(line, 0))


_CUT = "Was the capture interrupted, or the disk full? Take it again."
