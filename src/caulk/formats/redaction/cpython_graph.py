"""CPython graphs without values: the dumper writes none, and this makes sure of it for a file from anywhere.

Blocks that the format does not know go, with lines of `INFO` that it does not; strings stay where they name a type, a
module, a function, a source file, or are identifiers of the program. Types that were made at run time keep their names.
"""

from collections.abc import Iterator
from mmap import mmap

from caulk.formats import cpython_graph
from caulk.model.errors import MalformedDump
from caulk.ports import Write

_HEAD = 16
_NONE = 0xFFFFFFFF
_LONGEST = 120
#: Bytes of a row of each table that names strings, and where the numbers of strings stand in it.
_TABLES = {b"TYPE": (24, (16, 20)), b"SITE": (8, (0,)), b"NAME": (8, (4,)), b"LABL": (16, (8,))}
_NUMBERS = {b"SHAP", b"OBJS", b"LEAF", b"ROOT", b"BIGS", b"END!"}
_INFO = ("python ", "implementation ", "taken-at ", "mode ", "pause-s ", "traces ", "memory ", "atexit ")
#: Kinds of labels that have identifiers for names, and those that have none.
_IDENTIFIERS, _NAMELESS = {0, 1, 4, 5}, {2, 3}


def redact(data: bytes | mmap, write: Write) -> tuple[str, ...]:
    """Write the blocks that are whole, without strings that are no names; raises `MalformedDump` if none is."""
    with memoryview(data) as view:
        blocks = list(_blocks(view))
        end = blocks[-1][2] if blocks else 0
        if not {b"OBJS", b"LEAF"} & {tag for tag, _, _ in blocks}:
            raise MalformedDump(
                f"a CPython graph without an object in its {len(view):,} bytes",
                hint="Was the disk full, or the program killed while it wrote? Take the dump again.",
            )
        places = [place for tag, *where in blocks if tag == b"STRS" for place in _strings(view, *where)]
        texts = [view[begin:after] for begin, after in places]
        kept: set[int] = set()
        for tag, start, stop in blocks:
            if tag in _TABLES:
                kept.update(_named(tag, view[start:stop], texts))
        write(view[:_HEAD])
        number = 0
        for tag, start, stop in blocks:
            if tag == b"STRS":
                body = bytearray(view[start:stop])
                for begin, after in _strings(view, start, stop):
                    if number not in kept:
                        body[begin - start : after - start] = b"?" * (after - begin)
                    number += 1
                _write(write, tag, body)
            elif tag == b"INFO":
                lines = str(view[start:stop], "utf-8", "replace").split("\n")
                _write(write, tag, "\n".join(line for line in lines if line.startswith(_INFO)).encode())
            elif tag == b"LABL":
                _write(write, tag, _labels(view[start:stop]))
            elif tag in _TABLES or tag in _NUMBERS:
                _write(write, tag, view[start:stop])
        is_whole = bool(blocks) and blocks[-1][0] == b"END!"
        rest = len(view) - end
    return () if is_whole else (f"the graph was cut short: its last {rest:,} bytes were left out",)


def _blocks(view: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Tag, start and end of each block, as far as they are whole."""
    at = _HEAD
    if not cpython_graph.sniff(bytes(view[:8])) or bytes(view[8:12]) != b"\1\0\0\0":
        raise MalformedDump("a CPython graph of a version that this caulk does not know")
    while len(view) - at >= _HEAD:
        tag = bytes(view[at : at + 4])
        start = at + _HEAD
        end = start + int.from_bytes(view[at + 8 : start], "little")
        if end > len(view):
            return
        yield tag, start, end
        at = end + -(end - start) % 8
        if tag == b"END!":
            return


def _strings(view: memoryview, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the strings of a block lie."""
    count = int.from_bytes(view[start : min(start + 4, end)], "little")
    at = start + 4 + 4 * count
    if at > end:
        return
    for place in range(start + 4, start + 4 + 4 * count, 4):
        after = min(at + int.from_bytes(view[place : place + 4], "little"), end)
        yield at, after
        at = after


def _named(tag: bytes, block: memoryview, texts: list[memoryview]) -> Iterator[int]:
    """The strings that a table needs."""
    width, places = _TABLES[tag]
    for row in range(0, len(block) - width + 1, width):
        for place in places:
            number = int.from_bytes(block[row + place : row + place + 4], "little")
            if number >= len(texts):
                continue
            kind = int.from_bytes(block[row : row + 4], "little") if tag == b"LABL" else -1
            if kind in _NAMELESS or (kind in _IDENTIFIERS and not _is_identifier(texts[number])):
                continue
            yield number


def _is_identifier(text: memoryview) -> bool:
    name = str(text, "utf-8", "replace")
    return len(name) <= _LONGEST and name.isidentifier()


def _labels(block: memoryview) -> bytearray:
    """Labels, without the names that those of keys and elements should not have."""
    out = bytearray(block)
    for row in range(0, len(out) - 15, 16):
        if int.from_bytes(out[row : row + 4], "little") in _NAMELESS:
            out[row + 8 : row + 12] = _NONE.to_bytes(4, "little")
    return out


def _write(write: Write, tag: bytes, body: bytes | bytearray | memoryview) -> None:
    write(tag + bytes(4) + len(body).to_bytes(8, "little"))
    write(body)
    write(bytes(-len(body) % 8))
