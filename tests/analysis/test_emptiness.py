"""A profile that shows next to nothing says so, and why."""

from dataclasses import replace

from stacks_dsl import heap

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.analysis.emptiness import emptiness

MB = 1 << 20
FULL = "; ".join(f"main.main>main.f{i} {MB}x9" for i in range(20))


def test_a_profile_far_below_what_the_allocator_gave_out_is_explained():
    profile = replace(heap(FULL, period=2 * MB), memory={"allocated": 400 * MB})
    said = emptiness(profile)
    assert "20.0 MB of the 400 MB" in said
    assert "one allocation in 2.00 MB is sampled" in said
    assert said in analyse([Dump("a", profile)]).notes


def test_a_few_samples_are_nearly_empty():
    assert "3 samples" in emptiness(heap("main.a 10; main.b 10; main.c 10", period=512 << 10))


def test_a_profile_that_explains_its_memory_is_not_empty():
    assert not emptiness(replace(heap(FULL, period=2 * MB), memory={"allocated": 25 * MB}))
    assert not emptiness(heap("main.a 10", period=0))


def test_few_stacks_that_hold_many_samples_are_not_empty():
    assert not emptiness(heap(f"main.a {70 * MB}x9; main.b {2 * MB}x9", period=128 << 10))
