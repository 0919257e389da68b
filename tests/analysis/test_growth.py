"""The arithmetic of growth: slopes, steps and shapes."""

from hypothesis import given
from hypothesis import strategies as st

from caulk.analysis.growth import growth_of, shape_of, slope_of


def exact(values):
    return [0.0] * len(values)


def steps(values):
    return [float(i) for i in range(len(values))]


def test_one_odd_profile_does_not_bend_the_slope():
    values = [0, 10, 20, 900, 40, 50, 60]
    assert slope_of(values, steps(values)) == 10


@given(st.lists(st.integers(-(10**12), 10**12), min_size=4, max_size=12), st.integers(1, 1000))
def test_the_shape_does_not_depend_on_the_unit(values, factor):
    scaled = [value * factor for value in values]
    assert shape_of(values, exact(values), steps(values)) == shape_of(scaled, exact(values), steps(values))


@given(st.integers(1, 10**9), st.integers(4, 12), st.integers(0, 10**9))
def test_a_straight_line_upwards_is_rising(slope, count, start):
    values = [start + slope * i for i in range(count)]
    assert shape_of(values, exact(values), steps(values)) == "rising"


@given(st.integers(4, 12), st.integers(1, 10**9))
def test_a_cache_that_was_full_by_half_time_is_not_rising(count, size):
    values = [0] + [size] * (count - 1)
    assert shape_of(values, exact(values), steps(values)) != "rising"


def test_noise_is_neither_growth_nor_a_broken_rise():
    growth = growth_of([100, 140, 130, 150], [30.0] * 4, [0.0, 1, 2, 3])
    assert not growth.is_significant
    assert growth.is_monotone
    assert not growth_of([100, 140, 130, 150], [0.0] * 4, [0.0, 1, 2, 3]).is_monotone
