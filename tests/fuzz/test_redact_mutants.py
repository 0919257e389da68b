"""Damaged dumps of every format that `caulk redact` takes: a redacted file, or an error and nothing left behind."""

import stat
from collections import Counter
from pkgutil import iter_modules

import graph_samples
import pytest
import samples
from mutation import COUNT, mutant

from caulk.cli import carry_out as run
from caulk.formats import redaction, snapshot
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump, UsageError
from caulk.model.graph import ObjectGraph
from caulk.model.profile import Profile

FORMATS = sorted(module.name for module in iter_modules(redaction.__path__))
ALL = samples.SAMPLES | graph_samples.SAMPLES
SAMPLES = {name: data for name, data in ALL.items() if name.partition("/")[0] in FORMATS}
#: Of graphs `test_graph_mutants.py` compares the two forms of the kernels.
PROFILES = sorted(set(SAMPLES) & set(samples.SAMPLES))
#: A damaged JVM dump is copied as far as its records follow each other, which may be less than can be read of it.
EXACT = [name for name in SAMPLES if not name.startswith("hprof/")]
COMPARED = max(COUNT // 3, 100)
#: These go through the command line.
COMMANDS = max(COUNT // 10, 30)


def outcome(data: bytes) -> object:
    """The redacted dump and what is said of it, or the error; anything else that is raised is a bug."""
    out = bytearray()
    source = Source("mutant", data, len(data))
    try:
        warnings = redaction.redact(source, out.extend)
    except (MalformedDump, UsageError) as error:
        return type(error), str(error), error.hint
    return bytes(out), warnings


def objects(data: bytes) -> int | None:
    """The objects of a heap, or of a profile the sum of its first measure; None for what cannot be read."""
    try:
        read = snapshot(Source("dump", data, len(data)))
    except MalformedDump:
        return None
    match read:
        case ObjectGraph():
            return len(read)
        case Profile():
            return read.total(0)


def test_every_format_that_is_redacted_has_a_sample():
    assert {name.partition("/")[0] for name in SAMPLES} == set(FORMATS)
    assert len(FORMATS) == 5


@pytest.mark.parametrize("name", PROFILES)
def test_a_mutant_is_redacted_or_refused_and_both_kernels_agree(name, plain_kernels):
    mutants = [mutant(ALL, name, seed) for seed in range(COMPARED)]
    compiled = [outcome(data) for data in mutants]
    assert {len(found) for found in compiled} == {2, 3}, "some are redacted, some refused"
    plain_kernels()
    for seed, (data, expected) in enumerate(zip(mutants, compiled, strict=True)):
        assert outcome(data) == expected, f"seed {seed}: {data!r}"


@pytest.mark.parametrize("name", EXACT)
def test_what_can_be_read_of_a_mutant_can_be_read_of_it_redacted(name):
    for seed in range(COMPARED):
        data = mutant(ALL, name, seed)
        found = outcome(data)
        if isinstance(found[0], bytes):
            before, after = objects(data), objects(found[0])
            assert before in (None, after), f"seed {seed}: {data!r}"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_command_writes_a_private_file_or_leaves_none(name, tmp_path, capsys):
    codes: Counter[int] = Counter()
    mutants = [b"", *(mutant(ALL, name, seed) for seed in range(COMMANDS)), SAMPLES[name]]
    for seed, data in enumerate(mutants):
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "dump").write_bytes(data)
        target = folder / ("redacted.gz" if seed % 2 else "redacted")
        code = run(["redact", str(folder / "dump"), str(target)])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert {path.name for path in folder.iterdir()} == {"dump", *([target.name] if code == 0 else [])}
        assert code in (0, 2, 5)
        if code:
            assert said.err.startswith("caulk: ")
            assert str(folder / "dump") in said.err
        else:
            assert stat.S_IMODE(target.stat().st_mode) == 0o600
        codes[code] += 1
    assert codes[0] and codes[5]


def test_what_is_no_such_format_is_refused_whatever_is_wrong_with_it(tmp_path, capsys):
    others = sorted(set(ALL) - set(SAMPLES))
    assert "pyheap" in others
    for name in others:
        (tmp_path / "dump").write_bytes(ALL[name])
        assert run(["redact", str(tmp_path / "dump"), str(tmp_path / "redacted")]) == 2
        assert "cannot be redacted" in capsys.readouterr().err
        assert not (tmp_path / "redacted").exists()
