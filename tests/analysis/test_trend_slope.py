"""The slope: what wild values cannot turn, and how sure it is."""

import random

from hypothesis import given
from hypothesis import strategies as st

from caulk.analysis.trend.floors import DAY_S, SHORTEST_S, Floors
from caulk.analysis.trend.slope import theil_sen


@given(st.floats(-1e6, 1e6), st.integers(5, 60))
def test_a_straight_line_has_its_own_slope_and_no_doubt(rate, n):
    slope = theil_sen(range(n), [7 + rate * t for t in range(n)])
    assert abs(slope.rate - rate) <= 1e-6 * max(abs(rate), 1)
    assert slope.low - 1e-3 <= slope.rate <= slope.high + 1e-3


def test_a_quarter_of_wild_values_does_not_turn_the_slope():
    values = [2.0 * t for t in range(40)]
    for i in range(0, 40, 4):
        values[i] += 1e6
    assert abs(theil_sen(range(40), values).rate - 2.0) < 0.2


def test_the_interval_holds_zero_for_a_walk_that_goes_nowhere_though_neighbours_lean_on_each_other():
    missed = 0
    for seed in range(100):
        rng, level, values = random.Random(seed), 0.0, []
        for _ in range(60):
            level = 0.8 * level + rng.gauss(0, 1)
            values.append(level)
        slope = theil_sen(range(60), values)
        missed += not slope.low <= 0 <= slope.high
    # 99 % is what a true correlation would give; the one of 60 values is underestimated.
    assert missed <= 8


def test_a_floor_is_the_least_of_its_stretch_at_every_width():
    floors = Floors()
    rng = random.Random(3)
    values = [rng.randint(1, 9000) for _ in range(4096)]
    for i, value in enumerate(values):
        list(floors.add(i * SHORTEST_S, value * 1024))
    for k in (1, 4, 6):
        level, width = floors.levels[k], 2**k
        # The last stretch is still open, at this level and at those below.
        whole = [min(values[i : i + width]) for i in range(0, len(values), width)][:-1]
        assert list(level.least) == whole[-len(level.least) :]


def test_stretches_divide_a_day():
    assert any(level.width_s == DAY_S for level in Floors().levels)
