"""The kernels of heap snapshots, compiled and not, on whole and on damaged text."""

import json
import re
import sys
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as some
from snapshots import snapshot
from test_heap_snapshot import CLOSURES, HEAP

from caulk._core import heap_labels, heap_snapshot, uncompiled
from caulk.formats import heap_snapshot as reader
from caulk.formats.heap_snapshot import meanings, names, text

PLAIN = uncompiled.load("heap_snapshot")
PLAIN_PARTS = {name: uncompiled.load(name) for name in ("heap_words", "heap_shapes", "heap_labels", "heap_functions")}
KERNELS = pytest.mark.parametrize("kernel", [heap_snapshot, PLAIN], ids=["compiled", "uncompiled"])
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
    scanner = kernel.Scanner(f"[{between.join(map(str, numbers))}] ".encode())
    target, what = scanner.edges(EDGE_LAYOUT, EDGE_KINDS, promised, 100, 5)
    assert list(target) == [node for _, _, node in rows]
    assert [(word >> 29, word & 0x1FFFFFFF) for word in what] == [(kind, name) for kind, name, _ in rows]
    assert scanner.names == 1 + max(name for _, name, _ in rows)
    assert not scanner.is_cut
    assert not scanner.is_damaged


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
    scanner = kernel.Scanner(text.encode())
    target, what = scanner.edges(EDGE_LAYOUT, EDGE_KINDS, promised, 10**9, 5)
    # A number that the text ends with may go on.
    numbers = [int(number) for number in re.findall(r"\d+(?=[^\d])", text)]
    read = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False))
    expected = [(kind if kind < 7 else 0, name) for kind, name, _ in read]
    assert list(target) == [node // 5 if node % 5 == 0 and node < 5 * 10**9 else -1 for _, _, node in read]
    assert [word >> 29 for word in what] == [kind for kind, _ in expected]
    assert [word & 0x1FFFFFFF for word in what] == [
        0 if kind in {1, 4} or name >= 2**29 else name for kind, name in expected
    ]
    assert scanner.is_cut == (cut > 0)
    assert not scanner.is_damaged


@KERNELS
def test_numbers_of_any_length_are_read_without_overflow(kernel):
    layout = array("i", [4, 0, 1, -1, 2, 3, -1, -1])
    scanner = kernel.Scanner(b"[2,1,4294967294,0,2,1,4294967295,0,2,1,99999999999999999999999999,0]")
    _, _, _, size, _, _ = scanner.nodes(layout, bytes(range(256)), 3, False)
    assert list(size) == [2**32 - 2, 2**32 - 1, 2**32 - 1]
    assert scanner.large_sizes[1] == 2**32 - 1
    assert scanner.large_sizes[2] > 2**53


@KERNELS
@pytest.mark.parametrize("byte", [b"-1", b"x", b'"', b"[", b"}", b"\0"])
def test_what_is_no_number_stops_the_section_there(kernel, byte):
    scanner = kernel.Scanner(b"[0,1,0,0,1," + byte + b",0,1,0]")
    target, _ = scanner.edges(EDGE_LAYOUT, EDGE_KINDS, 3, 100, 5)
    assert len(target) == 1
    assert scanner.is_damaged


@KERNELS
@given(texts=some.lists(some.text(max_size=9), max_size=9), promised=some.integers(0, 9))
def test_strings_are_found_whatever_they_escape(kernel, texts, promised):
    data = json.dumps(texts).encode()
    scanner = kernel.Scanner(data)
    starts = scanner.strings(promised)
    assert len(starts) == len(texts) + 1
    strings = reader.names.Text(data, starts)
    expected = [t.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") for t in texts]
    assert [strings[n] for n in range(len(texts))] == expected


@KERNELS
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


@pytest.mark.parametrize("heap", [HEAP, CLOSURES], ids=["heap", "closures"])
def test_compiled_and_uncompiled_kernels_say_the_same(heap, monkeypatch):
    data = snapshot(heap, lines=[("closure", 4)] if "closure" in heap else [])
    compiled = reader.read(data)
    monkeypatch.setattr(text, "Scanner", PLAIN.Scanner)
    monkeypatch.setattr(text, "begin", PLAIN.begin)
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
