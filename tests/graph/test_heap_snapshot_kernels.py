"""The kernels of heap snapshots, compiled and not, on whole and on damaged text."""

import json
import re
import sys
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as some
from snapshots import snapshot
from test_heap_snapshot import CLOSURES, HEAP, SMALL_DICTIONARY

from caulk._core import heap_labels, heap_rows, heap_snapshot, uncompiled
from caulk.formats import heap_snapshot as reader
from caulk.formats.heap_snapshot import meanings, names, text

PLAIN = uncompiled.load("heap_snapshot")
PLAIN_PARTS = {name: uncompiled.load(name) for name in ("heap_words", "heap_shapes", "heap_labels", "heap_functions")}
PLAIN_ROWS = uncompiled.load("heap_rows")
KERNELS = pytest.mark.parametrize("kernel", [heap_rows, PLAIN_ROWS], ids=["compiled", "uncompiled"])
SCANNERS = pytest.mark.parametrize("kernel", [heap_snapshot, PLAIN], ids=["compiled", "uncompiled"])
WELL, CUT, DAMAGED = range(3)
DICTIONARY = SMALL_DICTIONARY.format(pool="(constant pool)", written="size")
EDGE_LAYOUT, EDGE_KINDS = array("i", [3, 0, 1, 2]), bytes(range(7)) + bytes(249)


@KERNELS
@given(
    rows=some.lists(
        some.tuples(some.sampled_from([0, 2, 3, 5, 6]), some.integers(0, 2**29 - 1), some.integers(0, 99)), min_size=1
    ),
    between=some.sampled_from([",", ", ", ",\n", "\n,\t "]),
    promised=some.integers(0, 9),
)
def test_edges_are_numbers_between_any_white_space(kernel, rows, between, promised):
    numbers = [n for kind, name, node in rows for n in (kind, name, node * 5)]
    read = kernel.Rows(f" [{between.join(map(str, numbers))}] ".encode(), 0, EDGE_LAYOUT, EDGE_KINDS)
    target, what = read.edges(promised, 100, 5)
    assert list(target) == [node for _, _, node in rows]
    assert [(word >> 29, word & 0x1FFFFFFF) for word in what] == [(kind, name) for kind, name, _ in rows]
    assert read.names == 1 + max(name for _, name, _ in rows)
    assert read.state == WELL


