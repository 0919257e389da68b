"""Damaged dumps of every format: the only outcomes are a profile and `MalformedDump`, the same from both kernels.

`CAULK_FUZZ` is the number of mutants a sample, 300 if it is not set.
"""

import gzip
import os
import random
import sys
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from samples import SAMPLES

import caulk._core
from caulk._core import uncompiled
from caulk.formats import FORMATS, GRAPHS, read, read_source
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump
from caulk.model.profile import Profile

#: memray reads in a process of its own, too slow for so many: its mutants are in test_memray.
QUICK = [name for name in SAMPLES if name != "memray"]
COUNT = int(os.environ.get("CAULK_FUZZ", "300"))

KERNELS = {
    path.stem: (import_module(f"caulk._core.{path.stem}"), uncompiled.load(path.stem))
    for path in sorted(Path(caulk._core.__file__).parent.glob("*.py"))
    if path.stem not in ("__init__", "uncompiled")
}
#: Numbers on which readers break: as varints, as text, as 32 and 64 bits.
NUMBERS = (0, 1, 127, 128, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -1, -(2**63))


def mutant(data: bytes, seed: int) -> bytes:
    """`data` with one to four things wrong; the same for the same seed."""
    chance = random.Random(seed)
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(out))
        end = min(len(out), at + chance.choice((1, 1, 2, 8, 64)))
        match chance.randrange(8):
            case 0 if at < len(out):
                out[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(out):
                out[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, ord("\n"), ord(" "), ord("-"), ord("9")))
            case 2:
                del out[at:end]
            case 3:
                out[at:at] = out[at:end] * chance.choice((1, 2, 20))
            case 4:
                out[at:at] = chance.randbytes(end - at)
            case 5:
                out[at:end] = spelled(chance.choice(NUMBERS), chance)
            case 6:
                del out[at:]
            case _:
                other = SAMPLES[chance.choice(sorted(SAMPLES))]
                start = chance.randint(0, len(other))
                out[at:end] = other[start : start + 40]
    return bytes(out)


def spelled(value: int, chance: random.Random) -> bytes:
    match chance.randrange(4):
        case 0:
            return str(value).encode()
        case 1:
            return (value & 0xFFFFFFFF).to_bytes(4, chance.choice(("little", "big")))
        case 2:
            return (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, chance.choice(("little", "big")))
        case _:
            value &= 0xFFFFFFFFFFFFFFFF
            return b"".join(
                bytes([value >> shift & 0x7F | (0x80 if value >> shift + 7 else 0)])
                for shift in range(0, max(value.bit_length(), 1), 7)
            )


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


@pytest.fixture
def plain_kernels(monkeypatch):
    """A function after which every module uses the kernels uncompiled."""

    def switch() -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("caulk.") and not name.startswith("caulk._core."):
                for compiled, plain in KERNELS.values():
                    for attribute in [key for key, value in vars(module).items() if value is compiled]:
                        monkeypatch.setattr(module, attribute, plain)

    return switch


@pytest.mark.parametrize("name", QUICK)
def test_a_mutant_is_a_profile_or_an_error_and_both_kernels_agree(name, plain_kernels):
    mutants = [mutant(SAMPLES[name], seed) for seed in range(COUNT)]
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
    data = gzip.compress(SAMPLES["pprof"], mtime=0)
    answers = 0
    for seed in range(COUNT):
        path.write_bytes(mutant(data, seed))
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
