"""PyHeap files: names of attributes and locals, roots, cut and damaged files. Files are built here by their layout."""

import random
import struct

import pytest
from dumped import path_to

from caulk._core import uncompiled
from caulk.formats import pyheap
from caulk.model.errors import MalformedDump
from caulk.model.graph import ROOTS

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


def dump(local: int = WAIT) -> bytes:
    objects = [
        record(TYPE, TYPE, [], "<class 'type'>"),
        record(OBJECT, TYPE, [], "<class 'object'>"),
        record(MODULE, TYPE, []),
        record(ROW, TYPE, [OBJECT], "<class 'app.Row'>", put=STR, __doc__=KEY),
        record(SPACE + 1, MODULE, [SPACE], "<module 'app' from '/app.py'>", CACHE=CACHE),
        record(SPACE, DICT, [CACHE, KEY], "{'secret'}"),
        record(CACHE, DICT, [KEY, ONE]),
        record(KEY, STR, [], "secret"),
        record(ONE, ROW, [TWO, ROW], put=STR, other=TWO, __doc__=KEY),
        record(TWO, LIST, [KEY], "['secret']", size=99),
        record(WAIT, ROW, [KEY, ROW], value=KEY, put=STR),
    ]
    head = struct.pack(">QI", 123_000_321, 1) + text("2026-01-02T03:04:05.000006+00:00") + struct.pack(">Q", 1)
    threads = struct.pack(">I", 1) + text("secret-thread") + b"\1\0" + struct.pack(">I", 1)
    threads += text("app.py") + struct.pack(">I", 7) + text("main") + struct.pack(">I", 1)
    threads += text("row") + struct.pack(">Q", local)
    names = struct.pack(">I", len(FREQUENT)) + b"".join(map(text, FREQUENT))
    common = struct.pack(">I", 3) + b"".join(struct.pack(">Q", each) + attributes(new=1) for each in (DICT, STR, LIST))
    types = struct.pack(">I", len(NAMES)) + b"".join(struct.pack(">Q", a) + text(name) for a, name in NAMES.items())
    tail = types + struct.pack(">Q", 123_000_321)
    return head + threads + names + common + struct.pack(">I", len(objects)) + b"".join(objects) + tail


def test_the_magic_number_tells_it():
    assert pyheap.sniff(dump()[:4096])
    assert not pyheap.sniff(b"\0" * 100)


def test_a_holder_has_the_names_of_attributes_and_modules():
    graph = pyheap.read(dump())
    assert path_to(graph, "list") == [
        "(module)", "module app", ".CACHE", "dict", "[key]", "Row", ".other", "list",
    ]  # fmt: skip
    assert graph.coverage == 1.0
    assert graph.taken_at is not None
    assert graph.taken_at.year == 2026


def test_what_a_class_answers_is_not_drawn_on_its_instances():
    graph = pyheap.read(dump())
    row = next(number for number in range(len(graph)) if graph.type_name(number) == "Row")
    assert [str(reference.label) for reference in graph.references(row)] == [".other", "()"]


def test_locals_of_threads_are_roots():
    graph = pyheap.read(dump())
    labels = {str(reference.label): graph.type_name(reference.target) for reference in graph.references(ROOTS)}
    assert labels["local row"] == "Row"
    assert labels["(module)"] == "module"


def test_no_value_is_shown():
    graph = pyheap.read(dump())
    shown = [*graph.strings, *graph.types.name, *(label.name for label in graph.labels), *graph.comments]
    assert not [name for name in shown if "secret" in name]


def test_sizes_are_kept():
    graph = pyheap.read(dump())
    [size] = [graph.size_of(number) for number in range(len(graph)) if graph.type_name(number) == "list"]
    assert size == 99


def test_every_cut_gives_a_part_or_an_error():
    data = dump()
    parts = 0
    for length in range(8, len(data)):
        try:
            graph = pyheap.read(data[:length])
        except MalformedDump:
            continue
        parts += 1
        assert graph.coverage < 1
        assert any("cut short" in warning for warning in graph.warnings)
    assert parts > 100


def test_another_version_is_refused():
    data = dump()
    with pytest.raises(MalformedDump, match="version 9"):
        pyheap.read(data[:11] + b"\x09" + data[12:])


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_gives_the_same_graph_or_error_from_both_kernels(seed, monkeypatch):
    chance = random.Random(seed)
    data = bytearray(dump())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(8, len(data))
        data[at : at + chance.choice((0, 1, 4))] = chance.choice(
            (b"", b"\xff\xff\xff\xff", b"\0", b"\x7f\xff", chance.randbytes(3))
        )
    answers = [outcome(bytes(data))]
    monkeypatch.setattr(pyheap, "kernel", uncompiled.load("cpython_graph"))
    monkeypatch.setattr(pyheap, "pyheap", uncompiled.load("pyheap"))
    answers.append(outcome(bytes(data)))
    assert answers[0] == answers[1]


def outcome(data: bytes) -> object:
    try:
        graph = pyheap.read(data)
    except MalformedDump as error:
        return str(error)
    assert all(0 < target < len(graph) for target in graph.target)
    assert graph.first[len(graph)] == len(graph.target)
    return [list(column) for column in (graph.type, graph.size, graph.first, graph.target, graph.label)]
