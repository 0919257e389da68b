"""Lines through values: the kernel, compiled and not."""

import random
from array import array

import pytest

from caulk._core import lines as compiled
from caulk._core import uncompiled

KERNELS = pytest.mark.parametrize("kernel", [compiled, uncompiled.load("lines")], ids=["compiled", "uncompiled"])


@KERNELS
def test_slopes_of_all_pairs_are_sorted(kernel):
    times, values = array("d", [0, 1, 3]), array("d", [5, 4, 8])
    assert kernel.pair_slopes(times, values) == [-1.0, 1.0, 2.0]


@KERNELS
def test_least_squares_finds_what_made_the_values(kernel):
    rng = random.Random(2)
    columns = [[1.0] * 30, [i / 30 for i in range(30)], [rng.uniform(-1, 1) for _ in range(30)]]
    values = [7 * a - 2 * b + 3 * c for a, b, c in zip(*columns, strict=True)]
    found = kernel.least_squares(array("d", [x for column in columns for x in column]), array("d", values))
    assert found == pytest.approx([7, -2, 3])


@KERNELS
def test_columns_that_say_the_same_are_not_determined(kernel):
    assert kernel.least_squares(array("d", [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]), array("d", [1.0, 2.0, 3.0])) is None
