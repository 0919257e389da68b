"""Damaged heap dumps whose types are counted: the only outcomes are numbers that make sense and `MalformedDump`."""

from importlib import import_module

import pytest
from graph_samples import SAMPLES
from mutation import COUNT, mutant

from caulk.formats import GRAPHS
from caulk.model.errors import MalformedDump

#: Both forms of the kernels read these many of each sample's mutants; the compiled one alone reads more.
COMPARED = max(COUNT // 10, 100)


def outcome(data: bytes, name: str) -> tuple[object, ...]:
    """All that can be seen of extent and types in `data`, or the error; anything else that is raised is a bug."""
    module = import_module(f"caulk.formats.{name.partition('/')[0]}")
    try:
        extent = module.extent(data)
        assert 0 <= extent.objects <= len(data)
        assert 0 <= extent.references <= 10 * len(data)
        if not extent.counting:
            return extent
        census = module.census(data)
    except MalformedDump as error:
        return str(error), error.hint
    assert len(census.types) == len(census.count) == len(census.shallow)
    assert min(census.count) >= 0
    assert 0 < sum(census.count) <= len(data)
    assert 0 <= census.coverage <= 1
    return extent, census.types, list(census.count), list(census.shallow), census.warnings, census.comments


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutant_is_counted_or_an_error_and_both_kernels_agree(name, plain_kernels):
    mutants = [mutant(SAMPLES, name, seed) for seed in range(COMPARED)]
    compiled = [outcome(data, name) for data in mutants]
    plain_kernels()
    for seed, (data, expected) in enumerate(zip(mutants, compiled, strict=True)):
        assert outcome(data, name) == expected, f"seed {seed}: {data!r}"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutant_is_counted_without_a_crash(name):
    for seed in range(COMPARED, COUNT):
        outcome(mutant(SAMPLES, name, seed), name)


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_every_format_of_heaps_says_how_large_one_is(name):
    samples = [sample for of, sample in SAMPLES.items() if of.partition("/")[0] == name]
    assert samples
    assert all(import_module(f"caulk.formats.{name}").extent(sample).objects >= 0 for sample in samples)
