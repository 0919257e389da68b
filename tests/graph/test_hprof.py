"""What a JVM heap dump says: objects, classes, references and how firmly they hold, roots and locals."""

from itertools import pairwise

import pytest
from hprofs import BYTE, INT, LONG, OBJECT, Hprof

from caulk.formats import hprof
from caulk.model.errors import MalformedDump
from caulk.model.graph import ROOTS, SOFT, STRONG, WEAK, Label, ObjectGraph

OBJECT_CLASS, TICKET, TICKETS, LOADER = 0x100, 0x110, 0x120, 0x130


def small(version: str = "1.0.2", *, id_size: int = 8) -> tuple[Hprof, list[bytes]]:
    """A ticket in an array in a static field: the dump's beginning, and the parts of its heap."""
    dump = Hprof(version, id_size=id_size)
    dump.loaded(java__lang__Object=OBJECT_CLASS, com__example__Ticket=TICKET)
    dump.loaded_as("[Lcom/example/Ticket;", TICKETS, 3)
    return dump, [
        dump.root(0x05, TICKET),
        dump.klass(OBJECT_CLASS),
        dump.klass(
            TICKET, above=OBJECT_CLASS, fields=[("id", LONG), ("next", OBJECT)], statics=[("OPEN", OBJECT, 0x200)]
        ),
        dump.klass(TICKETS, above=OBJECT_CLASS),
        dump.objects(0x200, TICKETS, 0x300, 0, 0x320),
        dump.instance(0x300, TICKET, (LONG, 1), (OBJECT, 0x320)),
        dump.instance(0x320, TICKET, (LONG, 2), (OBJECT, 0)),
        dump.primitives(0x340, BYTE, 1, 2, 3),
    ]


def of_type(graph: ObjectGraph, name: str) -> list[int]:
    return [number for number in range(len(graph)) if graph.type_name(number) == name]


def class_object(graph: ObjectGraph, name: str) -> int:
    return next(number for number in graph.named if graph.name(number) == f"class {name}")


def references(graph: ObjectGraph, number: int) -> list[tuple[int, Label, int]]:
    return [(each.target, each.label, each.strength) for each in graph.references(number)]


def test_objects_have_the_types_and_references_of_the_dump():
    dump, parts = small()
    graph = hprof.read(dump.heap(*parts).end().data)
    first, second = of_type(graph, "com.example.Ticket")
    (tickets,) = of_type(graph, "com.example.Ticket[]")
    owner = class_object(graph, "com.example.Ticket")
    assert references(graph, first) == [(second, Label("field", "next"), STRONG)]
    assert references(graph, second) == []
    assert references(graph, tickets) == [(first, Label("element"), STRONG), (second, Label("element"), STRONG)]
    assert (tickets, Label("static", "OPEN"), STRONG) in references(graph, owner)
    assert (owner, Label("root", "system class"), STRONG) in references(graph, ROOTS)
    assert len(of_type(graph, "byte[]")) == 1
    assert graph.coverage == 1
    assert graph.taken_at is not None and graph.taken_at.year == 2023


@pytest.mark.parametrize("id_size", [4, 8])
@pytest.mark.parametrize("version", ["1.0.1", "1.0.2", "1.0.3"])
def test_both_ways_to_write_a_heap_and_both_sizes_of_ids_read_the_same(version, id_size):
    dump, parts = small(version, id_size=id_size)
    tag = 0x0C if version == "1.0.1" else 0x1C
    graph = hprof.read(dump.heap(*parts, tag=tag).data if tag == 0x0C else dump.heap(*parts).end().data)
    assert len(graph) == 1 + 7
    assert graph.type_name(7) == "byte[]"
    assert not any("end" in warning for warning in graph.warnings)


def test_classes_may_come_after_their_instances():
    dump, parts = small()
    graph = hprof.read(dump.heap(*reversed(parts)).end().data)
    first, second = of_type(graph, "com.example.Ticket")
    assert references(graph, first) == [(second, Label("field", "next"), STRONG)]


