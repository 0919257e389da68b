"""JVM heap dumps that are cut, broken or strange: what can be read is read, and the rest is admitted."""

import pytest
from hprofs import BYTE, INT, LONG, OBJECT, Hprof

from caulk.formats import hprof
from caulk.formats.hprof.records import ClassDump
from caulk.formats.hprof.references import superclasses
from caulk.model.errors import MalformedDump
from caulk.model.graph import LABEL_MASK, ObjectGraph

NODE, NODES, LONGS = 0x100, 0x110, 0x120


def begun(version: str = "1.0.2") -> Hprof:
    dump = Hprof(version).loaded(com__example__Node=NODE)
    return dump.loaded_as("[Lcom/example/Node;", NODES).loaded_as("[J", LONGS)


def parts(dump: Hprof, count: int = 12) -> list[bytes]:
    """A list of nodes that an array holds too."""
    nodes = [0x1000 + 0x20 * i for i in range(count)]
    return [
        dump.klass(NODE, fields=[("next", OBJECT), ("at", LONG)], statics=[("ALL", OBJECT, 0x800)]),
        dump.klass(NODES),
        dump.klass(LONGS),
        dump.root(0x05, NODE),
        dump.objects(0x800, NODES, *nodes),
        *(dump.instance(id, NODE, (OBJECT, to), (LONG, 1)) for id, to in zip(nodes, [*nodes[1:], 0], strict=True)),
        dump.primitives(0x900, BYTE, 1, 2, 3),
    ]


def check(graph: ObjectGraph) -> None:
    """Every number of a graph leads somewhere."""
    count, edges = len(graph), len(graph.target)
    assert len(graph.first) == count + 1
    assert graph.first[0] == 0 and graph.first[count] == edges == len(graph.label)
    assert all(graph.first[i] <= graph.first[i + 1] for i in range(count))
    assert all(0 <= to < count for to in graph.target)
    assert all((word & LABEL_MASK) < len(graph.labels) for word in graph.label)
    assert all(0 <= type < len(graph.types) for type in graph.type)
    assert len(graph.types.name) == len(graph.types.kind) == len(graph.types.owner)
    assert all(graph.size[i] > 0 for i in range(1, count))
    assert 0 <= graph.coverage <= 1


def nodes(graph: ObjectGraph) -> int:
    return sum(graph.type_name(number) == "com.example.Node" for number in range(len(graph)))


def test_a_dump_cut_at_any_byte_gives_what_stands_before():
    dump = begun()
    data = dump.heap(*parts(dump)).end().data
    whole, most = hprof.read(data), 0
    for length in range(len(data)):
        try:
            graph = hprof.read(data[:length])
        except MalformedDump as error:
            assert error.hint
            assert most == 0
            continue
        check(graph)
        assert graph.warnings
        assert nodes(graph) >= most
        most = nodes(graph)
    assert most == nodes(whole) == 12
    assert whole.coverage == 1
    assert [warning for warning in whole.warnings if "sizes" not in warning] == []


@pytest.mark.parametrize("tag", [0x0C, 0x1C])
def test_a_length_that_was_never_written_means_the_rest(tag):
    dump = begun()
    graph = hprof.read(dump.heap(*parts(dump), tag=tag, length=0).data)
    assert nodes(graph) == 12
    # Of a dump in segments the record that ends it is missing.
    assert graph.coverage == pytest.approx(1, abs=0.01)
    assert "the dump has no end: it was cut short, or its writer stopped" in graph.warnings


def test_a_length_that_was_never_written_ends_where_another_record_begins():
    dump = begun()
    dump.heap(*parts(dump), length=0)
    graph = hprof.read(dump.end().data)
    assert nodes(graph) == 12
    assert graph.coverage == 1


@pytest.mark.parametrize("length", [1, 100, 1 << 20, 0xFFFFFFFF])
def test_a_wrong_length_of_a_segment_loses_nothing_else(length):
    dump = begun()
    body = parts(dump)
    graph = hprof.read(dump.heap(*body[:7], length=length).heap(*body[7:]).end().data)
    assert nodes(graph) == 12
    assert graph.coverage == 1


