"""PyHeap files for tests, built by their layout."""

import struct
from collections.abc import Sequence

TYPE, OBJECT, DICT, STR, LIST, MODULE, ROW, SPACE, CACHE, KEY, ONE, TWO, WAIT = range(16, 16 * 14, 16)
NAMES = {TYPE: "type", OBJECT: "object", DICT: "dict", STR: "str", LIST: "list", MODULE: "module", ROW: "Row"}
FREQUENT = ["__doc__", "value"]


def text(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


def attributes(**values: int) -> bytes:
    out = struct.pack(">I", len(values))
    for name, address in values.items():
        number = -1 - FREQUENT.index(name) if name in FREQUENT else None
        out += struct.pack(">h", number) if number is not None else text(name)
        out += struct.pack(">Q", address)
    return out


def record(address: int, type_: int, referents: list[int], printed: str = "", size: int = 48, **values: int) -> bytes:
    out = struct.pack(f">QQII{len(referents)}Q", address, type_, size, len(referents), *referents)
    return out + (b"" if type_ in (DICT, STR, LIST) else attributes(**values)) + text(printed)


def pyheap(local: int = WAIT) -> bytes:
    """A module `app` whose `CACHE` holds a row, and a thread whose variable `row` is `local`."""
    objects = [
        record(TYPE, TYPE, [], "<class 'type'>"),
        record(OBJECT, TYPE, [], "<class 'object'>"),
        record(MODULE, TYPE, []),
        record(STR, TYPE, [], "<class 'str'>"),
        record(ROW, TYPE, [OBJECT], "<class 'app.Row'>", put=STR, __doc__=KEY),
        record(SPACE + 1, MODULE, [SPACE], "<module 'app' from '/app.py'>", CACHE=CACHE),
        record(SPACE, DICT, [CACHE, KEY], "{'secret'}"),
        record(CACHE, DICT, [KEY, ONE]),
        record(KEY, STR, [], "secret"),
        record(ONE, ROW, [TWO, ROW], put=STR, other=TWO, __doc__=KEY),
        record(TWO, LIST, [KEY], "['secret']", size=99),
        record(WAIT, ROW, [KEY, ROW], value=KEY, put=STR),
    ]
    return file(objects, local=local)


def file(objects: Sequence[bytes], *, local: int) -> bytes:
    """Objects with what stands around them; a thread's variable `row` is `local`."""
    head = struct.pack(">QI", 123_000_321, 1) + text("2026-01-02T03:04:05.000006+00:00") + struct.pack(">Q", 1)
    threads = struct.pack(">I", 1) + text("secret-thread") + b"\1\0" + struct.pack(">I", 1)
    threads += text("app.py") + struct.pack(">I", 7) + text("main") + struct.pack(">I", 1)
    threads += text("row") + struct.pack(">Q", local)
    names = struct.pack(">I", len(FREQUENT)) + b"".join(map(text, FREQUENT))
    common = struct.pack(">I", 3) + b"".join(struct.pack(">Q", each) + attributes(new=1) for each in (DICT, STR, LIST))
    types = struct.pack(">I", len(NAMES)) + b"".join(struct.pack(">Q", a) + text(name) for a, name in NAMES.items())
    tail = types + struct.pack(">Q", 123_000_321)
    return head + threads + names + common + struct.pack(">I", len(objects)) + b"".join(objects) + tail
