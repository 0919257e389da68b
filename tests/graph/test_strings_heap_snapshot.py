"""Equal strings of V8 heap snapshots: told by their text and size, and where the text is cut, said to be uncertain."""

from array import array

from snapshots import snapshot

from caulk._core import uncompiled
from caulk.formats import heap_snapshot
from caulk.formats.heap_snapshot import duplicates
from caulk.model.contents import Duplicates

STRINGS = """
    root = synthetic ''
    a = string 'GET' 16
    b = string 'GET' 16
    c = string 'GET' 2000
    d = concatenated string 'GET' 16
    e = string 'POST' 16
    f = string 'PUT' 40
    g = string 'PUT' 40
    h = sliced string 'PUT' 40
    i = string 'none' 0
    j = string 'none' 0
"""


def found(data: bytes, held: array | None = None) -> Duplicates:
    graph = heap_snapshot.read(data)
    everything = array("i", bytes(4 * len(graph)))
    return duplicates.duplicates(data, graph, held or everything, rows=10, objects=10)


def test_equal_strings_have_one_text_and_one_size_and_are_no_ropes():
    same = found(snapshot(STRINGS))
    assert [(row.copies, row.length, row.wasted, list(row.objects)) for row in same.rows] == [
        (2, 3, 40, [6, 7]),
        (2, 3, 16, [1, 2]),
    ]
    assert [same.text(at, 80) for at in (0, 1)] == ["PUT", "GET"]
    assert (same.contents, same.copies, same.wasted) == (2, 4, 56)


def test_strings_that_nothing_holds_waste_nothing():
    held = array("i", bytes(4 * 11))
    held[1] = -1
    assert [row.wasted for row in found(snapshot(STRINGS), held).rows] == [40]


def test_texts_as_long_as_v8_writes_them_are_not_certain_to_be_equal():
    whole, cut = "w" * 1023, "c" * 1024
    data = snapshot(f"""
        root = synthetic ''
        a = string '{whole}' 1040
        b = string '{whole}' 1040
        c = string '{cut}' 5000
        d = string '{cut}' 5000
    """)
    assert [(row.length, row.is_certain) for row in found(data).rows] == [(1024, False), (1023, True)]


def test_a_snapshot_that_is_cut_before_its_texts_has_none_to_compare():
    data = snapshot(STRINGS)
    cut = data[: data.index(b'"strings"')]
    assert heap_snapshot.read(cut).coverage < 1
    assert found(cut).rows == []


def test_the_kernel_that_is_not_compiled_finds_the_same(monkeypatch):
    compiled = found(snapshot(STRINGS))
    monkeypatch.setattr(duplicates, "kernel", uncompiled.load("contents"))
    assert found(snapshot(STRINGS)).rows == compiled.rows