def test_fields_of_a_superclass_follow_the_own_ones():
    dump = Hprof().loaded(A=0x100, B=0x110)
    graph = hprof.read(
        dump.heap(
            dump.klass(0x100, fields=[("pad", INT), ("above", OBJECT)]),
            dump.klass(0x110, above=0x100, fields=[("own", OBJECT)]),
            dump.instance(0x200, 0x110, (OBJECT, 0x300), (INT, 7), (OBJECT, 0x400)),
            dump.primitives(0x300, BYTE),
            dump.primitives(0x400, BYTE),
        ).end().data
    )  # fmt: skip
    (made,) = of_type(graph, "B")
    assert [str(each.label) for each in graph.references(made)] == [".own", ".above"]


@pytest.mark.parametrize(
    ("kind", "strength"),
    [("SoftReference", SOFT), ("WeakReference", WEAK), ("PhantomReference", WEAK), ("FinalReference", WEAK)],
)
def test_a_referent_is_held_as_its_kind_of_reference_holds(kind, strength):
    dump = Hprof().loaded_as("java/lang/ref/Reference", 0x100).loaded_as(f"java/lang/ref/{kind}", 0x110)
    dump.loaded(com__example__Entry=0x120)
    graph = hprof.read(
        dump.heap(
            dump.klass(0x100, fields=[("referent", OBJECT), ("next", OBJECT)]),
            dump.klass(0x110, above=0x100),
            dump.klass(0x120, above=0x110, fields=[("value", OBJECT), ("referent", OBJECT)]),
            dump.instance(0x200, 0x120, (OBJECT, 0x300), (OBJECT, 0x300), (OBJECT, 0x300), (OBJECT, 0)),
            dump.primitives(0x300, BYTE),
        ).end().data
    )  # fmt: skip
    (entry,) = of_type(graph, "com.example.Entry")
    assert [(each.label.name, each.strength) for each in graph.references(entry)] == [
        ("value", STRONG), ("referent", STRONG), ("referent", strength),
    ]  # fmt: skip


def test_what_waits_for_its_finalizer_is_held():
    dump = Hprof().loaded_as("java/lang/ref/Reference", 0x100).loaded_as("java/lang/ref/FinalReference", 0x110)
    parts = [
        dump.klass(0x100, fields=[("referent", OBJECT), ("next", OBJECT)]),
        dump.klass(0x110, above=0x100),
        dump.primitives(0x300, BYTE),
        dump.instance(0x200, 0x110, (OBJECT, 0x300), (OBJECT, 0)),
        dump.instance(0x220, 0x110, (OBJECT, 0x300), (OBJECT, 0x220)),
    ]
    graph = hprof.read(dump.heap(*parts).end().data)
    alive, waiting = of_type(graph, "java.lang.ref.FinalReference")
    assert [each.strength for each in graph.references(alive)] == [WEAK]
    assert [each.strength for each in graph.references(waiting)] == [STRONG, STRONG]


def test_a_thread_holds_its_locals_by_their_frame():
    dump = Hprof().loaded_as("java/lang/Thread", 0x100, 1).loaded_as("com/example/Worker", 0x110, 2)
    dump.frame(0x700, "run", "Worker.java", serial=2, line=41).trace(9, 5, [0x700])
    parts = [
        dump.klass(0x100),
        dump.root(0x08, 0x200, 5, 9),
        dump.root(0x03, 0x300, 5, 0),
        dump.root(0x02, 0x300, 5, -1),
        dump.root(0x03, 0x300, 77, 0),
        dump.instance(0x200, 0x100),
        dump.primitives(0x300, BYTE),
    ]
    graph = hprof.read(dump.heap(*parts).end().data)
    (thread,), (local,) = of_type(graph, "java.lang.Thread"), of_type(graph, "byte[]")
    assert graph.types.kind[graph.type[thread]] == "thread"
    assert references(graph, thread) == [
        (local, Label("local", "com.example.Worker.run (Worker.java:41)"), STRONG),
        (local, Label("internal", "JNI local"), STRONG),
    ]
    assert (thread, Label("root", "thread"), STRONG) in references(graph, ROOTS)
    assert (local, Label("root", "Java frame"), STRONG) in references(graph, ROOTS)


