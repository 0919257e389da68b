"""Damaged dumps of every format: the only outcomes are a profile and `MalformedDump`, the same from both kernels.

`CAULK_FUZZ` is the number of mutants a sample, 300 if it is not set.
"""

import gzip
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as some
from mutation import COUNT, mutant
from samples import SAMPLES

from caulk.formats import FORMATS, GRAPHS, read, read_source
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump
from caulk.model.profile import Profile

#: memray reads in a process of its own, too slow for so many: its mutants are in test_memray.
QUICK = [name for name in SAMPLES if name != "memray"]


def outcome(data: bytes, name: str = "") -> object:
    """All that can be seen of the profile in `data`, or its error; anything else that is raised is a bug.

    With the `name` of a sample its own format reads, whether or not it would claim the data.
    """
    try:
        if name:
            return seen(import_module(f"caulk.formats.{name.partition('/')[0]}").read(data))
        return seen(read_source(Source("mutant", data, len(data))))
    except MalformedDump as error:
        return str(error), error.hint


def seen(profile: Profile) -> tuple[object, ...]:
    frames, tree = profile.frames, profile.tree
    assert 0 <= profile.coverage <= 1
    return (
        profile.format,
        profile.runtime,
        profile.kind,
        profile.measures,
        profile.warnings,
        profile.coverage,
        profile.label_sets,
        profile.memory,
        [
            (frames.function_name(i), frames.file_name(i), frames.module_name(i), frames.line[i])
            for i in range(len(frames))
        ],
        list(tree.parent),
        list(tree.frame),
        [list(column) for column in tree.values],
        list(profile.nodes),
        list(profile.samples.labels),
        [list(column) for column in profile.samples.values],
    )


@pytest.mark.parametrize("name", QUICK)
def test_a_mutant_is_a_profile_or_an_error_and_both_kernels_agree(name, plain_kernels):
    mutants = [mutant(SAMPLES, name, seed) for seed in range(COUNT)]
    compiled = [(outcome(data), outcome(data, name)) for data in mutants]
    plain_kernels()
    for seed, (data, expected) in enumerate(zip(mutants, compiled, strict=True)):
        assert (outcome(data), outcome(data, name)) == expected, f"seed {seed}: {data!r}"


@pytest.mark.parametrize("name", QUICK)
def test_a_sample_cut_at_any_byte_is_a_profile_or_an_error(name):
    data = SAMPLES[name]
    for length in range(0, len(data), max(1, len(data) // 400)):
        outcome(data[:length])


def test_a_mutant_of_a_gzip_file_is_a_profile_or_an_error(tmp_path):
    path = tmp_path / "mutant.gz"
    packed = {"gzip": gzip.compress(SAMPLES["pprof"], mtime=0), **SAMPLES}
    answers = 0
    for seed in range(COUNT):
        path.write_bytes(mutant(packed, "gzip", seed))
        try:
            answers += bool(read(str(path)))
        except MalformedDump as error:
            assert str(path) in str(error)
    assert answers < COUNT


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in GRAPHS])
@given(data=some.binary(max_size=300))
def test_any_bytes_handed_to_a_reader_are_a_profile_or_an_error(name, data):
    format = import_module(f"caulk.formats.{name}")
    assert format.sniff(data) in (True, False)
    try:
        assert seen(format.read(data))
    except MalformedDump as error:
        assert str(error)


@pytest.mark.parametrize("name", QUICK)
@given(data=some.data())
def test_any_bytes_in_the_middle_of_a_sample_are_a_profile_or_an_error(name, data):
    sample = SAMPLES[name]
    at = data.draw(some.integers(0, len(sample)))
    assert outcome(sample[:at] + data.draw(some.binary(max_size=50)) + sample[at:])
