"""A profile that was sampled is never taken for exact: where it does not say how coarsely, its samples do."""

import gzip
import random

import pytest
from pprof_bytes import Pprof, message, number

from caulk.formats import pprof
from caulk.formats.interval import ASSUMED
from caulk.views import pprof as views

MB = 1 << 20


def tcmalloc(sizes: list[int], *, period: int = 2 * MB, seed: int = 1, said: int = 0) -> bytes:
    """What Google's tcmalloc writes of a program that allocated these sizes: see the sources named in `interval`."""
    chance = random.Random(seed)
    profile = Pprof("objects/count", "space/bytes")
    profile.parts.append(message(11, *profile.pair("space/bytes")))
    profile.set(12, said)
    left = chance.expovariate(1 / period)
    merged: dict[int, int] = {}
    for request in sizes:
        left -= request + 1
        if left >= 0:
            continue
        weight = period - left
        allocated = -(-request // 64) * 64
        count = int(weight * allocated / (request + 1) + allocated / 2) // allocated
        merged[request] = merged.get(request, 0) + count
        left = chance.expovariate(1 / period)
    for request, count in merged.items():
        allocated = -(-request // 64) * 64
        labels = profile.label("bytes", value=allocated) + profile.label("request", value=request)
        profile.stack(f"main;make{request}", count, count * allocated, labels=labels)
    return profile.bytes()


@pytest.mark.parametrize("period", [512 << 10, 2 * MB, 8 * MB])
@pytest.mark.parametrize("seed", range(4))
def test_the_interval_is_told_from_the_lightest_sample_of_small_objects(period, seed):
    chance = random.Random(seed)
    sizes = [chance.randint(16, 4000) for _ in range(100_000)]
    profile = pprof.read(tcmalloc(sizes, period=period, seed=seed))
    assert profile.period == pytest.approx(period, rel=0.01)
    assert not profile.warnings


@pytest.mark.parametrize("seed", range(4))
def test_samples_that_were_added_together_make_it_too_large_rather_than_too_small(seed):
    profile = pprof.read(tcmalloc([1000, 1100, 1200, 1300] * 20_000, seed=seed))
    assert profile.period >= 2 * MB * 0.99


def test_one_stack_does_not_tell_how_many_samples_it_is_the_sum_of():
    profile = pprof.read(tcmalloc([1000] * 50_000))
    assert profile.period == 2 * MB
    assert profile.warnings == (ASSUMED,)


def test_large_objects_alone_do_not_tell_it_and_tcmallocs_default_is_assumed_and_said():
    profile = pprof.read(tcmalloc([30 * MB + i for i in range(20)]))
    assert profile.period == 2 * MB
    assert profile.warnings == (ASSUMED,)


def test_an_interval_that_is_said_is_taken():
    assert pprof.read(tcmalloc([100] * 100_000, said=4 * MB)).period == 4 * MB


def test_a_profile_that_saw_every_allocation_has_next_to_no_error():
    profile = Pprof("objects/count", "space/bytes")
    profile.parts.append(message(11, *profile.pair("space/bytes")))
    profile.stack("main;a", 9, 9 * 16).stack("main;b", 1000, 32_000)
    assert pprof.read(profile.bytes()).period <= 9 * 16


@pytest.mark.parametrize("kinds", [("cpu/nanoseconds",), ("alloc_space/bytes",)])
def test_what_counts_no_live_bytes_has_none(kinds):
    profile = Pprof(*kinds)
    profile.parts.append(message(11, *profile.pair("space/bytes")))
    assert pprof.read(profile.stack("main", 5).bytes(number(12, 0))).period == 0


def test_without_live_bytes_in_it_nothing_is_assumed():
    profile = pprof.read(tcmalloc([]))
    assert profile.period == 0
    assert not profile.warnings


def test_samples_heavier_than_any_memory_give_a_number_that_can_be_written():
    profile = Pprof("objects/count", "space/bytes")
    profile.parts.append(message(11, *profile.pair("space/bytes")))
    labels = profile.label("bytes", value=1) + profile.label("request", value=(1 << 63) - 1)
    for name in "abc":
        profile.stack(name, 9, (1 << 63) - 1, labels=labels)
    answer = pprof.read(profile.bytes())
    assert pprof.read(gzip.decompress(views.encode(answer))).period == answer.period > 0
