"""Heap dumps as others than HotSpot write them: Android's records, made-up ids, classes with constants."""

import random
from itertools import pairwise

import pytest
from hprofs import BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, OBJECT, SHORT, Hprof

from caulk.formats import hprof, redaction
from caulk.formats.hprof.layout import WIDTHS
from caulk.formats.source import Source
from caulk.model.graph import ROOTS, ObjectGraph

BOOLEAN = 4
OBJECT_CLASS, PAGE, BYTES = 0x100, 0x110, 0x120
#: By tag what it is called, and the numbers behind its id.
KINDS = {
    0xFF: ("unknown root", ()),
    0x01: ("JNI global", (0x77,)),
    0x02: ("JNI local", (1, 2)),
    0x03: ("Java frame", (1, -1)),
    0x04: ("native stack", (1,)),
    0x05: ("system class", ()),
    0x06: ("thread block", (1,)),
    0x07: ("monitor", ()),
    0x08: ("thread", (1, 2)),
    0x89: ("interned string", ()),
    0x8A: ("finalizing", ()),
    0x8B: ("debugger", ()),
    0x8C: ("reference cleanup", ()),
    0x8D: ("VM internal", ()),
    0x8E: ("JNI monitor", (1, 2)),
}


def part_of(dump: Hprof, name: str, number: int) -> bytes:
    """What Android writes before the objects of a part of its heap."""
    return bytes([0xFE]) + number.to_bytes(4, "big") + dump.name(name)


def bare(dump: Hprof, id: int, kind: int, length: int) -> bytes:
    """A primitive array whose elements Android leaves out."""
    return bytes([0xC3]) + dump.id(id) + bytes(4) + length.to_bytes(4, "big") + bytes([kind])


def android() -> Hprof:
    """Pages in three parts of a heap, the classes behind their instances, as Android writes them."""
    dump = Hprof("1.0.3", id_size=4)
    dump.loaded_as("java.lang.Object", OBJECT_CLASS).loaded_as("com.example.Page", PAGE).loaded_as("byte[]", BYTES)
    bodies = [
        part_of(dump, "zygote", 0x5A),
        dump.root(0x89, 0x7000_0000),
        dump.primitives(0x7000_0000, CHAR, 65, 66),
        part_of(dump, "image", 0x49),
        bare(dump, 0x7000_0040, LONG, 9),
        part_of(dump, "app", 0x41),
        dump.root(0x8B, 0x12C0_0000),
        *(dump.instance(0x12C0_0000 + 16 * i, PAGE, (OBJECT, 0x12C0_0010 + 16 * i), (INT, i)) for i in range(50)),
        dump.instance(0x12C0_0000 + 16 * 50, PAGE, (OBJECT, 0x7000_0040), (INT, 50)),
        dump.klass(OBJECT_CLASS, size=8),
        dump.klass(
            PAGE,
            above=OBJECT_CLASS,
            fields=[("next", OBJECT), ("at", INT)],
            statics=[("$staticOverhead", BYTE, 0), ("FIRST", OBJECT, 0x12C0_0000)],
            size=16,
        ),
        dump.klass(BYTES, above=OBJECT_CLASS),
    ]
    return dump.heap(*bodies).end()


def labels(graph: ObjectGraph, number: int) -> set[str]:
    return {str(each.label) for each in graph.references(ROOTS) if each.target == number}


def of_type(graph: ObjectGraph, name: str) -> list[int]:
    return [number for number in range(len(graph)) if graph.type_name(number) == name]


@pytest.mark.parametrize("id_size", [4, 8])
@pytest.mark.parametrize("tag", KINDS)
def test_every_kind_of_root_holds_its_object_by_its_name(tag, id_size):
    name, numbers = KINDS[tag]
    dump = Hprof(id_size=id_size).loaded(com__example__Page=PAGE)
    # The records behind it are read only if its length is known.
    graph = hprof.read(
        dump.heap(dump.root(tag, 0x200, *numbers), dump.klass(PAGE), dump.instance(0x200, PAGE)).end().data
    )
    (page,) = of_type(graph, "com.example.Page")
    assert labels(graph, page) == {f"({name})"}
    assert graph.coverage == 1


@pytest.mark.parametrize("id_size", [4, 8])
def test_what_android_lists_as_unreachable_is_held_by_nobody(id_size):
    dump = Hprof(id_size=id_size).loaded(com__example__Page=PAGE)
    graph = hprof.read(dump.heap(dump.root(0x90, 0x200), dump.klass(PAGE), dump.instance(0x200, PAGE)).end().data)
    (page,) = of_type(graph, "com.example.Page")
    assert labels(graph, page) == set()
    assert graph.coverage == 1


