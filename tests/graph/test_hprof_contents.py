"""Values of a JVM heap dump: equal strings counted without being shown, and one object read when somebody asks."""

from array import array

import pytest
from hprofs import BYTE, CHAR, DOUBLE, INT, OBJECT, Hprof
from plain import uncompile

from caulk.formats import contents as formats_contents
from caulk.formats import hprof
from caulk.formats.hprof import classes, contents, duplicates, heap, records
from caulk.formats.hprof.contents import Contents, Value
from caulk.model.contents import Duplicates
from caulk.model.graph import ObjectGraph

STRING, POINT = 0x100, 0x110


def modern(*texts: str) -> Hprof:
    """Strings as since JDK 9: bytes, and whether two make a character."""
    dump = Hprof().loaded(java__lang__String=STRING, Point=POINT)
    parts = [dump.klass(STRING, fields=[("coder", BYTE), ("value", OBJECT)])]
    for i, text in enumerate(texts):
        is_wide = any(ord(letter) > 255 for letter in text)
        raw = text.encode("utf-16-le" if is_wide else "latin-1")
        parts.append(dump.instance(0x1000 + 0x100 * i, STRING, (BYTE, is_wide), (OBJECT, 0x1010 + 0x100 * i)))
        parts.append(dump.primitives(0x1010 + 0x100 * i, BYTE, *(byte - 256 * (byte > 127) for byte in raw)))
    return dump.heap(*parts).end()


def strings(data: bytes) -> list[int]:
    graph = hprof.read(data)
    return [number for number in range(len(graph)) if graph.type_name(number) == "java.lang.String"]


def everything(graph: ObjectGraph) -> array:
    """That every object is held: by whom does not matter."""
    return array("i", bytes(4 * len(graph)))


def found(data: bytes, held: array | None = None, *, rows: int = 1000) -> Duplicates:
    graph = hprof.read(data)
    return duplicates.duplicates(data, graph, held or everything(graph), rows=rows, objects=10)


def test_equal_strings_are_counted_by_what_they_waste():
    texts = ["twice as long as 8", "once", "twice as long as 8", "naïve", "naïve", "naïve", "", "x" * 200]
    data = modern(*texts).data
    graph = hprof.read(data)
    rows = found(data).rows
    assert [(row.copies, row.length) for row in rows] == [(3, 5), (2, 18)]
    string = graph.size_of(strings(data)[0])
    sizes = [graph.size_of(row.objects[0]) for row in rows]
    assert [row.wasted for row in rows] == [2 * (sizes[0] + string), sizes[1] + string]
    assert (found(data).contents, found(data).copies) == (2, 5)
    assert found(data).wasted == sum(row.wasted for row in rows)


def test_the_rows_that_are_given_are_those_that_waste_most():
    data = modern(*("short" for _ in range(3)), *("long" * 50 for _ in range(3)), "wide ναι", "wide ναι").data
    few, all_ = found(data, rows=2), found(data)
    assert [row.length for row in few.rows] == [200, 5]
    assert (few.contents, few.copies, few.wasted) == (all_.contents, all_.copies, all_.wasted) == (3, 8, all_.wasted)
    assert all_.rows[-1].length == len("wide ναι")
    assert [all_.text(at, 80) for at in range(3)] == ["long" * 20, "short", "wide ναι"]


def test_many_equal_strings_are_found_among_many_different_ones():
    rows = found(modern(*(f"text {i % 1500}" for i in range(1600))).data).rows
    assert len(rows) == 100
    assert {row.copies for row in rows} == {2}


def test_members_of_a_content_are_spread_over_the_dump():
    data = modern(*(f"text {i % 2}" for i in range(200))).data
    graph = hprof.read(data)
    for row in found(data).rows:
        assert len(row.objects) == 10
        assert graph.type_name(row.objects[0]) == "byte[]"
        assert row.objects[0] < len(graph) // 10 and row.objects[-1] > len(graph) * 8 // 10


def test_strings_that_nothing_holds_waste_nothing():
    data = modern("twice", "twice", "garbage", "garbage").data
    held = everything(hprof.read(data))
    for number in strings(data)[2:]:
        held[number] = held[number + 1] = -1
    assert [row.length for row in found(data, held).rows] == [5]


def test_a_dump_without_equal_strings_has_no_rows():
    assert found(modern("one", "another").data).rows == []


def test_the_kernels_that_are_not_compiled_find_the_same(monkeypatch):
    data = modern(*(f"text {i % 3}" * 3 for i in range(7)), *(f"other {i}" for i in range(1500))).data
    compiled = found(data)
    uncompile(monkeypatch, hprof, contents, duplicates, heap, records, classes, formats_contents)
    assert found(data).rows == compiled.rows
    assert len(compiled.rows) == 3


@pytest.mark.parametrize("text", ["plain", "naïve", "ναι", "", "x" * 300])
def test_the_text_of_a_string_is_read_on_request(text):
    data = modern("other", text).data
    assert Contents(data).text(strings(data)[1]) == text[:200]


def test_strings_of_older_versions_are_read_too():
    dump = Hprof().loaded(java__lang__String=STRING)
    raw = [ord(letter) for letter in "a ναι b"]
    dump.heap(
        dump.klass(STRING, fields=[("value", OBJECT), ("offset", INT), ("count", INT)]),
        dump.instance(0x1000, STRING, (OBJECT, 0x1020), (INT, 2), (INT, 3)),
        dump.primitives(0x1020, CHAR, *raw),
    ).end()
    assert Contents(dump.data).text(strings(dump.data)[0]) == "ναι"


def test_the_fields_of_an_object_are_read_on_request():
    dump = Hprof().loaded(Point=POINT)
    dump.heap(
        dump.klass(POINT, fields=[("x", INT), ("y", DOUBLE), ("next", OBJECT), ("none", OBJECT)]),
        dump.instance(0x1000, POINT, (INT, -5), (DOUBLE, 2.5), (OBJECT, 0x1000), (OBJECT, 0)),
        dump.primitives(0x1040, INT, 1, 2, 3),
    ).end()
    values = Contents(dump.data)
    assert values.fields(2) == [
        Value("x", INT, -5),
        Value("y", DOUBLE, 2.5),
        Value("next", OBJECT, 2),
        Value("none", OBJECT, 0),
    ]
    assert (values.length(3), values.length(2)) == (3, -1)
    assert values.fields(3) == []
    assert values.text(2) == ""
    assert dump.data[values.place(3)] == 0x23
    assert values.place(0) == -1
