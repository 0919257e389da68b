"""`caulk convert`: the same profile in every format that can hold it, and a reason where none can."""

import gzip
import json
import stat
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "formats"))
from readable import rows, stacks
from samples import SAMPLES

from caulk.cli import carry_out as run
from caulk.formats import read

WRITTEN = ["x.pb.gz", "x.folded", "x.speedscope.json", "x.svg", "x.html", "x.json"]


@pytest.fixture
def heap(tmp_path):
    path = tmp_path / "heap"
    path.write_bytes(SAMPLES["go_heap"])
    return str(path)


def test_pprof_keeps_every_row_with_labels_addresses_and_times(heap, tmp_path):
    assert run(["convert", heap, str(tmp_path / "x.pb.gz")]) == 0
    before, after = read(heap), read(str(tmp_path / "x.pb.gz"))
    assert rows(after) == rows(before)
    assert any(labels for _, labels, _ in rows(after))
    assert (after.period, after.taken_at, after.measures) == (before.period, before.taken_at, before.measures)


@pytest.mark.parametrize("name", ["x.folded", "x.speedscope.json"])
def test_stacks_keep_their_values(heap, tmp_path, name):
    assert run(["convert", heap, str(tmp_path / name)]) == 0
    assert stacks(read(str(tmp_path / name))) == stacks(read(heap))


@pytest.mark.parametrize("name", ["x.folded", "x.speedscope.json"])
def test_another_measure_is_written_where_it_is_asked_for(heap, tmp_path, name):
    assert run(["convert", heap, str(tmp_path / name), "--measure", "alloc_objects"]) == 0
    assert stacks(read(str(tmp_path / name))) == stacks(read(heap), 0)


@pytest.mark.parametrize(
    ("name", "begins"), [("x.svg", b"<svg"), ("x.html", b"<!doctype html"), ("x.json", b'{\n "schema": "caulk.tree/1"')]
)
def test_pictures_and_json_are_those_of_the_flame_graph(heap, tmp_path, name, begins):
    assert run(["convert", heap, str(tmp_path / name)]) == 0
    written = (tmp_path / name).read_bytes()
    assert written[: len(begins)].lower() == begins.lower()
    assert b"main.main" in written


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_private_and_the_same_every_time(heap, tmp_path, name):
    target = tmp_path / name
    assert run(["convert", heap, str(target)]) == 0
    first = target.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert run(["convert", heap, str(target)]) == 0
    assert target.read_bytes() == first


@pytest.mark.parametrize("name", ["gperftools", "jemalloc"])
def test_addresses_without_names_go_along_with_their_binaries(name, tmp_path):
    (tmp_path / "heap").write_bytes(SAMPLES[name])
    assert run(["convert", str(tmp_path / "heap"), str(tmp_path / "x.pb.gz")]) == 0
    before, after = read(str(tmp_path / "heap")).frames, read(str(tmp_path / "x.pb.gz")).frames
    assert after.mappings == before.mappings
    assert list(after.address) == list(before.address)
    assert after.mappings[0].file == "/app/server"


def test_without_a_target_the_format_goes_to_stdout(heap, capsysbinary):
    assert run(["convert", heap, "-o", "speedscope"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["exporter"].startswith("caulk ")
    assert run(["convert", heap, "-", "-o", "pprof"]) == 0
    assert gzip.decompress(capsysbinary.readouterr().out)


def test_the_format_that_is_asked_for_wins_over_the_suffix(heap, tmp_path):
    assert run(["convert", heap, str(tmp_path / "x.svg"), "-o", "folded"]) == 0
    assert read(str(tmp_path / "x.svg")).format == "folded"


@pytest.mark.parametrize(
    ("sample", "target", "reason"),
    [
        ("jvm_histogram", "x.pb.gz", "no stacks to convert"),
        ("go_heap", "x.txt", "no format to convert to"),
        ("go_heap", "x.docx", "suffix does not say"),
        ("go_heap", "", "needs to know the format"),
        ("pprof", "x.speedscope.json", "below zero"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(sample, target, reason, tmp_path, capsys):
    (tmp_path / "dump").write_bytes(SAMPLES[sample])
    arguments = [str(tmp_path / "dump"), *([str(tmp_path / target)] if target else [])]
    assert run(["convert", *arguments]) == 2
    assert reason in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


def test_a_damaged_dump_leaves_the_target_as_it_was(tmp_path, capsys):
    (tmp_path / "dump").write_bytes(b"heap_v2/x\n")
    (tmp_path / "x.folded").write_text("main 1\n")
    assert run(["convert", str(tmp_path / "dump"), str(tmp_path / "x.folded")]) == 5
    assert (tmp_path / "x.folded").read_text() == "main 1\n"


@pytest.mark.parametrize("verb", ["tree", "flame"])
def test_trees_can_be_shown_as_speedscope(verb, heap, capsysbinary):
    assert run([verb, heap, "-o", "speedscope"]) == 0
    [profile] = json.loads(capsysbinary.readouterr().out)["profiles"]
    assert (profile["name"], profile["endValue"]) == ("inuse_space", read(heap).total(3))