def test_behind_a_hole_between_records_reading_goes_on():
    dump = begun()
    body = parts(dump)
    data = bytearray(dump.heap(*body[:7]).heap(*body[7:]).end().data)
    # The first name is not one that the graph needs; a disk has lost it with the head of the next.
    data[31:50] = bytes(19)
    graph = hprof.read(bytes(data))
    assert len(graph) == len(hprof.read(dump.data))
    assert 0.9 < graph.coverage < 1


def test_coverage_counts_the_bytes_that_a_cut_file_lacks():
    dump = begun()
    data = dump.heap(*parts(dump)).data
    graph = hprof.read(data[:-100])
    assert graph.coverage == pytest.approx((len(data) - 100) / len(data), abs=60 / len(data))
    assert "the file ends 100 bytes too early: was the program killed while it wrote the dump?" in graph.warnings


def test_empty_records_are_records():
    dump = begun()
    body = parts(dump)
    graph = hprof.read(dump.record(0x0D).heap().heap(*body).heap().record(0x06).end().data)
    assert nodes(graph) == 12
    assert graph.coverage == 1


def test_records_of_an_unknown_kind_are_passed_over():
    dump = begun()
    body = parts(dump)
    graph = hprof.read(
        dump.record(0xDE, b"REDACTED\x01").heap(*body[:6]).record(0x77, b"?" * 99).heap(*body[6:]).end().data
    )
    assert nodes(graph) == 12
    assert graph.coverage == 1


def test_behind_an_unknown_sub_record_its_segment_is_lost_and_the_next_is_not():
    dump = begun()
    body = parts(dump)
    lost = b"\x42" + b"?" * 50
    data = dump.heap(*body[:7], lost).heap(*body[7:]).end().data
    graph = hprof.read(data)
    assert nodes(graph) == 12
    assert graph.coverage == pytest.approx(1 - len(lost) / len(data))
    assert any("51 bytes" in warning for warning in graph.warnings)


def test_of_several_dumps_the_last_complete_one_is_read():
    dump = begun()
    dump.heap(*parts(dump, 3)).end().heap(*parts(dump, 5)).end()
    graph = hprof.read(dump.data)
    assert nodes(graph) == 5
    assert "the file holds 2 dumps: this is the last, number 2" in graph.warnings
    cut = hprof.read(dump.heap(*parts(dump, 9)[:7]).data)
    assert nodes(cut) == 5
    assert "the file holds 3 dumps: this is the last that is complete, number 2" in cut.warnings


def test_of_several_dumps_of_the_old_version_the_last_is_read():
    dump = begun("1.0.1")
    graph = hprof.read(dump.heap(*parts(dump, 3), tag=0x0C).heap(*parts(dump, 5), tag=0x0C).data)
    assert nodes(graph) == 5


def test_superclasses_in_a_circle_end():
    dump = Hprof().loaded(A=0x100, B=0x110)
    graph = hprof.read(
        dump.heap(
            dump.klass(0x100, above=0x110, fields=[("a", OBJECT)]),
            dump.klass(0x110, above=0x100, fields=[("b", OBJECT)]),
            dump.instance(0x200, 0x100, (OBJECT, 0x200), (OBJECT, 0x200)),
        ).end().data
    )  # fmt: skip
    check(graph)


def test_a_long_line_of_superclasses_is_cut():
    dump = Hprof()
    count = 20_000
    lined = [dump.klass(0x1000 + 0x10 * i, above=0x1000 + 0x10 * (i + 1)) for i in range(count)]
    check(hprof.read(dump.heap(*lined).end().data))
    # Every class has the fields of all above it: with these there would be no end of them.
    above = superclasses([ClassDump(i, "", i + 1, 0, 0, 0, 0, (), ()) for i in range(count)])
    assert sum(row < 0 for row in above) >= count // 201


def test_an_instance_shorter_than_its_class_has_no_references():
    dump = begun()
    graph = hprof.read(dump.heap(*parts(dump, 1)[:4], dump.instance(0x1000, NODE, (INT, 1))).end().data)
    assert list(graph.references(len(graph) - 1)) == []