@pytest.mark.parametrize("kind", [BOOLEAN, CHAR, FLOAT, DOUBLE, BYTE, SHORT, INT, LONG])
def test_an_array_without_its_elements_has_the_size_of_one_with_them(kind):
    sizes = []
    for whole in (True, False):
        dump = Hprof("1.0.3", id_size=4).loaded_as("java.lang.Object", OBJECT_CLASS)
        array = dump.primitives(0x300, kind, *[0] * 40) if whole else bare(dump, 0x300, kind, 40)
        graph = hprof.read(
            dump.heap(part_of(dump, "app", 0x41), dump.klass(OBJECT_CLASS, size=8), array, dump.root(0x8D, 0x300))
            .end()
            .data
        )
        sizes.append(graph.size_of(2))
        assert graph.coverage == 1
    assert sizes[0] == sizes[1] >= 40 * WIDTHS[kind]


def test_a_dump_of_android_is_read_whole():
    graph = hprof.read(android().data)
    pages = of_type(graph, "com.example.Page")
    assert len(pages) == 51
    assert graph.coverage == 1
    for page, following in pairwise(pages):
        assert [each.target for each in graph.references(page)] == [following]
    assert [graph.type_name(each.target) for each in graph.references(pages[-1])] == ["long[]"]
    assert labels(graph, pages[0]) == {"(debugger)"}
    assert {graph.size_of(page) for page in pages} == {16}


def test_a_dump_of_android_says_the_same_without_its_values():
    data, out = android().data, bytearray()
    assert redaction.redact(Source("android", data, len(data)), out.extend) == ()
    before, after = hprof.read(data), hprof.read(bytes(out))
    for column in ("type", "size", "first", "target", "label"):
        assert list(getattr(after, column)) == list(getattr(before, column))
    assert after.types == before.types
    assert b"\0A\0B" in data
    assert b"\0A\0B" not in out
    for name in (b"zygote", b"image", b"app", b"$staticOverhead"):
        assert name in out


@pytest.mark.parametrize("id_size", [4, 8])
def test_constants_of_a_class_are_passed_over(id_size):
    dump = Hprof("1.0.1", id_size=id_size).loaded(com__example__Page=PAGE)
    written = dump.klass(PAGE, fields=[("next", OBJECT)], statics=[("FIRST", OBJECT, 0x200)])
    at = 1 + 7 * id_size + 8
    constants = [(OBJECT, dump.id(0x200)), (LONG, bytes(8)), (BYTE, b"\1"), (SHORT, b"\1\2"), (INT, b"\1\2\3\4")]
    pool = len(constants).to_bytes(2, "big") + b"".join(b"\0\7" + bytes([kind]) + value for kind, value in constants)
    graph = hprof.read(
        dump.heap(written[:at] + pool + written[at + 2 :], dump.instance(0x200, PAGE, (OBJECT, 0x200)), tag=0x0C).data
    )
    (page,) = of_type(graph, "com.example.Page")
    assert [each.target for each in graph.references(page)] == [page]
    assert graph.coverage == 1


def renamed(ids: dict[int, int]) -> ObjectGraph:
    """A tree of pages in an array, whose ids are what `ids` has for them; no class is listed as a root."""
    dump = Hprof().loaded(com__example__Page=ids[0])
    dump.loaded_as("[Lcom/example/Page;", ids[1], 2)
    pages = range(3, len(ids))
    parts = [
        dump.objects(ids[2], ids[1], *(ids[page] for page in pages)),
        *(dump.instance(ids[page], ids[0], (OBJECT, ids[max(page // 2, 2)])) for page in pages),
        dump.klass(ids[0], fields=[("above", OBJECT)], statics=[("ALL", OBJECT, ids[2])]),
        dump.klass(ids[1]),
    ]
    return hprof.read(dump.heap(*parts).end().data)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bits", [14, 32, 48, 64])
def test_ids_that_are_made_up_name_objects_as_well_as_addresses(bits, seed):
    chance = random.Random(f"{bits} {seed}")
    given = chance.sample(range(1, 1 << 14), 400) if bits == 14 else (chance.getrandbits(bits) for _ in range(400))
    ids = sorted(set(given))
    plain = renamed({each: 0x1000 + 0x20 * each for each in range(len(ids))})
    made_up = renamed(dict(enumerate(ids)))
    for column in ("type", "first", "target", "label"):
        assert list(getattr(made_up, column)) == list(getattr(plain, column))
    assert made_up.coverage == 1
    owner = next(number for number in made_up.named if made_up.name(number) == "class com.example.Page")
    assert labels(made_up, owner) == {"(system class)"}
