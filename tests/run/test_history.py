"""The readings of a long run stay few, in order, and keep both ends."""

from itertools import pairwise

from caulk.model.series import Reading
from caulk.run.history import History


def test_a_long_run_keeps_a_bounded_number_of_evenly_spread_readings():
    history = History()
    for second in range(100_000):
        history.add(Reading(float(second), rss=second))
    moments = [reading.at for reading in history.series("x").readings]
    assert len(moments) <= 1_024
    assert (moments[0], moments[-1]) == (0.0, 99_999.0)
    assert len({b - a for a, b in pairwise(moments[:-1])}) == 1


def test_the_highest_memory_is_known_though_its_reading_may_be_gone():
    history = History()
    for rss in (1, 9, 2):
        history.add(Reading(0.0, rss=rss))
    assert history.most == 9
