"""Memory for columns: zeros of any size, shortened without a copy, the same where kernels are not compiled."""

import mmap

import pytest

from caulk._core import columns as compiled
from caulk._core import uncompiled

KERNELS = pytest.mark.parametrize("kernel", [compiled, uncompiled.load("columns")], ids=["compiled", "uncompiled"])
#: Fewer bytes than have pages of their own, and more.
LENGTHS = pytest.mark.parametrize("length", [0, 1, 1000, (1 << 18) + 1])


@KERNELS
@LENGTHS
@pytest.mark.parametrize("typecode", "iIqB")
def test_a_new_column_is_zeros_that_can_be_written(kernel, length, typecode):
    column = kernel.zeros(typecode, length)
    view = memoryview(column)
    assert (view.format, len(view)) == (typecode, length)
    assert not any(view.cast("B"))
    if length:
        column[length - 1] = 7
        assert column[length - 1] == 7


@KERNELS
@LENGTHS
def test_a_column_is_filled_with_one_value(kernel, length):
    assert list(kernel.filled(-1, length)) == [-1] * length


@KERNELS
@LENGTHS
@pytest.mark.parametrize("part", [0, 0.3, 1])
def test_a_shortened_column_keeps_its_beginning(kernel, length, part):
    column = kernel.filled(5, length)
    kept = int(length * part)
    assert list(kernel.shortened(column, kept)) == [5] * kept


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="only some systems take back a part of a mapping")
def test_what_a_shortened_column_loses_is_given_back():
    column = compiled.filled(5, 1 << 20)
    compiled.shortened(column, 10)
    assert column[mmap.PAGESIZE // 4 - 1] == 5
    assert not any(column[mmap.PAGESIZE // 4 :])
