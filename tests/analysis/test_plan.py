"""The plan before the work: honest figures, and the first mode that fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caulk.analysis.objects.plan import STEPS, memory, plan
from caulk.model.census import Extent

MB = 1 << 20
HEAP = Extent(objects=1_000_000, references=1_700_000, reading=15, counting=MB)
extents = st.builds(
    Extent,
    objects=st.integers(0, 10**9),
    references=st.integers(0, 10**9),
    reading=st.integers(12, 44),
    counting=st.integers(1, 10**7),
)


@given(extents, st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_objects_and_references_never_take_less(extent, objects, references):
    larger = extent._replace(objects=extent.objects + objects, references=extent.references + references)
    for mode in ("exact", "two-pass", "streaming"):
        assert memory(extent, mode) <= memory(larger, mode)
    assert plan(1, extent, None).seconds <= plan(1, larger, None).seconds


@given(extents)
def test_two_passes_never_take_more_than_one(extent):
    assert memory(extent, "two-pass") <= memory(extent, "exact")


@given(extents, st.integers(0, 10**11), st.integers(0, 10**11))
def test_more_memory_never_gives_a_lesser_mode(extent, some, more):
    order = ("streaming", "two-pass", "exact")
    assert order.index(plan(1, extent, some).mode) <= order.index(plan(1, extent, some + more).mode)


@given(extents, st.integers(0, 10**11))
def test_a_plan_that_fits_stays_within_what_may_be_used(extent, available):
    made = plan(1, extent, available)
    assert made.fits == (made.memory_bytes <= available)
    assert made.memory_bytes == memory(extent, made.mode)


def test_the_first_mode_that_fits_is_taken():
    exact, least = memory(HEAP, "exact"), memory(HEAP, "two-pass")
    assert plan(1, HEAP, None).mode == "exact"
    assert plan(1, HEAP, exact).mode == "exact"
    assert plan(1, HEAP, exact - 1).mode == "two-pass"
    assert plan(1, HEAP, least).mode == "two-pass"
    assert plan(1, HEAP, least - 1).mode == "streaming"


def test_a_format_without_a_census_is_said_not_to_fit():
    made = plan(1, HEAP._replace(counting=0), 30 * MB)
    assert made.mode == "two-pass"
    assert not made.fits
    assert "may be used" in made.shortage


def test_a_plan_is_said_in_a_line_without_false_precision():
    assert str(plan(1, Extent(29_066_334, 48_590_827, 15), None)) == "about 29,000,000 objects, 1.58 GB of memory, 16 s"
    short = str(plan(10**9, HEAP, 25 * MB))
    assert short.startswith("about 1,000,000 objects, ")
    assert "; streaming: who holds what takes about " in short
    assert short.endswith("of memory, and 25.0 MB may be used")


def test_kernels_that_are_not_compiled_take_their_time():
    assert plan(1, HEAP, None, is_compiled=False).seconds > 50 * plan(1, HEAP, None).seconds


def test_the_steps_are_the_whole_work():
    assert sum(STEPS.values()) == pytest.approx(1)