def test_an_object_with_several_roots_keeps_each_kind_once():
    dump, parts = small()
    roots = [dump.root(0x01, 0x300, 1), dump.root(0x01, 0x300, 2), dump.root(0x07, 0x300)]
    graph = hprof.read(dump.heap(*roots, *parts).end().data)
    first = of_type(graph, "com.example.Ticket")[0]
    assert [str(label) for to, label, _ in references(graph, ROOTS) if to == first] == ["(JNI global)", "(monitor)"]


def test_instances_hold_the_class_of_a_loader_that_can_go():
    dump = Hprof().loaded(java__lang__ClassLoader=0x100, com__example__Loader=0x110)
    dump.loaded_as("Plugin", 0x120).loaded_as("Plugin", 0x130).loaded_as("Main", 0x140)
    parts = [
        dump.klass(0x100, statics=[("scl", OBJECT, 0x220)]),
        dump.klass(0x110, above=0x100),
        dump.klass(0x120, loader=0x200),
        dump.klass(0x130, loader=0x210),
        dump.klass(0x140, loader=0x220),
        *(dump.instance(id, 0x110) for id in (0x200, 0x210, 0x220)),
        dump.instance(0x300, 0x120),
        dump.instance(0x310, 0x140),
    ]
    graph = hprof.read(dump.heap(*parts).end().data)
    (plugin,), (main,) = of_type(graph, "Plugin"), of_type(graph, "Main")
    loaders = of_type(graph, "com.example.Loader")
    (held,) = graph.references(plugin)
    assert held.label == Label("internal", "class")
    assert graph.name(held.target) == "class Plugin"
    assert (loaders[0], Label("internal", "class loader"), STRONG) in references(graph, held.target)
    assert (held.target, Label("internal", "loaded class"), STRONG) in references(graph, loaders[0])
    # The application's own loader stays: an edge for every object would say nothing.
    assert references(graph, main) == []
    owners = {graph.types.owner[i] for i, name in enumerate(graph.types.name) if name == "Plugin"}
    assert owners == {"com.example.Loader #1", "com.example.Loader #2"}
    assert graph.types.owner[graph.type[main]] == "app"
    assert {graph.types.kind[graph.type[each]] for each in loaders} == {"loader"}


def test_a_lambda_holds_its_class_because_no_loader_does():
    dump = Hprof().loaded_as("com/example/Page$$Lambda$14+0x00007f2590001400", 0x110)
    graph = hprof.read(dump.heap(dump.klass(0x110), dump.instance(0x200, 0x110)).end().data)
    (made,) = of_type(graph, "com.example.Page$$Lambda$14")
    assert [each.label for each in graph.references(made)] == [Label("internal", "class")]


def test_names_are_those_of_the_language():
    names = ["[I", "[[Ljava/lang/String;", "[[Z", "java/util/Map$Entry", "java.lang.String[]"]
    assert [hprof.naming.class_name(name) for name in names] == [
        "int[]", "java.lang.String[][]", "boolean[][]", "java.util.Map$Entry", "java.lang.String[]",
    ]  # fmt: skip


def test_a_class_that_is_missing_has_a_name_and_its_instances_stay():
    dump, parts = small()
    graph = hprof.read(
        dump.heap(*parts, dump.instance(0x360, 0x999, (LONG, 1)), dump.instance(0x380, 0x998)).end().data
    )
    assert len(of_type(graph, "unknown-class-1")) == len(of_type(graph, "unknown-class-2")) == 1
    assert any("2 classes" in warning for warning in graph.warnings)


