"""Values of a JVM heap dump: equal strings counted without being shown, and one object read when somebody asks."""

import pytest
from hprofs import BYTE, CHAR, DOUBLE, INT, OBJECT, Hprof

from caulk._core import uncompiled
from caulk.formats import hprof
from caulk.formats.hprof import contents
from caulk.formats.hprof.contents import Contents, Value

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


def test_equal_strings_are_counted_by_what_they_waste():
    texts = ["twice as long as 8", "once", "twice as long as 8", "naïve", "naïve", "naïve", "", "x" * 200]
    data = modern(*texts).data
    graph = hprof.read(data)
    found = Contents(data).equal_strings(graph)
    assert [(each.copies, each.length) for each in found] == [(3, 5), (2, 18)]
    assert [each.wasted for each in found] == [2 * graph.size_of(found[0].sample), graph.size_of(found[1].sample)]


def test_many_equal_strings_are_found_among_many_different_ones():
    texts = [f"text {i % 1500}" for i in range(1600)]
    data = modern(*texts).data
    found = Contents(data).equal_strings(hprof.read(data))
    assert len(found) == 100
    assert {each.copies for each in found} == {2}


def test_a_dump_without_values_has_no_equal_strings():
    data = modern("once", "twice", "twice").record(0xDE, b"REDACTED\x01").data
    graph = hprof.read(data)
    assert "its values were removed" in graph.comments
    assert Contents(data).equal_strings(graph) == []


def test_the_kernel_that_is_not_compiled_finds_the_same(monkeypatch):
    data = modern(*(f"text {i % 3}" * 3 for i in range(7))).data
    graph = hprof.read(data)
    found = Contents(data).equal_strings(graph)
    plain = uncompiled.load("hprof")
    monkeypatch.setattr(contents, "Reader", plain.Reader)
    monkeypatch.setattr(contents, "targets_of", plain.targets_of)
    assert Contents(data).equal_strings(graph) == found
    assert len(found) == 3


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