@KERNELS
@given(
    rows=some.lists(
        some.tuples(some.integers(0, 12), some.integers(0, 2**30), some.integers(0, 5 * 10**9)), min_size=1
    ),
    between=some.sampled_from(["\n,", ",", ",\n"]),
    promised=some.integers(0, 9),
    cut=some.integers(0, 300),
)
def test_edges_are_read_up_to_the_last_whole_one_however_v8_writes_them(kernel, rows, between, promised, cut):
    whole = f"[{between.join(f'{kind},{name},{node}' for kind, name, node in rows)}]"
    text = whole[: max(len(whole) - cut, 0)]
    array_read = kernel.Rows(text.encode(), 0, EDGE_LAYOUT, EDGE_KINDS)
    target, what = array_read.edges(promised, 10**9, 5)
    # A number that the text ends with may go on.
    numbers = [int(number) for number in re.findall(r"\d+(?=[^\d])", text)]
    read = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False))
    expected = [(kind if kind < 7 else 0, name) for kind, name, _ in read]
    assert list(target) == [node // 5 if node % 5 == 0 and node < 5 * 10**9 else -1 for _, _, node in read]
    assert [word >> 29 for word in what] == [kind for kind, _ in expected]
    assert [word & 0x1FFFFFFF for word in what] == [
        0 if kind in {1, 4} or name >= 2**29 else name for kind, name in expected
    ]
    assert array_read.state == (CUT if cut else WELL)


@KERNELS
@given(
    rows=some.lists(some.tuples(*[some.integers(0, 10**n) for n in (2, 9, 12, 5, 3)], some.integers(0, 2)), min_size=1),
    between=some.sampled_from(["\n,", ",", ",\n", " , "]),
    promised=some.integers(0, 9),
    cut=some.integers(0, 300),
)
def test_nodes_are_read_up_to_the_last_whole_one(kernel, rows, between, promised, cut):
    whole = f"[{between.join(','.join(map(str, row)) for row in rows)}]"
    text = whole[: max(len(whole) - cut, 0)]
    array_read = kernel.Rows(text.encode(), 0, array("i", [6, 0, 1, 2, 3, 4, 5]), bytes(range(32)) * 8)
    kinds, names, ids, sizes, edges = array_read.nodes(promised)
    numbers = [int(number) for number in re.findall(r"\d+(?=[^\d])", text)]
    read = list(zip(*(numbers[field::6] for field in range(6)), strict=False))
    assert [kind & 31 for kind in kinds] == [row[0] & 31 for row in read]
    assert [kind >> 6 for kind in kinds] == [row[5] for row in read]
    assert list(names) == [row[1] for row in read]
    assert list(ids) == [row[2] & 0xFFFFFFFF for row in read]
    assert list(sizes) == [row[3] for row in read]
    assert list(edges) == [0, *(row[4] for row in read)]
    assert array_read.state == (CUT if cut else WELL)


@KERNELS
def test_numbers_of_any_length_are_read_without_overflow(kernel):
    layout = array("i", [4, 0, 1, -1, 2, 3, -1])
    text = b"[2,1,4294967294,0,2,1,4294967295,0,2,1,99999999999999999999999999,0]"
    rows = kernel.Rows(text, 0, layout, bytes(range(256)))
    _, _, _, size, _ = rows.nodes(3)
    assert list(size) == [2**32 - 2, 2**32 - 1, 2**32 - 1]
    assert rows.large_sizes[1] == 2**32 - 1
    assert rows.large_sizes[2] > 2**53


@KERNELS
@pytest.mark.parametrize("byte", [b"-1", b"x", b'"', b"[", b"}", b"\0"])
def test_what_is_no_number_stops_the_section_there(kernel, byte):
    rows = kernel.Rows(b"[0,1,0,0,1," + byte + b",0,1,0]", 0, EDGE_LAYOUT, EDGE_KINDS)
    target, _ = rows.edges(3, 100, 5)
    assert len(target) == 1
    assert rows.state == DAMAGED


@SCANNERS
@given(texts=some.lists(some.text(max_size=9), max_size=9), promised=some.integers(0, 9))
def test_strings_are_found_whatever_they_escape(kernel, texts, promised):
    data = json.dumps(texts).encode()
    scanner = kernel.Scanner(data)
    starts = scanner.strings(promised)
    assert len(starts) == len(texts) + 1
    strings = reader.names.Text(data, starts)
    expected = [t.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") for t in texts]
    assert [strings[n] for n in range(len(texts))] == expected


@SCANNERS
@pytest.mark.parametrize("value", ['"a\\"]}"', "[[1,{}],[]]", '{"a":[1,"]"]}', "12.5", "null", "[]", '""'])
def test_any_value_can_be_passed_over(kernel, value):
    scanner = kernel.Scanner(f'{{"x": {value} , "y":1}}'.encode())
    assert scanner.enter()
    assert scanner.key() == b"x"
    assert scanner.skip()
    assert scanner.key() == b"y"
    assert scanner.skip()
    assert scanner.key() is None
    assert not scanner.is_damaged


@pytest.mark.parametrize("heap", [HEAP, CLOSURES, DICTIONARY], ids=["heap", "closures", "dictionary"])
def test_compiled_and_uncompiled_kernels_say_the_same(heap, monkeypatch):
    data = snapshot(heap, lines=[("closure", 4)] if "closure" in heap else [])
    compiled = reader.read(data)
    monkeypatch.setattr(text, "Scanner", PLAIN.Scanner)
    monkeypatch.setattr(text, "Rows", PLAIN_ROWS.Rows)
    monkeypatch.setattr(text, "begin", PLAIN_ROWS.begin)
    monkeypatch.setattr(meanings, "Words", PLAIN_PARTS["heap_words"].Words)
    monkeypatch.setattr(meanings, "Shapes", PLAIN_PARTS["heap_shapes"].Shapes)
    monkeypatch.setattr(meanings, "Meaning", PLAIN_PARTS["heap_labels"].Meaning)
    monkeypatch.setattr(names, "heap_labels", PLAIN_PARTS["heap_labels"])
    monkeypatch.setattr(sys.modules[reader.functions.__module__], "kernel", PLAIN_PARTS["heap_functions"])
    assert reader.read(data) == compiled


def test_many_objects_with_one_enormous_table_do_not_take_for_ever():
    objects, keys = 3_000, 3_000
    lines = ["root = synthetic ''", "table = array '(object properties)' 8"]
    lines += [f"s{n} = string 'k{n % 10}x{n}' 8" for n in range(keys)]
    lines += [f"table internal '{n}' -> s{n}" for n in range(keys)]
    for n in range(objects):
        lines += [f"o{n} = object 'O' 8", f"o{n} property 'absent' -> table", f"o{n} internal 'properties' -> table"]
    meaning = reader.read(snapshot("\n".join(lines)))
    # A look at every key for every object would be nine million; what was not found out shows no names.
    labels = {str(reference.label) for reference in meaning.references(len(meaning) - 1)}
    assert labels == {"[key]", "(properties)"}


def test_interned_numbers_survive_growth():
    types = array("i", range(5_000))
    numbers = array("i", reversed(range(5_000)))
    heap_labels.renumber(types, numbers)
    assert list(types) == list(reversed(range(5_000)))
