"""The broken line: where growth began, how evenly it went on, and what days have to do with it."""

import math

import pytest

from caulk.analysis.trend.line import broken_line

HOUR = 3600.0
DAY = 24 * HOUR


def test_a_line_tells_the_slopes_before_a_bend_and_in_each_half_after_it():
    at = [i * HOUR for i in range(41)]
    values = [100 + (t if t < 20 * HOUR else 20 * HOUR + 3 * (t - 20 * HOUR)) for t in at]
    line = broken_line(at, values, 20)
    assert (line.before, line.early, line.late) == pytest.approx((1, 3, 3))
    assert line.left < 1


def test_days_are_taken_out_of_two_days_and_the_growth_stays():
    at = [i * 1.5 * HOUR for i in range(40)]
    swing = [50 * math.cos(2 * math.pi * t / DAY) for t in at]
    line = broken_line(at, [300 + t / HOUR + s for t, s in zip(at, swing, strict=True)], 0)
    assert (line.early * HOUR, line.late * HOUR) == pytest.approx((1, 1), abs=0.01)
    assert line.flat == pytest.approx([300 + t / HOUR for t in at], abs=2)


def test_a_line_that_bends_elsewhere_leaves_more():
    at = [i * HOUR for i in range(24)]
    values = [max(t - 12 * HOUR, 0.0) for t in at]
    left = {begin: broken_line(at, values, begin).left for begin in (4, 8, 12, 16)}
    assert min(left, key=left.__getitem__) == 12
