"""Growth that a runtime's heap does not explain is said, and a collector's garbage is not taken for it."""

import pytest

from caulk.analysis.outside import outside
from caulk.model.series import Reading, Series

MB = 1 << 20


def grown(*, rss: int, heap: int, anonymous: int = 0) -> Series:
    return Series(
        "x", (Reading(0, 50 * MB, heap=20 * MB), Reading(60, (50 + rss) * MB, anonymous * MB, heap=(20 + heap) * MB))
    )


def test_memory_that_grew_beside_the_heap_is_said_with_both_amounts():
    found = outside(grown(rss=310, heap=4, anonymous=300), "cpython")
    assert found is not None
    assert found.sentence.startswith("RSS +310 MB, Python +4.00 MB: not in this heap (+300 MB anonymous memory)")


@pytest.mark.parametrize(
    ("runtime", "rss", "heap"),
    [("cpython", 310, 300), ("cpython", 12, 0), ("go", 100, 48), ("node", 60, 25), ("jvm", 500, 10)],
)
def test_a_heap_that_explains_the_growth_or_its_garbage_is_no_case(runtime, rss, heap):
    assert outside(grown(rss=rss, heap=heap), runtime) is None


def test_buffers_are_told_apart_where_the_runtime_counts_them():
    found = outside(grown(rss=200, heap=1), "node", ({"arrayBuffers": 0}, {"arrayBuffers": 190 * MB}))
    assert found is not None
    assert "+190 MB array buffers" in found.sentence


def test_one_reading_is_no_growth():
    assert outside(Series("x", (Reading(0, 900 * MB, heap=1),)), "cpython") is None
