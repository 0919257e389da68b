"""The mappings of a source map are read alike by both forms of the kernel, whatever stands there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caulk._core import source_map, uncompiled

plain = uncompiled.load("source_map")
KERNELS = pytest.mark.parametrize("kernel", [source_map, plain], ids=["compiled", "uncompiled"])


def answer(kernel, data: bytes):
    try:
        return [list(column) for column in kernel.segments(data)]
    except ValueError as error:
        return str(error)


@KERNELS
def test_numbers_are_differences_and_columns_begin_anew_in_each_line(kernel):
    begins, column, source, line, within, name = answer(kernel, b"AAAA,IACEC;;CAAC,E")
    assert begins == [0, 2, 2, 4]
    assert column == [0, 4, 1, 3]
    assert source == [0, 0, 0, -1]
    assert line[:3] == [0, 1, 1]
    assert within[:3] == [0, 2, 3]
    assert name == [-1, 1, -1, -1]


@KERNELS
@pytest.mark.parametrize("text", [b"A*", b"AA", b"AAA", b"AAAAAA", b"g", b"gggggggggA", b"D", b"A,D;D"])
def test_what_is_no_number_is_an_error_with_its_place(kernel, text):
    assert "byte" in answer(kernel, text)


@KERNELS
def test_more_segments_than_any_bundle_has_are_refused_before_memory_is_taken(kernel):
    assert "segments" in answer(kernel, b"," * (source_map.MOST_SEGMENTS + 1))


@settings(max_examples=300, deadline=None)
@given(st.text("ACDEgh/8,;*", max_size=40))
def test_both_forms_agree_on_anything(text):
    assert answer(source_map, text.encode()) == answer(plain, text.encode())