def test_references_to_what_is_missing_are_left_out_and_counted():
    dump, parts = small()
    graph = hprof.read(dump.heap(*parts[:-3], *parts[-2:]).end().data)
    (second,) = of_type(graph, "com.example.Ticket")
    (tickets,) = of_type(graph, "com.example.Ticket[]")
    assert references(graph, tickets) == [(second, Label("element"), STRONG)]
    assert "1 references lead to objects that the dump does not have" in graph.comments


def test_what_only_android_writes_is_read():
    dump = Hprof("1.0.3", id_size=4)
    dump.loaded_as("java.lang.Object", 0x100).loaded_as("byte[]", 0x110).loaded_as("com.example.Page", 0x120)
    heap = bytes([0xFE]) + (65).to_bytes(4, "big") + dump.name("app")
    bare = bytes([0xC3]) + dump.id(0x300) + bytes(4) + (7).to_bytes(4, "big") + bytes([BYTE])
    parts = [
        heap,
        dump.klass(0x100, size=8),
        dump.klass(0x110, above=0x100),
        dump.klass(0x120, above=0x100, fields=[("pixels", OBJECT)], size=12),
        *(dump.root(tag, 0x200) for tag in (0x89, 0x8A, 0x8B, 0x8C, 0x8D)),
        dump.root(0x8E, 0x200, 1, 2),
        dump.root(0x90, 0x300),
        dump.instance(0x200, 0x120, (OBJECT, 0x300)),
        bare,
    ]
    graph = hprof.read(dump.heap(*parts).end().data)
    (page,), (pixels,) = of_type(graph, "com.example.Page"), of_type(graph, "byte[]")
    assert graph.size_of(page) == 16
    assert graph.size_of(pixels) == 24
    assert pixels not in [each.target for each in graph.references(ROOTS)]
    assert {str(label) for to, label, _ in references(graph, ROOTS) if to == page} == {
        "(interned string)", "(finalizing)", "(debugger)", "(reference cleanup)", "(VM internal)", "(JNI monitor)",
    }  # fmt: skip


def test_ids_that_are_no_addresses_number_objects_too():
    dump = Hprof().loaded(com__example__Ticket=1)
    tickets = [dump.instance(id, 1, (OBJECT, id + 1)) for id in range(2, 50)]
    graph = hprof.read(dump.heap(dump.klass(1, fields=[("next", OBJECT)]), *tickets).end().data)
    assert len(of_type(graph, "com.example.Ticket")) == 48
    assert [each.target for each in graph.references(3)] == [4]


def test_ids_far_apart_and_out_of_order_are_found():
    ids = [(7919 * i * 0x9E3779B97F4A7) % (1 << 60) & ~7 for i in range(1, 300)]
    dump = Hprof().loaded(com__example__Ticket=8)
    parts = [dump.instance(id, 8, (OBJECT, to)) for id, to in zip(ids, ids[1:] + ids[:1], strict=True)]
    graph = hprof.read(dump.heap(dump.klass(8, fields=[("next", OBJECT)]), *parts).end().data)
    rank = {id: 2 + i for i, id in enumerate(sorted(ids))}
    for id, to in pairwise(ids):
        assert [each.target for each in graph.references(rank[id])] == [rank[to]]


def test_an_object_that_is_dumped_twice_counts_once():
    dump, parts = small()
    graph = hprof.read(dump.heap(*parts, *parts).end().data)
    once = hprof.read(small()[0].heap(*small()[1]).end().data)
    assert len(graph) == len(once)
    assert list(graph.target) == list(once.target)
    assert list(graph.size) == list(once.size)


def test_a_file_that_only_begins_like_a_dump_is_refused():
    for data in (b"JAVA PROFILE 1.0.2", b"JAVA PROFILE 1.0.2\0\0\0\0\x05" + bytes(8), Hprof().data, small()[0].data):
        assert hprof.sniff(data)
        with pytest.raises(MalformedDump) as error:
            hprof.read(data)
        assert error.value.hint
